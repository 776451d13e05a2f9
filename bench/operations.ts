/**
 * The measured operations, one after the other on one managed instance in a simulated account: the
 * production loop, virtual time, the published latencies. Between them the instance settles, its
 * guest writes, and some minutes pass, so that each starts from an ordinary working day.
 */
import type { Outcome } from "../src/engine/reconcile";
import type { Spec, SpecInput } from "../src/engine/spec";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS, type LatencyTable } from "../src/simulator";
import { createWorld, firstLedger, parse, run, type World } from "../test/simulation/world";
import type { Operation } from "./critical-path";
import { type Reading, startStopwatch } from "./stopwatch";

export interface Measurement extends Reading {
  name: string;
  /** Until all is done, health checks and clearing away included. */
  calls: ReadonlyMap<string, number>;
}

export interface Bench {
  world: World;
  id: string;
  spec: Spec;
  specVersion: number;
  /** What the last run ended with. */
  outcome?: Outcome;
}

export const firstSpec: SpecInput = {
  imageId: IMAGE_IDS.amazonLinux,
  instanceTypes: ["m5.large", "m6i.large"],
  subnetIds: [...DEFAULT_SUBNET_IDS],
};

export function createBench(latencies: Partial<LatencyTable> = {}): Bench {
  const world = createWorld({ latencies, clock: { kind: "virtual", quietTurns: 0 } });
  const spec = parse(firstSpec);
  return { world, id: "pmi-00000000be9c", spec, specVersion: 1 };
}

/** Carries the bench's spec out, changed or not; a bench that gets stuck is a bug. */
export async function carryOut(bench: Bench, change: Partial<Spec> = {}): Promise<void> {
  const isFirst = bench.outcome === undefined;
  bench.spec = { ...bench.spec, ...change };
  if (Object.keys(change).length > 0) bench.specVersion += 1;
  const { id, spec, specVersion, world } = bench;
  const initial = isFirst ? firstLedger(world, spec, id) : undefined;
  const outcome = await run(world, { id, spec, specVersion, initial });
  bench.outcome = outcome;
  if (outcome.kind !== "done")
    throw new Error(`expected it to be done, and it is ${outcome.kind}: ${outcome.reason}`);
}

/** As a controller does it: looks whenever the last look said so. */
export async function live(bench: Bench, seconds: number): Promise<void> {
  const { clock } = bench.world.simulator;
  const untilAt = clock.now() + seconds * 1000;
  while (clock.now() < untilAt) {
    await carryOut(bench);
    const { outcome } = bench;
    const wakeAt = outcome?.kind === "done" ? outcome.wakeAt : untilAt;
    await clock.sleep(Math.max(1000, Math.min(wakeAt, untilAt) - clock.now()));
  }
}

function carrierOf({ outcome }: Bench): string {
  const running = outcome?.observation?.instances.find((each) => each.state === "running");
  if (running === undefined) throw new Error("no instance is running");
  return running.instanceId;
}

interface Script {
  name: string;
  operation: Operation;
  perform(bench: Bench): Promise<void>;
}

const scripts: readonly Script[] = [
  { name: "create", operation: "create", perform: (bench) => carryOut(bench) },
  {
    name: "recycle",
    operation: "recycle",
    perform: (bench) => carryOut(bench, { recycleToken: "once" }),
  },
  {
    name: "AMI swap",
    operation: "ami-swap",
    perform: (bench) => carryOut(bench, { imageId: IMAGE_IDS.amazonLinuxNewer }),
  },
  {
    name: "interruption, 2 min notice",
    operation: "interruption",
    perform: (bench) => interrupt(bench, 120),
  },
  {
    name: "interruption, no notice",
    operation: "interruption",
    perform: (bench) => interrupt(bench, 0),
  },
  {
    name: "pause (until the disk is an image)",
    operation: "pause",
    perform: (bench) => carryOut(bench, { desiredState: "paused" }),
  },
  {
    name: "resume",
    operation: "resume",
    perform: (bench) => carryOut(bench, { desiredState: "running" }),
  },
];

/** The event wakes the loop at once, as it would a controller. */
async function interrupt(bench: Bench, noticeSeconds: number): Promise<void> {
  bench.world.simulator.control.interrupt({ instanceId: carrierOf(bench), noticeSeconds });
  await carryOut(bench);
}

const writtenBytes = 64 * 1024 ** 2;
/** So that the last periodic snapshot is neither fresh nor overdue. */
const betweenSeconds = 1350;

/** Each operation once, in order, with the published latencies or others. */
export async function measureAll(latencies?: Partial<LatencyTable>): Promise<Measurement[]> {
  const bench = createBench(latencies);
  const { simulator } = bench.world;
  const stopwatch = startStopwatch(simulator);
  const measurements: Measurement[] = [];
  for (const script of scripts) {
    stopwatch.start();
    await script.perform(bench);
    const { name, operation } = script;
    measurements.push({ name, ...stopwatch.read(operation), calls: stopwatch.calls() });
    if (bench.spec.desiredState === "paused") continue;
    await live(bench, betweenSeconds);
    const instanceId = carrierOf(bench);
    const file = { path: "/srv/data", content: name, sizeBytes: writtenBytes };
    simulator.guest.write({ instanceId, ...file });
  }
  stopwatch.stop();
  return measurements;
}
