/**
 * How the next instance comes: from the root that the root rule names, in the best pool, on the
 * anchor. The intent is recorded before EC2 is asked, so a launch whose reply was lost is found or
 * repeated, never doubled.
 */
import type { Anchor, Launch, Pool, Refusal, Step } from "./model";
import { clientToken } from "./names";
import { allowedSubnets, choosePool, orderedPools, tellNoAddress } from "./pools";
import { findRoot, type Root } from "./root";
import { act, pursue, type Rule, record, stuck, type Verdict, wait } from "./rule";
import { createAnchor } from "./rules-identity";
import { imageObstacle } from "./rules-stop";
import {
  absenceSeconds,
  type LaunchFailure,
  launchFailure,
  newestGeneration,
  newestKnownRoot,
  recycleFingerprint,
  type Situation,
  settleSeconds,
} from "./situation";
import { launchFingerprint } from "./spec";
import { gapTag, operations, provenanceTags, tagKeys } from "./tags";

const wantsLaunch = ({ carrier, goal }: Situation) => goal === "running" && carrier === undefined;

/** The recorded launch of which it is not known whether EC2 accepted it. */
function openLaunch({ launchAccepted, ledger }: Situation): Launch | undefined {
  return launchAccepted ? undefined : ledger.launch;
}

const refusalOf = ({ observation }: Situation, launch: Launch): Refusal | undefined =>
  observation.refusals.find(
    (each) => each.generation === launch.generation && each.attempt === launch.attempt,
  );

const resolveOpenLaunch: Rule = {
  name: "a launch whose outcome is unknown is resolved before another is tried",
  apply(situation) {
    const { anchor, now } = situation;
    const launch = wantsLaunch(situation) ? openLaunch(situation) : undefined;
    if (launch === undefined || anchor === undefined) return undefined;
    const refusal = refusalOf(situation, launch);
    if (refusal !== undefined) return answerRefusal(situation, anchor, launch, refusal);
    if (isStillWanted(situation, anchor, launch)) return act(launchStep(situation, anchor, launch));
    const settledAt = launch.recordedAt + settleSeconds * 1000;
    if (now >= settledAt) return undefined;
    return wait("an earlier launch may still show up", { kind: "time" }, settledAt);
  },
};

function answerRefusal(
  situation: Situation,
  anchor: Anchor,
  launch: Launch,
  refusal: Refusal,
): Verdict | undefined {
  switch (refusal.kind) {
    case "no-capacity":
      return undefined;
    case "invalid":
      return stuck(
        `EC2 refused the launch: ${refusal.message}`,
        "correct the property that it names",
      );
    case "token-spent":
      // Somebody launched this generation and it has ended already: what it wrote is on its volume.
      return act(
        record(situation, anchor, {
          launch: { ...launch, instanceId: "ended", ran: true, rootKept: true },
        }),
      );
    case "token-mismatch": {
      const believedAt = launch.recordedAt + absenceSeconds * 1000;
      if (situation.now >= believedAt) return undefined;
      return wait(
        "another process launched this generation; its instance is not to be seen yet",
        { kind: "time" },
        Math.min(believedAt, situation.now + 10_000),
      );
    }
  }
}

/** The identical request may be sent again only while everything in it is still what is wanted. */
function isStillWanted(situation: Situation, anchor: Anchor, launch: Launch): boolean {
  const { lineage, spec } = situation;
  return (
    launch.launchFingerprint === launchFingerprint(spec) &&
    launch.rootKept === spec.persistRootDevice &&
    launch.lineage === lineage.number &&
    isUsable(situation, launch.imageId) &&
    anchor.status === "available" &&
    orderedPools(situation).some(
      (pool) =>
        pool.instanceType === launch.instanceType &&
        pool.market === launch.market &&
        pool.subnetId === anchor.subnetId,
    )
  );
}

function isUsable({ images, observation: { baseImage } }: Situation, imageId: string): boolean {
  const persisted = images.find((image) => image.imageId === imageId);
  if (persisted !== undefined) return persisted.state === "available";
  return baseImage.imageId === imageId && imageObstacle(baseImage) === undefined;
}

/**
 * Whatever is launched next, the last disk is seen, and so marked, before: later nobody could tell it
 * from a copy of it that somebody made.
 */
