/**
 * Who we are and what we know: a newer order wins, the anchor exists and is one, and what EC2
 * returned is written down before anything is decided on it.
 */
import { isDeepStrictEqual } from "node:util";
import type { Anchor, Instance, Launch, Volume } from "./model";
import { choosePool, tellNoAddress } from "./pools";
import { act, type Rule, record, stuck, wait } from "./rule";
import {
  absenceSeconds,
  finalsOf,
  launchFailure,
  newestKnownRoot,
  type Situation,
  settleSeconds,
} from "./situation";
import { fingerprint } from "./spec";
import {
  encodeLedger,
  gapTag,
  operations,
  parseProvenance,
  provenanceTags,
  type Tags,
  tagKeys,
} from "./tags";

const touchSeconds = 60;

const newerOrder: Rule = {
  name: "a newer specification supersedes this one",
  apply({ ledger, specVersion }) {
    if (ledger.specVersion <= specVersion) return undefined;
    return {
      kind: "superseded",
      reason: `specification ${ledger.specVersion} is in force, this process knows ${specVersion}`,
    };
  },
};

/**
 * What is to end and has no anchor belongs to nobody: nobody is creating it any more, and a copy of
 * the ledger from then would say so for ever.
 */
const otherMaker: Rule = {
  name: "a creation belongs to the process that claimed it last",
  apply({ anchor, goal, ledger: { claim, phase }, claimant }) {
    if (phase !== "creating" || claim === undefined || claimant === undefined) return undefined;
    if (claim.host === claimant.host && claim.pid === claimant.pid) return undefined;
    if (goal === "deallocated" && anchor === undefined) return undefined;
    return {
      kind: "superseded",
      reason: `process ${claim.pid} on ${claim.host} is creating it now`,
    };
  },
};

/** A process that stood still may launch or snapshot after the end: that goes as everything did. */
const ended: Rule = {
  name: "a deallocated managed instance stays deallocated",
  apply({ carrier, images, ledger, snapshots, volumes }) {
    if (ledger.phase !== "deallocated" || carrier !== undefined) return undefined;
    const late = [...images, ...snapshots, ...volumes].some(
      (resource) => resource.deleteAfterAt === undefined,
    );
    return late ? undefined : { kind: "done", wakeAt: Number.MAX_SAFE_INTEGER };
  },
};

/** The tags of an anchor: the ledger, so that the anchor alone tells everything. */
const anchorTags = ({ ledger, spec }: Situation, moves: number): Tags => ({
  ...spec.tags,
  Name: spec.tags.Name ?? ledger.id,
  ...encodeLedger(ledger),
  [tagKeys.moves]: String(moves),
});

export function createAnchor(situation: Situation, subnetId: string, moves: number) {
  const { ledger, now, observation, spec } = situation;
  const tags = anchorTags(situation, moves);
  const isFirst = moves === 0 && ledger.revision === 0;
  const isLost = moves === 0 && !isFirst;
  // The first is one whoever makes it and wherever it would put it: another would be another lock.
  // Later ones name the revision, so that a move that was given up can be begun again.
  const purpose = isFirst ? "" : `:${isLost ? "again" : subnetId}:${ledger.revision}`;
  return {
    kind: "create-anchor" as const,
    token: `${ledger.id}:anchor:${moves}${purpose}`,
    subnetId,
    privateIp: spec.privateIp ?? (isLost ? observation.remembered?.privateIp : undefined),
    securityGroupIds: spec.securityGroupIds,
    tags: moves === 0 ? tags : { ...tags, [tagKeys.movedAt]: new Date(now).toISOString() },
  };
}

const makeAnchor: Rule = {
  name: "a managed instance has an anchor before anything else",
  apply(situation) {
    const { anchor, carrier, goal, ledger, now, observation, spec } = situation;
    if (anchor !== undefined || goal === "deallocated") return undefined;
    const choice = choosePool(situation);
    const best = choice.kind === "pool" ? choice.pool.subnetId : spec.subnetIds[0];
    if (best === undefined) return stuck("no subnet is given", "name one in subnetIds");
    // A ledger that was ever written was written on an anchor, which EC2 may only not show yet.
    if (ledger.revision === 0)
      return tellNoAddress(situation, spec.subnetIds) ?? act(createAnchor(situation, best, 0));
    const subnetId = observation.remembered?.subnetId ?? best;
    const trustedAt = (observation.anchorMissingSinceAt ?? now) + absenceSeconds * 1000;
    if (now >= trustedAt && carrier !== undefined)
      return stuck(
        `the network interface that ${carrier.instanceId} holds does not show our tags`,
        `write them on it again: at least ${tagKeys.id}=${ledger.id}`,
      );
    if (now >= trustedAt)
      return tellNoAddress(situation, [subnetId]) ?? act(createAnchor(situation, subnetId, 0));
    return wait("its network interface is not to be seen", { kind: "time" }, now + 10_000);
  },
};

