/**
 * When the present instance has to go, and how: its disk is kept, what comes after it is known to
 * be possible, and only then it is terminated. Interruptions are met here too.
 */
import type { Instance, Launch, StopReason } from "./model";
import { allowedSubnets } from "./pools";
import { periodicSnapshot } from "./root";
import { act, type Rule, record, stuck, type Verdict, wait } from "./rule";
import { launchDifferences, recycleFingerprint, type Situation, snapshotsOf } from "./situation";

const minutes = 60_000;
/** A notice comes two minutes ahead (ec2-facts §8); one snapshot within that is enough. */
const noticeMinutes = 3;
const warmUpMinutes = 10;
/** Generations in a row that may be replaced as unhealthy before the user is asked. */
export const healLimit = 3;

const keepRoot: Rule = {
  name: "a persisted root volume outlives its instance",
  apply({ carrier, spec }) {
    if (!spec.persistRootDevice || carrier === undefined) return undefined;
    if (!carrier.rootDeletedOnTermination || carrier.rootVolumeId === undefined) return undefined;
    if (carrier.state !== "running" && carrier.state !== "stopped") return undefined;
    const deviceName = carrier.platform.rootDeviceName;
    return act({ kind: "keep-root", instanceId: carrier.instanceId, deviceName });
  },
};

const honourStop: Rule = {
  name: "an instance that is not wanted any more, or not as it is, is terminated",
  apply(situation) {
    const { anchor, carrier, ledger, now } = situation;
    if (carrier === undefined) return undefined;
    const reason = stopReason(situation, carrier);
    if (reason === undefined) return undefined;
    if (wouldLoseRoot(situation, carrier)) return awaitRoot(carrier, now);
    if (obstacleTo(situation, reason) !== undefined) return undefined;
    const warmingUp = warmUp(situation, carrier, reason);
    if (warmingUp !== undefined) return warmingUp;
    const terminate = { kind: "terminate" as const, instanceId: carrier.instanceId, reason };
    const generation = situation.carrierGeneration ?? 0;
    const { stop } = ledger;
    if (anchor === undefined || (stop?.generation === generation && stop.reason === reason))
      return act(terminate);
    return act(record(situation, anchor, { stop: { generation, reason, at: now } }), terminate);
  },
};

/** DeleteOnTermination=false is a precondition of every termination of ours (design §4). */
function wouldLoseRoot({ spec }: Situation, carrier: Instance): boolean {
  if (!spec.persistRootDevice) return false;
  return carrier.rootVolumeId === undefined || carrier.rootDeletedOnTermination;
}

function awaitRoot(carrier: Instance, now: number): Verdict | undefined {
  if (carrier.state === "pending") return undefined;
  return wait(
    `${carrier.instanceId} does not show a root volume that outlives it; it is not terminated before`,
    { kind: "time" },
    now + 10_000,
  );
}

/** Asked after upkeep: an instance that has to stay for now is snapshotted and watched as ever. */
export const tellObstacle: Rule = {
  name: "a change that is not possible is told, and the instance is kept up meanwhile",
  apply(situation) {
    const { carrier } = situation;
    const reason = carrier && stopReason(situation, carrier);
    return reason && obstacleTo(situation, reason);
  },
};

/** It does not change by itself, so waiting for it would never end. */
const tellOfStopped: Rule = {
  name: "a stopped instance that cannot be replaced is told of",
  apply(situation) {
    return situation.carrier?.state === "stopped" ? tellObstacle.apply(situation) : undefined;
  },
};

function stopReason(situation: Situation, carrier: Instance): StopReason | undefined {
  const { goal } = situation;
  const canBeStopped = ["pending", "running", "stopped"].includes(carrier.state);
  if (!canBeStopped) return undefined;
  if (goal === "paused") return "pause";
  if (goal === "deallocated") return "deallocate";
  if (carrier.state === "stopped") return "stopped-outside";
  const { launch } = situation.ledger;
  if (carrier.state !== "running" || launch?.generation !== situation.carrierGeneration)
    return undefined;
  return replaceReason(situation, carrier, launch);
}

function replaceReason(
  { anchor, asked, lineage, now, spec }: Situation,
  carrier: Instance,
  launch: Launch | undefined,
): StopReason | undefined {
  if (launch === undefined) return undefined;
  const atOnce = spec.applyChanges === "at-once";
  if (atOnce && lineage.number !== launch.lineage) return "ami-swap";
  const recycle = recycleReason(spec, asked, launch);
  if (recycle !== undefined) return lineage.number === launch.lineage ? recycle : "ami-swap";
  if (atOnce && launchDifferences(spec, launch, anchor).length > 0) return "changed-properties";
  return isUnhealthy(spec, carrier, launch, now) ? "unhealthy" : undefined;
}

