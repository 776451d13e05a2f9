/**
 * While an instance runs as it should: its properties follow the spec in place, its disk is
 * snapshotted in time, what earlier generations left is saved and cleared away. These rules are asked
 * last, when all others have passed: an instance runs and is to run on.
 */
import type { Step } from "./model";
import { disposal, freeingSteps, retentionSteps } from "./retention";
import { periodicSnapshot, secureVolume } from "./root";
import { act, actAll, type Rule, stuck, wait } from "./rule";
import { healLimit, tellObstacle } from "./rules-stop";
import { absenceSeconds, type Situation, snapshotSpacingSeconds, snapshotsOf } from "./situation";
import { tagKeys } from "./tags";

const minutes = 60_000;
const lookAgainSeconds = 30;
/**
 * What settles is looked at this often, snapshot or not, for what only a whole look shows: tags,
 * security groups, DeleteOnTermination. What changes by itself the survey of each minute shows.
 */
export const settledLookMinutes = 30;

const followSecurityGroups: Rule = {
  name: "the anchor has the security groups that the spec names",
  apply(situation) {
    const { anchor, spec } = situation;
    const wanted = spec.securityGroupIds;
    if (anchor === undefined || wanted.length === 0) return undefined;
    const present = new Set(anchor.securityGroupIds);
    const isSame = present.size === new Set(wanted).size && wanted.every((id) => present.has(id));
    if (isSame) return undefined;
    const { interfaceId } = anchor;
    return act({ kind: "set-security-groups", interfaceId, securityGroupIds: wanted });
  },
};

const tagLimit = 50;
/** When it ended, until when it is kept, and that it is condemned. */
const tagsAtTheEnd = 3;

/** What the program does not name any more stays: somebody else may have written it. */
const followTags: Rule = {
  name: "the instance, its root volume and the anchor wear the user's tags",
  apply({ anchor, carrier, spec }) {
    if (carrier === undefined) return undefined;
    const missing = Object.entries(spec.tags).some(([key, value]) => carrier.tags[key] !== value);
    if (!missing) return undefined;
    const worn = new Set([...Object.keys(anchor?.tags ?? {}), ...Object.keys(spec.tags)]).size;
    if (worn > tagLimit - tagsAtTheEnd)
      return stuck(
        `${anchor?.interfaceId} would wear ${worn} tags: EC2 allows ${tagLimit} a resource, and its end needs ${tagsAtTheEnd} of them`,
        "remove tags that the program does not name any more from it, for example in the console",
      );
    const ids = [carrier.instanceId, carrier.rootVolumeId, anchor?.interfaceId];
    const resourceIds = ids.filter((id): id is string => id !== undefined);
    return act({ kind: "tag", resourceIds, tags: spec.tags });
  },
};

/** When the running disk is to be snapshotted next, once none of it is pending. */
function periodicDueAt(situation: Situation): number | undefined {
  const isPending = ownSnapshots(situation).some((each) => each.state === "pending");
  return isPending ? undefined : periodicScheduledAt(situation);
}

/** At once if the disk has no snapshot of its own. */
function periodicScheduledAt(situation: Situation): number | undefined {
  const { ledger, now, spec, stretch = 1 } = situation;
  if (!spec.persistRootDevice) return undefined;
  const taken = ownSnapshots(situation).filter((each) => each.state !== "error");
  const lastAt = Math.max(0, ...taken.map((each) => each.startedAt));
  const requestedAt = requestedSnapshotAt(situation, lastAt) ?? Number.POSITIVE_INFINITY;
  if (taken.length > 0)
    return Math.min(requestedAt, lastAt + spec.snapshots.intervalMinutes * minutes * stretch);
  return Math.min(requestedAt, ledger.launch?.healthy ? now : healthyBy(situation));
}

/** As soon as EC2 takes another of this disk (ec2-facts §2). One that came later has it by birth. */
function requestedSnapshotAt({ asked, ledger }: Situation, lastAt: number): number | undefined {
  const wantedAt = asked?.snapshotAt;
  if (wantedAt === undefined || wantedAt <= lastAt) return undefined;
  if (wantedAt <= (ledger.launch?.recordedAt ?? 0)) return undefined;
  return Math.max(wantedAt, lastAt + snapshotSpacingSeconds * 1000);
}

const ownSnapshots = ({ carrier, snapshots }: Situation) =>
  snapshots.filter((each) => each.volumeId === carrier?.rootVolumeId);

/** A disk that never gets healthy is snapshotted all the same, once its grace has passed. */
const healthyBy = ({ carrier, spec }: Situation) =>
  (carrier?.launchedAt ?? 0) + (spec.gracePeriodSeconds + 300) * 1000;

const takePeriodicSnapshot: Rule = {
  name: "the running root disk is snapshotted in time, never while a snapshot of it is pending",
  apply(situation) {
    const { carrier, now, volumes } = situation;
    const volume = volumes.find((each) => each.volumeId === carrier?.rootVolumeId);
    const dueAt = periodicDueAt(situation);
    if (volume === undefined || dueAt === undefined || now < dueAt) return undefined;
    const failedAt = Math.max(0, ...errorsOf(situation, volume.volumeId));
    if (now < failedAt + minutes) return undefined;
    // What is to be cleared away goes along, because another look would cost the account ten calls.
    return act(periodicSnapshot(situation, volume), ...clearingSteps(situation));
  },
};

const errorsOf = (situation: Situation, volumeId: string) =>
  snapshotsOf(situation, volumeId)
    .filter((each) => each.state === "error")
    .map((each) => each.startedAt);

