/**
 * How a snapshot comes to be (ec2-facts §2). It holds what was on the disk at the moment of the
 * call, whatever happens to the volume afterwards; only its becoming usable takes time.
 */
import { Ec2Error } from "./errors";
import type { SnapshotRecord, VolumeRecord } from "./records";
import type { Tags } from "./table";
import type { World } from "./world";

const GIB = 1024 ** 3;
const SINGLE_SLOT_TYPES = ["st1", "sc1"];

export function checkSnapshotLimits(world: World, volume: VolumeRecord): void {
  const slots = SINGLE_SLOT_TYPES.includes(volume.volumeType) ? 1 : 5;
  if (volume.pendingSnapshotIds.length >= slots)
    throw new Ec2Error(
      "ConcurrentSnapshotLimitExceeded",
      "Maximum allowed in-progress snapshots for a single volume exceeded.",
    );
  const spacingMs = world.latencies.snapshotSpacing * 1000;
  if (volume.lastSnapshotAt !== undefined && world.now() - volume.lastSnapshotAt < spacingMs)
    throw new Ec2Error(
      "SnapshotCreationPerVolumeRateExceeded",
      "The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval between requests.",
    );
}

export function insertSnapshot(
  world: World,
  volume: VolumeRecord,
  wish: { readonly description?: string | undefined; readonly tags: Tags },
): SnapshotRecord {
  const snapshot = world.snapshots.insert({
    id: world.newId("snap"),
    tags: wish.tags,
    createdAt: world.now(),
    ownerId: world.account,
    volumeId: volume.id,
    sizeGib: volume.sizeGib,
    description: wish.description ?? "",
    encrypted: volume.encrypted,
    kmsKeyId: volume.kmsKeyId,
    state: "pending",
    disk: volume.disk,
    fullBytes: volume.disk.dataBytes,
    isPublic: false,
  });
  world.volumes.update(volume.id, {
    changedBytes: 0,
    lastSnapshotAt: world.now(),
    pendingSnapshotIds: [...volume.pendingSnapshotIds, snapshot.id],
  });
  if (world.faults.strikesSnapshot("hangSnapshots", volume.id)) return snapshot;
  return scheduleCompletion(world, snapshot, volume.changedBytes);
}

/** Progress is derived from the time left; without an end in sight a snapshot hangs. */
function scheduleCompletion(
  world: World,
  snapshot: SnapshotRecord,
  changedBytes: number,
): SnapshotRecord {
  const { snapshotBase, snapshotPerGib } = world.latencies;
  const seconds = snapshotBase + (snapshotPerGib * changedBytes) / GIB;
  const fails = world.faults.strikesSnapshot("failSnapshots", snapshot.volumeId);
  world.after(seconds, () => finish(world, snapshot, fails));
  return world.snapshots.update(snapshot.id, { completesAt: world.now() + seconds * 1000 });
}

function finish(world: World, started: SnapshotRecord, fails: boolean): void {
  const snapshot = world.snapshots.get(started.id);
  // Deleting a pending snapshot frees its slot only now; one in error goes on holding it.
  if (snapshot === undefined || !fails) freeSlot(world, started);
  if (snapshot?.state !== "pending") return;
  const change = fails
    ? ({ state: "error", stateMessage: "An internal error has occurred" } as const)
    : ({ state: "completed" } as const);
  world.snapshots.update(snapshot.id, change);
  publishSnapshotEvent(world, snapshot, fails ? "failed" : "succeeded");
}

export function freeSlot(world: World, snapshot: SnapshotRecord): void {
  const volume = world.volumes.get(snapshot.volumeId);
  if (volume === undefined) return;
  world.volumes.update(volume.id, {
    pendingSnapshotIds: volume.pendingSnapshotIds.filter((id) => id !== snapshot.id),
  });
}

/** After the fault is gone, what hung goes on. */
export function releaseHangingSnapshots(world: World): void {
  if (world.faults.current().hangSnapshots !== undefined) return;
  for (const snapshot of world.snapshots.all())
    if (snapshot.state === "pending" && snapshot.completesAt === undefined)
      scheduleCompletion(world, snapshot, 0);
}

/** The snapshot's ARN has no account and two colons before its region (ec2-facts §8). */
function publishSnapshotEvent(
  world: World,
  snapshot: SnapshotRecord,
  result: "succeeded" | "failed",
): void {
  const arn = `arn:aws:ec2::${world.region}:snapshot/${snapshot.id}`;
  world.events.publish("EBS Snapshot Notification", [arn], {
    event: "createSnapshot",
    result,
    cause: result === "failed" ? "An internal error has occurred" : "",
    "request-id": "",
    snapshot_id: arn,
    source: `arn:aws:ec2::${world.region}:volume/${snapshot.volumeId}`,
    startTime: new Date(snapshot.createdAt).toISOString(),
    endTime: new Date(world.now()).toISOString(),
  });
}

export function progressOf(world: World, snapshot: SnapshotRecord): string {
  if (snapshot.state === "completed") return "100%";
  const { completesAt, createdAt } = snapshot;
  if (completesAt === undefined) return "0%";
  const share = (world.now() - createdAt) / Math.max(1, completesAt - createdAt);
  return `${Math.min(99, Math.max(0, Math.floor(share * 100)))}%`;
}
