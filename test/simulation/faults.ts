/**
 * What goes wrong, as a table: standing faults last for a while and add up, strikes happen at once.
 * Adding a fault of the simulator adds its row here; every simulation draws from them.
 */
import type { Faults, Simulator } from "../../src/simulator";
import type { LaunchFailure } from "../../src/simulator/faults";
import type { Random } from "../../src/simulator/random";
import { imageIds } from "./users";

export interface Struck {
  simulator: Simulator;
  random: Random;
  /** Somebody else's, to make foreign snapshots of. */
  foreignVolumeId: string;
  /** What is made in there is foreign to us, however it is tagged. */
  plant(make: () => void): void;
}

type Row =
  | { kind: "standing"; faults: (random: Random) => Faults }
  /** Returns what heals it, if it lasts. */
  | { kind: "strike"; strike: (struck: Struck) => (() => void) | undefined };

const standing = (faults: (random: Random) => Faults): Row => ({ kind: "standing", faults });
const strike = (act: (struck: Struck) => (() => void) | undefined): Row => ({
  kind: "strike",
  strike: act,
});

const share = (random: Random, most: number) => ({ probability: 0.02 + random.next() * most });
const changingActions = [
  "RunInstances",
  "CreateTags",
  "CreateSnapshot",
  "RegisterImage",
  "TerminateInstances",
  "CreateNetworkInterface",
];

const launchFailureCodes: readonly LaunchFailure[] = [
  "Client.InternalError",
  "Client.VolumeLimitExceeded",
  "Server.InsufficientInstanceCapacity",
  "Server.InternalError",
];

const table: Record<string, Row> = {
  throttle: standing((random) => ({ throttle: share(random, 0.5) })),
  "throttled action": standing((random) => ({
    throttle: { action: pickOf(random, changingActions), probability: 0.9 },
  })),
  "lost replies": standing((random) => ({ lostReply: share(random, 0.3) })),
  "lost replies of an action": standing((random) => ({
    lostReply: { action: pickOf(random, changingActions), probability: 0.8 },
  })),
  lag: standing((random) => ({
    lag: {
      seconds: 1 + random.below(60),
      tagSeconds: random.below(60),
      varies: random.chance(0.7),
    },
  })),
  "tag lag": standing((random) => ({
    lag: { seconds: 0, tagSeconds: 10 + random.below(120), varies: random.chance(0.5) },
  })),
  "empty pages": standing((random) => ({ emptyPages: share(random, 0.4) })),
  "failing snapshots": standing((random) => ({
    failSnapshots: random.chance(0.5) ? { next: 1 + random.below(3) } : share(random, 0.8),
  })),
  "hanging snapshots": standing((random) => ({ hangSnapshots: { next: 1 + random.below(2) } })),
  "failing images": standing((random) => ({ failImages: share(random, 0.7) })),
  "failing launches": standing((random) => ({
    failLaunches: {
      code: pickOf(random, launchFailureCodes),
      ...(random.chance(0.5) ? { next: 1 + random.below(3) } : share(random, 0.6)),
    },
  })),
  "slow detaching": standing((random) => ({ slowDetach: { seconds: random.below(400) } })),
  "no capacity": strike(({ random, simulator }) => {
    const types = ["m5.large", "m6i.large", "c5.large", "r5.large", "c6i.xlarge"];
    const zones = ["a", "b", "c"].filter(() => random.chance(0.6));
    const pools = types
      .filter(() => random.chance(0.8))
      .flatMap((instanceType) =>
        zones.flatMap((letter) =>
          (random.chance(0.3) ? (["spot", "on-demand"] as const) : (["spot"] as const)).map(
            (market) => ({ instanceType, zone: `${simulator.region}${letter}`, market }),
          ),
        ),
      );
    for (const pool of pools) simulator.control.setCapacity({ ...pool, available: 0 });
    return () => {
      for (const pool of pools) simulator.control.setCapacity({ ...pool, available: "unlimited" });
    };
  }),
  "interruption with notice": strike(({ random, simulator }) =>
    interrupt(simulator, random.chance(0.7) ? 120 : random.below(120)),
  ),
  "interruption without notice": strike(({ simulator }) => interrupt(simulator, 0)),
  impaired: strike(({ simulator }) => {
    for (const { id } of ours(simulator, "running")) simulator.control.impair(id);
    return undefined;
  }),
  "stopped outside": strike(({ simulator }) => {
    for (const { id, isSpot } of ours(simulator, "running"))
      if (!isSpot) outside(simulator, "StopInstances", { InstanceIds: [id] });
    return undefined;
  }),
  "terminated outside": strike(({ simulator }) => {
    for (const { id } of ours(simulator, "running"))
      outside(simulator, "TerminateInstances", { InstanceIds: [id] });
    return undefined;
  }),
  "lost tags": strike(({ simulator }) => {
    for (const { id } of ours(simulator, "terminated")) simulator.control.dropTags(id);
    return undefined;
  }),
  "image that never gets healthy": strike(({ random, simulator }) => {
    const imageId = pickOf(random, imageIds);
    simulator.control.markImage({ imageId, boots: "never-healthy" });
    return () => simulator.control.markImage({ imageId, boots: "healthy" });
  }),
  "foreign volume with our tags": strike((struck) => {
    plantCopies(struck, "volume");
    return undefined;
  }),
  "foreign snapshot with our tags": strike((struck) => {
    plantCopies(struck, "snapshot");
    return undefined;
  }),
};

