/**
 * What an observation means: the facts that the rules of `decide` ask for, derived once. Pure; no
 * rule looks at raw lists of resources where a fact here answers.
 */
import { derived } from "./derived";
import type {
  Anchor,
  Asked,
  Image,
  Instance,
  Launch,
  Ledger,
  Lineage,
  Observation,
  Snapshot,
  Volume,
} from "./model";
import { parseClientToken } from "./names";
import { fingerprint, launchFingerprint, type Spec } from "./spec";
import { isFinal, isOurImage, isOurSnapshot, isOurVolume } from "./tags";

/** How long after a change EC2 may still show the old state (ec2-facts §9: up to 5 minutes). */
export const absenceSeconds = 300;
/** How long something stays condemned, or an anchor moved, before it is looked at again. */
export const settleSeconds = 30;
/** EC2 refuses two snapshots of one volume within 15 seconds (ec2-facts §2). */
export const snapshotSpacingSeconds = 15;
/** A final snapshot that failed is tried again this often before an older one is used. */
export const finalAttempts = 3;
/** For so long a failure counts: what the disk holds is still there, so it is tried again later. */
const failureCountsSeconds = 600;

export const stillCounts = (failedAt: number, now: number) =>
  now < failedAt + failureCountsSeconds * 1000;

export type Goal = "running" | "paused" | "deallocated";

export interface Question {
  spec: Spec;
  specVersion: number;
  ledger: Ledger;
  observation: Observation;
  now: number;
  /** The order is to end the managed instance; written to the ledger before anything else. */
  deallocate?: boolean;
  /** What people asked for beside the spec. */
  asked?: Asked;
  /** How many times longer everything takes because the account carries no more; default 1. */
  stretch?: number;
  /** The claim of the process that asks; only its own creation may go on. */
  claimant?: { host: string; pid: number };
}

export interface Situation extends Question {
  goal: Goal;
  /** The anchor in force: the one that has moved least often. */
  anchor: Anchor | undefined;
  /** An instance of ours that EC2 has not finished ending; at most one, since it holds the anchor. */
  carrier: Instance | undefined;
  carrierGeneration: number | undefined;
  /** The instance of the newest recorded launch, in whatever state. */
  launched: Instance | undefined;
  /** EC2 is known to have accepted the recorded launch, which uses its generation up. */
  launchAccepted: boolean;
  lineage: Lineage;
  /** A launch into this lineage boots the base image. */
  opensLineage: boolean;
  /** The newest volume of the current lineage: where its last writes are. */
  tip: Volume | undefined;
  volumes: readonly Volume[];
  snapshots: readonly Snapshot[];
  images: readonly Image[];
}

export function understand(question: Question): Situation {
  const { ledger, observation, spec } = question;
  const anchor = anchorInForce(ledger, observation);
  const carrier = findCarrier(ledger, observation, anchor);
  const goal = goalOf(question);
  const known = { ledger, hasEnded: goal === "deallocated" && anchor === undefined };
  const volumes = withoutCopies(known, observation.volumes.filter(isOurVolume));
  const snapshots = observation.snapshots.filter(isOurSnapshot).sort(newestSnapshotFirst(ledger));
  const images = observation.images.filter(isOurImage);
  const launched = findLaunched(ledger, observation, carrier);
  const accepted = wasAccepted(ledger, launched, volumes);
  const left = { ledger, volumes, snapshots, images, accepted };
  const { lineage, opens } = currentLineage(spec, goal, left);
  return {
    ...question,
    goal,
    anchor,
    carrier,
    carrierGeneration: carrier && parseClientToken(ledger.id, carrier.clientToken)?.generation,
    launched,
    launchAccepted: accepted,
    lineage,
    opensLineage: opens,
    tip: newestVolume(ledger, volumes, lineage.number),
    volumes,
    snapshots,
    images,
  };
}

const newestSnapshotFirst = (ledger: Ledger) => (a: Snapshot, b: Snapshot) =>
  b.generation - a.generation ||
  Number(isRecordedRoot(ledger, b)) - Number(isRecordedRoot(ledger, a)) ||
  Number(isFinal(b)) - Number(isFinal(a)) ||
  b.startedAt - a.startedAt ||
  (a.snapshotId < b.snapshotId ? -1 : 1);

/** Of two disks of one generation the recorded one is its root: the other was replaced, or is a copy. */
const isRecordedRoot = ({ launch }: Ledger, { volumeId }: { volumeId: string }) =>
  volumeId === launch?.rootVolumeId;

function goalOf({ asked, deallocate, ledger, spec }: Question): Goal {
  if (deallocate === true) return "deallocated";
  if (ledger.phase === "deallocating" || ledger.phase === "deallocated") return "deallocated";
  return asked?.desiredState ?? spec.desiredState;
}

