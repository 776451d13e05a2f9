/**
 * The root rule (design §4): what the next launch starts its root disk from. The newest state of
 * the current lineage or nothing: a base image only ever opens a lineage, and where a state should
 * be and is not found, the answer is `lost`, never the base image.
 */
import type {
  Gap,
  Image,
  Platform,
  Provenance,
  RootSource,
  Snapshot,
  Step,
  Volume,
  Watch,
} from "./model";
import { imageName, snapshotDescription } from "./names";
import {
  absenceSeconds,
  completedFinal,
  finalAttempts,
  finalsOf,
  type Situation,
  snapshotSpacingSeconds,
  snapshotsOf,
  stillCounts,
  wasBooted,
} from "./situation";
import { isFinal, operations, provenanceTags } from "./tags";

/** What must happen, or has happened, before a disk's last writes are safe in a usable form. */
export type Securing<Result> =
  | { kind: "secured"; result: Result }
  | { kind: "act"; step: Step }
  | { kind: "wait"; reason: string; watch: Watch; untilAt: number }
  | { kind: "failed"; reason: string };

export interface Root {
  source: RootSource;
  platform?: Platform;
  gap?: Gap;
}

export type RootFinding = Securing<Root> | { kind: "opens"; lineage: number };

const minutes = 60_000;

/** The final snapshot of a volume: asked for only once the volume is free, so nothing is missing. */
export function secureVolume(situation: Situation, volume: Volume): Securing<Snapshot> {
  const { now } = situation;
  const completed = completedFinal(situation, volume.volumeId);
  if (completed !== undefined) return { kind: "secured", result: completed };
  if (volume.state === "error") return { kind: "failed", reason: `${volume.volumeId} is in error` };
  if (volume.state !== "available")
    return {
      kind: "wait",
      reason: `${volume.volumeId} is still ${volume.state}`,
      watch: { kind: "volume", volumeId: volume.volumeId },
      untilAt: now + minutes,
    };
  const finals = finalsOf(situation, volume.volumeId);
  const pending = finals.find((snapshot) => snapshot.state === "pending");
  if (pending !== undefined) return awaitFinal(situation, pending);
  if (finals.length >= finalAttempts)
    return {
      kind: "failed",
      reason: `${finals.length} final snapshots of ${volume.volumeId} failed`,
    };
  return spaced(situation, volume.volumeId, () => finalSnapshot(situation, volume));
}

function awaitFinal({ now, spec }: Situation, pending: Snapshot): Securing<never> {
  const deadlineAt = pending.startedAt + spec.snapshots.finalDeadlineMinutes * minutes;
  if (now < deadlineAt) return waitForSnapshot(pending, deadlineAt);
  const reason = `final snapshot ${pending.snapshotId} exceeded its deadline`;
  return { kind: "failed", reason };
}

const waitForSnapshot = (snapshot: Snapshot, untilAt: number) =>
  ({
    kind: "wait",
    reason: `snapshot ${snapshot.snapshotId} of ${snapshot.volumeId} is pending`,
    watch: { kind: "snapshot", snapshotId: snapshot.snapshotId },
    untilAt,
  }) as const;

/** EC2 wants 15 seconds between two snapshots of one volume (ec2-facts §2). */
function spaced(situation: Situation, volumeId: string, step: () => Step): Securing<never> {
  const lastAt = Math.max(0, ...snapshotsOf(situation, volumeId).map((each) => each.startedAt));
  const freeAt = lastAt + snapshotSpacingSeconds * 1000;
  if (situation.now >= freeAt) return { kind: "act", step: step() };
  return {
    kind: "wait",
    reason: `EC2 wants ${snapshotSpacingSeconds} s between two snapshots of ${volumeId}`,
    watch: { kind: "time" },
    untilAt: freeAt,
  };
}

const finalSnapshot = (situation: Situation, volume: Volume) =>
  snapshotStep(situation, volume, operations.final(volume.volumeId), "final");

export const periodicSnapshot = (situation: Situation, volume: Volume) =>
  snapshotStep(situation, volume, operations.periodic(volume.volumeId), "periodic");

function snapshotStep(
  situation: Situation,
  volume: Volume,
  operation: string,
  purpose: string,
): Step {
  const { ledger, spec } = situation;
  const provenance: Provenance = {
    lineage: volume.lineage,
    generation: volume.generation,
    baseImageId: volume.baseImageId,
    operation,
    platform: volume.platform ?? ledger.platform,
  };
  const description = snapshotDescription(ledger.id, volume, purpose);
  const tags = provenanceTags(ledger.id, provenance, spec.tags);
  return { kind: "create-snapshot", volumeId: volume.volumeId, description, provenance, tags };
}

