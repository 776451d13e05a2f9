// How the next instance comes: the recorded intent and its repeats, refusals, pools and moves.

import { launchFingerprint } from "../../src/engine/spec";
import { encodeLedger } from "../../src/engine/tags";
import {
  anchor,
  atRest,
  baseImage,
  final,
  hours,
  id,
  image,
  imageA,
  imageB,
  ledger,
  minutes,
  now,
  openLaunch,
  pool,
  refusal,
  seconds,
  spec,
  subnetA,
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

const repeats: Row[] = [
  {
    name: "a launch whose reply was lost is sent again, the identical one",
    ask: { ledger: opened, observation: atRest(saved) },
    rule: resolves,
    expect: acts(launching()),
  },
  {
    name: "a launch of a changed spec is not repeated, and may still show up",
    ask: { ledger: opened, spec: spec({ keyName: "mine" }), observation: atRest(saved) },
    rule: resolves,
    expect: waits("an earlier launch may still show up", time, now + 20 * seconds),
  },
  {
    name: "a launch that would take its root along is not repeated once that is to be kept",
    ask: {
      ledger: ledger({ launch: { ...open, imageId: imageA, rootKept: false }, lineage: undefined }),
      observation: atRest({ volumes: [], snapshots: [] }),
    },
    rule: resolves,
    expect: waits("an earlier launch may still show up", time, now + 20 * seconds),
  },
  {
    name: "a launch from the kept disk is not repeated once every launch is to boot the base image",
    ask: {
      ledger: opened,
      spec: spec({ persistRootDevice: false, persistPrivateIp: true }),
      observation: atRest(saved),
    },
    rule: resolves,
    expect: waits("an earlier launch may still show up", time, now + 20 * seconds),
  },
  {
    name: "a launch whose image is gone is not repeated",
    ask: { ledger: opened, observation: atRest({ ...saved, images: [] }) },
    rule: resolves,
    expect: waits("an earlier launch may still show up", time, now + 20 * seconds),
  },
  {
    name: "a launch of the base image is not repeated once that is gone",
    ask: {
      ledger: ledger({
        launch: { ...open, imageId: imageA },
        lineage: undefined,
      }),
      observation: atRest({
        volumes: [],
        snapshots: [],
        baseImage: { kind: "absent", imageId: imageA },
      }),
    },
    rule: resolves,
    expect: waits("an earlier launch may still show up", time, now + 20 * seconds),
  },
  {
    name: "a launch into a lineage that is not wanted any more is not repeated",
    ask: {
      ledger: opened,
      spec: spec({ imageId: imageB }),
      observation: atRest({ ...saved, baseImage: baseImage({ imageId: imageB }) }),
    },
    rule: resolves,
    expect: waits("an earlier launch may still show up", time, now + 20 * seconds),
  },
  {
    name: "what did not show up in time is followed by the next attempt",
    ask: {
      ledger: ledger({ launch: { ...open, recordedAt: now - minutes } }),
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
];

const refused = (change: Parameters<typeof refusal>[0]) => ({
  ...saved,
  refusals: [refusal(change)],
});

const refusals: Row[] = [
  {
    name: "a pool without capacity is followed by the next one, in the next attempt",
    ask: { ledger: opened, observation: atRest(refused({})) },
    rule: launches,
    expect: acts(
      recorded(opened, {
        launch: intent({ attempt: 2, instanceType: "m6i.large" }),
        startedLineage,
      }),
      launching({ attempt: 2, pool: pool({ instanceType: "m6i.large" }) }),
    ),
  },
  {
    name: "a launch that EC2 refuses for good says so",
    ask: {
      ledger: opened,
      observation: atRest(refused({ kind: "invalid", message: "no such key pair" })),
    },
    rule: resolves,
    expect: {
      kind: "stuck",
      reason: "EC2 refused the launch: no such key pair",
      remedy: "correct the property that it names",
    },
  },
  {
    name: "a refusal of an earlier attempt says nothing of this one",
    ask: {
      ledger: ledger({ launch: { ...open, attempt: 2 } }),
      observation: atRest(refused({ kind: "invalid" })),
    },
    rule: resolves,
    expect: acts(launching({ attempt: 2 })),
  },
  {
    name: "a token that is spent has used its generation up",
    ask: { ledger: opened, observation: atRest(refused({ kind: "token-spent" })) },
    rule: resolves,
    expect: acts(
      recorded(opened, { launch: { ...open, instanceId: "ended", ran: true, rootKept: true } }),
    ),
  },
  {
    name: "a token that somebody else used otherwise is waited for",
    ask: { ledger: opened, observation: atRest(refused({ kind: "token-mismatch" })) },
    rule: resolves,
    expect: waits(
      "another process launched this generation; its instance is not to be seen yet",
      time,
      now + 10 * seconds,
    ),
  },
  {
    name: "a token that nothing came of for as long as EC2 may lag is left for the next generation",
    ask: {
      ledger: ledger({ launch: { ...open, recordedAt: now - 5 * minutes } }),
      observation: atRest(refused({ kind: "token-mismatch" })),
    },
    rule: launches,
    expect: acts(
      recorded(opened, { launch: intent({ generation: 3 }), startedLineage }),
      launching({ generation: 3 }),
    ),
  },
];

const noCapacity = (...pools: [string, "spot" | "on-demand"][]) =>
  pools.map(([instanceType, market], at) =>
    refusal({ attempt: at + 1, at: now - at * seconds, pool: pool({ instanceType, market }) }),
  );
const spotIsOut = noCapacity(["m5.large", "spot"], ["m6i.large", "spot"]);
const allIsOut = [
  ...spotIsOut,
  ...noCapacity(["m5.large", "on-demand"], ["m6i.large", "on-demand"]),
];
const third = ledger({ launch: { ...open, attempt: 1 } });

const detailed = spec({
  preferredInstanceTypes: ["m6i.large"],
  lifeCycle: "on_demand",
  keyName: "mine",
  userData: "#!/bin/sh",
  tags: { Name: "web", team: "core" },
  rootVolume: { sizeGiB: 20, volumeType: "io1", iops: 300, kmsKeyId: "key" },
});
const small = spec({ rootVolume: { sizeGiB: 4 } });

const pools: Row[] = [
  {
    name: "out of Spot it is On-Demand",
    ask: { ledger: third, observation: atRest({ ...saved, refusals: spotIsOut }) },
    rule: launches,
    expect: acts(
      recorded(third, { launch: intent({ attempt: 2, market: "on-demand" }), startedLineage }),
      launching({ attempt: 2, pool: pool({ market: "on-demand" }) }),
    ),
  },
  {
    name: "when all pools rest it waits for the first that may be asked again",
    ask: { ledger: third, observation: atRest({ ...saved, refusals: allIsOut }) },
    rule: launches,
    expect: waits("EC2 has no capacity in any allowed pool", time, now + 59 * seconds),
  },
  {
    name: "without leave for On-Demand it waits for Spot",
    ask: {
      ledger: third,
      spec: spec({ fallbackToOnDemand: false }),
      observation: atRest({ ...saved, refusals: spotIsOut }),
    },
    rule: launches,
    expect: waits("EC2 has no capacity in any allowed pool", time, now + 59 * seconds),
  },
  {
    name: "the preferred type and the properties of the spec are what is launched",
    ask: {
      spec: detailed,
      observation: atRest(saved),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({
          instanceType: "m6i.large",
          market: "on-demand",
          launchFingerprint: launchFingerprint(detailed),
        }),
        startedLineage,
      }),
      launching({
        pool: pool({ instanceType: "m6i.large", market: "on-demand" }),
        rootDevice: { sizeGiB: 20, volumeType: "io1", iops: 300, kmsKeyId: "key" },
        properties: { keyName: "mine", userData: "#!/bin/sh" },
        ...namedWeb(2, detailed),
      }),
    ),
  },
  {
    name: "the disk is never made smaller than the one that it continues",
    ask: {
      spec: small,
      observation: atRest({ ...saved, snapshots: [final({ sizeGiB: 8 })] }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ launchFingerprint: launchFingerprint(small) }),
        startedLineage,
      }),
      launching({ rootDevice: { sizeGiB: 8 } }, { launched: small }),
    ),
  },
];

