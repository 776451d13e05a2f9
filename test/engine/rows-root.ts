// The root rule (design §4): where the next launch starts its disk from, and where it must not.

import type { Provenance, Snapshot, Step } from "../../src/engine/model";
import {
  anchor,
  atRest,
  baseImage,
  final,
  hours,
  image,
  imageA,
  imageB,
  imageC,
  instance,
  launch,
  ledger,
  minutes,
  now,
  openLaunch,
  periodic,
  platform,
  seconds,
  spec,
  volume,
} from "./builders";
import {
  acts,
  intent,
  type LaunchChange,
  launching,
  type Origin,
  type Row,
  recorded,
  registering,
  snapshotting,
  time,
  waits,
} from "./expected";

const launches = "without a live instance the next generation is launched from its root source";
const ended = instance({ state: "terminated", stateReason: "Server.SpotInstanceTermination" });
const lostRemedy =
  "make a volume from a snapshot of it, with its tags (pmi:marked is the new volume's own id); or set imageId to another image to start afresh; the base image is never booted in its place";

const launchedFrom = (
  change: Parameters<typeof recorded>[1],
  step: LaunchChange = {},
  from: Origin = {},
) =>
  acts(
    recorded(ledger(), {
      launch: intent(),
      startedLineage: { number: 1, baseImageId: imageA },
      ...change,
    }),
    launching(step, from),
  );

/** The volume is told what it alone holds, before anything else is launched. */
const marksGap = (to: string): Step => ({
  kind: "tag",
  resourceIds: ["vol-1"],
  tags: { "pmi:gap": `from=2026-03-01T11:58:00.000Z to=2026-03-01T${to}:00.000Z volume=vol-1` },
});

const finalSnapshot: Row[] = [
  {
    name: "after an interruption the freed volume gets its final snapshot",
    ask: { observation: atRest({ instances: [ended] }) },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "of the kept volumes of a lineage it is the newest that counts",
    ask: {
      ledger: ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) }),
      observation: atRest({ volumes: [volume(), volume({ generation: 2 })], snapshots: [final()] }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-2", { generation: 2 })),
  },
  {
    name: "no final snapshot is taken while the volume is still attached",
    ask: { observation: atRest({ instances: [ended], volumes: [volume({ state: "in-use" })] }) },
    rule: launches,
    expect: waits("vol-1 is still in-use", { kind: "volume", volumeId: "vol-1" }, now + minutes),
  },
  {
    name: "EC2's spacing between two snapshots of one volume is waited out",
    ask: {
      observation: atRest({
        snapshots: [periodic({ state: "pending", startedAt: now - 5 * seconds })],
      }),
    },
    rule: launches,
    expect: waits("EC2 wants 15 s between two snapshots of vol-1", time, now + 10 * seconds),
  },
  {
    name: "a pending final snapshot is waited for until its deadline",
    ask: { observation: atRest({ snapshots: [final({ state: "pending" }), periodic()] }) },
    rule: launches,
    expect: waits(
      "snapshot snap-1-final of vol-1 is pending",
      { kind: "snapshot", snapshotId: "snap-1-final" },
      now - minutes + 2 * hours,
    ),
  },
  {
    name: "a completed final snapshot becomes an image",
    ask: { observation: atRest({ snapshots: [final(), periodic()] }) },
    rule: launches,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "an image that is pending is waited for",
    ask: { observation: atRest({ snapshots: [final()], images: [image({ state: "pending" })] }) },
    rule: launches,
    expect: waits("image ami-1f is pending", { kind: "image", imageId: "ami-1f" }, now + hours),
  },
  {
    name: "the next generation is launched from the image of the final snapshot, intent first",
    ask: { observation: atRest({ snapshots: [final(), periodic()], images: [image()] }) },
    rule: launches,
    expect: launchedFrom({}),
  },
  {
    name: "a duplicate of the final snapshot harms nothing",
    ask: {
      observation: atRest({
        snapshots: [final({ snapshotId: "snap-twice", state: "pending" }), final(), periodic()],
        images: [image()],
      }),
    },
    rule: launches,
    expect: launchedFrom({}),
  },
  {
    name: "a final snapshot that failed is tried again",
    ask: { observation: atRest({ snapshots: [final({ state: "error" }), periodic()] }) },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
];