const aliveOf = (ledger: Ledger, { instances }: Observation) =>
  instances.filter(
    (instance) =>
      instance.state !== "terminated" &&
      parseClientToken(ledger.id, instance.clientToken) !== undefined,
  );

/** Of several anchors the one that carries an instance of ours, else the one that moved least often. */
export function anchorInForce(ledger: Ledger, observation: Observation): Anchor | undefined {
  const alive = new Set<string | undefined>(
    aliveOf(ledger, observation).map((instance) => instance.instanceId),
  );
  const isFree = ({ attachedInstanceId }: Anchor) => Number(!alive.has(attachedInstanceId));
  return [...observation.anchors].sort(
    (a, b) =>
      isFree(a) - isFree(b) || a.moves - b.moves || (a.interfaceId < b.interfaceId ? -1 : 1),
  )[0];
}

/** The newest generation whose root disk was ever recorded. */
export const newestKnownRoot = ({ launch, knownRootGeneration }: Ledger): number | undefined =>
  launch?.rootVolumeId === undefined ? knownRootGeneration : launch.generation;

/**
 * Without the volumes that wear the tags of one that is known to be ours: a backup that was restored
 * before the original had been marked with its id. A disk that is recorded is marked before the next
 * generation is launched, so from the newest known one on back, an unmarked one that is not the
 * recorded root is such a copy, too. Its original may be gone by then. Where all has been ended and the
 * anchor is gone with what it told, nobody can say of an unmarked one that it is no copy.
 */
function withoutCopies(
  { hasEnded, ledger }: { ledger: Ledger; hasEnded: boolean },
  volumes: readonly Volume[],
): Volume[] {
  const { launch } = ledger;
  const isKnown = (volume: Volume) =>
    volume.markedId === volume.volumeId || volume.volumeId === launch?.rootVolumeId;
  const known = new Set(volumes.filter(isKnown).map((volume) => volume.generation));
  const isForeign = ({ generation }: Volume) => generation <= (newestKnownRoot(ledger) ?? 0);
  return volumes.filter(
    (each) => isKnown(each) || !(hasEnded || isForeign(each) || known.has(each.generation)),
  );
}

/** The one that the anchor carries: others are on their way out. */
export function findCarrier(
  ledger: Ledger,
  observation: Observation,
  anchor: Anchor | undefined,
): Instance | undefined {
  const alive = aliveOf(ledger, observation);
  return alive.find((instance) => instance.instanceId === anchor?.attachedInstanceId) ?? alive[0];
}

/**
 * The carrier first, then the recorded one: an earlier attempt of the same generation may have ended
 * unseen, and what became of that says nothing of the disk.
 */
function findLaunched(
  ledger: Ledger,
  observation: Observation,
  carrier: Instance | undefined,
): Instance | undefined {
  const { launch } = ledger;
  if (launch === undefined) return undefined;
  const { instances } = observation;
  const recorded = instances.find((instance) => instance.instanceId === launch.instanceId);
  return [carrier, recorded, ...instances].find(
    (instance) =>
      instance !== undefined &&
      parseClientToken(ledger.id, instance.clientToken)?.generation === launch.generation,
  );
}

/** "… caused the instance to terminate during launch" (ec2-facts §1.4, §1.5). */
const launchFailures = [
  "Client.InternalError",
  "Client.InvalidKMSKey.InvalidState",
  "Client.InvalidSnapshot.NotFound",
  "Client.VolumeLimitExceeded",
  "Server.InsufficientInstanceCapacity",
  "Server.InternalError",
] as const;

export type LaunchFailure = (typeof launchFailures)[number];

/** Why EC2 itself ended this instance while it was being launched, if it did. */
export const launchFailure = ({ stateReason }: Instance): LaunchFailure | undefined =>
  launchFailures.find((each) => each === stateReason);

function wasAccepted(
  { launch }: Ledger,
  launched: Instance | undefined,
  volumes: readonly Volume[],
): boolean {
  if (launch === undefined) return false;
  if (launch.instanceId !== undefined || launch.ran || launched !== undefined) return true;
  return volumes.some((volume) => volume.generation === launch.generation);
}

interface Known {
  ledger: Ledger;
  accepted: boolean;
  volumes: readonly Volume[];
  snapshots: readonly Snapshot[];
  images: readonly Image[];
}

/**
 * The highest started lineage if its base image is the spec's, so that a swap that was cut off goes
 * on; else the recorded one if its base image is the spec's, so that a swap that was taken back
 * returns to its disk; else a new one (design §4). Of two with that image, the one that was booted: a boot
 * without root persistence that never came about gives no disk up. Without root persistence every launch boots the
 * base image, and every such boot opens a lineage. What is being deallocated launches no more: what
 * it leaves is the lineage that ran, whatever the spec says by then.
 */
