// The root rule where things are in doubt: disks that do not show, launches that were refused or that
// belong to another lineage, snapshots that failed or hang.

import type { Launch, Ledger } from "../../src/engine/model";
import { encodePlatform } from "../../src/engine/tags";
import {
  atRest,
  baseImage,
  final,
  hours,
  image,
  imageA,
  imageB,
  instance,
  launch,
  ledger,
  minutes,
  now,
  openLaunch,
  periodic,
  platform,
  refusal,
  seconds,
  spec,
  volume,
} from "./builders";
import {
  acts,
  intent,
  launching,
  type Row,
  recorded,
  registering,
  snapshotting,
  waits,
} from "./expected";

const launches = "without a live instance the next generation is launched from its root source";
const lostRemedy =
  "make a volume from a snapshot of it, with its tags (pmi:marked is the new volume's own id); or set imageId to another image to start afresh; the base image is never booted in its place";
const lost = (reason: string) => ({ kind: "stuck", reason, remedy: lostRemedy }) as const;
const lostRoot = (why: string) => lost(`no root state of lineage 1 can be found: ${why}`);

const started = { number: 1, baseImageId: imageA };
const swap = launch({ generation: 2, lineage: 2, imageId: imageB, ran: false, healthy: false });
/** Went over to another image, and back before it was done. */
const takenBack = (recordedAt: number) =>
  ledger({
    startedLineage: { number: 2, baseImageId: imageB },
    launch: { ...swap, recordedAt },
  });

const failedLongAgo = [1, 2, 3].map((each) =>
  final({
    snapshotId: `snap-failed-${each}`,
    state: "error",
    startedAt: now - (20 + each) * minutes,
  }),
);

const uefi = platform({ bootMode: "uefi" });
const uefiTags = { ...launching().instanceTags, "pmi:platform": encodePlatform(uefi) };
const withPlatform = <Tagged extends { tags: Readonly<Record<string, string>> }>(step: Tagged) => ({
  ...step,
  tags: { ...step.tags, "pmi:platform": encodePlatform(uefi) },
});
const snapshottingUefi = () => {
  const step = withPlatform(snapshotting("final", "vol-1"));
  return { ...step, provenance: { ...step.provenance, platform: uefi } };
};

const snapshots: Row[] = [
  {
    name: "after exactly EC2's spacing the next snapshot of a volume is taken",
    ask: {
      observation: atRest({
        snapshots: [periodic({ state: "pending", startedAt: now - 15 * seconds })],
      }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a snapshot tells the platform of its volume, not of what runs by now",
    ask: { observation: atRest({ volumes: [volume({ platform: uefi })] }) },
    rule: launches,
    expect: acts(snapshottingUefi()),
  },
  {
    name: "a snapshot of a volume that does not tell its platform tells the recorded one",
    ask: { observation: atRest({ volumes: [volume({ platform: undefined })] }) },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a late snapshot is waited for rather than another one taken",
    ask: {
      observation: atRest({
        snapshots: [...failedLongAgo, periodic({ state: "pending" })],
      }),
    },
    rule: launches,
    expect: waits(
      "snapshot snap-1-periodic of vol-1 is pending",
      { kind: "snapshot", snapshotId: "snap-1-periodic" },
      now + hours,
    ),
  },
  {
    name: "a volume in error is not snapshotted again, however long ago that failed",
    ask: {
      observation: atRest({ volumes: [volume({ state: "error" })], snapshots: failedLongAgo }),
    },
    rule: launches,
    expect: lostRoot("vol-1 is in error"),
  },
  {
    name: "a pending snapshot of another lineage is not waited for",
    ask: {
      observation: atRest({
        volumes: [volume({ state: "error" })],
        snapshots: [periodic({ generation: 2, lineage: 2, baseImageId: imageB, state: "pending" })],
      }),
    },
    rule: launches,
    expect: lostRoot("vol-1 is in error"),
  },
];

const images: Row[] = [
  {
    name: "an image of another snapshot is no image of this one",
    ask: {
      observation: atRest({
        snapshots: [final(), periodic()],
        images: [image({ imageId: "ami-1p", snapshotId: "snap-1-periodic" })],
      }),
    },
    rule: launches,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "nothing is registered of a snapshot whose platform nobody knows",
    ask: {
      ledger: ledger({ platform: undefined }),
      observation: atRest({ snapshots: [final({ platform: undefined })] }),
    },
    rule: launches,
    expect: lost("the platform of snap-1-final is unknown"),
  },
  {
    name: "what is launched has the platform of its snapshot",
    ask: { observation: atRest({ snapshots: [final({ platform: uefi })], images: [image()] }) },
    rule: launches,
    expect: acts(
      recorded(ledger(), { launch: intent(), startedLineage: started, platform: uefi }),
      launching({ instanceTags: uefiTags, volumeTags: uefiTags }),
    ),
  },
];

const openSecond = ledger({
  launch: openLaunch({ generation: 2, imageId: "ami-1f", recordedAt: now - hours }),
});
const periodicImage = image({ imageId: "ami-1p", snapshotId: "snap-1-periodic" });

const otherLaunches: Row[] = [
  {
    name: "a launch that was refused does not make the volume of before an old one",
    ask: { ledger: openSecond, observation: atRest({ refusals: [refusal()] }) },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a swap that was taken back does not make the volume of before an old one",
    ask: { ledger: takenBack(now - hours), observation: atRest() },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a swap that was taken back starts from the disk of before, although a newer one is left",
    ask: {
      ledger: takenBack(now - hours),
      observation: atRest({
        volumes: [volume({ generation: 2, lineage: 2, baseImageId: imageB }), volume()],
      }),
    },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a swap that was taken back does not make the lost disk of before worth looking for",
    ask: { ledger: takenBack(now - minutes), observation: atRest({ volumes: [] }) },
    rule: launches,
    expect: acts(registering("snap-1-periodic")),
  },
  {
    name: "the final snapshot of the newest generation stands in for its volume, and nothing is missing",
    ask: { observation: atRest({ volumes: [], snapshots: [final()], images: [image()] }) },
    rule: launches,
    expect: acts(recorded(ledger(), { launch: intent(), startedLineage: started }), launching()),
  },
  {
    name: "the final snapshot of an earlier generation is a fall back, and what is missing is told",
    ask: {
      ledger: ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) }),
      observation: atRest({ volumes: [], snapshots: [final()], images: [image()] }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ generation: 3 }),
        knownRootGeneration: 2,
        startedLineage: started,
        gap: { fromAt: now - minutes, toAt: now, volumeId: undefined },
      }),
      launching({ generation: 3 }),
    ),
  },
  {
    name: "the volume of an earlier generation does not hold the writes that are missing",
    ask: {
      ledger: ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) }),
      observation: atRest({ snapshots: [final()], images: [image()] }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ generation: 3 }),
        knownRootGeneration: 2,
        startedLineage: started,
        gap: { fromAt: now - minutes, toAt: now, volumeId: undefined },
      }),
      launching({ generation: 3 }),
    ),
  },
  {
    name: "a disk is looked for no longer than EC2's lag",
    ask: {
      ledger: ledger({ launch: launch({ recordedAt: now - 5 * minutes }) }),
      observation: atRest({ volumes: [], snapshots: [] }),
    },
    rule: launches,
    expect: lostRoot("its root disk is gone"),
  },
  {
    name: "a generation that was seen running has run, whatever EC2 says of its end",
    ask: {
      observation: atRest({
        volumes: [],
        snapshots: [],
        instances: [instance({ state: "terminated", stateReason: "Server.InternalError" })],
      }),
    },
    rule: launches,
    expect: lostRoot("its root disk is gone"),
  },
];

