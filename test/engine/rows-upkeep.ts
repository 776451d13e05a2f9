// While an instance runs as it should: snapshots in time, properties in place, earlier disks saved
// and cleared away, the end of a creation.

import {
  anchor,
  baseImage,
  carriedVolume,
  final,
  groupA,
  heldBy,
  hours,
  image,
  imageB,
  instance,
  launch,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  periodic,
  seconds,
  spec,
  volume,
} from "./builders";
import { acts, condemning, keeping, type Row, recorded, snapshotting, waits } from "./expected";

const snapshots =
  "the running root disk is snapshotted in time, never while a snapshot of it is pending";
const saves = "a free volume of an earlier generation or lineage gets its final snapshot";
const frees = "a periodic snapshot that failed is deleted, because the final one may need its slot";
const clears = "what nothing needs any more is deleted after two looks";
const rests = "all is as it should be until upkeep is due";
const groups = "the anchor has the security groups that the spec names";
const awaits = "an instance is called up when both status checks have passed";

const failed = (change: Parameters<typeof periodic>[0] = {}) =>
  periodic({ snapshotId: "snap-1-failed", state: "error", ...change });
const young = ledger({ launch: launch({ healthy: false }) });
const booting = (launchedAt: number) =>
  observation({
    instances: [instance({ launchedAt, health: { kind: "initializing" } })],
    snapshots: [],
  });