/** Deleting the lower anchor is what makes a move safe: EC2 refuses while an instance holds it. */
const finishMove: Rule = {
  name: "of two anchors the one in force is deleted once it is free, or the other if it is not",
  apply(situation) {
    const { anchor, carrier, now, observation } = situation;
    if (anchor === undefined || observation.anchors.length < 2) return undefined;
    const others = observation.anchors.filter((each) => each !== anchor);
    const isHeld = carrier !== undefined || anchor.status !== "available";
    const isTie = others.every((other) => other.moves === anchor.moves);
    const isMove = !isHeld && !isTie;
    const doomed = isMove ? anchor : others.find((other) => other.status === "available");
    if (doomed === undefined)
      return wait("two network interfaces are in use", { kind: "time" }, now + 10_000);
    const survivor = isMove ? others[0] : anchor;
    if (survivor !== undefined && !holdsLedger(situation, survivor))
      return act(record(situation, survivor, {}));
    return act({ kind: "delete-anchor", interfaceId: doomed.interfaceId });
  },
};

/** The newest ledger must outlive the anchor that it was written on. */
const holdsLedger = ({ ledger }: Situation, anchor: Anchor) =>
  anchor.tags[tagKeys.spec] === encodeLedger(ledger)[tagKeys.spec];

const settleMove: Rule = {
  name: "an anchor that just moved is looked at twice before it carries anything",
  apply({ anchor, carrier, now }) {
    if (anchor?.movedAt === undefined || carrier !== undefined) return undefined;
    const settledAt = anchor.movedAt + settleSeconds * 1000;
    if (now >= settledAt) return undefined;
    return wait("the network interface has just moved", { kind: "time" }, settledAt);
  },
};

const keepClaim: Rule = {
  name: "a creation under way is kept claimed",
  apply(situation) {
    const { anchor, ledger, now } = situation;
    if (anchor === undefined || ledger.phase !== "creating" || ledger.claim === undefined)
      return undefined;
    if (now - ledger.claim.touchedAt < touchSeconds * 1000) return undefined;
    return act(record(situation, anchor, { claim: { ...ledger.claim, touchedAt: now } }));
  },
};

const recordOrder: Rule = {
  name: "the order that is carried out is recorded first, so that older ones stand back",
  apply(situation) {
    const { anchor, deallocate, ledger, spec, specVersion } = situation;
    if (anchor === undefined) return undefined;
    const isEnding = ledger.phase === "deallocating" || ledger.phase === "deallocated";
    const endsIt = deallocate === true && !isEnding;
    if (!endsIt && specVersion <= ledger.specVersion) return undefined;
    const order = { specVersion, specFingerprint: fingerprint(spec) };
    const change = endsIt ? { ...order, phase: "deallocating" as const } : order;
    return act(record(situation, anchor, change));
  },
};

const adoptCarrier: Rule = {
  name: "an instance that holds the anchor and is unknown to the ledger is written into it",
  apply(situation) {
    const { anchor, carrier, carrierGeneration, ledger, now } = situation;
    if (anchor === undefined || carrier === undefined || carrierGeneration === undefined)
      return undefined;
    const isNewer = carrierGeneration > (ledger.launch?.generation ?? 0);
    if (!isNewer && !replacesOpenLaunch(situation, carrier)) return undefined;
    const provenance = parseProvenance(carrier.tags);
    if (provenance === undefined)
      return wait(`${carrier.instanceId} does not show its tags yet`, { kind: "time" }, now + 5000);
    const lineage = { number: provenance.lineage, baseImageId: provenance.baseImageId };
    const launch: Launch = {
      generation: carrierGeneration,
      attempt: 1,
      lineage: lineage.number,
      imageId: carrier.imageId,
      launchFingerprint:
        carrier.tags[tagKeys.launchPrint] ?? ledger.launch?.launchFingerprint ?? "",
      recycleFingerprint: ledger.launch?.recycleFingerprint ?? "",
      recordedAt: carrier.launchedAt,
      ...factsOf(carrier),
      ran: false,
      healthy: false,
      heals: 0,
    };
    const knownRootGeneration = newestKnownRoot(ledger);
    return act(record(situation, anchor, { launch, knownRootGeneration, startedLineage: lineage }));
  },
};

