// Launches that EC2 took and ended by itself before the instance ran: what only people change is told by
// the process that launched, and what passes is tried again.

import type { Instance, Launch, Observation } from "../../src/engine/model";
import {
  atRest,
  final,
  hours,
  image,
  imageA,
  instance,
  launch,
  ledger,
  minutes,
  now,
  openLaunch,
  pool,
  question,
  refusal,
  seconds,
  spec,
  subnetA,
  subnetB,
  volume,
} from "./builders";
import { acts, intent, launching, type Row, recorded, registering, time, waits } from "./expected";

const told = "a launch that EC2 ended before it ran, for what only people change, is told";
const launches = "without a live instance the next generation is launched from its root source";

const checkKeys =
  "check that the KMS key of rootVolume.kmsKeyId, of the image or of the account's EBS encryption is enabled, and that who launches may use it: kms:CreateGrant, kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt*";

const failedLaunch = (change: Partial<Launch> = {}): Launch =>
  openLaunch({
    generation: 2,
    imageId: "ami-1f",
    instanceId: "i-2",
    recordedAt: now - 10 * minutes,
    failed: true,
    ...change,
  });

const ended = (stateReason: string, change: Partial<Instance> = {}): Instance =>
  instance({ generation: 2, state: "terminated", stateReason, rootVolumeId: undefined, ...change });

const after = (failure: Instance, change: Partial<Observation> = {}): Observation =>
  atRest({
    volumes: [],
    snapshots: [final()],
    images: [image()],
    instances: [failure],
    lookingSinceAt: now - 10 * minutes,
    ...change,
  });

const asTold = (code: string, remedy: string): Row => ({
  name: `${code} is told by the process that launched`,
  ask: { ledger: ledger({ launch: failedLaunch() }), observation: after(ended(code)) },
  rule: told,
  expect: {
    kind: "stuck",
    reason: `EC2 took the launch of generation 2 and ended it before it ran: ${code}`,
    remedy,
  },
});

const again = acts(
  recorded(ledger(), {
    launch: intent({ generation: 3 }),
    startedLineage: { number: 1, baseImageId: question().spec.imageId },
  }),
  launching({ generation: 3 }),
);

/** Launched without root persistence, and ended while it was pending. */
const goneWithIt = ledger({
  startedLineage: { number: 2, baseImageId: imageA },
  launch: openLaunch({
    generation: 2,
    lineage: 2,
    instanceId: "i-2",
    rootVolumeId: "vol-2",
    rootKept: false,
    recordedAt: now - hours,
  }),
});