/** The image of a completed snapshot, registered once and verified before it is used. */
function secureImage(situation: Situation, snapshot: Snapshot): Securing<Image> {
  const { images, ledger, now, spec } = situation;
  const platform = snapshot.platform ?? ledger.platform;
  if (platform === undefined)
    return { kind: "failed", reason: `the platform of ${snapshot.snapshotId} is unknown` };
  const made = images.filter((image) => image.snapshotId === snapshot.snapshotId);
  const available = made.find((image) => image.state === "available");
  if (available !== undefined && available.platformDetails === platform.platformDetails)
    return { kind: "secured", result: available };
  if (available !== undefined)
    return {
      kind: "failed",
      reason: `EC2 registered ${available.imageId} as "${available.platformDetails}" although the disk is "${platform.platformDetails}": it would be billed and booted wrongly`,
    };
  const pending = made.find((image) => image.state === "pending");
  if (pending !== undefined)
    return {
      kind: "wait",
      reason: `image ${pending.imageId} is pending`,
      watch: { kind: "image", imageId: pending.imageId },
      untilAt: now + 60 * minutes,
    };
  // One that somebody disabled launches nothing either, and may stay disabled for ever.
  const unusable = made.filter((image) => stillCounts(image.createdAt, now));
  if (unusable.length >= finalAttempts)
    return {
      kind: "failed",
      reason: `${unusable.length} images of ${snapshot.snapshotId} failed or were disabled`,
    };
  const { lineage, generation, baseImageId } = snapshot;
  const operation = operations.register(snapshot.snapshotId);
  const provenance = { lineage, generation, baseImageId, operation, platform };
  return {
    kind: "act",
    step: {
      kind: "register-image",
      name: freeName(ledger.id, snapshot.snapshotId, made),
      snapshotId: snapshot.snapshotId,
      platform,
      provenance,
      tags: provenanceTags(ledger.id, provenance, spec.tags),
    },
  };
}

/** The first name that no image has: what failed or is disabled keeps its name while it is there. */
function freeName(id: string, snapshotId: string, made: readonly Image[]): string {
  const names = made.map((image) => image.name);
  let failures = 0;
  while (names.includes(imageName(id, snapshotId, failures))) failures += 1;
  return imageName(id, snapshotId, failures);
}

/** Where the next launch of the current lineage starts its root disk from. */
export function findRoot(situation: Situation): RootFinding {
  if (situation.opensLineage) return { kind: "opens", lineage: lineageToOpen(situation) };
  const found = findSnapshot(situation);
  if (found.kind !== "secured") return found;
  const { snapshot, gap } = found.result;
  const image = secureImage(situation, snapshot);
  if (image.kind !== "secured") return image;
  const { snapshotId, generation } = snapshot;
  const { imageId } = image.result;
  const source: RootSource = { kind: "persisted-image", imageId, snapshotId, generation };
  const platform = snapshot.platform ?? situation.ledger.platform;
  return { kind: "secured", result: { source, platform, gap } };
}

/** A lineage that was ever booted is never opened again: the next boot of a base image is the next. */
function lineageToOpen({ ledger, launchAccepted, lineage, volumes, snapshots }: Situation): number {
  const known = { ledger, accepted: launchAccepted, volumes, snapshots };
  return wasBooted(known, lineage.number) ? lineage.number + 1 : lineage.number;
}

type SnapshotFinding =
  | Securing<{ snapshot: Snapshot; gap?: Gap }>
  | { kind: "opens"; lineage: number };

/** The snapshot that the next launch would start from, made first if need be. */
export function findSnapshot(situation: Situation): SnapshotFinding {
  const { tip } = situation;
  if (tip === undefined) return findWithoutVolume(situation);
  if (isOlderThanLaunch(situation, tip)) return findWithoutVolume(situation);
  const secured = secureVolume(situation, tip);
  if (secured.kind === "secured") return { kind: "secured", result: { snapshot: secured.result } };
  if (secured.kind === "failed") {
    const older = fallBack(situation, secured.reason, tip);
    return older.kind === "failed" ? (retryFinal(situation, tip) ?? older) : older;
  }
  return secured;
}