const saveEarlierDisks: Rule = {
  name: "a free volume of an earlier generation or lineage gets its final snapshot",
  apply(situation) {
    const { carrier, volumes } = situation;
    const earlier = volumes.filter(
      (each) =>
        each.volumeId !== carrier?.rootVolumeId &&
        each.deleteAfterAt === undefined &&
        each.holdsGap !== true,
    );
    const steps = earlier.flatMap((volume): Step[] => {
      const secured = secureVolume(situation, volume);
      return secured.kind === "act" ? [secured.step] : [];
    });
    return actAll(steps);
  },
};

const clearingSteps = (situation: Situation): Step[] => [
  ...retentionSteps(situation),
  ...disposal(situation).steps,
];

const clearAway: Rule = {
  name: "what nothing needs any more is deleted after two looks",
  apply: (situation) => actAll(clearingSteps(situation)),
};

/** What does not wear our id is never touched, whatever it is: not even to make it ours. */
const tellStranger: Rule = {
  name: "a root disk that somebody put in place of ours is told of, because it is not snapshotted",
  apply({ carrier, ledger, now, observation }) {
    const { unclaimedRoot } = observation;
    if (unclaimedRoot === undefined || unclaimedRoot.wearsId) return undefined;
    const { volumeId } = unclaimedRoot;
    const believedAt = (ledger.launch?.recordedAt ?? 0) + absenceSeconds * 1000;
    if (carrier?.rootVolumeId !== volumeId || now < believedAt) return undefined;
    return stuck(
      `${volumeId} is the root disk of ${carrier.instanceId} and is not tagged as ours, so that it is not snapshotted and the next instance would not have it`,
      `tag it ${tagKeys.id}=${ledger.id}, and it is taken in`,
    );
  },
};

const awaitHealth: Rule = {
  name: "an instance is called up when both status checks have passed",
  apply(situation) {
    const { carrier, ledger, now, spec } = situation;
    if (carrier === undefined || ledger.launch?.healthy) return undefined;
    const graceEndsAt = carrier.launchedAt + spec.gracePeriodSeconds * 1000;
    const { health, instanceId } = carrier;
    if (health.kind === "impaired") {
      const patienceSeconds = spec.unhealthyDurationSeconds * 2 ** (ledger.launch?.heals ?? 0);
      const endsAt = Math.max(health.sinceAt, graceEndsAt) + Math.min(patienceSeconds, 3600) * 1000;
      if (now < endsAt)
        return watchHealth(`${instanceId} fails its status checks`, instanceId, endsAt);
      const tries = ledger.launch?.heals ?? 0;
      return stuck(
        spec.autoHealing && tries >= healLimit
          ? `${tries + 1} generations in a row never passed their status checks`
          : `${instanceId} fails its status checks`,
        "look at its console output; set imageId back, recycle (recycleToken) or set autoHealing",
      );
    }
    const patientUntil = Math.max(graceEndsAt, carrier.launchedAt + 10 * minutes);
    if (health.kind === "unknown" && now >= patientUntil) return undefined;
    return watchHealth(
      `${instanceId} runs; its status checks are not through`,
      instanceId,
      now + minutes,
    );
  },
};

const watchHealth = (reason: string, instanceId: string, untilAt: number) =>
  wait(reason, { kind: "instance", instanceId, until: "health-change" }, untilAt);

const concludeRunning: Rule = {
  name: "all is as it should be until upkeep is due",
  apply(situation) {
    const { now, stretch = 1 } = situation;
    const scheduledAt = periodicScheduledAt(situation);
    const isPending = periodicDueAt(situation) !== scheduledAt;
    const soonAt = now + lookAgainSeconds * 1000;
    const times = [isPending ? Math.max(scheduledAt ?? soonAt, soonAt) : scheduledAt];
    if (situation.snapshots.some((each) => isPendingFor(situation, each))) times.push(soonAt);
    if (isClearingAway(situation)) times.push(disposal(situation).nextAt);
    const due = times.filter((at): at is number => at !== undefined && at > now);
    return { kind: "done", wakeAt: Math.min(now + settledLookMinutes * minutes * stretch, ...due) };
  },
};

/**
 * The periodic snapshots of a disk that has a completed one already: that the next is completed, or
 * one too many deleted, is seen when the one after it is due. Each look costs the account ten calls,
 * which is what limits how many managed instances it can carry (ec2-facts §7).
 */
function isRoutine(situation: Situation, { volumeId }: { volumeId: string }): boolean {
  const isOwn = volumeId === situation.carrier?.rootVolumeId;
  return isOwn && ownSnapshots(situation).some((each) => each.state === "completed");
}

const isPendingFor = (situation: Situation, snapshot: Situation["snapshots"][number]) =>
  snapshot.state === "pending" && !isRoutine(situation, snapshot);

const isClearingAway = (situation: Situation) =>
  [
    ...situation.images,
    ...situation.volumes,
    ...situation.snapshots.filter((each) => !isRoutine(situation, each)),
  ].some((each) => each.condemnedAt !== undefined);

const freeSlots: Rule = {
  name: "a periodic snapshot that failed is deleted, because the final one may need its slot",
  apply: (situation) => actAll(freeingSteps(situation)),
};

/** Before anything that may need a slot. */
export const slotRules: readonly Rule[] = [freeSlots];

/** The disk first: what EC2 refuses of the others, or somebody undoes, must not keep it from its snapshots. */
export const upkeepRules: readonly Rule[] = [
  takePeriodicSnapshot,
  followSecurityGroups,
  followTags,
  saveEarlierDisks,
  clearAway,
  tellStranger,
  tellObstacle,
  awaitHealth,
  concludeRunning,
];