const toB = { spec: spec({ imageId: imageB }) };
const isB = { baseImage: baseImage({ imageId: imageB }), volumes: [], snapshots: [] };
const launchedAt = (recordedAt: number, change: Partial<Launch> = {}) =>
  ledger({ launch: launch({ recordedAt, ...change }) });
const bootsB = (before: Ledger) =>
  acts(
    recorded(before, {
      launch: intent({ imageId: imageB, lineage: 2 }),
      startedLineage: { number: 2, baseImageId: imageB },
    }),
    launching({ imageId: imageB }, { lineage: 2, baseImageId: imageB }),
  );
const lately = launchedAt(now - minutes);
const longAgo = launchedAt(now - 5 * minutes);
const forgotten = launchedAt(now - minutes, { rootKept: false });

const lastDisks: Row[] = [
  {
    name: "the disk that a swap leaves is seen before another is launched, or a copy could pass for it",
    ask: { ...toB, ledger: lately, observation: atRest(isB) },
    rule: launches,
    expect: waits(
      "looking for the root disk of generation 1, which EC2 may not show yet",
      { kind: "time" },
      now + 15 * seconds,
    ),
  },
  {
    name: "the disk that a swap leaves is looked for no longer than EC2's lag",
    ask: { ...toB, ledger: longAgo, observation: atRest(isB) },
    rule: launches,
    expect: bootsB(longAgo),
  },
  {
    name: "a disk of which there is a snapshot has been seen",
    ask: { ...toB, ledger: lately, observation: atRest({ ...isB, snapshots: [periodic()] }) },
    rule: launches,
    expect: bootsB(lately),
  },
  {
    name: "a disk that went with its instance is not looked for",
    ask: { ...toB, ledger: forgotten, observation: atRest(isB) },
    rule: launches,
    expect: bootsB(forgotten),
  },
];

const fallenBack = (toAt: number) => ({
  launch: intent({ imageId: "ami-1p" }),
  startedLineage: started,
  gap: { fromAt: now - 2 * minutes, toAt, volumeId: undefined },
});
const stoppedBefore = ledger({ stop: { generation: 0, reason: "pause", at: now - hours } });
const unlaunched = ledger({ launch: undefined });

const gaps: Row[] = [
  {
    name: "the stop of an earlier generation does not end the missing span",
    ask: {
      ledger: stoppedBefore,
      observation: atRest({ volumes: [], images: [periodicImage] }),
    },
    rule: launches,
    expect: acts(recorded(stoppedBefore, fallenBack(now)), launching({ imageId: "ami-1p" })),
  },
  {
    name: "a ledger that knows of no launch and no stop tells a span up to now",
    ask: {
      ledger: unlaunched,
      observation: atRest({ volumes: [], images: [periodicImage] }),
    },
    rule: launches,
    expect: acts(recorded(unlaunched, fallenBack(now)), launching({ imageId: "ami-1p" })),
  },
];

export const rootDoubtRows: readonly Row[] = [
  ...snapshots,
  ...images,
  ...otherLaunches,
  ...lastDisks,
  ...gaps,
];
