// Launches where it is in doubt whether the identical request may be sent again, which generation is the
// next, and what of the disk that it continues the request must say.

import { launchFingerprint } from "../../src/engine/spec";
import { encodePlatform } from "../../src/engine/tags";
import {
  anchor,
  atRest,
  baseImage,
  final,
  image,
  imageA,
  imageB,
  launch,
  ledger,
  minutes,
  newborn,
  now,
  openLaunch,
  periodic,
  platform,
  pool,
  refusal,
  seconds,
  spec,
  subnetB,
  volume,
} from "./builders";
import { acts, intent, launching, type Row, recorded, time, waits } from "./expected";

const launches = "without a live instance the next generation is launched from its root source";
const resolves = "a launch whose outcome is unknown is resolved before another is tried";
const saved = { volumes: [volume()], snapshots: [final()], images: [image()] };
const startedLineage = { number: 1, baseImageId: imageA };
const open = openLaunch({ generation: 2, imageId: "ami-1f", recordedAt: now - 10 * seconds });
const opened = ledger({ launch: open });
const mayShowUp = waits("an earlier launch may still show up", time, now + 20 * seconds);
const onDemand = ledger({ launch: { ...open, market: "on-demand" } });
const onlySpot = spec({ fallbackToOnDemand: false });
const ofBase = ledger({ launch: { ...open, imageId: imageA }, lineage: undefined });
const unbooted = { volumes: [], snapshots: [] };

const repeats: Row[] = [
  {
    name: "a refusal of an earlier generation says nothing of this one",
    ask: {
      ledger: opened,
      observation: atRest({ ...saved, refusals: [refusal({ generation: 1, kind: "invalid" })] }),
    },
    rule: resolves,
    expect: acts(launching()),
  },
  {
    name: "what did not show up within half a minute is followed by the next attempt",
    ask: {
      ledger: ledger({ launch: { ...open, recordedAt: now - 30 * seconds } }),
      spec: spec({ instanceTypes: ["c5.large"] }),
      observation: atRest(saved),
    },
    rule: launches,
    expect: acts(
      recorded(opened, {
        launch: intent({ attempt: 2, instanceType: "c5.large" }),
        startedLineage,
      }),
      launching({ attempt: 2, pool: pool({ instanceType: "c5.large" }) }),
    ),
  },
  {
    name: "a launch is not repeated while something holds the anchor: it may be its instance",
    ask: {
      ledger: opened,
      observation: atRest({ ...saved, anchors: [anchor({ status: "in-use" })] }),
    },
    rule: resolves,
    expect: mayShowUp,
  },
  {
    name: "a launch On-Demand is not repeated once there is no leave for it",
    ask: { ledger: onDemand, spec: onlySpot, observation: atRest(saved) },
    rule: resolves,
    expect: mayShowUp,
  },
  {
    name: "a launch on Spot is repeated, leave for On-Demand or not",
    ask: { ledger: opened, spec: onlySpot, observation: atRest(saved) },
    rule: resolves,
    expect: acts(launching()),
  },
  {
    name: "a launch into a subnet that is not allowed any more is not repeated",
    ask: {
      ledger: opened,
      spec: spec({ subnetIds: [subnetB], persistPrivateIp: false }),
      observation: atRest(saved),
    },
    rule: resolves,
    expect: mayShowUp,
  },
  {
    name: "a launch is repeated as long as its own image is there, whatever became of others",
    ask: {
      ledger: opened,
      observation: atRest({
        ...saved,
        images: [image({ imageId: "ami-other", state: "failed" }), image()],
      }),
    },
    rule: resolves,
    expect: acts(launching()),
  },
  {
    name: "a launch is not repeated once its image cannot be launched any more",
    ask: {
      ledger: opened,
      observation: atRest({ ...saved, images: [image({ state: "failed" })] }),
    },
    rule: resolves,
    expect: mayShowUp,
  },
  {
    name: "a launch of the base image is repeated while that can be launched",
    ask: { ledger: ofBase, observation: atRest(unbooted) },
    rule: resolves,
    expect: acts(launching({ imageId: imageA })),
  },
  {
    name: "a launch of the base image is not repeated while that cannot be launched",
    ask: {
      ledger: ofBase,
      observation: atRest({ ...unbooted, baseImage: baseImage({ state: "pending" }) }),
    },
    rule: resolves,
    expect: mayShowUp,
  },
];

