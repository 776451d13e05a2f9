/**
 * From a seed to a plan: everything that a simulation is going to do, as data, before it does any of
 * it. What an event draws when it happens comes from its own number, so that taking another event
 * away changes nothing about it and a failing plan can be shrunk.
 */
import type { SpecInput } from "../../src/engine/spec";
import { DEFAULT_SUBNET_IDS, defaultLatencies, type LatencyTable } from "../../src/simulator";
import { createRandom, type Random } from "../../src/simulator/random";
import { faultNames } from "./faults";
import { imageIds, userActionNames } from "./users";

export type PlannedEvent = { number: number; atSeconds: number } & (
  | { kind: "user"; action: string }
  | { kind: "fault"; fault: string; forSeconds: number }
  | { kind: "write" }
  /** Dies before or after its n-th call from then on, and is started again after a while. */
  | { kind: "crash"; process: number; moment: "before" | "after"; call: number; forSeconds: number }
  /** Stands still before its n-th call from then on: a suspended machine, a frozen Lambda. */
  | { kind: "freeze"; process: number; call: number; forSeconds: number }
  /** Goes on with the specification that it has while others get newer ones. */
  | { kind: "stale"; process: number; forSeconds: number }
  /** Somebody sets its computer's clock ahead, or NTP does. */
  | { kind: "clock"; process: number; bySeconds: number }
);

export interface Plan {
  seed: number;
  isWire: boolean;
  processes: number;
  /** A creation is one process's alone until it is complete, as between hosts. */
  isClaimed?: boolean;
  /** They work from one registry, as a controller's workers and `pulumi up` beside it do. */
  isControlled?: boolean;
  /** How wrong the clock of each process's host is; default: it is right. */
  hostsAheadSeconds?: readonly number[];
  minutes: number;
  spec: SpecInput;
  latencies: Partial<LatencyTable>;
  events: readonly PlannedEvent[];
}

export interface PlanOptions {
  /** Only these faults; default: all of the table. */
  faults?: readonly string[];
  /** The share of seeds that go through the SDK and the wire protocol. */
  wireShare?: number;
}

export function planOf(seed: number, options: PlanOptions = {}): Plan {
  const random = createRandom(seed, "plan");
  const minutes = 138 + random.below(150);
  const processes = 1 + random.below(3);
  // Always one draw, so that the share changes nothing else.
  const isWire = random.next() < (options.wireShare ?? 0.05);
  return {
    seed,
    isWire,
    processes,
    isClaimed: createRandom(seed, "claims").chance(0.2),
    isControlled: createRandom(seed, "controller").chance(0.4),
    hostsAheadSeconds: drawClocks(createRandom(seed, "clocks"), processes),
    minutes,
    spec: drawSpec(random),
    latencies: drawLatencies(random),
    events: drawEvents(random, { minutes, processes, faults: options.faults ?? faultNames }),
  };
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
};

function drawSpec(random: Random): SpecInput {
  const types = ["m5.large", "m6i.large", "c5.large", "r5.large", "c6i.xlarge"];
  const hours = () => pick(random, [0, 0, 1, 24, 96]);
  const retention = random.chance(0.4)
    ? { images: hours(), snapshots: hours(), volumes: hours(), networkInterfaces: hours() }
    : {};
  const persistRootDevice = random.chance(0.9);
  return {
    imageId: pick(random, imageIds),
    instanceTypes: types.slice(0, 1 + random.below(types.length)),
    subnetIds: DEFAULT_SUBNET_IDS.slice(0, 1 + random.below(DEFAULT_SUBNET_IDS.length)),
    lifeCycle: random.chance(0.8) ? "spot" : "on_demand",
    fallbackToOnDemand: random.chance(0.8),
    persistRootDevice,
    persistPrivateIp: !persistRootDevice || random.chance(0.7),
    applyChanges: random.chance(0.8) ? "at-once" : "at-next-recycle",
    unhealthyDurationSeconds: pick(random, [60, 120, 300]),
    gracePeriodSeconds: pick(random, [0, 120, 300]),
    rollbackHours: pick(random, [0, 1, 24]),
    retentionHours: retention,
    snapshots: {
      intervalMinutes: pick(random, [1, 5, 5, 15]),
      keep: pick(random, [1, 2, 3]),
      finalDeadlineMinutes: pick(random, [5, 15, 120]),
    },
    tags: random.chance(0.5) ? { team: "simulation" } : {},
  };
}

/** Every moment that matters between a fifth and three times of what the table says. */
function drawLatencies(random: Random): Partial<LatencyTable> {
  const rows = [
    "call",
    "runInstancesCall",
    "pendingToRunning",
    "bootToStatusOk",
    "osShutdown",
    "shuttingDownToTerminated",
    "terminatedToVolumeAvailable",
    "terminatedToInterfaceAvailable",
    "snapshotBase",
    "snapshotPerGib",
    "imageRegistration",
    "volumeDelete",
  ] as const;
  const drawn = rows.map((row) => {
    const factor = random.chance(0.5) ? 1 : 0.2 + random.next() * 2.8;
    return [row, Math.round(defaultLatencies[row] * factor * 1000) / 1000];
  });
  return Object.fromEntries(drawn);
}

/** One host in five is up to two hours ahead or behind. */
const drawClocks = (random: Random, processes: number) =>
  Array.from({ length: processes }, () => (random.chance(0.2) ? random.below(14_400) - 7200 : 0));

interface Frame {
  minutes: number;
  processes: number;
  faults: readonly string[];
}

function drawEvents(random: Random, frame: Frame): PlannedEvent[] {
  const { faults, minutes, processes } = frame;
  const seconds = minutes * 60;
  const times = (count: number) => Array.from({ length: count }, () => random.below(seconds));
  const drawn = [
    ...times(16 + random.below(16)).map((atSeconds) => ({
      atSeconds,
      kind: "user" as const,
      action: pick(random, userActionNames),
    })),
    ...times(faults.length === 0 ? 0 : 6 + random.below(10)).map((atSeconds) => ({
      atSeconds,
      kind: "fault" as const,
      fault: pick(random, faults),
      forSeconds: 30 + random.below(900),
    })),
    ...times(15 + random.below(30)).map((atSeconds) => ({ atSeconds, kind: "write" as const })),
    ...times(random.below(8)).map((atSeconds) => ({
      atSeconds,
      kind: "crash" as const,
      process: random.below(processes),
      moment: random.chance(0.5) ? ("before" as const) : ("after" as const),
      call: 1 + random.below(6),
      forSeconds: 1 + random.below(400),
    })),
    ...times(random.below(4)).map((atSeconds) => ({
      atSeconds,
      kind: "freeze" as const,
      process: random.below(processes),
      call: 1 + random.below(6),
      forSeconds: 5 + random.below(pick(random, [60, 400, 1500])),
    })),
    ...times(random.below(3)).map((atSeconds) => ({
      atSeconds,
      kind: "stale" as const,
      process: random.below(processes),
      forSeconds: 60 + random.below(1200),
    })),
    ...times(random.below(6)).map((atSeconds) => ({
      atSeconds,
      kind: "clock" as const,
      process: random.below(processes),
      bySeconds: 1 + random.below(pick(random, [60, 900, 7200])),
    })),
  ];
  return drawn
    .map((event, number) => ({ number, ...event }))
    .sort((a, b) => a.atSeconds - b.atSeconds || a.number - b.number);
}
