/**
 * What is still needed, what is kept for a while and what nothing needs. Nothing is disposable
 * before its successor is proven usable; images go before their snapshots; deleting takes two
 * looks, with EC2's lag between them (design §4, §7).
 */
import { inBatches } from "./batches";
import type { Image, Snapshot, Step, Volume } from "./model";
import { findSnapshot, secureVolume } from "./root";
import {
  completedFinal,
  finalAttempts,
  finalsOf,
  type Situation,
  settleSeconds,
  snapshotsOf,
} from "./situation";
import { condemnedTag, deleteAfterTag, isFinal, isOurImage, tagKeys } from "./tags";

export type Held =
  | { kind: "image"; id: string; resource: Image }
  | { kind: "snapshot"; id: string; resource: Snapshot }
  | { kind: "volume"; id: string; resource: Volume };

/** The anchor of a deallocated managed instance, which only the sweep deletes. */
export interface RetainedAnchor {
  kind: "anchor";
  id: string;
  resource: { status: string; condemnedAt?: number; deleteAfterAt?: number };
}

export type Disposition =
  | { kind: "needed" }
  | { kind: "kept"; hours: number }
  | { kind: "disposable" };

interface Judged {
  held: Held;
  disposition: Disposition;
}

const needed: Disposition = { kind: "needed" };
const disposable: Disposition = { kind: "disposable" };
const keptFor = (hours: number): Disposition => (hours > 0 ? { kind: "kept", hours } : disposable);

type Resources = Pick<Situation, "images" | "snapshots" | "volumes">;

const everythingHeld = ({ images, snapshots, volumes }: Resources): Held[] => [
  ...images.map((resource): Held => ({ kind: "image", id: resource.imageId, resource })),
  ...snapshots.map((resource): Held => ({ kind: "snapshot", id: resource.snapshotId, resource })),
  ...volumes.map((resource): Held => ({ kind: "volume", id: resource.volumeId, resource })),
];

/** CreateTags takes 1,000 resources and refuses all of them when one is not to be found (ec2-facts §10). */
const taggedAtOnce = 200;

const isCompleted = (snapshot: Snapshot) => snapshot.state === "completed";

/** Where the newest state of the current lineage is kept while no instance carries it. */
interface Rest {
  snapshot?: Snapshot;
  image?: Image;
}

/** Undefined while the last writes are not safe yet. */
function restOf(situation: Situation): Rest | undefined {
  const found = situation.opensLineage ? undefined : findSnapshot(situation);
  // A lineage that left nothing succeeds no other one: only a deallocation goes on without a state.
  if (found === undefined || found.kind === "opens" || found.kind === "failed")
    return situation.goal === "deallocated" ? {} : undefined;
  if (found.kind !== "secured") return undefined;
  const { snapshot } = found.result;
  const image = situation.images.find(
    (each) => each.snapshotId === snapshot.snapshotId && each.state === "available",
  );
  return { snapshot, image };
}

/**
 * The current state is proven to live on elsewhere than in what is about to go: in a healthy
 * running disk with a completed snapshot of its own or, at rest, in what the goal wants kept.
 */
function stateIsSafe(situation: Situation): boolean {
  const { carrier, goal, spec, tip } = situation;
  if (goal === "running") return runningStateIsSafe(situation);
  if (carrier !== undefined) return false;
  const { images, snapshots, volumes } = spec.retentionHours;
  if (goal === "deallocated" && images + snapshots === 0)
    return volumes === 0 || tip === undefined || tip.state === "available";
  return restOf(situation) !== undefined;
}

function runningStateIsSafe(situation: Situation): boolean {
  const { carrier, carrierGeneration, ledger, snapshots, spec } = situation;
  const { launch } = ledger;
  if (carrier?.state !== "running" || launch?.generation !== carrierGeneration) return false;
  if (launch?.healthy !== true) return false;
  if (!spec.persistRootDevice) return true;
  return snapshots.some(
    (snapshot) => snapshot.volumeId === carrier.rootVolumeId && isCompleted(snapshot),
  );
}

