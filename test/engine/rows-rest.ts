// Without an instance and meant to be so: pauses, deallocations, and what retention keeps (design §7).

import type { Observation, Snapshot } from "../../src/engine/model";
import {
  anchor,
  atRest,
  final,
  heldBy,
  hours,
  image,
  imageA,
  imageB,
  instance,
  keepNothing,
  launch,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  openLaunch,
  periodic,
  refusal,
  type SpecChange,
  seconds,
  spec,
  volume,
} from "./builders";
import {
  acts,
  condemning,
  keeping,
  type Row,
  recorded,
  registering,
  snapshotting,
  time,
  waits,
} from "./expected";

const secures = "what the last instance wrote is made safe before anything is called done";
const securesOld = "a kept volume of an earlier generation or lineage gets its final snapshot too";
const unseen = "an instance that EC2 may not show yet is waited for before anything is at rest";
const releases = "at rest nothing is in use any more";
const clears = "what is kept says until when, and what is not needed is deleted after two looks";
const endsPause = "a paused managed instance rests with its latest snapshot and image";
const endsAll = "the anchor goes last, or stays as long as retention says";
const never = Number.MAX_SAFE_INTEGER;

const paused = { spec: spec({ desiredState: "paused" }) };
const ended = instance({ state: "terminated" });
const saved = { volumes: [volume()], snapshots: [final()], images: [image()] };

const pauses: Row[] = [
  {
    name: "a pause makes the final snapshot of the freed volume",
    ask: { ...paused, observation: atRest({ instances: [ended] }) },
    rule: secures,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a pause registers the image that a resume will need",
    ask: { ...paused, observation: atRest({ snapshots: [final()] }) },
    rule: secures,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "a pause whose disk is lost says so and touches nothing",
    ask: { ...paused, observation: atRest({ instances: [ended], volumes: [], snapshots: [] }) },
    rule: secures,
    expect: {
      kind: "stuck",
      reason: "no root state of lineage 1 can be found: its root disk is gone",
      remedy: "look at the volume and its snapshots; nothing of it is deleted",
    },
  },
  {
    name: "a pause also saves the disk of the lineage before",
    ask: {
      ...paused,
      ledger: ledger({
        lineage: { number: 2, baseImageId: imageA },
        startedLineage: { number: 2, baseImageId: imageA },
        launch: launch({ generation: 2, lineage: 2 }),
      }),
      observation: atRest({
        volumes: [volume()],
        snapshots: [final({ generation: 2, lineage: 2 })],
        images: [image({ generation: 2, lineage: 2 })],
      }),
    },
    rule: securesOld,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a paused one keeps its final snapshot and image and condemns the rest",
    ask: { ...paused, observation: atRest({ ...saved, snapshots: [final(), periodic()] }) },
    rule: clears,
    expect: acts(condemning("snap-1-periodic", "vol-1")),
  },
  {
    name: "what was condemned is looked at again after EC2's lag",
    ask: {
      ...paused,
      observation: atRest({
        ...saved,
        volumes: [volume({ condemnedAt: now - 10 * seconds })],
      }),
    },
    rule: clears,
    expect: waits("EC2's lag is waited out before the second look", time, now + 20 * seconds),
  },
  {
    name: "what is still condemned at the second look is deleted, a volume before its snapshots",
    ask: {
      ...paused,
      observation: atRest({
        ...saved,
        snapshots: [final(), periodic({ condemnedAt: now - minutes })],
        volumes: [volume({ condemnedAt: now - minutes })],
      }),
    },
    rule: clears,
    expect: acts(
      { kind: "delete-volume", volumeId: "vol-1" },
      { kind: "delete-snapshot", snapshotId: "snap-1-periodic" },
    ),
  },
  {
    name: "what is needed after all is pardoned",
    ask: {
      ...paused,
      observation: atRest({ ...saved, volumes: [], snapshots: [final({ condemnedAt: 0 })] }),
    },
    rule: clears,
    expect: acts({ kind: "untag", resourceIds: ["snap-1-final"], keys: ["pmi:condemned"] }),
  },
  {
    name: "an expiry from a time when the lineage was given up is taken off it",
    ask: {
      ...paused,
      observation: atRest({
        ...saved,
        volumes: [],
        snapshots: [final({ deleteAfterAt: now - 1 })],
      }),
    },
    rule: clears,
    expect: acts({ kind: "untag", resourceIds: ["snap-1-final"], keys: ["pmi:delete-after"] }),
  },
  {
    name: "a pause that could only be saved in part keeps the volume",
    ask: {
      ...paused,
      observation: atRest({
        volumes: [volume({ state: "error" })],
        images: [image({ snapshotId: "snap-1-periodic" })],
      }),
    },
    rule: endsPause,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "a paused one rests",
    ask: { ...paused, observation: atRest({ ...saved, volumes: [] }) },
    rule: endsPause,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "a new base image while paused deletes nothing: the disk of before is all there is",
    ask: {
      spec: spec({ desiredState: "paused", imageId: imageB }),
      observation: atRest({ ...saved, volumes: [] }),
    },
    rule: endsPause,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "a lineage that was opened and left nothing is no successor: the disk of before stays",
    ask: {
      spec: spec({ desiredState: "paused", persistRootDevice: false, rollbackHours: 0 }),
      ledger: ledger({
        startedLineage: { number: 2, baseImageId: imageA },
        launch: launch({ generation: 2, lineage: 2, rootKept: false, ran: false, healthy: false }),
      }),
      observation: atRest({ volumes: [], snapshots: [final()], instances: [] }),
    },
    rule: endsPause,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "a creation that is to be paused is complete when it rests",
    ask: {
      ...paused,
      ledger: newborn(),
      observation: atRest({ volumes: [], snapshots: [] }),
    },
    rule: "a creation is complete once the desired state is reached",
    expect: acts(recorded(newborn(), { phase: "active" })),
  },
  {
    name: "a pause right after a launch whose outcome is unknown looks for its instance first",
    ask: {
      ...paused,
      ledger: ledger({ launch: openLaunch({ generation: 2, recordedAt: now - minutes }) }),
      observation: atRest({ ...saved, volumes: [] }),
    },
    rule: unseen,
    expect: waits(
      "looking for the instance of generation 2, which EC2 may not show yet",
      time,
      now + 15 * seconds,
    ),
  },
  {
    name: "a launch that was refused is not looked for",
    ask: {
      ...paused,
      ledger: ledger({ launch: openLaunch({ generation: 2, recordedAt: now - minutes }) }),
      observation: atRest({ ...saved, volumes: [], refusals: [refusal()] }),
    },
    rule: endsPause,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "an anchor that something holds means that something still runs",
    ask: {
      spec: spec({ desiredState: "paused", persistRootDevice: false }),
      observation: atRest({ anchors: [heldBy("i-1")], volumes: [], snapshots: [] }),
    },
    rule: releases,
    expect: waits(
      "network interface eni-1 is still in-use",
      { kind: "anchor", interfaceId: "eni-1" },
      now + minutes,
    ),
  },
];