function currentLineage(
  spec: Spec,
  goal: Goal,
  known: Known,
): { lineage: Lineage; opens: boolean } {
  const { lineage: recorded } = known.ledger;
  const highest = highestLineage(known);
  const ran = goal === "deallocated" ? (recorded ?? highest) : undefined;
  const matching = [highest, recorded].flatMap((lineage) =>
    lineage?.baseImageId === spec.imageId ? [lineage] : [],
  );
  const isUsable = ({ number }: Lineage) => !spec.persistRootDevice || wasBooted(known, number);
  const [newest, before] = matching.filter(isUsable);
  const returns = spec.persistRootDevice && newest !== undefined && leftNothing(known, newest);
  const left = returns && before !== undefined && hasState(known, before.number) ? before : newest;
  const current = left ?? matching[0] ?? ran;
  const next = { number: (highest?.number ?? 0) + 1, baseImageId: spec.imageId };
  if (current === undefined) return { lineage: next, opens: true };
  if (!wasBooted(known, current.number)) return { lineage: current, opens: true };
  const leavesState = goal === "deallocated" && hasState(known, current.number);
  return { lineage: current, opens: !spec.persistRootDevice && !leavesState };
}

const hasState = ({ snapshots, volumes }: Pick<Known, "snapshots" | "volumes">, lineage: number) =>
  [...volumes, ...snapshots].some((resource) => resource.lineage === lineage);

/** Its only launch ended before anybody saw it run, and its disk, which was not to be kept, with it. */
function leftNothing(known: Known, { number }: Lineage): boolean {
  const { launch, lineage } = known.ledger;
  if (lineage?.number === number || launch?.lineage !== number) return false;
  return !launch.ran && !launch.rootKept && !hasState(known, number);
}

/** Some launch of this lineage was accepted by EC2, so it has, or had, a root disk of its own. */
export function wasBooted(known: Omit<Known, "images">, lineage: number): boolean {
  const { accepted, ledger } = known;
  if (accepted && ledger.launch?.lineage === lineage) return true;
  return ledger.lineage?.number === lineage || hasState(known, lineage);
}

function highestLineage({ ledger, volumes, snapshots, images }: Known): Lineage | undefined {
  const told = [...volumes, ...snapshots, ...images].map((resource) => ({
    number: resource.lineage,
    baseImageId: resource.baseImageId,
  }));
  const all = [ledger.lineage, ledger.startedLineage, ...told].filter(
    (lineage): lineage is Lineage => lineage !== undefined,
  );
  return all.reduce<Lineage | undefined>(
    (highest, lineage) =>
      highest === undefined || lineage.number > highest.number ? lineage : highest,
    undefined,
  );
}

/** Of two of one generation the older: a copy of a disk is made after it. */
const newestVolume = (
  ledger: Ledger,
  volumes: readonly Volume[],
  lineage: number,
): Volume | undefined =>
  volumes
    .filter((volume) => volume.lineage === lineage)
    .sort(
      (a, b) =>
        b.generation - a.generation ||
        Number(isRecordedRoot(ledger, b)) - Number(isRecordedRoot(ledger, a)) ||
        a.createdAt - b.createdAt,
    )[0];

/** The newest generation that was ever launched: recorded, or told by what it left behind. */
export function newestGeneration({ ledger, volumes, snapshots, observation }: Situation): number {
  const tokens = observation.instances.map(
    (instance) => parseClientToken(ledger.id, instance.clientToken)?.generation ?? 0,
  );
  const left = [...volumes, ...snapshots].map((resource) => resource.generation);
  return Math.max(0, ledger.launch?.generation ?? 0, ...tokens, ...left);
}

export const snapshotsOf = (situation: Situation, volumeId: string) =>
  situation.snapshots.filter((snapshot) => snapshot.volumeId === volumeId);

export const finalsOf = (situation: Situation, volumeId: string) =>
  snapshotsOf(situation, volumeId).filter(isFinal);

export const completedFinal = (situation: Situation, volumeId: string) =>
  finalsOf(situation, volumeId).find((snapshot) => snapshot.state === "completed");

export const recycleFingerprint = derived((spec: Spec) => fingerprint(spec.recycleToken ?? ""));

/** What of the running launch differs from the spec and needs another launch. */
export function launchDifferences(
  spec: Spec,
  launch: Launch,
  anchor: Anchor | undefined,
): string[] {
  const differences: string[] = [];
  if (!spec.instanceTypes.includes(launch.instanceType)) differences.push("instanceTypes");
  if (launch.launchFingerprint !== launchFingerprint(spec)) differences.push("launch properties");
  if (anchor !== undefined && !spec.subnetIds.includes(anchor.subnetId))
    differences.push("subnetIds");
  if (anchor !== undefined && spec.privateIp !== undefined && anchor.privateIp !== spec.privateIp)
    differences.push("privateIp");
  return differences;
}