function awaitLastRoot({ ledger, now, snapshots, volumes }: Situation): Verdict | undefined {
  const { launch } = ledger;
  if (launch?.rootVolumeId === undefined || !launch.rootKept) return undefined;
  const isSeen = [...volumes, ...snapshots].some((each) => each.volumeId === launch.rootVolumeId);
  const believedAt = launch.recordedAt + absenceSeconds * 1000;
  if (isSeen || now >= believedAt) return undefined;
  return wait(
    `looking for the root disk of generation ${launch.generation}, which EC2 may not show yet`,
    { kind: "time" },
    Math.min(believedAt, now + 15_000),
  );
}

const remediesForKeys =
  "check that the KMS key of rootVolume.kmsKeyId, of the image or of the account's EBS encryption is enabled, and that who launches may use it: kms:CreateGrant, kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt*";

/** For what only people change. What is wrong at EC2's side passes, or is better in another pool. */
const remediesForFailure: Partial<Record<LaunchFailure, string>> = {
  "Client.InternalError": remediesForKeys,
  "Client.InvalidKMSKey.InvalidState": remediesForKeys,
  "Client.InvalidSnapshot.NotFound": "check that the snapshots of the image are there",
  "Client.VolumeLimitExceeded":
    "delete volumes that are not needed, or have the quota for the storage of this volume type raised",
};

/** Once by each process that launches: the next one finds out whether it has been put right. */
const tellFailedLaunch: Rule = {
  name: "a launch that EC2 ended before it ran, for what only people change, is told",
  apply(situation) {
    const { launched, ledger, now, observation } = situation;
    if (!wantsLaunch(situation) || launched === undefined || ledger.launch === undefined)
      return undefined;
    const failure = launchFailure(launched);
    const remedy = failure && remediesForFailure[failure];
    const isOurs = ledger.launch.recordedAt >= (observation.lookingSinceAt ?? now);
    if (remedy === undefined || !isOurs || ledger.launch.ran) return undefined;
    return stuck(
      `EC2 took the launch of generation ${ledger.launch.generation} and ended it before it ran: ${failure}`,
      remedy,
    );
  },
};

const launchNext: Rule = {
  name: "without a live instance the next generation is launched from its root source",
  apply(situation) {
    if (!wantsLaunch(situation)) return undefined;
    const root = findRoot(situation);
    switch (root.kind) {
      case "failed":
        return stuck(root.reason, remedyForLostRoot);
      case "opens":
        return awaitLastRoot(situation) ?? openLineage(situation, root.lineage);
      case "secured":
        return awaitLastRoot(situation) ?? place(situation, situation.lineage.number, root.result);
      case "act":
      case "wait":
        return pursue(root);
    }
  },
};

const remedyForLostRoot =
  "make a volume from a snapshot of it, with its tags (pmi:marked is the new volume's own id); or set imageId to another image to start afresh; the base image is never booted in its place";

function openLineage(situation: Situation, lineage: number): Verdict | undefined {
  const { baseImage } = situation.observation;
  const obstacle = imageObstacle(baseImage);
  if (obstacle !== undefined) return obstacle;
  const platform = baseImage.kind === "present" ? baseImage.platform : undefined;
  const source = { kind: "base-image" as const, imageId: situation.spec.imageId };
  return place(situation, lineage, { source, platform });
}

function place(situation: Situation, lineage: number, root: Root): Verdict | undefined {
  const { anchor, ledger, spec } = situation;
  if (anchor === undefined) return undefined;
  const choice = choosePool(situation);
  const allowed = allowedSubnets(situation);
  const mustMove = !allowed.includes(anchor.subnetId);
  const hasNowhereToGo = mustMove ? tellNoAddress(situation, allowed) : undefined;
  if (hasNowhereToGo !== undefined) return hasNowhereToGo;
  if (choice.kind === "resting")
    return wait("EC2 has no capacity in any allowed pool", { kind: "time" }, choice.untilAt);
  if (anchor.status !== "available")
    return wait(
      `network interface ${anchor.interfaceId} is still ${anchor.status}`,
      { kind: "anchor", interfaceId: anchor.interfaceId },
      situation.now + 60_000,
    );
  const { pool } = choice;
  const wantsOtherAddress = spec.privateIp !== undefined && spec.privateIp !== anchor.privateIp;
  if (pool.subnetId !== anchor.subnetId || wantsOtherAddress)
    return act(createAnchor(situation, pool.subnetId, anchor.moves + 1));
  const launch = nextLaunch(situation, lineage, root, pool);
  const platform = root.platform ?? ledger.platform;
  const baseImageId = situation.lineage.baseImageId;
  const intent = record(situation, anchor, {
    launch,
    knownRootGeneration: newestKnownRoot(ledger),
    platform,
    startedLineage: { number: lineage, baseImageId },
    gap: root.source.kind === "base-image" ? undefined : (root.gap ?? ledger.gap),
  });
  const step = launchStep({ ...situation, ledger: { ...ledger, platform } }, anchor, launch);
  const { gap } = root;
  if (gap?.volumeId === undefined) return act(intent, step);
  return act({ kind: "tag", resourceIds: [gap.volumeId], tags: gapTag(gap) }, intent, step);
}

