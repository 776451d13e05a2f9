/**
 * Measures by the simulator's own events, as EventBridge would deliver them, each at the instant at
 * which it happened, and compares the time with the least that the latency table allows.
 */
import { isReading } from "../src/aws/reading";
import type { CallRecord, Simulator } from "../src/simulator";
import { criticalPathSeconds, type Operation } from "./critical-path";

export interface Stopwatch {
  /** Starts anew; what happened before does not count. */
  start(): void;
  /** What was measured since the start; throws when the operation has not happened. */
  read(operation: Operation): Reading;
  /** Calls since the start, by action. */
  calls(): Map<string, number>;
  stop(): void;
}

export interface Reading {
  seconds: number;
  criticalPathSeconds: number;
}

type Moment = "first-change" | "left-running" | "running" | "image-available";

interface Span {
  from: Moment;
  to: Moment;
}

const startup: Span = { from: "first-change", to: "running" };
const downtime: Span = { from: "left-running", to: "running" };

/** Of each operation, what counts: the downtime if it has one. */
const spans: Record<Operation, Span> = {
  create: startup,
  resume: startup,
  recycle: downtime,
  "ami-swap": downtime,
  interruption: downtime,
  pause: { from: "left-running", to: "image-available" },
};

const gib = 1024 ** 3;

export function startStopwatch(simulator: Simulator): Stopwatch {
  const { clock, control, latencies } = simulator;
  const moments = new Map<Moment, number>();
  let changedBytes = 0;
  let callsBefore = 0;
  const note = (moment: Moment) => {
    if (!moments.has(moment)) moments.set(moment, clock.now());
  };
  const start = () => {
    moments.clear();
    changedBytes = 0;
    callsBefore = control.calls().length;
  };
  const stop = control.events.subscribe((event) => {
    const { state, State, "instance-id": instanceId } = event.detail;
    if (event["detail-type"] === "EC2 AMI State Change" && State === "available")
      note("image-available");
    if (event["detail-type"] !== "EC2 Instance State-change Notification") return;
    if (state === "running") note("running");
    if (state !== "shutting-down" || moments.has("left-running")) return;
    note("left-running");
    changedBytes = unsavedBytes(simulator, String(instanceId));
  });
  const callsSince = () => control.calls().slice(callsBefore);
  start();
  return {
    start,
    stop,
    calls: () => countByAction(callsSince()),
    read(operation) {
      const { from, to } = spans[operation];
      const fromAt =
        from === "first-change" ? firstChangeAt(simulator, callsSince()) : moments.get(from);
      const toAt = moments.get(to);
      if (fromAt === undefined || toAt === undefined) throw new Error(`no ${operation} happened`);
      const request = { operation, changedGib: changedBytes / gib };
      return {
        seconds: (toAt - fromAt) / 1000,
        criticalPathSeconds: criticalPathSeconds(latencies, request),
      };
    },
  };
}

/** When the first call that changes something was sent; the log has when it was carried out. */
function firstChangeAt({ latencies }: Simulator, calls: readonly CallRecord[]): number | undefined {
  const first = calls.find(({ action }) => !isReading(action));
  if (first === undefined) return undefined;
  const isLaunch = first.action === "RunInstances";
  return first.time - (isLaunch ? latencies.runInstancesCall : latencies.call) * 1000;
}

/** The simulator knows for each volume how much its next snapshot has to copy. */
function unsavedBytes(simulator: Simulator, instanceId: string): number {
  const { volumes } = simulator.control.state() as { volumes: VolumeState[] };
  const volume = volumes.find((each) => each.attachment?.instanceId === instanceId);
  return volume?.changedBytes ?? 0;
}

interface VolumeState {
  changedBytes: number;
  attachment?: { instanceId: string };
}

function countByAction(calls: readonly CallRecord[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { action } of calls) counts.set(action, (counts.get(action) ?? 0) + 1);
  return counts;
}
