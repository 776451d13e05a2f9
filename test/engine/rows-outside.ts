// What people and other tools do to our disks, snapshots and tags from outside (design §4, §10): the
// newest state is found again, and nothing that no later disk holds is cleared away.

import { tagKeys } from "../../src/engine/tags";
import {
  anchor,
  atRest,
  carriedVolume,
  final,
  hours,
  image,
  instance,
  launch,
  ledger,
  minutes,
  now,
  observation,
  periodic,
  seconds,
  spec,
  volume,
} from "./builders";
import { acts, originTags, type Row, registering, snapshotting, waits } from "./expected";

const claims =
  "a root disk with our id and without the rest of our tags, or with damaged ones, gets them";
const tells =
  "a root disk that somebody put in place of ours is told of, because it is not snapshotted";
const keepsLeft = "a disk that no later one goes on from is kept with the state, whenever it shows";
const launches = "without a live instance the next generation is launched from its root source";
const settled = "all is as it should be until upkeep is due";

const tagged = (volumeId: string) => ({ volumeId, wearsId: true });

/** Another disk is the root now, and the ledger knows it. */
const replaced = ledger({ launch: launch({ rootVolumeId: "vol-new" }) });
const onReplaced = { instances: [instance({ rootVolumeId: "vol-new" })], volumes: [volume()] };
const claiming = (volumeId: string) =>
  acts({
    kind: "tag",
    resourceIds: [volumeId],
    tags: { ...originTags("launch:1"), [tagKeys.marked]: volumeId },
  });
const keeping = (volumeId: string, from: number, to: number) =>
  acts({
    kind: "tag",
    resourceIds: [volumeId],
    tags: {
      [tagKeys.gap]: `from=${new Date(from).toISOString()} to=${new Date(to).toISOString()} volume=${volumeId}`,
    },
  });