function nextLaunch(situation: Situation, lineage: number, root: Root, pool: Pool): Launch {
  const { ledger, now, spec } = situation;
  const newest = newestGeneration(situation);
  const open = openLaunch(situation);
  const isSameGeneration =
    open !== undefined &&
    open.generation === newest &&
    refusalOf(situation, open)?.kind !== "token-mismatch";
  const previous = ledger.launch;
  const wasHealed =
    ledger.stop?.reason === "unhealthy" && ledger.stop.generation === previous?.generation;
  return {
    generation: isSameGeneration ? newest : newest + 1,
    attempt: isSameGeneration ? open.attempt + 1 : 1,
    lineage,
    imageId: root.source.imageId,
    instanceType: pool.instanceType,
    market: pool.market,
    launchFingerprint: launchFingerprint(spec),
    recycleFingerprint: recycleFingerprint(spec),
    recordedAt: now,
    rootKept: spec.persistRootDevice,
    ran: false,
    healthy: false,
    heals: isSameGeneration ? open.heals : wasHealed ? (previous?.heals ?? 0) + 1 : 0,
  };
}

/** Made from the recorded intent and the spec alone, so that a repeat is the identical request. */
function launchStep(situation: Situation, anchor: Anchor, launch: Launch): Step {
  const { ledger, lineage, spec } = situation;
  const { encrypted, iops, kmsKeyId, throughput, volumeType } = spec.rootVolume;
  const provenance = {
    lineage: launch.lineage,
    generation: launch.generation,
    baseImageId: lineage.baseImageId,
    operation: operations.launch(launch.generation),
    platform: ledger.platform,
  };
  const tags = {
    Name: spec.tags.Name ?? ledger.id,
    ...provenanceTags(ledger.id, provenance, spec.tags),
    [tagKeys.launchPrint]: launch.launchFingerprint,
  };
  return {
    kind: "launch",
    token: clientToken(ledger.id, launch.generation, launch.attempt),
    pool: { instanceType: launch.instanceType, market: launch.market, subnetId: anchor.subnetId },
    imageId: launch.imageId,
    interfaceId: anchor.interfaceId,
    rootDevice: {
      deviceName: ledger.platform?.rootDeviceName ?? "/dev/xvda",
      sizeGiB: rootSize(situation, launch.imageId),
      volumeType,
      iops,
      throughput,
      encrypted,
      kmsKeyId,
      deleteOnTermination: !launch.rootKept,
    },
    omittedDevices: otherDevices(situation, launch.imageId),
    generation: launch.generation,
    attempt: launch.attempt,
    properties: {
      keyName: spec.keyName,
      iamInstanceProfile: spec.iamInstanceProfile,
      userData: spec.userData,
      ebsOptimized: spec.ebsOptimized,
      monitoring: spec.monitoring,
      metadataOptions: spec.metadataOptions,
      maxSpotPrice: spec.maxSpotPrice,
    },
    instanceTags: tags,
    volumeTags: tags,
  };
}

/** Only a base image may map further volumes: ours are registered with the root disk alone. */
function otherDevices({ observation }: Situation, imageId: string): readonly string[] {
  const { baseImage } = observation;
  const isBooted = baseImage.kind === "present" && baseImage.imageId === imageId;
  return isBooted ? baseImage.otherDevices : [];
}

/** A disk is never made smaller than the one that it continues: EC2 would refuse it. */
function rootSize({ images, snapshots, spec }: Situation, imageId: string): number | undefined {
  const { sizeGiB } = spec.rootVolume;
  const image = images.find((each) => each.imageId === imageId);
  const snapshot = snapshots.find((each) => each.snapshotId === image?.snapshotId);
  return sizeGiB === undefined ? undefined : Math.max(sizeGiB, snapshot?.sizeGiB ?? 0);
}

export const launchRules: readonly Rule[] = [resolveOpenLaunch, tellFailedLaunch, launchNext];