export function judge(situation: Situation): Judged[] {
  const safe = stateIsSafe(situation);
  const rest = situation.goal === "running" ? {} : (restOf(situation) ?? {});
  return everythingHeld(situation).map((held) => {
    if (isFailure(situation, held)) return { held, disposition: disposable };
    const wanted = safe ? dispositionOf(situation, rest, held) : expiredOrNeeded(situation, held);
    return { held, disposition: leftToSweep(situation, held, wanted) };
  });
}

/**
 * A failed snapshot holds no state, but one of the five slots that its volume has (ec2-facts §2).
 * Of failed final ones as many stay as are counted.
 */
function isFailure(situation: Situation, { kind, resource }: Held): boolean {
  if (kind !== "snapshot" || resource.state !== "error") return false;
  const counted = finalsOf(situation, resource.volumeId).slice(0, finalAttempts);
  return !counted.includes(resource);
}

/** The next steps that free the slots of failed snapshots, whatever else is going on. */
export function freeingSteps(situation: Situation): Step[] {
  const { now, observation } = situation;
  const failed = everythingHeld(situation).filter(
    (held) => isFailure(situation, held) && !observation.undeletable?.includes(held.id),
  );
  return deletion(failed, { images: observation.images, now }).steps;
}

/** The lineage whose state counts: while an instance runs its own, however soon another may come. */
const liveLineage = ({ goal, ledger, lineage }: Situation) =>
  goal === "running" ? (ledger.launch?.lineage ?? lineage.number) : lineage.number;

/** An expiry was written for what was given up; a lineage that came back is not given up. */
function expiryOf({ goal, ledger, lineage }: Situation, { resource }: Held): number | undefined {
  const current = [lineage.number, ledger.lineage?.number, ledger.launch?.lineage];
  const counts = goal === "deallocated" || !current.includes(resource.lineage);
  return counts ? resource.deleteAfterAt : undefined;
}

/** What cannot be deleted yet is left behind expired, so that the sweep deletes it once it can. */
function leftToSweep(situation: Situation, held: Held, wanted: Disposition): Disposition {
  if (wanted.kind !== "disposable") return wanted;
  const isRefused = situation.observation.undeletable?.includes(held.id) === true;
  return isRefused || staysImaged(situation, held) ? { kind: "kept", hours: 0 } : wanted;
}

/** After a deallocation nobody comes back when an image goes that is somebody's, or has its end later. */
function staysImaged({ goal, now, observation }: Situation, { id, kind }: Held): boolean {
  if (goal !== "deallocated" || kind !== "snapshot") return false;
  return observation.images.some(
    (image) =>
      image.snapshotId === id && (!isOurImage(image) || (image.deleteAfterAt ?? now) > now),
  );
}

function expiredOrNeeded(situation: Situation, held: Held): Disposition {
  const expiresAt = expiryOf(situation, held);
  return expiresAt !== undefined && expiresAt <= situation.now ? disposable : needed;
}

function dispositionOf(situation: Situation, rest: Rest, held: Held): Disposition {
  const { goal } = situation;
  // Whoever says that nothing is to be kept means what was kept for a rollback, too.
  const keepsNothing = goal === "deallocated" && longestHours(situation) === 0;
  if (!keepsNothing && expiryOf(situation, held) !== undefined)
    return expiredOrNeeded(situation, held);
  if (held.resource.holdsGap === true) return ofGapVolume(situation, held);
  if (held.resource.lineage !== liveLineage(situation)) return ofOldLineage(situation, held);
  switch (goal) {
    case "running":
      return whileRunning(situation, held);
    case "paused":
      return whilePaused(situation, rest, held);
    case "deallocated":
      return afterDeallocation(situation, rest, held);
  }
}