/** Exactly the generation that was named: a number that is still to come would recycle for ever. */
function recycleReason(
  spec: Situation["spec"],
  asked: Situation["asked"],
  launch: Launch,
): StopReason | undefined {
  if (launch.recycleFingerprint !== recycleFingerprint(spec)) return "recycle-token";
  return asked?.recycleGeneration === launch.generation ? "requested" : undefined;
}

/** Unhealthy longer than asked for; twice as long each time it did not help, up to an hour. */
function isUnhealthy(
  spec: Situation["spec"],
  carrier: Instance,
  launch: Launch,
  now: number,
): boolean {
  if (!spec.autoHealing || carrier.health.kind !== "impaired") return false;
  if (launch.heals >= healLimit && !launch.healthy) return false;
  const patienceSeconds = Math.min(spec.unhealthyDurationSeconds * 2 ** launch.heals, 3600);
  const graceEndsAt = carrier.launchedAt + spec.gracePeriodSeconds * 1000;
  const sinceAt = Math.max(carrier.health.sinceAt, graceEndsAt);
  return now >= sinceAt + patienceSeconds * 1000;
}

/** What comes next must be possible before what is there is ended. */
function obstacleTo(situation: Situation, reason: StopReason): Verdict | undefined {
  const { anchor, goal, observation, spec } = situation;
  if (goal !== "running") return undefined;
  if (anchor !== undefined && !allowedSubnets(situation).some((id) => spec.subnetIds.includes(id)))
    return stuck(
      `subnetIds no longer contains ${anchor.subnetId}, to which the persisted private IP ${anchor.privateIp} belongs`,
      "add that subnet to subnetIds again, or set persistPrivateIp to false to give the address up",
    );
  const bootsBaseImage = reason === "ami-swap" || !spec.persistRootDevice;
  if (!bootsBaseImage) return undefined;
  return imageObstacle(observation.baseImage);
}

export function imageObstacle(image: Situation["observation"]["baseImage"]): Verdict | undefined {
  if (image.kind === "absent")
    return stuck(`image ${image.imageId} does not exist`, "set imageId to an image that does");
  if (image.state === "available") return undefined;
  return stuck(
    `image ${image.imageId} is ${image.state}, not available`,
    "wait until it is available or set imageId to another image",
  );
}

/** A snapshot before a planned end leaves little for the final one, which is in the downtime. */
function warmUp(situation: Situation, carrier: Instance, reason: StopReason): Verdict | undefined {
  const { now, spec } = situation;
  const isPlannedRecycle = ["recycle-token", "requested", "changed-properties"].includes(reason);
  const volume = situation.volumes.find((each) => each.volumeId === carrier.rootVolumeId);
  if (!isPlannedRecycle || !spec.persistRootDevice || volume === undefined) return undefined;
  const taken = snapshotsOf(situation, volume.volumeId);
  const pending = taken.find(
    (each) => each.state === "pending" && now < each.startedAt + warmUpMinutes * minutes,
  );
  if (pending !== undefined)
    return wait(
      `snapshot ${pending.snapshotId} is pending; the instance runs on meanwhile`,
      { kind: "snapshot", snapshotId: pending.snapshotId },
      pending.startedAt + warmUpMinutes * minutes,
    );
  const freshSince = now - spec.snapshots.intervalMinutes * minutes;
  if (taken.some((each) => each.startedAt >= freshSince)) return undefined;
  return act(periodicSnapshot(situation, volume));
}

const meetInterruption: Rule = {
  name: "an interruption notice is met with a snapshot, which shortens the final one",
  apply(situation) {
    const { carrier, now, snapshots, spec, volumes } = situation;
    if (carrier?.state !== "running" || !carrier.interruptionNoticed) return undefined;
    const volume = volumes.find((each) => each.volumeId === carrier.rootVolumeId);
    const taken = snapshots.filter((each) => each.volumeId === carrier.rootVolumeId);
    const lastAt = Math.max(0, ...taken.map((each) => each.startedAt));
    const isDue = now - lastAt > noticeMinutes * minutes;
    const isPending = taken.some((each) => each.state === "pending");
    if (volume !== undefined && spec.persistRootDevice && isDue && !isPending)
      return act(periodicSnapshot(situation, volume));
    return wait(
      `EC2 takes ${carrier.instanceId} back`,
      { kind: "instance", instanceId: carrier.instanceId, until: "state-change" },
      now + minutes,
    );
  },
};

const awaitEnd: Rule = {
  name: "an instance that is changing its state is waited for",
  apply({ carrier, now }) {
    if (carrier === undefined || carrier.state === "running") return undefined;
    return wait(
      `${carrier.instanceId} is ${carrier.state}`,
      { kind: "instance", instanceId: carrier.instanceId, until: "state-change" },
      now + 5 * minutes,
    );
  },
};

export const stopRules: readonly Rule[] = [
  keepRoot,
  honourStop,
  meetInterruption,
  tellOfStopped,
  awaitEnd,
];