/**
 * A launch was recorded while an older instance, unseen then, held the anchor. Once EC2's lag is over
 * and the older one still holds it, the recorded one cannot have been accepted.
 */
function replacesOpenLaunch(situation: Situation, carrier: Instance): boolean {
  const { anchor, launchAccepted, ledger, now } = situation;
  if (ledger.launch === undefined || launchAccepted) return false;
  const isHolder = anchor?.attachedInstanceId === carrier.instanceId;
  const isLagOver = now >= ledger.launch.recordedAt + absenceSeconds * 1000;
  return carrier.state === "running" && isHolder && isLagOver;
}

const factsOf = (instance: Instance) => ({
  instanceId: instance.instanceId,
  instanceType: instance.instanceType,
  market: instance.market,
  rootVolumeId: instance.rootVolumeId,
  rootKept: !instance.rootDeletedOnTermination,
});

/**
 * Two processes that did not see each other's record may have meant one generation for two lineages,
 * even under one number, or with other launch properties. EC2 took one request and refused the other,
 * whose record may be the one that is left. What came of it tells by its own tags, or by those of its
 * disk, which it is.
 */
const correctLaunch: Rule = {
  name: "a launch that is another than the ledger says is written down as what it is",
  apply(situation) {
    const { anchor, launched, ledger, volumes } = situation;
    const { launch } = ledger;
    if (anchor === undefined || launched === undefined || launch === undefined) return undefined;
    const isItsDisk = ({ generation }: Volume) => generation === launch.generation;
    const origin = parseProvenance(launched.tags) ?? volumes.find(isItsDisk);
    if (launch.instanceId === launched.instanceId || origin === undefined) return undefined;
    const { baseImageId, lineage } = origin;
    const startedLineage = { number: lineage, baseImageId };
    const isOfLineage = isDeepStrictEqual(lineageOf(situation, launch), startedLineage);
    const launchFingerprint = launched.tags[tagKeys.launchPrint];
    const isAsMeant = (launchFingerprint ?? launch.launchFingerprint) === launch.launchFingerprint;
    if (isOfLineage && isAsMeant) return undefined;
    const { imageId } = launched;
    const actual = { lineage, imageId, launchFingerprint: launchFingerprint ?? "" };
    return act(record(situation, anchor, { launch: { ...launch, ...actual }, startedLineage }));
  },
};

const recordInstance: Rule = {
  name: "what became of the newest launch is written into the ledger",
  apply(situation) {
    const { anchor, launched, ledger } = situation;
    const { launch } = ledger;
    if (anchor === undefined || launched === undefined || launch === undefined) return undefined;
    const next = progressOf(launch, launched);
    if (next === undefined) return undefined;
    const startsToRun = next.ran && !launch.ran;
    const change = startsToRun
      ? { launch: next, lineage: lineageOf(situation, next), platform: launched.platform }
      : { launch: next };
    return act(record(situation, anchor, change));
  },
};

/** The launch with what the instance shows, or undefined when the ledger knows it all. */
function progressOf(launch: Launch, instance: Instance): Launch | undefined {
  const isRunning = instance.state === "running";
  const next: Launch = { ...launch, instanceId: instance.instanceId };
  if (instance.state !== "terminated" && instance.rootVolumeId !== undefined)
    Object.assign(next, factsOf(instance), { rootKept: wasKept(launch, instance) });
  if (isRunning) next.ran = true;
  if (!launch.ran && launchFailure(instance) !== undefined) next.failed = true;
  if (isRunning && instance.health.kind === "ok") Object.assign(next, { healthy: true, heals: 0 });
  const keys = ["instanceId", "rootVolumeId", "rootKept", "ran", "failed", "healthy"] as const;
  // A pending one tells more once it runs; one that was stopped or is ending may do so for the last time.
  const matters = launch.instanceId === undefined || instance.state !== "pending";
  return matters && keys.some((key) => next[key] !== launch[key]) ? next : undefined;
}