const going = ledger({ phase: "deallocating" });
const deallocate = (
  change: Partial<Observation>,
  retentionHours: SpecChange["retentionHours"] = {},
  more: SpecChange = {},
) => ({
  ledger: going,
  spec: spec({ retentionHours, ...more }),
  observation: atRest({ instances: [ended], ...change }),
});

const failedFinals: Snapshot[] = [1, 2, 3].map((each) =>
  final({ snapshotId: `snap-failed-${each}`, state: "error", startedAt: now - each * minutes }),
);
const in96 = now + 96 * hours;

const deallocations: Row[] = [
  {
    name: "a deallocation saves the last writes first",
    ask: deallocate({}),
    rule: secures,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a deallocation that keeps images registers one",
    ask: deallocate({ snapshots: [final()] }),
    rule: secures,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "a deallocation that keeps no images registers none",
    ask: deallocate({ snapshots: [final()] }, { images: 0 }),
    rule: clears,
    expect: acts(keeping("snap-1-final", in96), keeping("vol-1", in96)),
  },
  {
    name: "a deallocation that is carried out once more makes no image of what has its end",
    ask: deallocate({ volumes: [], anchors: [], snapshots: [final({ deleteAfterAt: in96 })] }),
    rule: endsAll,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "each kind is kept for its own hours, and a snapshot never shorter than its image",
    ask: deallocate(saved, { images: 48, snapshots: 24, volumes: 12 }),
    rule: clears,
    expect: acts(
      keeping("ami-1f", now + 48 * hours),
      keeping("snap-1-final", now + 48 * hours),
      keeping("vol-1", now + 12 * hours),
    ),
  },
  {
    name: "a volume that is to be deleted at once is condemned when its final snapshot is completed",
    ask: deallocate(
      {
        volumes: [volume()],
        snapshots: [final({ deleteAfterAt: in96 })],
        images: [image({ deleteAfterAt: in96 })],
      },
      { volumes: 0 },
    ),
    rule: clears,
    expect: acts(condemning("vol-1")),
  },
  {
    name: "keeping only volumes makes no snapshot",
    ask: deallocate({ snapshots: [] }, { images: 0, snapshots: 0 }),
    rule: clears,
    expect: acts(keeping("vol-1", in96)),
  },
  {
    name: "keeping only volumes, the snapshots there are go",
    ask: deallocate({ volumes: [volume({ deleteAfterAt: in96 })] }, { images: 0, snapshots: 0 }),
    rule: clears,
    expect: acts(condemning("snap-1-periodic")),
  },
  {
    name: "keeping nothing condemns everything, saved or not",
    ask: deallocate({ ...saved, snapshots: [periodic()] }, keepNothing),
    rule: clears,
    expect: acts(condemning("ami-1f", "snap-1-periodic", "vol-1")),
  },
  {
    name: "images go before their snapshots",
    ask: deallocate({ ...saved, volumes: [] }, keepNothing),
    rule: clears,
    expect: acts(condemning("ami-1f")),
  },
  {
    name: "a snapshot that somebody else's image uses is not deleted, and left to the sweep",
    ask: deallocate(
      {
        volumes: [],
        images: [image({ operation: "theirs", snapshotId: "snap-1-periodic" })],
      },
      { ...keepNothing, networkInterfaces: 96 },
    ),
    rule: clears,
    expect: acts(keeping("snap-1-periodic", now)),
  },
  {
    name: "and so is one whose own image has its end later",
    ask: deallocate({
      volumes: [volume({ generation: 2, deleteAfterAt: in96 })],
      snapshots: [final(), final({ generation: 2, deleteAfterAt: in96 })],
      images: [image({ deleteAfterAt: in96 })],
    }),
    rule: clears,
    expect: acts(keeping("snap-1-final", now)),
  },
  {
    name: "what is left to the sweep is left alone",
    ask: deallocate(
      {
        volumes: [],
        snapshots: [periodic({ deleteAfterAt: now })],
        images: [image({ operation: "theirs", snapshotId: "snap-1-periodic" })],
      },
      { ...keepNothing, networkInterfaces: 96 },
    ),
    rule: endsAll,
    expect: acts(
      keeping("eni-1", in96),
      recorded(going, { phase: "deallocated", deallocatedAt: now }),
    ),
  },
  {
    name: "keeping nothing waits for the volume to come free",
    ask: deallocate({ volumes: [volume({ state: "in-use" })], snapshots: [] }, keepNothing),
    rule: releases,
    expect: waits("vol-1 is still in-use", { kind: "volume", volumeId: "vol-1" }, now + minutes),
  },
  {
    name: "a volume whose final snapshot failed stands in for it, though volumes are not kept",
    ask: deallocate(
      {
        snapshots: [...failedFinals, periodic()],
        images: [image({ snapshotId: "snap-1-periodic" })],
      },
      { volumes: 0 },
    ),
    rule: clears,
    expect: acts(keeping("ami-1f", in96), keeping("snap-1-periodic", in96), keeping("vol-1", in96)),
  },
  {
    name: "a volume that is all there is stands in for the snapshot that failed",
    ask: deallocate({ snapshots: failedFinals }, { volumes: 0 }),
    rule: clears,
    expect: acts(keeping("vol-1", in96)),
  },
  {
    name: "what the last instance left is kept even if the spec names another image by now",
    ask: deallocate({ ...saved, volumes: [] }, { snapshots: 0 }, { imageId: imageB }),
    rule: clears,
    expect: acts(keeping("ami-1f", in96), keeping("snap-1-final", in96)),
  },
  {
    name: "what the last instance left is kept even if persistence is off by now",
    ask: deallocate({}, {}, { persistRootDevice: false }),
    rule: secures,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "of an earlier lineage that was not given up yet the newest snapshot is kept as long as anything",
    ask: {
      ...deallocate(
        {
          volumes: [],
          snapshots: [
            final({ generation: 2, lineage: 2, deleteAfterAt: in96 }),
            final(),
            periodic(),
          ],
          images: [image({ generation: 2, lineage: 2, deleteAfterAt: in96 }), image()],
        },
        { snapshots: 0, volumes: 0 },
      ),
      ledger: { ...going, lineage: { number: 2, baseImageId: imageA } },
    },
    rule: clears,
    expect: acts(keeping("snap-1-final", in96)),
  },
  {
    name: "a snapshot that is all there is stands in for the volume, though snapshots are not kept",
    ask: deallocate({ volumes: [], snapshots: [final()] }, { images: 0, snapshots: 0 }),
    rule: clears,
    expect: acts(keeping("snap-1-final", in96)),
  },
  {
    name: "a snapshot of which no image can be made is kept all the same",
    ask: deallocate({
      snapshots: [final()],
      images: [1, 2, 3].map((each) => image({ imageId: `ami-${each}`, state: "failed" })),
    }),
    rule: clears,
    expect: acts(keeping("snap-1-final", in96), keeping("vol-1", in96)),
  },
  {
    name: "without persistence what earlier lineages left is kept, whatever the last instance left",
    ask: {
      ...deallocate(
        {
          instances: [instance({ generation: 2, lineage: 2, state: "terminated" })],
          volumes: [],
          snapshots: [final()],
        },
        { snapshots: 0, volumes: 0 },
        { persistRootDevice: false },
      ),
      ledger: {
        ...going,
        lineage: { number: 2, baseImageId: imageA },
        startedLineage: { number: 2, baseImageId: imageA },
        launch: launch({ generation: 2, lineage: 2, rootKept: false, recordedAt: now - minutes }),
      },
    },
    rule: clears,
    expect: acts(keeping("snap-1-final", in96)),
  },
  {
    name: "what is past its time is condemned while the rest is still worked on",
    ask: deallocate({
      volumes: [volume({ deleteAfterAt: now - 1 })],
      snapshots: [final({ deleteAfterAt: in96 })],
      images: [image({ deleteAfterAt: in96 })],
    }),
    rule: clears,
    expect: acts(condemning("vol-1")),
  },
];