const roots: Row[] = [
  {
    name: "the root that somebody put in place of ours is told of and not touched",
    ask: {
      ledger: replaced,
      observation: observation({
        instances: onReplaced.instances,
        volumes: [volume({ holdsGap: true })],
        unclaimedRoot: { volumeId: "vol-new", wearsId: false },
      }),
    },
    rule: tells,
    expect: {
      kind: "stuck",
      reason:
        "vol-new is the root disk of i-1 and is not tagged as ours, so that it is not snapshotted and the next instance would not have it",
      remedy: "tag it pmi:id=pmi-0123456789ab, and it is taken in",
    },
  },
  {
    name: "and becomes ours once it wears our id",
    ask: {
      ledger: replaced,
      observation: observation({ ...onReplaced, unclaimedRoot: tagged("vol-new") }),
    },
    rule: claims,
    expect: claiming("vol-new"),
  },
  {
    name: "the root whose tags somebody took gets them again",
    ask: { observation: observation({ volumes: [], unclaimedRoot: tagged("vol-1") }) },
    rule: claims,
    expect: claiming("vol-1"),
  },
  {
    name: "a young root may only not show its tags yet",
    ask: {
      ledger: ledger({ launch: launch({ recordedAt: now - 4 * minutes }) }),
      observation: observation({ volumes: [], unclaimedRoot: tagged("vol-1") }),
    },
    rule: settled,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "a root that is five minutes old shows its tags if it has them",
    ask: {
      ledger: ledger({ launch: launch({ recordedAt: now - 5 * minutes }) }),
      observation: observation({ volumes: [], unclaimedRoot: tagged("vol-1") }),
    },
    rule: claims,
    expect: claiming("vol-1"),
  },
  {
    name: "a root that is not shown, or that another managed instance's tags are on, is not claimed",
    ask: { observation: observation({ volumes: [] }) },
    rule: settled,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "the root that was replaced is kept, because no later disk goes on from it",
    ask: {
      ledger: replaced,
      observation: observation({
        ...onReplaced,
        volumes: [volume(), carriedVolume({ volumeId: "vol-new" })],
      }),
    },
    rule: keepsLeft,
    expect: keeping("vol-1", now - hours, now),
  },
  {
    name: "the next launch goes on from the root that was put in place, not from the one before it",
    ask: {
      ledger: replaced,
      observation: atRest({
        volumes: [
          volume({ holdsGap: true, createdAt: now - 2 * hours }),
          volume({ volumeId: "vol-new" }),
        ],
        snapshots: [periodic({ startedAt: now - minutes })],
      }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-new")),
  },
  {
    name: "and from its snapshots, once it is gone, although the other has later ones",
    ask: {
      ledger: replaced,
      observation: atRest({
        volumes: [],
        snapshots: [
          final({ startedAt: now - minutes }),
          final({ snapshotId: "snap-new", volumeId: "vol-new", startedAt: now - 2 * minutes }),
        ],
        images: [image({ snapshotId: "snap-1-final" })],
      }),
    },
    rule: launches,
    expect: acts(registering("snap-new")),
  },
];

const gap = { fromAt: now - 2 * hours, toAt: now - hours };
const passedOver = ledger({
  gap,
  launch: launch({ generation: 2, imageId: "ami-1p", recordedAt: now - hours }),
});
const second = (change: Parameters<typeof observation>[0]) =>
  observation({
    anchors: [anchor({ status: "in-use", attachedInstanceId: "i-2" })],
    instances: [instance({ generation: 2 })],
    ...change,
  });

const returned: Row[] = [
  {
    name: "a disk that comes back after an older snapshot was used in its place is kept with its writes",
    ask: {
      ledger: passedOver,
      observation: second({
        volumes: [volume(), carriedVolume({ generation: 2 })],
        snapshots: [periodic({ generation: 2 })],
      }),
    },
    rule: keepsLeft,
    expect: keeping("vol-1", gap.fromAt, gap.toAt),
  },
  {
    name: "a final snapshot of it that is younger than that launch succeeds nothing",
    ask: {
      ledger: passedOver,
      observation: second({
        volumes: [volume({ condemnedAt: now - minutes }), carriedVolume({ generation: 2 })],
        snapshots: [periodic({ generation: 2 }), final({ startedAt: now - 30 * minutes })],
      }),
    },
    rule: keepsLeft,
    expect: keeping("vol-1", gap.fromAt, gap.toAt),
  },
  {
    name: "a disk whose final snapshot was launched from has its successor, whatever gap there was before",
    ask: {
      ledger: passedOver,
      observation: second({
        volumes: [volume({ condemnedAt: now - seconds }), carriedVolume({ generation: 2 })],
        snapshots: [
          periodic({ generation: 2 }),
          final({ startedAt: now - 61 * minutes, condemnedAt: now - seconds }),
        ],
      }),
    },
    rule: settled,
    expect: { kind: "done", wakeAt: now + 29 * seconds },
  },
];

const inPlaceOfIt = { generation: 2, snapshotId: "snap-2-periodic" };
const unsaved: Row[] = [
  ...[
    { made: "at the launch's own instant", change: { startedAt: now - hours }, isSaved: true },
    { made: "that is not completed", change: { state: "error", startedAt: now - 61 * minutes } },
  ].map(
    ({ change, isSaved = false, made }): Row => ({
      name: `a final snapshot ${made} ${isSaved ? "succeeds the disk" : "succeeds nothing"}`,
      ask: {
        ledger: passedOver,
        observation: second({
          volumes: [volume({ condemnedAt: now - seconds }), carriedVolume({ generation: 2 })],
          snapshots: [periodic(inPlaceOfIt), final({ condemnedAt: now - seconds, ...change })],
        }),
      },
      rule: isSaved ? settled : keepsLeft,
      expect: isSaved
        ? { kind: "done", wakeAt: now + 29 * seconds }
        : keeping("vol-1", gap.fromAt, gap.toAt),
    }),
  ),
  {
    name: "the disk of another lineage was not passed over for the one that runs, and is saved like any",
    ask: {
      ledger: passedOver,
      observation: second({
        volumes: [volume({ lineage: 0 }), carriedVolume({ generation: 2 })],
        snapshots: [periodic(inPlaceOfIt)],
      }),
    },
    rule: "a free volume of an earlier generation or lineage gets its final snapshot",
    expect: acts(snapshotting("final", "vol-1", { lineage: 0 })),
  },
];

const pending = final({ state: "pending", startedAt: now - minutes });
const deleted: Row[] = [
  {
    name: "a final snapshot under way is waited for although somebody deleted its volume",
    ask: { observation: atRest({ volumes: [], snapshots: [pending, periodic()] }) },
    rule: launches,
    expect: waits(
      "snapshot snap-1-final of vol-1 is pending",
      { kind: "snapshot", snapshotId: "snap-1-final" },
      pending.startedAt + spec().snapshots.finalDeadlineMinutes * minutes,
    ),
  },
  {
    name: "a failed snapshot that EC2 refuses to delete keeps nothing else from being done",
    ask: {
      observation: atRest({
        snapshots: [
          periodic(),
          periodic({ snapshotId: "snap-x", state: "error", condemnedAt: now - 10 * minutes }),
        ],
        undeletable: ["snap-x"],
      }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
];

const groups = ["sg-00000001"];
const crowd = Object.fromEntries(Array.from({ length: 18 }, (_, index) => [`old-${index}`, "x"]));
const userTags = Object.fromEntries(
  Array.from({ length: 18 }, (_, index) => [`new-${index}`, "x"]),
);

const others: Row[] = [
  {
    name: "the disk is snapshotted in time although somebody undoes what the program says of the rest",
    ask: {
      spec: spec({ securityGroupIds: groups, tags: { team: "x" } }),
      observation: observation({ snapshots: [periodic({ startedAt: now - hours })] }),
    },
    rule: "the running root disk is snapshotted in time, never while a snapshot of it is pending",
    expect: acts(snapshotting("periodic", "vol-1", { userTags: { team: "x" } })),
  },
  {
    name: "the anchor is never filled up with tags: its end needs three more",
    ask: {
      spec: spec({ tags: userTags }),
      observation: observation({
        anchors: [
          anchor({
            status: "in-use",
            attachedInstanceId: "i-1",
            tags: { ...anchor().tags, ...crowd },
          }),
        ],
      }),
    },
    rule: "the instance, its root volume and the anchor wear the user's tags",
    expect: {
      kind: "stuck",
      reason: "eni-1 would wear 49 tags: EC2 allows 50 a resource, and its end needs 3 of them",
      remedy:
        "remove tags that the program does not name any more from it, for example in the console",
    },
  },
];

export const outsideRows: readonly Row[] = [
  ...roots,
  ...returned,
  ...unsaved,
  ...deleted,
  ...others,
];