export const faultNames: readonly string[] = Object.keys(table);

export type FaultSwitch = ReturnType<typeof createFaultSwitch>;

/** Standing faults add up, and each ends by itself or when everything is healed. */
export function createFaultSwitch(struck: Omit<Struck, "random">) {
  const { simulator } = struck;
  const active = new Map<number, Faults>();
  const heals = new Map<number, () => void>();
  const apply = () => simulator.control.setFaults(Object.assign({}, ...active.values()));
  const end = (number: number) => {
    if (active.delete(number)) apply();
    heals.get(number)?.();
    heals.delete(number);
  };
  return {
    begin(number: number, name: string, random: Random): void {
      const row = table[name];
      if (row === undefined) throw new Error(`there is no fault "${name}"`);
      if (row.kind === "strike") {
        const heal = row.strike({ ...struck, random });
        if (heal !== undefined) heals.set(number, heal);
        return;
      }
      active.set(number, row.faults(random));
      apply();
    },
    end,
    healAll(): void {
      for (const number of [...active.keys(), ...heals.keys()]) end(number);
    },
  };
}

function pickOf<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}

const ours = (simulator: Simulator, state: string) =>
  [...simulator.control.rows().instances()].filter(
    (each) => each.state === state && /^pmi-/.test(each.clientToken ?? ""),
  );

function interrupt(simulator: Simulator, noticeSeconds: number): undefined {
  for (const { id, isSpot } of [...ours(simulator, "running"), ...ours(simulator, "pending")])
    if (isSpot) simulator.control.interrupt({ instanceId: id, noticeSeconds });
}

/** By somebody at the console: whether it succeeds is theirs to see. */
function outside(simulator: Simulator, action: string, input: Record<string, unknown>): void {
  try {
    simulator.call(action, input);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

/** What a backup tool does: a restored volume, or a copied snapshot, with all tags of ours. */
function plantCopies({ simulator, foreignVolumeId, plant }: Struck, what: "volume" | "snapshot") {
  const { snapshots, volumes } = simulator.control.rows();
  const tagged = <R extends { tags: ReadonlyMap<string, string> }>(rows: Iterable<R>) =>
    [...rows].filter((row) => row.tags.has("pmi:id"));
  const snapshot = tagged(snapshots()).findLast((each) => each.state === "completed");
  const original = what === "volume" ? tagged(volumes()).at(-1) : snapshot;
  if (original === undefined) return;
  const Tags = [...original.tags].map(([Key, Value]) => ({ Key, Value }));
  const TagSpecifications = [{ ResourceType: what, Tags }];
  plant(() => {
    if (what === "snapshot")
      outside(simulator, "CreateSnapshot", { VolumeId: foreignVolumeId, TagSpecifications });
    else
      outside(simulator, "CreateVolume", {
        AvailabilityZone: `${simulator.region}a`,
        ...(snapshot === undefined ? { Size: 8 } : { SnapshotId: snapshot.id }),
        TagSpecifications,
      });
  });
}
