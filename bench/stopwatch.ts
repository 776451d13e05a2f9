/**
 * Measures by the simulator's own events, as EventBridge would deliver them, each at the instant at
 * which it happened: when an instance left `running`, when the next one was, and how much of its
 * disk no snapshot had yet.
 */
import type { Simulator } from "../src/simulator";

export interface Stopwatch {
  /** Starts anew; what happened before does not count. */
  start(): void;
  /** Epoch ms in simulated time, of the first such event since the start. */
  at(moment: Moment): number | undefined;
  /** What the disk had changed since its last snapshot when its instance left `running`. */
  changedGib(): number;
  /** Calls since the start, by action. */
  calls(): Map<string, number>;
  stop(): void;
}

export type Moment = "started" | "left-running" | "running-again" | "image-available";

const gib = 1024 ** 3;

export function startStopwatch(simulator: Simulator): Stopwatch {
  const moments = new Map<Moment, number>();
  let changedBytes = 0;
  let callsBefore = 0;
  const note = (moment: Moment) => {
    if (!moments.has(moment)) moments.set(moment, simulator.clock.now());
  };
  const start = () => {
    moments.clear();
    changedBytes = 0;
    callsBefore = simulator.control.calls().length;
    note("started");
  };
  const stop = simulator.control.events.subscribe((event) => {
    const { state, State, "instance-id": instanceId } = event.detail;
    if (event["detail-type"] === "EC2 AMI State Change" && State === "available")
      note("image-available");
    if (event["detail-type"] !== "EC2 Instance State-change Notification") return;
    if (state === "running") note("running-again");
    if (state !== "shutting-down" || moments.has("left-running")) return;
    note("left-running");
    changedBytes = unsavedBytes(simulator, String(instanceId));
  });
  start();
  return {
    start,
    at: (moment) => moments.get(moment),
    changedGib: () => changedBytes / gib,
    calls: () => countByAction(simulator, callsBefore),
    stop,
  };
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

function countByAction(simulator: Simulator, before: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { action } of simulator.control.calls().slice(before))
    counts.set(action, (counts.get(action) ?? 0) + 1);
  return counts;
}