function namedWeb(generation: number, launched = spec()) {
  const tags = {
    ...launching({ generation }, { launched }).instanceTags,
    Name: "web",
    team: "core",
  };
  return { instanceTags: tags, volumeTags: tags };
}

const twoSubnets = { subnetIds: [subnetA, subnetB], persistPrivateIp: false };
const movedTags = (before = ledger()) => ({
  Name: id,
  ...encodeLedger(before),
  "pmi:moves": "1",
  "pmi:moved-at": new Date(now).toISOString(),
});

const moves: Row[] = [
  {
    name: "an anchor that is not free yet is waited for",
    ask: {
      observation: atRest({ ...saved, anchors: [anchor({ status: "in-use" })] }),
    },
    rule: launches,
    expect: waits(
      "network interface eni-1 is still in-use",
      { kind: "anchor", interfaceId: "eni-1" },
      now + minutes,
    ),
  },
  {
    name: "an anchor moves to the subnet that has capacity when its address is not promised",
    ask: {
      ledger: third,
      spec: spec({ ...twoSubnets, fallbackToOnDemand: false }),
      observation: atRest({ ...saved, refusals: spotIsOut }),
    },
    rule: launches,
    expect: acts({
      kind: "create-anchor",
      token: `${id}:anchor:1:${subnetB}:5`,
      subnetId: subnetB,
      securityGroupIds: [],
      tags: movedTags(third),
    }),
  },
  {
    name: "an anchor that is not free yet is not moved either",
    ask: {
      ledger: third,
      spec: spec({ ...twoSubnets, fallbackToOnDemand: false }),
      observation: atRest({
        ...saved,
        anchors: [anchor({ status: "detaching" })],
        refusals: spotIsOut,
      }),
    },
    rule: launches,
    expect: waits(
      "network interface eni-1 is still detaching",
      { kind: "anchor", interfaceId: "eni-1" },
      now + minutes,
    ),
  },
  {
    name: "a promised address pins the subnet, and On-Demand is next",
    ask: {
      ledger: third,
      spec: spec({ subnetIds: [subnetA, subnetB] }),
      observation: atRest({ ...saved, refusals: spotIsOut }),
    },
    rule: launches,
    expect: acts(
      recorded(third, { launch: intent({ attempt: 2, market: "on-demand" }), startedLineage }),
      launching({ attempt: 2, pool: pool({ market: "on-demand" }) }),
    ),
  },
  {
    name: "another fixed address moves the anchor",
    ask: { spec: spec({ privateIp: "10.0.0.99" }), observation: atRest(saved) },
    rule: launches,
    expect: acts({
      kind: "create-anchor",
      token: `${id}:anchor:1:${subnetA}:5`,
      subnetId: subnetA,
      privateIp: "10.0.0.99",
      securityGroupIds: [],
      tags: movedTags(),
    }),
  },
  {
    name: "a base image that does not exist is not launched",
    ask: {
      spec: spec({ imageId: imageB }),
      observation: atRest({ baseImage: { kind: "absent", imageId: imageB } }),
    },
    rule: launches,
    expect: {
      kind: "stuck",
      reason: `image ${imageB} does not exist`,
      remedy: "set imageId to an image that does",
    },
  },
  {
    name: "a base image that is pending is not launched",
    ask: {
      spec: spec({ imageId: imageB }),
      observation: atRest({ baseImage: baseImage({ imageId: imageB, state: "pending" }) }),
    },
    rule: launches,
    expect: {
      kind: "stuck",
      reason: `image ${imageB} is pending, not available`,
      remedy: "wait until it is available or set imageId to another image",
    },
  },
  {
    name: "a generation that followed unhealthy ones counts them",
    ask: {
      ledger: ledger({
        launch: {
          ...open,
          instanceId: "i-1",
          generation: 1,
          ran: true,
          heals: 1,
          recordedAt: now - hours,
        },
        stop: { generation: 1, reason: "unhealthy", at: now - minutes },
      }),
      observation: atRest(saved),
    },
    rule: launches,
    expect: acts(
      recorded(ledger({ stop: { generation: 1, reason: "unhealthy", at: now - minutes } }), {
        launch: intent({ heals: 2 }),
        startedLineage,
      }),
      launching(),
    ),
  },
];

export const launchRows: readonly Row[] = [...repeats, ...refusals, ...pools, ...moves];