const emptied = { volumes: [], snapshots: [] };

const endings: Row[] = [
  {
    name: "the anchor goes last when it is not kept",
    ask: deallocate(emptied, keepNothing),
    rule: endsAll,
    expect: acts({ kind: "delete-anchor", interfaceId: "eni-1" }),
  },
  {
    name: "an anchor that is not free yet is not deleted",
    ask: deallocate({ ...emptied, anchors: [anchor({ status: "detaching" })] }, keepNothing),
    rule: releases,
    expect: waits(
      "network interface eni-1 is still detaching",
      { kind: "anchor", interfaceId: "eni-1" },
      now + minutes,
    ),
  },
  {
    name: "an anchor that is kept says until when, and that this was the end",
    ask: deallocate(emptied, { ...keepNothing, networkInterfaces: 12 }),
    rule: endsAll,
    expect: acts(
      keeping("eni-1", now + 12 * hours),
      recorded(going, { phase: "deallocated", deallocatedAt: now }),
    ),
  },
  {
    name: "with the anchor gone nothing is left to do",
    ask: deallocate({ ...emptied, anchors: [] }, keepNothing),
    rule: endsAll,
    expect: { kind: "done", wakeAt: never },
  },
  {
    name: "destroying what has no anchor makes none, but looks twice",
    ask: {
      deallocate: true,
      observation: atRest({ ...emptied, anchors: [] }),
      spec: spec({ retentionHours: keepNothing }),
    },
    rule: endsAll,
    expect: waits("its network interface is not to be seen", time, now + 30 * seconds),
  },
  {
    name: "destroying a creation that never got its anchor ends",
    ask: {
      deallocate: true,
      ledger: newborn(),
      observation: observation({
        ...emptied,
        anchors: [],
        instances: [],
        anchorMissingSinceAt: now - 5 * minutes,
      }),
    },
    rule: endsAll,
    expect: { kind: "done", wakeAt: never },
  },
];

export const restRows: readonly Row[] = [...pauses, ...deallocations, ...endings];