const failedFinals: Snapshot[] = [1, 2, 3].map((each) =>
  final({ snapshotId: `snap-failed-${each}`, state: "error", startedAt: now - each * minutes }),
);
const fallenBack = {
  gap: { fromAt: now - 2 * minutes, toAt: now, volumeId: "vol-1" },
  launch: intent({ imageId: "ami-1p" }),
};
const periodicImage = image({ imageId: "ami-1p", snapshotId: "snap-1-periodic" });

const fallback: Row[] = [
  {
    name: "after three failures the latest completed snapshot is used instead",
    ask: { observation: atRest({ snapshots: [...failedFinals, periodic()] }) },
    rule: launches,
    expect: acts(registering("snap-1-periodic")),
  },
  {
    name: "three failures of a while ago are no reason not to try again: the disk is still there",
    ask: {
      observation: atRest({
        snapshots: [1, 2, 3].map((each) =>
          final({
            snapshotId: `snap-failed-${each}`,
            state: "error",
            startedAt: now - 10 * minutes,
            condemnedAt: now,
          }),
        ),
      }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a fall back reports what time span is missing and on which volume it still is",
    ask: {
      observation: atRest({ snapshots: [...failedFinals, periodic()], images: [periodicImage] }),
    },
    rule: launches,
    expect: acts(
      marksGap("12:00"),
      recorded(ledger(), {
        ...fallenBack,
        startedLineage: { number: 1, baseImageId: imageA },
      }),
      launching({ imageId: "ami-1p" }),
    ),
  },
  {
    name: "the missing span ends when the instance was told to stop",
    ask: {
      ledger: ledger({ stop: { generation: 1, reason: "recycle-token", at: now - minutes } }),
      observation: atRest({ snapshots: [...failedFinals, periodic()], images: [periodicImage] }),
    },
    rule: launches,
    expect: acts(
      marksGap("11:59"),
      recorded(ledger({ stop: { generation: 1, reason: "recycle-token", at: now - minutes } }), {
        ...fallenBack,
        gap: { ...fallenBack.gap, toAt: now - minutes },
        startedLineage: { number: 1, baseImageId: imageA },
      }),
      launching({ imageId: "ami-1p" }),
    ),
  },
  {
    name: "a final snapshot that exceeds its deadline is given up for the latest completed one",
    ask: {
      observation: atRest({
        snapshots: [
          final({ state: "pending", startedAt: now - 2 * hours }),
          periodic({ startedAt: now - 2 * hours - minutes }),
        ],
      }),
    },
    rule: launches,
    expect: acts(registering("snap-1-periodic")),
  },
  {
    name: "a volume in error is given up for the latest completed snapshot",
    ask: { observation: atRest({ volumes: [volume({ state: "error" })] }) },
    rule: launches,
    expect: acts(registering("snap-1-periodic")),
  },
  {
    name: "a volume that has gone is given up for the latest completed snapshot, and reported",
    ask: {
      observation: atRest({ instances: [ended], volumes: [], images: [periodicImage] }),
    },
    rule: launches,
    expect: launchedFrom(
      { ...fallenBack, gap: { ...fallenBack.gap, volumeId: undefined } },
      { imageId: "ami-1p" },
    ),
  },
  {
    name: "with nothing completed a late snapshot is still waited for",
    ask: {
      observation: atRest({
        volumes: [volume({ state: "error" })],
        snapshots: [periodic({ state: "pending" })],
      }),
    },
    rule: launches,
    expect: waits(
      "snapshot snap-1-periodic of vol-1 is pending",
      { kind: "snapshot", snapshotId: "snap-1-periodic" },
      now + hours,
    ),
  },
];

const lost = (reason: string) =>
  ({
    kind: "stuck",
    reason: `no root state of lineage 1 can be found${reason}`,
    remedy: lostRemedy,
  }) as const;
const youngLaunch = launch({ recordedAt: now - minutes, ran: true });
const nothingLeft = { volumes: [], snapshots: [] };

const lostRoots: Row[] = [
  {
    name: "a root that is lost is never replaced by the base image",
    ask: { observation: atRest({ ...nothingLeft, instances: [ended] }) },
    rule: launches,
    expect: lost(": its root disk is gone"),
  },
  {
    name: "a root of which only failed snapshots are left is lost",
    ask: { observation: atRest({ snapshots: failedFinals }) },
    rule: launches,
    expect: lost(": 3 final snapshots of vol-1 failed"),
  },
  {
    name: "the disk of a young generation may only lag behind, and is looked for",
    ask: {
      ledger: ledger({ launch: youngLaunch }),
      observation: atRest({ ...nothingLeft, instances: [ended] }),
    },
    rule: launches,
    expect: waits(
      "looking for the root disk of generation 1, which EC2 may not show yet",
      time,
      now + 15 * seconds,
    ),
  },
  {
    name: "an older disk is no substitute for that of the newest generation",
    ask: {
      ledger: ledger({ launch: launch({ generation: 2, recordedAt: now - minutes }) }),
      observation: atRest(),
    },
    rule: launches,
    expect: waits(
      "looking for the root disk of generation 2, which EC2 may not show yet",
      time,
      now + 15 * seconds,
    ),
  },
  {
    name: "a root that somebody let go with its instance is lost, not given up",
    ask: {
      ledger: ledger({ launch: launch({ rootKept: true, healthy: false }) }),
      observation: atRest({
        ...nothingLeft,
        instances: [instance({ state: "terminated", rootDeletedOnTermination: true })],
      }),
    },
    rule: launches,
    expect: lost(": its root disk is gone"),
  },
  {
    name: "a generation that nobody saw running may have run, and its lost root is lost",
    ask: {
      ledger: ledger({ launch: launch({ ran: false, healthy: false }), lineage: undefined }),
      observation: atRest({ ...nothingLeft }),
    },
    rule: launches,
    expect: lost(": its root disk is gone"),
  },
  {
    name: "a lineage that ran and left nothing is not opened again by a launch that was refused",
    ask: {
      ledger: ledger({
        launch: openLaunch({ generation: 2, imageId: "ami-1f", recordedAt: now - hours }),
      }),
      observation: atRest(nothingLeft),
    },
    rule: launches,
    expect: lost(": its root disk is gone"),
  },
  {
    name: "a failed launch from a persisted image whose snapshot is gone is no reason to boot the base image",
    ask: {
      ledger: ledger({
        launch: launch({
          generation: 2,
          imageId: "ami-1f",
          ran: false,
          failed: true,
          healthy: false,
        }),
      }),
      observation: atRest({
        ...nothingLeft,
        instances: [
          instance({ generation: 2, state: "terminated", stateReason: "Client.InternalError" }),
        ],
      }),
    },
    rule: launches,
    expect: lost(""),
  },
];

const started = (number: number, baseImageId: string) => ({ number, baseImageId });
const bootsBase = (change: LaunchChange, from: Origin) =>
  launching({ imageId: from.baseImageId ?? imageA, ...change }, from);

const neverRan: Row[] = [
  {
    name: "a lineage whose only launch failed is given up and the next one is opened",
    ask: {
      ledger: ledger({
        launch: launch({ ran: false, failed: true, healthy: false }),
        lineage: undefined,
      }),
      observation: atRest({
        ...nothingLeft,
        instances: [instance({ state: "terminated", stateReason: "Server.InternalError" })],
      }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger({ lineage: undefined }), {
        launch: intent({ imageId: imageA, lineage: 2 }),
        startedLineage: started(2, imageA),
      }),
      bootsBase({}, { lineage: 2 }),
    ),
  },
  {
    name: "a launch that failed after the disk was saved starts from that again",
    ask: {
      ledger: ledger({
        launch: launch({
          generation: 2,
          imageId: "ami-1f",
          ran: false,
          failed: true,
          healthy: false,
        }),
      }),
      observation: atRest({
        volumes: [],
        snapshots: [final()],
        images: [image()],
        instances: [
          instance({ generation: 2, state: "terminated", stateReason: "Client.InternalError" }),
        ],
      }),
    },
    rule: launches,
    expect: launchedFrom(
      { launch: intent({ generation: 3 }), knownRootGeneration: 2 },
      { generation: 3 },
    ),
  },
  {
    name: "a refused launch after a pause looks for nothing and goes on from the saved disk",
    ask: {
      ledger: ledger({
        launch: openLaunch({ generation: 2, imageId: "ami-1f", recordedAt: now }),
      }),
      observation: atRest({
        volumes: [],
        snapshots: [final()],
        images: [image()],
        refusals: [
          {
            pool: { instanceType: "m5.large", market: "spot", subnetId: anchor().subnetId },
            generation: 2,
            attempt: 1,
            at: now,
            kind: "no-capacity",
            message: "none",
          },
        ],
      }),
    },
    rule: launches,
    expect: launchedFrom(
      { launch: intent({ attempt: 2, instanceType: "m6i.large" }) },
      {
        attempt: 2,
        pool: { instanceType: "m6i.large", market: "spot", subnetId: anchor().subnetId },
      },
    ),
  },
];

const images: Row[] = [
  {
    name: "an image that failed is registered again under the next name",
    ask: { observation: atRest({ snapshots: [final()], images: [image({ state: "failed" })] }) },
    rule: launches,
    expect: acts(registering("snap-1-final", "pmi-0123456789ab/snap-1-final/1")),
  },
  {
    name: "an image that somebody disabled is replaced by one under the next name",
    ask: { observation: atRest({ snapshots: [final()], images: [image({ state: "disabled" })] }) },
    rule: launches,
    expect: acts(registering("snap-1-final", "pmi-0123456789ab/snap-1-final/1")),
  },
  {
    name: "an image beside one that was disabled is what the next launch starts from",
    ask: {
      observation: atRest({
        snapshots: [final()],
        images: [image({ imageId: "ami-0", state: "disabled" }), image()],
      }),
    },
    rule: launches,
    expect: launchedFrom({}),
  },
  {
    name: "three failed images of one snapshot are enough",
    ask: {
      observation: atRest({
        snapshots: [final()],
        images: [1, 2, 3].map((each) => image({ imageId: `ami-${each}`, state: "failed" })),
      }),
    },
    rule: launches,
    expect: {
      kind: "stuck",
      reason: "3 images of snap-1-final failed or were disabled",
      remedy: lostRemedy,
    },
  },
  {
    name: "three images that failed a while ago are no reason not to try a fourth",
    ask: {
      observation: atRest({
        snapshots: [final()],
        images: [0, 1, 2].map((each) =>
          image({
            imageId: `ami-${each}`,
            name: `pmi-0123456789ab/snap-1-final${each === 0 ? "" : `/${each}`}`,
            state: "failed",
            createdAt: now - 10 * minutes,
          }),
        ),
      }),
    },
    rule: launches,
    expect: acts(registering("snap-1-final", "pmi-0123456789ab/snap-1-final/3")),
  },
  {
    name: "an image that would be billed as something else is refused",
    ask: {
      observation: atRest({
        snapshots: [final({ platform: platform({ platformDetails: "Windows" }) })],
        images: [image()],
      }),
    },
    rule: launches,
    expect: {
      kind: "stuck",
      reason:
        'EC2 registered ami-1f as "Linux/UNIX" although the disk is "Windows": it would be billed and booted wrongly',
      remedy: lostRemedy,
    },
  },
  {
    name: "an image of ours by its tags that was made from something else is not used",
    ask: {
      observation: atRest({
        snapshots: [final()],
        images: [image({ operation: "register:snap-other" })],
      }),
    },
    rule: launches,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "a snapshot of ours by its tags that is of another volume is not used",
    ask: { observation: atRest({ snapshots: [final({ operation: "final:vol-other" })] }) },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
];

const ofB: Partial<Provenance> = { lineage: 2, baseImageId: imageB };
const withDataDisks = { baseImage: baseImage({ otherDevices: ["/dev/sdb", "/dev/sdc"] }) };
const isB = { baseImage: baseImage({ imageId: imageB }) };
const isC = { baseImage: baseImage({ imageId: imageC }) };
const openSwap = openLaunch({
  generation: 2,
  lineage: 2,
  imageId: imageB,
  recordedAt: now - hours,
});
const cutOff = ledger({ startedLineage: started(2, imageB), launch: openSwap });
const swapped = ledger({
  lineage: started(2, imageB),
  startedLineage: started(2, imageB),
  launch: launch({ generation: 2, lineage: 2, imageId: imageB }),
});

const lineages: Row[] = [
  {
    name: "an AMI swap boots the new image in a new lineage",
    ask: { spec: spec({ imageId: imageB }), observation: atRest(isB) },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ imageId: imageB, lineage: 2 }),
        startedLineage: started(2, imageB),
      }),
      bootsBase({}, ofB),
    ),
  },
  {
    name: "a swap that was cut off before its launch goes on in the lineage that it opened",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: {
        ...cutOff,
        launch: { ...openSwap, instanceType: "m4.large" },
      },
      observation: atRest(isB),
    },
    rule: launches,
    expect: acts(
      recorded(cutOff, {
        launch: intent({ attempt: 2, imageId: imageB, lineage: 2 }),
        startedLineage: started(2, imageB),
      }),
      bootsBase({ attempt: 2 }, ofB),
    ),
  },
  {
    name: "a swap that was cut off after its launch comes back with the disk of the new lineage",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: ledger({
        startedLineage: started(2, imageB),
        launch: launch({ generation: 2, lineage: 2, imageId: imageB, ran: false, healthy: false }),
      }),
      observation: atRest({ ...isB, volumes: [volume(), volume({ ...ofB, generation: 2 })] }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-2", { ...ofB, generation: 2 })),
  },
  {
    name: "a swap that is followed by another before it was done opens one more lineage",
    ask: { spec: spec({ imageId: imageC }), ledger: cutOff, observation: atRest(isC) },
    rule: launches,
    expect: acts(
      recorded(cutOff, {
        launch: intent({ attempt: 2, imageId: imageC, lineage: 3 }),
        startedLineage: started(3, imageC),
      }),
      bootsBase({ attempt: 2 }, { lineage: 3, baseImageId: imageC }),
    ),
  },
  {
    name: "a swap that is taken back before it was done returns to the disk of before",
    ask: {
      ledger: cutOff,
      observation: atRest({ snapshots: [final()], images: [image()] }),
    },
    rule: launches,
    expect: acts(
      recorded(cutOff, { launch: intent({ attempt: 2 }), startedLineage: started(1, imageA) }),
      launching({ attempt: 2 }),
    ),
  },
  {
    name: "a swap that is taken back to a disk of which only an older snapshot is left reports what is missing",
    ask: {
      ledger: cutOff,
      observation: atRest({ volumes: [], images: [periodicImage] }),
    },
    rule: launches,
    expect: acts(
      recorded(cutOff, {
        launch: intent({ attempt: 2, imageId: "ami-1p" }),
        startedLineage: started(1, imageA),
        gap: { fromAt: now - 2 * minutes, toAt: now },
      }),
      launching({ attempt: 2, imageId: "ami-1p" }),
    ),
  },
  {
    name: "a swap back after the swap is one more swap: it boots the image, not the old disk",
    ask: { ledger: swapped, observation: atRest({ volumes: [volume({ ...ofB, generation: 2 })] }) },
    rule: launches,
    expect: acts(
      recorded(swapped, {
        launch: intent({ generation: 3, imageId: imageA, lineage: 3 }),
        knownRootGeneration: 2,
        startedLineage: started(3, imageA),
      }),
      bootsBase({ generation: 3 }, { lineage: 3 }),
    ),
  },
  {
    name: "a swap forgets the gap of the disk that it leaves",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: ledger({ gap: { fromAt: 1, toAt: 2 } }),
      observation: atRest(isB),
    },
    rule: launches,
    expect: acts(
      recorded(ledger({ gap: undefined }), {
        launch: intent({ imageId: imageB, lineage: 2 }),
        startedLineage: started(2, imageB),
      }),
      bootsBase({}, ofB),
    ),
  },
  {
    name: "a recycle keeps the gap of its disk in mind",
    ask: {
      ledger: ledger({ gap: { fromAt: 1, toAt: 2 } }),
      observation: atRest({ snapshots: [final()], images: [image()] }),
    },
    rule: launches,
    expect: launchedFrom({ gap: { fromAt: 1, toAt: 2 } }),
  },
  {
    name: "without root persistence every launch boots the base image in a new lineage, and keeps no root",
    ask: {
      spec: spec({ persistRootDevice: false }),
      observation: atRest({ snapshots: [final()], images: [image()] }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ imageId: imageA, lineage: 2, rootKept: false }),
        startedLineage: started(2, imageA),
      }),
      bootsBase({ rootDevice: { deleteOnTermination: true } }, { lineage: 2 }),
    ),
  },
  {
    name: "persistence off, recycled, and on again never brings an older disk back",
    ask: {
      ledger: ledger({
        lineage: started(2, imageA),
        startedLineage: started(2, imageA),
        launch: launch({ generation: 2, lineage: 2, rootKept: false }),
      }),
      observation: atRest({ snapshots: [final()], images: [image()] }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger({ lineage: started(2, imageA) }), {
        launch: intent({ generation: 3, imageId: imageA, lineage: 3 }),
        knownRootGeneration: 2,
        startedLineage: started(3, imageA),
      }),
      bootsBase({ generation: 3 }, { lineage: 3 }),
    ),
  },
  {
    name: "the first launch opens lineage 1",
    ask: {
      ledger: ledger({
        launch: undefined,
        lineage: undefined,
        startedLineage: undefined,
        platform: undefined,
      }),
      observation: atRest(nothingLeft),
    },
    rule: launches,
    expect: acts(
      recorded(ledger({ lineage: undefined }), {
        launch: intent({ generation: 1, imageId: imageA }),
        startedLineage: started(1, imageA),
      }),
      bootsBase({ generation: 1 }, {}),
    ),
  },
  {
    name: "volumes that the base image maps besides its root are left out of the launch",
    ask: {
      ledger: ledger({
        launch: undefined,
        lineage: undefined,
        startedLineage: undefined,
        platform: undefined,
      }),
      observation: atRest({ ...nothingLeft, ...withDataDisks }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger({ lineage: undefined }), {
        launch: intent({ generation: 1, imageId: imageA }),
        startedLineage: started(1, imageA),
      }),
      bootsBase({ generation: 1, omittedDevices: ["/dev/sdb", "/dev/sdc"] }, {}),
    ),
  },
  {
    name: "a launch from the persisted image leaves nothing out, whatever the base image maps",
    ask: {
      observation: atRest({ snapshots: [final()], images: [image()], ...withDataDisks }),
    },
    rule: launches,
    expect: launchedFrom({}),
  },
];

export const rootRows: readonly Row[] = [
  ...finalSnapshot,
  ...fallback,
  ...lostRoots,
  ...neverRan,
  ...images,
  ...lineages,
];