/** Once meant to be kept it stays so: a root that somebody else lets go of is lost, not given up. */
const wasKept = (launch: Launch, instance: Instance) =>
  launch.rootKept || !instance.rootDeletedOnTermination;

function lineageOf({ ledger, lineage }: Situation, launch: Launch) {
  const known = [ledger.startedLineage, ledger.lineage, lineage];
  return known.find((each) => each?.number === launch.lineage);
}

/** Somebody changed its tags, or gave a disk that he put in its place our id (see tellStranger). */
const claimRoot: Rule = {
  name: "a root disk with our id and without the rest of our tags, or with damaged ones, gets them",
  apply(situation) {
    const { carrierGeneration, ledger, now, observation, spec } = situation;
    const { launch, platform } = ledger;
    if (launch?.rootVolumeId === undefined || launch.generation !== carrierGeneration)
      return undefined;
    const { generation, lineage, rootVolumeId } = launch;
    const { unclaimedRoot } = observation;
    if (unclaimedRoot?.volumeId !== rootVolumeId || !unclaimedRoot.wearsId) return undefined;
    // A young disk may only not show its tags yet (ec2-facts §9).
    if (now < launch.recordedAt + absenceSeconds * 1000) return undefined;
    const baseImageId = lineageOf(situation, launch)?.baseImageId;
    if (baseImageId === undefined) return undefined;
    const operation = operations.launch(generation);
    const provenance = { lineage, generation, baseImageId, operation, platform };
    const tags = provenanceTags(ledger.id, provenance, spec.tags);
    const marked = { ...tags, [tagKeys.marked]: rootVolumeId };
    return act({ kind: "tag", resourceIds: [rootVolumeId], tags: marked });
  },
};

const markVolume: Rule = {
  name: "a root volume is marked with its own id, so that a copy of its tags betrays itself",
  apply({ carrier, ledger, volumes }) {
    const ownIds = [carrier?.rootVolumeId, ledger.launch?.rootVolumeId];
    const generations = volumes.map((volume) => volume.generation);
    const isSole = (generation: number) =>
      generations.filter((each) => each === generation).length === 1;
    const unmarked = volumes.find(
      (volume) =>
        volume.markedId === undefined &&
        (ownIds.includes(volume.volumeId) || isSole(volume.generation)),
    );
    if (unmarked === undefined) return undefined;
    const tags = { [tagKeys.marked]: unmarked.volumeId };
    return act({ kind: "tag", resourceIds: [unmarked.volumeId], tags });
  },
};

const markReturned: Rule = {
  name: "a disk that no later one goes on from is kept with the state, whenever it shows",
  apply(situation) {
    const { ledger, now, volumes } = situation;
    const { launch } = ledger;
    if (launch === undefined) return undefined;
    const left = volumes.find(
      (volume) =>
        volume.holdsGap !== true &&
        (isPassedOver(situation, volume) || wasReplaced(launch, volume)),
    );
    if (left === undefined) return undefined;
    const { volumeId } = left;
    const { fromAt, toAt } = ledger.gap ?? { fromAt: launch.recordedAt, toAt: now };
    return act({ kind: "tag", resourceIds: [volumeId], tags: gapTag({ fromAt, toAt, volumeId }) });
  },
};

/**
 * EC2 did not show it when an older snapshot was launched in its place. Its final snapshot, if it has
 * one, is younger than that launch, so what it alone holds is in no later disk.
 */
function isPassedOver(situation: Situation, volume: Volume): boolean {
  const { gap, launch } = situation.ledger;
  if (gap === undefined || launch === undefined) return false;
  if (volume.lineage !== launch.lineage || volume.generation >= launch.generation) return false;
  return !finalsOf(situation, volume.volumeId).some(
    ({ startedAt, state }) => state === "completed" && startedAt <= launch.recordedAt,
  );
}

/** Somebody put another disk in its place while the instance was there. */
const wasReplaced = (launch: Launch, { generation, lineage, volumeId }: Volume): boolean =>
  generation === launch.generation &&
  lineage === launch.lineage &&
  launch.rootVolumeId !== undefined &&
  volumeId !== launch.rootVolumeId;

export const identityRules: readonly Rule[] = [
  newerOrder,
  otherMaker,
  ended,
  makeAnchor,
  finishMove,
  settleMove,
  keepClaim,
  recordOrder,
  adoptCarrier,
  correctLaunch,
  recordInstance,
  claimRoot,
  markVolume,
  markReturned,
];
