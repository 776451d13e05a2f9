/**
 * The least time that an operation can take where its states take as long as the latency table says:
 * only EC2's own states and the calls that change something, one after the other where one needs the
 * other's result. Looking, polling, deciding and recording are not in it: they are what is measured.
 */
import type { LatencyTable } from "../src/simulator";

export type Operation = "create" | "recycle" | "ami-swap" | "interruption" | "pause" | "resume";

export interface PathRequest {
  operation: Operation;
  /** GiB written to the root disk since its last snapshot: what the final one has to copy. */
  changedGib: number;
}

/** One stretch of the path. */
interface Stretch {
  seconds: number;
  what: string;
}

/** Over the same span that the stopwatch measures for the operation. */
export function criticalPathSeconds(latencies: LatencyTable, request: PathRequest): number {
  return sum(criticalPath(latencies, request));
}

function criticalPath(latencies: LatencyTable, { operation, changedGib }: PathRequest): Stretch[] {
  const ending = endingOf(latencies);
  const saving = savingOf(latencies, changedGib);
  const launching = launchingOf(latencies);
  const freeing = [
    {
      seconds: latencies.terminatedToInterfaceAvailable,
      what: "the network interface becomes available",
    },
  ];
  switch (operation) {
    case "create":
      return [{ seconds: latencies.call, what: "CreateNetworkInterface" }, ...launching];
    case "resume":
      return launching;
    case "pause":
      return [...ending, ...saving];
    case "ami-swap":
      // The new image boots; the old disk is saved beside it.
      return [...ending, ...freeing, ...launching];
    case "recycle":
    case "interruption":
      return [...ending, ...longer(saving, freeing), ...launching];
  }
}

const endingOf = (latencies: LatencyTable): Stretch[] => [
  { seconds: latencies.osShutdown, what: "the operating system shuts down" },
  { seconds: latencies.shuttingDownToTerminated, what: "the instance becomes terminated" },
];

const savingOf = (latencies: LatencyTable, changedGib: number): Stretch[] => [
  { seconds: latencies.terminatedToVolumeAvailable, what: "the root volume becomes available" },
  { seconds: latencies.call, what: "CreateSnapshot" },
  {
    seconds: latencies.snapshotBase + latencies.snapshotPerGib * changedGib,
    what: "the final snapshot completes",
  },
  { seconds: latencies.call, what: "RegisterImage" },
  { seconds: latencies.imageRegistration, what: "the image becomes available" },
];

const launchingOf = (latencies: LatencyTable): Stretch[] => [
  { seconds: latencies.runInstancesCall, what: "RunInstances" },
  { seconds: latencies.pendingToRunning, what: "the instance becomes running" },
];

const longer = (one: Stretch[], other: Stretch[]) => (sum(one) >= sum(other) ? one : other);

const sum = (stretches: readonly Stretch[]) =>
  stretches.reduce((total, { seconds }) => total + seconds, 0);