const periodics: Row[] = [
  {
    name: "a healthy disk without a snapshot gets one at once",
    ask: { observation: observation({ snapshots: [] }) },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a disk that is still booting gets none",
    ask: { ledger: young, observation: booting(now - minutes) },
    rule: awaits,
    expect: waits(
      "i-1 runs; its status checks are not through",
      { kind: "instance", instanceId: "i-1", until: "health-change" },
      now + minutes,
    ),
  },
  {
    name: "a disk that never gets healthy is snapshotted all the same",
    ask: { ledger: young, observation: booting(now - 7 * minutes) },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "every five minutes a snapshot is due",
    ask: { observation: observation({ snapshots: [periodic({ startedAt: now - 5 * minutes })] }) },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "an account that carries no more is asked for snapshots less often",
    ask: {
      stretch: 2,
      observation: observation({ snapshots: [periodic({ startedAt: now - 5 * minutes })] }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 5 * minutes },
  },
  {
    name: "and what was asked for takes as much longer",
    ask: {
      stretch: 2,
      observation: observation({ snapshots: [periodic({ startedAt: now - 10 * minutes })] }),
    },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a snapshot that is due waits while one is pending",
    ask: {
      observation: observation({
        snapshots: [periodic({ state: "pending", startedAt: now - hours })],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * seconds },
  },
  {
    name: "a snapshot that failed is taken again, a minute later",
    ask: {
      observation: observation({
        snapshots: [failed({ startedAt: now - minutes, condemnedAt: now - 20 * seconds })],
      }),
    },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a snapshot that has just failed is not taken again at once",
    ask: {
      observation: observation({
        snapshots: [failed({ startedAt: now - 30 * seconds, condemnedAt: now - 20 * seconds })],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 10 * seconds },
  },
  {
    name: "a snapshot that failed gives its slot back, although the disk has no other yet",
    ask: { observation: observation({ snapshots: [failed()] }) },
    rule: frees,
    expect: acts(condemning("snap-1-failed")),
  },
  {
    name: "a snapshot that failed gives its slot back before the final one is asked for",
    ask: {
      observation: observation({
        anchors: [anchor()],
        instances: [],
        volumes: [volume({ state: "available" })],
        snapshots: [failed({ condemnedAt: now - 30 * seconds })],
      }),
    },
    rule: frees,
    expect: acts({ kind: "delete-snapshot", snapshotId: "snap-1-failed" }),
  },
  {
    name: "without root persistence no snapshot is taken",
    ask: { spec: spec({ persistRootDevice: false }), observation: observation({ snapshots: [] }) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * minutes },
  },
];

const asked = (snapshotAt: number) => ({ asked: { snapshotAt } });
const taken = (...startedAts: number[]) =>
  observation({
    snapshots: startedAts.map((startedAt, at) => periodic({ snapshotId: `snap-${at}`, startedAt })),
  });

const requested: Row[] = [
  {
    name: "a snapshot that was asked for is taken although none is due yet",
    ask: { ...asked(now), observation: taken(now - minutes) },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a snapshot that was asked for is not kept waiting for the status checks",
    ask: { ...asked(now), ledger: young, observation: booting(now - minutes) },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a snapshot that was asked for comes 15 seconds after the last one of this disk",
    ask: { ...asked(now), observation: taken(now - 5 * seconds) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 10 * seconds },
  },
  {
    name: "a snapshot that was asked for waits while one is pending, and is looked after soon",
    ask: {
      ...asked(now),
      observation: observation({
        snapshots: [
          periodic({ snapshotId: "snap-2", state: "pending", startedAt: now - minutes }),
          periodic({ snapshotId: "snap-1", startedAt: now - 6 * minutes }),
        ],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * seconds },
  },
  {
    name: "a snapshot since then has fulfilled what was asked for, however often it is asked again",
    ask: { ...asked(now - minutes), observation: taken(now - minutes) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 4 * minutes },
  },
  {
    name: "a disk that came after a snapshot was asked for is snapshotted when its own is due",
    ask: {
      ...asked(now - 2 * minutes),
      ledger: ledger({ launch: launch({ recordedAt: now - minutes, healthy: false }) }),
      observation: booting(now - minutes),
    },
    rule: awaits,
    expect: waits(
      "i-1 runs; its status checks are not through",
      { kind: "instance", instanceId: "i-1", until: "health-change" },
      now + minutes,
    ),
  },
  {
    name: "a snapshot that was asked for at a later instant is taken then, and not before",
    ask: { ...asked(now + minutes), observation: taken(now - minutes) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + minutes },
  },
  {
    name: "without root persistence no snapshot is taken when it is asked for either",
    ask: {
      ...asked(now),
      spec: spec({ persistRootDevice: false }),
      observation: observation({ snapshots: [] }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * minutes },
  },
];

const series = [1, 2, 3, 4].map((each) =>
  periodic({ snapshotId: `snap-${each}`, startedAt: now - each * minutes }),
);
const older = {
  volumes: [carriedVolume({ generation: 2 }), volume()],
  anchors: [heldBy("i-2")],
  instances: [instance({ generation: 2, imageId: "ami-1f" })],
};
const second = ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) });
const own = periodic({ generation: 2 });

const clearing: Row[] = [
  {
    name: "what is one too many is condemned with the next snapshot, in one look",
    ask: {
      observation: observation({
        snapshots: series.map((each) => ({ ...each, startedAt: each.startedAt - 4 * minutes })),
      }),
    },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1"), condemning("snap-4")),
  },
  {
    name: "the newest three periodic snapshots are kept and the others condemned",
    ask: { observation: observation({ snapshots: series }) },
    rule: clears,
    expect: acts(condemning("snap-4")),
  },
  {
    name: "snapshots that are not completed do not count",
    ask: {
      observation: observation({
        snapshots: series.map((each, at) => (at === 0 ? { ...each, state: "pending" } : each)),
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 4 * minutes },
  },
  {
    name: "a periodic snapshot that takes longer than the interval is looked at in half a minute",
    ask: {
      observation: observation({
        snapshots: [
          periodic({ snapshotId: "snap-2", state: "pending", startedAt: now - hours }),
          periodic({ snapshotId: "snap-1", startedAt: now - 2 * hours }),
        ],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * seconds },
  },
  {
    name: "one periodic snapshot too many is deleted when the next one is due",
    ask: {
      observation: observation({
        snapshots: series.map((each, at) =>
          at === 3 ? { ...each, condemnedAt: now - 10 * seconds } : each,
        ),
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 4 * minutes },
  },
  {
    name: "what an earlier generation left is deleted as soon as it has been condemned long enough",
    ask: {
      ledger: second,
      observation: observation({
        ...older,
        volumes: [carriedVolume({ generation: 2 })],
        snapshots: [own, periodic({ condemnedAt: now - 10 * seconds })],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 20 * seconds },
  },
  {
    name: "nothing is pruned before the instance is healthy",
    ask: {
      ledger: young,
      observation: observation({
        snapshots: series,
        instances: [instance({ launchedAt: now - minutes, health: { kind: "initializing" } })],
      }),
    },
    rule: awaits,
    expect: waits(
      "i-1 runs; its status checks are not through",
      { kind: "instance", instanceId: "i-1", until: "health-change" },
      now + minutes,
    ),
  },
  {
    name: "the disk of the generation before gets its final snapshot",
    ask: { ledger: second, observation: observation({ ...older, snapshots: [own] }) },
    rule: saves,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "of the generation before an unmarked disk is a copy, though its original is gone",
    ask: {
      ledger: second,
      observation: observation({
        ...older,
        volumes: older.volumes.map((each) =>
          each.generation === 1 ? { ...each, volumeId: "vol-copy", markedId: undefined } : each,
        ),
        snapshots: [own],
      }),
    },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "what the generation before left goes once this one has a completed snapshot of its own",
    ask: {
      ledger: second,
      observation: observation({
        ...older,
        snapshots: [own, final(), periodic()],
        images: [image()],
      }),
    },
    rule: clears,
    expect: acts(condemning("ami-1f", "snap-1-periodic", "vol-1")),
  },
  {
    name: "what the generation before left stays until this one has a completed snapshot of its own",
    ask: {
      ledger: second,
      observation: observation({
        ...older,
        snapshots: [{ ...own, state: "pending" }, final(), periodic()],
        images: [image()],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * seconds },
  },
  {
    name: "a volume with writes that the disk lacks is kept",
    ask: {
      ledger: second,
      observation: observation({
        ...older,
        volumes: [carriedVolume({ generation: 2 }), volume({ holdsGap: true })],
        snapshots: [own],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "a volume that was never marked is not deleted",
    ask: {
      ledger: second,
      observation: observation({
        ...older,
        volumes: [
          carriedVolume({ generation: 2 }),
          volume({ volumeId: "vol-a", markedId: undefined }),
          volume({ volumeId: "vol-b", markedId: undefined }),
        ],
        snapshots: [
          own,
          final({ volumeId: "vol-a" }),
          final({ snapshotId: "snap-b", volumeId: "vol-b" }),
        ],
      }),
    },
    rule: clears,
    expect: acts(condemning("snap-1-final", "snap-b")),
  },
];

const swapped = ledger({
  lineage: { number: 2, baseImageId: imageB },
  startedLineage: { number: 2, baseImageId: imageB },
  launch: launch({ generation: 2, lineage: 2, imageId: imageB }),
});
const ofB = { generation: 2, lineage: 2, baseImageId: imageB };
const onB = {
  anchors: [heldBy("i-2")],
  instances: [instance(ofB)],
  baseImage: baseImage({ imageId: imageB }),
};
const failedFinals = [1, 2, 3].map((each) =>
  final({ snapshotId: `snap-failed-${each}`, state: "error", startedAt: now - each * minutes }),
);

const lineages: Row[] = [
  {
    name: "after a swap the disk of before is kept for a while as its newest snapshot",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: swapped,
      observation: observation({
        ...onB,
        volumes: [carriedVolume(ofB), volume()],
        snapshots: [periodic(ofB), final(), periodic()],
        images: [image()],
      }),
    },
    rule: clears,
    expect: acts(
      keeping("snap-1-final", now + 24 * hours),
      condemning("ami-1f", "snap-1-periodic", "vol-1"),
    ),
  },
  {
    name: "no hours to go back mean that the disk of before goes at once, saved or not being no question",
    ask: {
      spec: spec({ imageId: imageB, rollbackHours: 0 }),
      ledger: swapped,
      observation: observation({
        ...onB,
        volumes: [carriedVolume(ofB)],
        snapshots: [periodic(ofB), final()],
      }),
    },
    rule: clears,
    expect: acts(condemning("snap-1-final")),
  },
  {
    name: "a disk of before that cannot be snapshotted is kept itself for that while",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: swapped,
      observation: observation({
        ...onB,
        volumes: [carriedVolume(ofB), volume()],
        snapshots: [periodic(ofB), ...failedFinals],
      }),
    },
    rule: clears,
    expect: acts(
      keeping("vol-1", now + 24 * hours),
      condemning("snap-failed-1", "snap-failed-2", "snap-failed-3"),
    ),
  },
  {
    name: "a swap that is still to come takes nothing from the running disk",
    ask: {
      spec: spec({ imageId: imageB, applyChanges: "at-next-recycle", rollbackHours: 0 }),
      observation: observation({ baseImage: baseImage({ imageId: imageB }) }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "what is past its time goes",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: swapped,
      observation: observation({
        ...onB,
        volumes: [carriedVolume(ofB)],
        snapshots: [periodic(ofB), final({ deleteAfterAt: now })],
      }),
    },
    rule: clears,
    expect: acts(condemning("snap-1-final")),
  },
];

const tagged = spec({ tags: { Name: "web", team: "core" } });

const inPlace: Row[] = [
  {
    name: "security groups follow the spec on the anchor",
    ask: { spec: spec({ securityGroupIds: ["sg-0000000b"] }) },
    rule: groups,
    expect: acts({
      kind: "set-security-groups",
      interfaceId: "eni-1",
      securityGroupIds: ["sg-0000000b"],
    }),
  },
  {
    name: "security groups named twice are there already",
    ask: { spec: spec({ securityGroupIds: [groupA, groupA] }) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "changed tags are written on instance, disk and anchor",
    ask: { spec: tagged },
    rule: "the instance, its root volume and the anchor wear the user's tags",
    expect: acts({
      kind: "tag",
      resourceIds: ["i-1", "vol-1", "eni-1"],
      tags: { Name: "web", team: "core" },
    }),
  },
  {
    name: "a creation is complete once its instance is healthy",
    ask: {
      ledger: newborn({
        launch: launch(),
        lineage: { number: 1, baseImageId: baseImage().imageId },
      }),
    },
    rule: "a creation is complete once the desired state is reached",
    expect: acts(
      recorded(
        newborn({ launch: launch(), lineage: { number: 1, baseImageId: baseImage().imageId } }),
        { phase: "active" },
      ),
    ),
  },
];

export const upkeepRows: readonly Row[] = [
  ...periodics,
  ...requested,
  ...clearing,
  ...lineages,
  ...inPlace,
];
