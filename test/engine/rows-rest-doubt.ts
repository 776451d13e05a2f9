// At rest where it is in doubt what still runs, what is saved and what is left: pauses that retention
// has no say in, several disks, ends that are seen twice.

import {
  atRest,
  final,
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
  openLaunch,
  refusal,
  type SpecChange,
  seconds,
  spec,
  volume,
} from "./builders";
import { acts, keeping, type Row, registering, snapshotting, time, waits } from "./expected";

const secures = "what the last instance wrote is made safe before anything is called done";
const securesOld = "a kept volume of an earlier generation or lineage gets its final snapshot too";
const unseen = "an instance that EC2 may not show yet is waited for before anything is at rest";
const endsPause = "a paused managed instance rests with its latest snapshot and image";
const endsAll = "the anchor goes last, or stays as long as retention says";
const ends = { kind: "done" as const, wakeAt: Number.MAX_SAFE_INTEGER };

const paused = (change: SpecChange = {}) => spec({ desiredState: "paused", ...change });
const ended = instance({ state: "terminated" });
const saved = { volumes: [volume()], snapshots: [final()], images: [image()] };
const open = ledger({ launch: openLaunch({ generation: 2, recordedAt: now - minutes }) });
const stillLooking = waits(
  "looking for the instance of generation 2, which EC2 may not show yet",
  time,
  now + 15 * seconds,
);

const unseens: Row[] = [
  {
    name: "a refusal of an earlier generation does not end the looking for this one's instance",
    ask: {
      spec: paused(),
      ledger: open,
      observation: atRest({ ...saved, refusals: [refusal({ generation: 1 })] }),
    },
    rule: unseen,
    expect: stillLooking,
  },
  {
    name: "a refusal of another attempt does not end the looking for this one's instance",
    ask: {
      spec: paused(),
      ledger: open,
      observation: atRest({ ...saved, refusals: [refusal({ attempt: 2 })] }),
    },
    rule: unseen,
    expect: stillLooking,
  },
  {
    name: "an instance is looked for no longer than EC2's lag",
    ask: {
      spec: paused(),
      ledger: ledger({ launch: openLaunch({ generation: 2, recordedAt: now - 5 * minutes }) }),
      observation: atRest({ ...saved, volumes: [] }),
    },
    rule: endsPause,
    expect: ends,
  },
];

const second = { number: 2, baseImageId: imageA };
const ofSecond = { generation: 2, lineage: 2 };
const before = { lineage: second, startedLineage: second, launch: launch(ofSecond) };
const savedSecond = { snapshots: [final(ofSecond)], images: [image(ofSecond)] };

const savings: Row[] = [
  {
    name: "a pause saves the last writes, although nothing is to be kept after a deallocation",
    ask: {
      spec: paused({ retentionHours: keepNothing }),
      observation: atRest({ instances: [ended] }),
    },
    rule: secures,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a pause registers its image, although none is to be kept after a deallocation",
    ask: {
      spec: paused({ retentionHours: { images: 0 } }),
      observation: atRest({ snapshots: [final()] }),
    },
    rule: secures,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "a pause saves the disk of the lineage before, whatever is kept after a deallocation",
    ask: {
      spec: paused({ retentionHours: keepNothing }),
      ledger: ledger(before),
      observation: atRest({ ...savedSecond, volumes: [volume()] }),
    },
    rule: securesOld,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a deallocation saves the disk of the lineage before too",
    ask: {
      ledger: ledger({ ...before, phase: "deallocating" }),
      observation: atRest({ ...savedSecond, volumes: [volume()] }),
    },
    rule: securesOld,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "of several disks of before each is saved, also when the first is already",
    ask: {
      spec: paused(),
      ledger: ledger({ ...before, launch: launch({ generation: 3, lineage: 2 }) }),
      observation: atRest({
        volumes: [volume(), volume({ generation: 2 })],
        snapshots: [final({ generation: 3, lineage: 2 }), final()],
        images: [image({ generation: 3, lineage: 2 })],
      }),
    },
    rule: securesOld,
    expect: acts(snapshotting("final", "vol-2", { generation: 2 })),
  },
  {
    name: "a disk of before that is kept for a while stays as it is through a pause",
    ask: {
      spec: paused(),
      ledger: ledger(before),
      observation: atRest({ ...savedSecond, volumes: [volume({ deleteAfterAt: now + hours })] }),
    },
    rule: endsPause,
    expect: ends,
  },
];

const failedLongAgo = [1, 2, 3].map((each) =>
  final({
    snapshotId: `snap-failed-${each}`,
    state: "error",
    startedAt: now - (20 + each) * minutes,
  }),
);
const unkept = paused({ persistRootDevice: false });
const twin = (volumeId: string) => volume({ volumeId, markedId: undefined });

const rests: Row[] = [
  {
    name: "a deallocation does not try again what failed long ago: the volume stands in for it",
    ask: {
      spec: spec({ retentionHours: { volumes: 0 } }),
      ledger: ledger({ phase: "deallocating" }),
      observation: atRest({ instances: [ended], snapshots: failedLongAgo }),
    },
    rule: "what is kept says until when, and what is not needed is deleted after two looks",
    expect: acts(keeping("vol-1", now + 96 * hours)),
  },
  {
    name: "a disk of the lineage that is to be given up is kept as it is while paused",
    ask: { spec: unkept, observation: atRest({ snapshots: [] }) },
    rule: endsPause,
    expect: ends,
  },
  {
    name: "a pause does not wait for a disk that somebody holds and nothing needs",
    ask: {
      spec: unkept,
      observation: atRest({ volumes: [volume({ state: "in-use" })], snapshots: [] }),
    },
    rule: endsPause,
    expect: ends,
  },
  {
    name: "what ended once is not ended again because of disks that cannot be told apart",
    ask: {
      deallocate: true,
      spec: spec({ retentionHours: keepNothing }),
      ledger: ledger({
        phase: "deallocated",
        launch: launch({ rootVolumeId: undefined }),
        knownRootGeneration: undefined,
      }),
      observation: atRest({ snapshots: [], volumes: [twin("vol-a"), twin("vol-b")] }),
    },
    rule: endsAll,
    expect: ends,
  },
  {
    name: "where all has been ended and the anchor is gone, an unmarked disk is nobody's",
    ask: {
      deallocate: true,
      ledger: newborn(),
      observation: atRest({
        ...{ anchors: [], instances: [], snapshots: [], volumes: [twin("vol-a")] },
        anchorMissingSinceAt: now - 10 * minutes,
      }),
    },
    rule: endsAll,
    expect: ends,
  },
  {
    name: "where all has been ended, a disk that says when it goes gets no other snapshot for one whose time is over",
    ask: {
      deallocate: true,
      observation: atRest({
        anchors: [],
        volumes: [volume({ deleteAfterAt: now + minutes })],
        snapshots: [],
        anchorMissingSinceAt: now - 10 * minutes,
      }),
    },
    rule: endsAll,
    expect: ends,
  },
  {
    name: "an anchor that EC2 may only not show yet is not called gone",
    ask: {
      deallocate: true,
      spec: spec({ imageId: imageB, retentionHours: keepNothing }),
      observation: atRest({
        anchors: [],
        volumes: [],
        snapshots: [],
        anchorMissingSinceAt: now - 4 * minutes,
      }),
    },
    rule: endsAll,
    expect: waits("its network interface is not to be seen", time, now + 30 * seconds),
  },
];

export const restDoubtRows: readonly Row[] = [...unseens, ...savings, ...rests];