export const launchFailedRows: readonly Row[] = [
  asTold("Client.InternalError", checkKeys),
  asTold("Client.InvalidKMSKey.InvalidState", checkKeys),
  asTold("Client.InvalidSnapshot.NotFound", "check that the snapshots of the image are there"),
  asTold(
    "Client.VolumeLimitExceeded",
    "delete volumes that are not needed, or have the quota for the storage of this volume type raised",
  ),
  {
    name: "what failed before this process began to look is tried again: it may have been put right",
    ask: {
      ledger: ledger({ launch: failedLaunch() }),
      observation: after(ended("Client.InternalError"), {
        lookingSinceAt: now - 10 * minutes + 1,
      }),
    },
    rule: launches,
    expect: again,
  },
  {
    name: "a person who only looks is told what comes next, not what failed",
    ask: {
      ledger: ledger({ launch: failedLaunch() }),
      observation: after(ended("Client.InternalError"), { lookingSinceAt: undefined }),
    },
    rule: launches,
    expect: again,
  },
  {
    name: "what failed at EC2's side is tried again without a word",
    ask: {
      ledger: ledger({ launch: failedLaunch() }),
      observation: after(ended("Server.InternalError")),
    },
    rule: launches,
    expect: again,
  },
  {
    name: "an instance that ran did not fail to launch, whatever EC2 says of its end",
    ask: {
      ledger: ledger({
        launch: launch({ generation: 2, recordedAt: now - hours, rootVolumeId: "vol-2" }),
      }),
      observation: after(ended("Client.InternalError"), {
        snapshots: [final({ generation: 2 })],
        images: [image({ generation: 2 })],
        lookingSinceAt: now - 2 * hours,
      }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ generation: 3, imageId: "ami-2f" }),
        startedLineage: { number: 1, baseImageId: question().spec.imageId },
        knownRootGeneration: 2,
      }),
      launching({ generation: 3, imageId: "ami-2f" }),
    ),
  },
  {
    name: "where nothing is to run a failed launch is no news",
    ask: {
      ledger: ledger({ launch: failedLaunch() }),
      spec: spec({ desiredState: "paused" }),
      observation: after(ended("Client.InternalError")),
    },
    rule: "a paused managed instance rests with its latest snapshot and image",
    expect: { kind: "done", wakeAt: Number.MAX_SAFE_INTEGER },
  },
  {
    name: "that a launch failed is written down, because EC2 forgets it within an hour",
    ask: {
      ledger: ledger({ launch: failedLaunch({ failed: undefined }) }),
      observation: after(ended("Client.InternalError")),
    },
    rule: "what became of the newest launch is written into the ledger",
    expect: acts(recorded(ledger(), { launch: failedLaunch() })),
  },
  {
    name: "and counts once EC2 has forgotten it: the disk before is launched from, and nothing is missing",
    ask: {
      ledger: ledger({ launch: failedLaunch() }),
      observation: after(ended("Client.InternalError"), { instances: [] }),
    },
    rule: launches,
    expect: again,
  },
  {
    name: "a move to subnets without a free address is told, because it ends nowhere",
    ask: {
      spec: spec({ subnetIds: [subnetB], persistPrivateIp: false }),
      observation: atRest({
        snapshots: [final()],
        images: [image()],
        fullSubnets: [{ subnetId: subnetB, at: now - 10 * seconds }],
      }),
    },
    rule: launches,
    expect: {
      kind: "stuck",
      reason: `no private IP address is free in ${subnetB}`,
      remedy: "free some, or name another subnet in subnetIds",
    },
  },
  {
    name: "where the interface may stay a subnet without a free address is waited for like a pool",
    ask: {
      spec: spec({
        subnetIds: [subnetA, subnetB],
        instanceTypes: ["m5.large"],
        fallbackToOnDemand: false,
        persistPrivateIp: false,
      }),
      observation: atRest({
        snapshots: [final()],
        images: [image()],
        refusals: [refusal({ at: now - 10 * seconds })],
        fullSubnets: [{ subnetId: subnetB, at: now - 20 * seconds }],
      }),
    },
    rule: launches,
    expect: waits("EC2 has no capacity in any allowed pool", time, now + 40 * seconds),
  },
  {
    name: "a boot without root persistence that ended before it ran gives no disk up that is there",
    ask: {
      ledger: goneWithIt,
      observation: atRest({ snapshots: [final()], images: [] }),
    },
    rule: launches,
    expect: acts(registering("snap-1-final")),
  },
  {
    name: "and where nothing of that is left the base image is booted again",
    ask: { ledger: goneWithIt, observation: atRest({ volumes: [], snapshots: [] }) },
    rule: launches,
    expect: acts(
      recorded(goneWithIt, {
        launch: intent({ generation: 3, lineage: 3, imageId: imageA }),
        knownRootGeneration: 2,
        startedLineage: { number: 3, baseImageId: imageA },
      }),
      launching({ generation: 3, imageId: imageA }, { lineage: 3 }),
    ),
  },
  {
    name: "the pool of what EC2 took back after it ran does not rest",
    ask: {
      ledger: ledger({ launch: failedLaunch({ failed: undefined }) }),
      spec: spec({ instanceTypes: ["m5.large", "m6i.large"] }),
      observation: after(
        ended("Server.SpotInstanceTermination", { launchedAt: now - 599 * seconds }),
        {
          volumes: [volume({ generation: 2 })],
          snapshots: [final({ generation: 2 })],
          images: [image({ generation: 2 })],
        },
      ),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ generation: 3, imageId: "ami-2f" }),
        startedLineage: { number: 1, baseImageId: question().spec.imageId },
      }),
      launching({ generation: 3, imageId: "ami-2f" }),
    ),
  },
  {
    name: "the pool of a launch that EC2 ended for want of capacity rests like one that refused",
    ask: {
      ledger: ledger({ launch: failedLaunch() }),
      spec: spec({ instanceTypes: ["m5.large", "m6i.large"] }),
      observation: after(
        ended("Server.InsufficientInstanceCapacity", { launchedAt: now - 599 * seconds }),
      ),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), {
        launch: intent({ generation: 3, instanceType: "m6i.large" }),
        startedLineage: { number: 1, baseImageId: question().spec.imageId },
      }),
      launching({ generation: 3, pool: pool({ instanceType: "m6i.large" }) }),
    ),
  },
];