const stoppedLongAgo = ledger({ stop: { generation: 0, reason: "unhealthy", at: now - minutes } });

const generations: Row[] = [
  {
    name: "a generation that another process has launched since is used up, whatever was recorded",
    ask: {
      ledger: opened,
      observation: atRest({
        volumes: [volume({ generation: 3 })],
        snapshots: [final({ generation: 3 })],
        images: [image({ generation: 3 })],
        refusals: [refusal()],
      }),
    },
    rule: launches,
    expect: acts(
      recorded(opened, {
        launch: intent({ generation: 4, imageId: "ami-3f", instanceType: "m6i.large" }),
        startedLineage,
      }),
      launching({ generation: 4, imageId: "ami-3f", pool: pool({ instanceType: "m6i.large" }) }),
    ),
  },
  {
    name: "a generation that went by itself is not counted as unhealthy because an earlier one was",
    ask: { ledger: stoppedLongAgo, observation: atRest(saved) },
    rule: launches,
    expect: acts(recorded(stoppedLongAgo, { launch: intent(), startedLineage }), launching()),
  },
  {
    name: "the disk that a swap leaves is looked for although an earlier one is there",
    ask: {
      spec: spec({ imageId: imageB }),
      ledger: ledger({ launch: launch({ generation: 2, recordedAt: now - minutes }) }),
      observation: atRest({ baseImage: baseImage({ imageId: imageB }) }),
    },
    rule: launches,
    expect: waits(
      "looking for the root disk of generation 2, which EC2 may not show yet",
      time,
      now + 15 * seconds,
    ),
  },
];

const sda1 = platform({ rootDeviceName: "/dev/sda1" });
const launchingOnSda1 = () => {
  const step = launching({ rootDevice: { deviceName: "/dev/sda1" } });
  const tags = { ...step.instanceTags, "pmi:platform": encodePlatform(sda1) };
  return { ...step, instanceTags: tags, volumeTags: tags };
};
const small = spec({ rootVolume: { sizeGiB: 4 } });
const large = spec({ rootVolume: { sizeGiB: 20 } });
const ofB = { generation: 2, lineage: 2, baseImageId: imageB };

const requests: Row[] = [
  {
    name: "the root device is the one that the disk says, or its settings would miss it",
    ask: { observation: atRest({ ...saved, snapshots: [final({ platform: sda1 })] }) },
    rule: launches,
    expect: acts(
      recorded(ledger(), { launch: intent(), platform: sda1, startedLineage }),
      launchingOnSda1(),
    ),
  },
  {
    name: "the size of the disk is that of its own snapshot, not of another lineage's",
    ask: {
      spec: small,
      observation: atRest({
        ...saved,
        snapshots: [final({ sizeGiB: 8 }), periodic({ ...ofB, sizeGiB: 100 })],
        images: [image({ ...ofB, imageId: "ami-2p", snapshotId: "snap-2-periodic" }), image()],
      }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ generation: 3, launchFingerprint: launchFingerprint(small) }),
        startedLineage,
      }),
      launching({ generation: 3, rootDevice: { sizeGiB: 8 } }, { launched: small }),
    ),
  },
  {
    name: "a base image is booted on a disk of the size that the spec says",
    ask: { ledger: newborn(), spec: large, observation: atRest(unbooted) },
    rule: launches,
    expect: acts(
      recorded(newborn(), {
        launch: intent({
          generation: 1,
          imageId: imageA,
          launchFingerprint: launchFingerprint(large),
        }),
        platform: platform(),
        startedLineage,
      }),
      launching(
        { generation: 1, imageId: imageA, rootDevice: { sizeGiB: 20 } },
        { launched: large },
      ),
    ),
  },
  {
    name: "a fixed address that the anchor has moves nothing",
    ask: { spec: spec({ privateIp: anchor().privateIp }), observation: atRest(saved) },
    rule: launches,
    expect: acts(recorded(ledger(), { launch: intent(), startedLineage }), launching()),
  },
];

export const launchDoubtRows: readonly Row[] = [...repeats, ...generations, ...requests];