/** Nothing is completed or pending and the disk is there: after a while it is tried again. */
function retryFinal(situation: Situation, tip: Volume): Securing<never> | undefined {
  const { goal, now } = situation;
  const finals = finalsOf(situation, tip.volumeId);
  if (goal === "deallocated" || tip.state !== "available") return undefined;
  const recent = finals.filter((snapshot) => stillCounts(snapshot.startedAt, now));
  if (recent.length >= finalAttempts) return undefined;
  return spaced(situation, tip.volumeId, () => finalSnapshot(situation, tip));
}

/** The newest launch of this lineage is newer than every volume that EC2 shows. */
const isOlderThanLaunch = ({ ledger, launchAccepted, lineage }: Situation, tip: Volume) =>
  launchAccepted &&
  ledger.launch?.lineage === lineage.number &&
  ledger.launch.generation > tip.generation;

/**
 * The volume of the newest generation is not to be seen. Its final snapshot may be its successor
 * already; a young one may only lag behind in EC2's answers; one that was never kept is gone.
 */
function findWithoutVolume(situation: Situation): SnapshotFinding {
  const { launchAccepted, ledger, lineage, now } = situation;
  const isOfLineage = launchAccepted && ledger.launch?.lineage === lineage.number;
  const launch = isOfLineage ? ledger.launch : undefined;
  const newest = newestCompleted(situation);
  if (newest !== undefined && isFinal(newest))
    if (launch === undefined || newest.generation === launch.generation)
      return { kind: "secured", result: { snapshot: newest } };
  const underWay = pendingFinal(situation);
  if (underWay !== undefined) return underWay;
  if (launch === undefined) return fallBack(situation, "its root disk is gone");
  const believedAt = launch.recordedAt + absenceSeconds * 1000;
  if (now < believedAt)
    return {
      kind: "wait",
      reason: `looking for the root disk of generation ${launch.generation}, which EC2 may not show yet`,
      watch: { kind: "time" },
      untilAt: Math.min(believedAt, now + 15_000),
    };
  // Nobody may have looked while it ran: only EC2's word for a failed launch proves that it did not.
  if (launch.rootKept && launch.failed !== true)
    return fallBack(situation, "its root disk is gone");
  if (newest !== undefined) return { kind: "secured", result: { snapshot: newest } };
  // Only a boot of the base image can leave nothing: another one continued a disk that is missing.
  if (launch.imageId === lineage.baseImageId)
    return { kind: "opens", lineage: lineageToOpen(situation) };
  return { kind: "failed", reason: `no root state of lineage ${lineage.number} can be found` };
}

/** Whoever deletes a volume does not end its snapshot: it holds what was there at its call (ec2-facts §2). */
function pendingFinal(situation: Situation): Securing<never> | undefined {
  const { lineage, snapshots } = situation;
  const newest = newestCompleted(situation);
  const pending = snapshots.find(
    (each) =>
      each.lineage === lineage.number &&
      each.state === "pending" &&
      isFinal(each) &&
      each.generation >= (newest?.generation ?? 0),
  );
  const awaited = pending && awaitFinal(situation, pending);
  return awaited?.kind === "wait" ? awaited : undefined;
}

const newestCompleted = ({ lineage, snapshots }: Situation) =>
  snapshots.find(
    (snapshot) => snapshot.lineage === lineage.number && snapshot.state === "completed",
  );

/**
 * The latest completed snapshot instead of the final one: bounded, explicit, and the volume with the
 * writes that it lacks stays, if that is there.
 */
function fallBack(
  situation: Situation,
  reason: string,
  volume?: Volume,
): Securing<{ snapshot: Snapshot; gap?: Gap }> {
  const { ledger, lineage, now, snapshots } = situation;
  const newest = newestCompleted(situation);
  if (newest !== undefined) {
    const toAt =
      ledger.stop?.generation === ledger.launch?.generation ? ledger.stop?.at : undefined;
    const gap = { fromAt: newest.startedAt, toAt: toAt ?? now, volumeId: volume?.volumeId };
    return { kind: "secured", result: { snapshot: newest, gap } };
  }
  const pending = snapshots.find(
    (snapshot) => snapshot.lineage === lineage.number && snapshot.state === "pending",
  );
  if (pending !== undefined) return waitForSnapshot(pending, now + 60 * minutes);
  return {
    kind: "failed",
    reason: `no root state of lineage ${lineage.number} can be found: ${reason}`,
  };
}