/** Writes that were reported as missing stay within reach as long as their lineage's state does. */
function ofGapVolume(situation: Situation, { resource }: Held): Disposition {
  if (situation.goal === "deallocated") return keptFor(longestHours(situation));
  const isOld = resource.lineage !== liveLineage(situation);
  return isOld ? keptFor(situation.spec.rollbackHours) : needed;
}

/** Running: the carrier's disk with its newest snapshots; earlier generations live on in it. */
function whileRunning(situation: Situation, held: Held): Disposition {
  const { carrier, spec } = situation;
  if (held.kind === "image") return disposable;
  if (held.resource.volumeId !== carrier?.rootVolumeId) return unlessUnsaved(situation, held);
  if (held.kind === "volume" || held.resource.state === "pending") return needed;
  const kept = snapshotsOf(situation, held.resource.volumeId)
    .filter(isCompleted)
    .slice(0, spec.snapshots.keep);
  return kept.includes(held.resource) ? needed : disposable;
}

/**
 * A volume goes only once its final snapshot is completed; a final one under way is let finish. What
 * cannot be snapshotted stands in for its snapshot, and is kept as long as anything of it would be.
 */
function unlessUnsaved(situation: Situation, held: Held): Disposition {
  const { goal, spec } = situation;
  if (!isUnsaved(situation, held)) return disposable;
  if (goal === "deallocated") return keptFor(longestHours(situation));
  const isGivenUp =
    held.kind === "volume" &&
    held.resource.lineage !== liveLineage(situation) &&
    secureVolume(situation, held.resource).kind === "failed";
  return isGivenUp ? keptFor(spec.rollbackHours) : needed;
}

function isUnsaved(situation: Situation, held: Held): boolean {
  if (held.kind === "volume") return completedFinal(situation, held.id) === undefined;
  return held.kind === "snapshot" && held.resource.state === "pending" && isFinal(held.resource);
}

function longestHours({ spec }: Situation): number {
  const { images, snapshots, volumes } = spec.retentionHours;
  return Math.max(images, snapshots, volumes);
}

/** Paused: the latest snapshot and its image are all that is kept (Spot.io's rule). */
function whilePaused(situation: Situation, rest: Rest, held: Held): Disposition {
  const isRest = held.id === rest.snapshot?.snapshotId || held.id === rest.image?.imageId;
  return isRest ? needed : unlessUnsaved(situation, held);
}

/** Deallocated: the newest state, each kind for its own hours; zero hours deletes at once. */
function afterDeallocation(situation: Situation, rest: Rest, held: Held): Disposition {
  const { images, snapshots, volumes } = situation.spec.retentionHours;
  switch (held.kind) {
    case "volume":
      if (held.id !== situation.tip?.volumeId || isUnsaved(situation, held))
        return unlessUnsaved(situation, held);
      return keptFor(volumes);
    case "snapshot":
      if (held.id !== rest.snapshot?.snapshotId) return unlessUnsaved(situation, held);
      // Without its volume it stands in for that, too.
      if (held.resource.volumeId !== situation.tip?.volumeId)
        return keptFor(longestHours(situation));
      return keptFor(Math.max(snapshots, images));
    case "image":
      return held.id === rest.image?.imageId ? keptFor(images) : disposable;
  }
}

/**
 * After an AMI swap the previous lineage's last state stays for a while, as a snapshot. One that has
 * no expiry yet when all is deallocated was never succeeded by a proven one: it may be what counts.
 */
function ofOldLineage(situation: Situation, held: Held): Disposition {
  const { goal, snapshots, spec } = situation;
  const newest = snapshots.find(
    (each) => each.lineage === held.resource.lineage && isCompleted(each),
  );
  if (held.id !== newest?.snapshotId) return unlessUnsaved(situation, held);
  return keptFor(goal === "deallocated" ? longestHours(situation) : spec.rollbackHours);
}

const hours = 3_600_000;

/** Writes `deleteAfter` on what is kept for a while and does not say so yet. */
export function retentionSteps(situation: Situation): Step[] {
  return judge(situation).flatMap(({ held, disposition }) =>
    disposition.kind === "kept" && held.resource.deleteAfterAt === undefined
      ? [
          {
            kind: "tag" as const,
            resourceIds: [held.id],
            tags: deleteAfterTag(situation.now + disposition.hours * hours),
          },
        ]
      : [],
  );
}

export interface Disposal {
  /** Can be carried out now. */
  steps: Step[];
  /** When condemned resources have been condemned long enough for the second look. */
  nextAt?: number;
}

/** The next steps that delete what is disposable: first condemn, later look again and delete. */
export function disposal(situation: Situation): Disposal {
  const judged = judge(situation);
  const doomed = judged
    .filter((each) => each.disposition.kind === "disposable")
    .map((each) => each.held);
  const rest = judged.filter((each) => each.disposition.kind !== "disposable");
  const spared = rest.filter(({ held }) => held.resource.condemnedAt !== undefined);
  // The sweep deletes from tags alone, so an expiry that does not count any more must go.
  const returned = rest.filter(
    ({ disposition, held }) =>
      disposition.kind === "needed" &&
      held.resource.deleteAfterAt !== undefined &&
      expiryOf(situation, held) === undefined,
  );
  const steps = [
    ...untagging(spared, tagKeys.condemned),
    ...untagging(returned, tagKeys.deleteAfter),
  ];
  const { now, observation } = situation;
  return deletion(doomed, { images: observation.images, now }, steps);
}

function untagging(judged: readonly Judged[], key: string): Step[] {
  const resourceIds = judged.map(({ held }) => held.id);
  return resourceIds.length > 0 ? [{ kind: "untag", resourceIds, keys: [key] }] : [];
}

/**
 * Images first: EC2 refuses to delete the snapshot of a registered one (ec2-facts §3). Volumes before
 * their snapshots: one whose final snapshot is gone would get another if the rest has to wait.
 */
const turns = { image: 0, volume: 1, snapshot: 2, anchor: 3 } as const;

/** Shared with the sweep, which knows nothing but tags. */
export function deletion(
  doomed: readonly (Held | RetainedAnchor)[],
  { images, now }: { images: readonly Image[]; now: number },
  steps: Step[] = [],
): Disposal {
  const imaged = new Set(images.map((image) => image.snapshotId));
  const possible = doomed.filter((held) => isDeletable(held, imaged));
  const fresh = possible.filter((held) => held.resource.condemnedAt === undefined);
  for (const batch of inBatches(fresh, taggedAtOnce))
    steps.push({ kind: "tag", resourceIds: batch.map((held) => held.id), tags: condemnedTag(now) });
  const ripeAt = (held: Held | RetainedAnchor) =>
    (held.resource.condemnedAt ?? now) + settleSeconds * 1000;
  const ripe = possible.filter((held) => ripeAt(held) <= now);
  steps.push(...ripe.sort((a, b) => turns[a.kind] - turns[b.kind]).map(deleteStep));
  const times = possible.map(ripeAt).filter((at) => at > now);
  return { steps, nextAt: times.length > 0 ? Math.min(...times) : undefined };
}

/** `imaged`: the snapshots of registered images. */
function isDeletable(held: Held | RetainedAnchor, imaged: ReadonlySet<string>): boolean {
  switch (held.kind) {
    case "image":
      return true;
    case "snapshot":
      return !imaged.has(held.id);
    case "volume":
      // A volume that was never marked with its own id might be somebody's copy with our tags.
      return held.resource.state === "available" && held.resource.markedId === held.id;
    case "anchor":
      return held.resource.status === "available";
  }
}

function deleteStep(held: Held | RetainedAnchor): Step {
  switch (held.kind) {
    case "image":
      return { kind: "deregister-image", imageId: held.id };
    case "snapshot":
      return { kind: "delete-snapshot", snapshotId: held.id };
    case "volume":
      return { kind: "delete-volume", volumeId: held.id };
    case "anchor":
      return { kind: "delete-anchor", interfaceId: held.id };
  }
}
