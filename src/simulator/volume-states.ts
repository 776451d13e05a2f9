/**
 * The life of a volume apart from the calls on it. Its content is a shared, never changed value;
 * writing replaces the volume's reference, so snapshots and images keep what they saw.
 */
import { Ec2Error } from "./errors";
import type { Disk, InstanceRecord, SnapshotRecord, VolumeRecord } from "./records";
import { find, invalidValue, nouns } from "./refusals";
import type { Tags } from "./table";
import type { World } from "./world";

const EMPTY_DISK: Disk = {
  files: new Map(),
  dataBytes: 0,
  boots: "never-healthy",
  platform: { details: "Linux/UNIX", usageOperation: "RunInstances" },
};

export interface VolumeWish {
  readonly zone: string;
  readonly sizeGib?: number | undefined;
  readonly volumeType?: string | undefined;
  readonly iops?: number | undefined;
  readonly throughput?: number | undefined;
  readonly encrypted?: boolean | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly snapshotId?: string | undefined;
  readonly initializationRate?: number | undefined;
  readonly tags: Tags;
}

/** Checks everything about a new volume; nothing is changed yet. */
export function planVolume(world: World, wish: VolumeWish): VolumeRecord {
  const snapshot =
    wish.snapshotId === undefined ? undefined : usableSnapshot(world, wish.snapshotId);
  const volumeType = wish.volumeType ?? "gp2";
  const encrypted = wish.encrypted === true || snapshot?.encrypted === true;
  const sizeGib = checkedSize(volumeType, wish.sizeGib, snapshot);
  checkRate(wish.initializationRate);
  const disk = snapshot?.disk ?? EMPTY_DISK;
  // Only within one account does a snapshot share blocks with what the volume came from.
  const isOwnLineage = snapshot?.ownerId === world.account;
  return {
    id: world.newId("vol"),
    tags: wish.tags,
    createdAt: world.now(),
    zone: wish.zone,
    sizeGib,
    volumeType,
    ...performanceOf(volumeType, sizeGib, wish),
    encrypted,
    kmsKeyId: encrypted ? (wish.kmsKeyId ?? snapshot?.kmsKeyId ?? defaultKey(world)) : undefined,
    snapshotId: snapshot?.id,
    initializationRate: wish.initializationRate,
    state: "creating",
    disk,
    changedBytes: isOwnLineage ? 0 : disk.dataBytes,
    pendingSnapshotIds: [],
  };
}

function defaultKey(world: World): string {
  return `arn:aws:kms:${world.region}:${world.account}:key/0d5c0000-0000-4000-8000-000000000001`;
}

export function usableSnapshot(world: World, id: string): SnapshotRecord {
  const snapshot = find(world.snapshots, nouns.snapshot, id);
  // Only completed snapshots are usable (ec2-facts §2).
  if (snapshot.state !== "completed")
    throw new Ec2Error("IncorrectState", `Snapshot is in invalid state - ${snapshot.state}`);
  return snapshot;
}

const sizeLimits: Readonly<Record<string, readonly [number, number]>> = {
  gp2: [1, 16384],
  gp3: [1, 65536],
  io1: [4, 16384],
  io2: [4, 65536],
  st1: [125, 16384],
  sc1: [125, 16384],
  standard: [1, 1024],
};

function checkedSize(type: string, size: number | undefined, snapshot?: SnapshotRecord): number {
  const limits = Object.hasOwn(sizeLimits, type) ? sizeLimits[type] : undefined;
  if (limits === undefined)
    throw new Ec2Error(
      "InvalidParameterValue",
      `Value (${type}) for parameter volumeType is invalid. Unknown volume type.`,
    );
  const wanted = size ?? snapshot?.sizeGib;
  if (wanted === undefined)
    throw new Ec2Error("MissingParameter", "The request must contain the parameter size/snapshot");
  if (snapshot !== undefined && wanted < snapshot.sizeGib)
    throw new Ec2Error(
      "InvalidBlockDeviceMapping",
      `Volume of size ${wanted}GB is smaller than snapshot '${snapshot.id}', expect size>= ${snapshot.sizeGib}GB`,
    );
  if (wanted < limits[0] || wanted > limits[1])
    throw invalidValue(
      `Volume of ${wanted}GiB is ${wanted < limits[0] ? "too small" : "too large"} for volume type ${type}; ${wanted < limits[0] ? `minimum is ${limits[0]}` : `maximum is ${limits[1]}`}GiB.`,
    );
  return wanted;
}

function performanceOf(type: string, sizeGib: number, wish: VolumeWish) {
  if (wish.throughput !== undefined && type !== "gp3")
    throw new Ec2Error(
      "InvalidParameterCombination",
      `The parameter Throughput is not supported for ${type} volumes.`,
    );
  if (wish.iops !== undefined && !["gp3", "io1", "io2"].includes(type))
    throw new Ec2Error(
      "InvalidParameterCombination",
      `The parameter iops is not supported for ${type} volumes.`,
    );
  checkPerformance(type, sizeGib, wish);
  if (type === "gp3") return { iops: wish.iops ?? 3000, throughput: wish.throughput ?? 125 };
  if (type === "gp2") return { iops: Math.min(16000, Math.max(100, sizeGib * 3)) };
  if (type !== "io1" && type !== "io2") return {};
  if (wish.iops === undefined)
    throw new Ec2Error("MissingParameter", "The request must contain the parameter iops");
  return { iops: wish.iops };
}

/** Least, most, and how many for each GiB; a gp3 volume has its 3,000 whatever its size (ec2-facts §2). */
const iopsLimits: Readonly<Record<string, readonly [number, number, number]>> = {
  gp3: [3000, 80_000, 500],
  io1: [100, 64_000, 50],
  io2: [100, 256_000, 1000],
};

function checkPerformance(type: string, sizeGib: number, { iops, throughput }: VolumeWish): void {
  const limits = Object.hasOwn(iopsLimits, type) ? iopsLimits[type] : undefined;
  if (limits !== undefined && iops !== undefined) {
    const [least, most, perGib] = limits;
    if (iops < least || iops > most)
      throw invalidValue(
        `Volume iops of ${iops} is ${iops < least ? "too low; minimum" : "too high; maximum"} is ${iops < least ? least : most}.`,
      );
    if (iops > Math.max(sizeGib * perGib, type === "gp3" ? 3000 : 0))
      throw invalidValue(
        `Iops to volume size ratio of ${iops / sizeGib} is too high; maximum is ${perGib}.`,
      );
  }
  if (throughput === undefined) return;
  if (throughput < 125 || throughput > 2000)
    throw invalidValue(
      `Throughput ${throughput} is invalid. Expecting a value between 125 and 2000.`,
    );
  if (throughput > (iops ?? 3000) / 4)
    throw invalidValue(
      `Throughput (MiBps) to iops ratio of ${throughput / (iops ?? 3000)} is too high; maximum is 0.25 MiBps per iops.`,
    );
}

function checkRate(rate: number | undefined): void {
  if (rate === undefined || (rate >= 100 && rate <= 300)) return;
  throw invalidValue(`VolumeInitializationRate must be between 100 and 300 MiB/s`);
}

export interface VolumeHold {
  readonly instanceId: string;
  readonly device: string;
  readonly deleteOnTermination: boolean;
}

export function holdVolume(world: World, id: string, hold: VolumeHold): VolumeRecord {
  const attachment = { ...hold, state: "attaching" as const, attachedAt: world.now() };
  const instance = world.instances.get(hold.instanceId);
  if (instance !== undefined && !instance.volumeIds.includes(id))
    world.instances.update(instance.id, { volumeIds: [...instance.volumeIds, id] });
  return world.volumes.update(id, { state: "in-use", attachment });
}

export function confirmVolume(world: World, id: string, instanceId: string): void {
  const volume = world.volumes.get(id);
  if (volume?.attachment?.instanceId !== instanceId) return;
  if (volume.attachment.state !== "attaching") return;
  world.volumes.update(id, { attachment: { ...volume.attachment, state: "attached" } });
}

/** It ends with its instance, whatever was asked for. */
export function giveUpVolume(world: World, id: string): void {
  const { attachment } = world.volumes.get(id) ?? {};
  if (attachment === undefined) return;
  world.volumes.update(id, { attachment: { ...attachment, deleteOnTermination: true } });
}

export function beginVolumeRelease(world: World, id: string): void {
  const volume = world.volumes.get(id);
  if (volume?.attachment === undefined) return;
  world.volumes.update(id, { attachment: { ...volume.attachment, state: "detaching" } });
}

/** The end of an attachment: `available`, or gone when the instance ended and was to take it along. */
export function finishVolumeRelease(
  world: World,
  id: string,
  release: { readonly instanceId: string; readonly isTermination: boolean },
): void {
  const volume = world.volumes.get(id);
  if (volume?.attachment?.instanceId !== release.instanceId) return;
  const { deleteOnTermination } = volume.attachment;
  const instance = world.instances.get(release.instanceId);
  if (instance !== undefined)
    world.instances.update(instance.id, {
      volumeIds: instance.volumeIds.filter((each) => each !== id),
    });
  world.volumes.update(id, { state: "available", attachment: undefined });
  if (release.isTermination && deleteOnTermination) deleteVolumeNow(world, id);
}

/** `deleting` for a moment, then gone. */
export function deleteVolumeNow(world: World, id: string): void {
  world.volumes.update(id, { state: "deleting" });
  world.after(world.latencies.volumeDelete, () => {
    world.volumes.remove(id);
    publishVolumeEvent(world, "deleteVolume", id, "deleted");
  });
}

export function publishVolumeEvent(world: World, event: string, id: string, result: string): void {
  world.events.publish(
    "EBS Volume Notification",
    [`arn:aws:ec2:${world.region}:${world.account}:volume/${id}`],
    { result, cause: "", event, "request-id": "" },
  );
}

export function writeFile(
  world: World,
  volume: VolumeRecord,
  file: { readonly path: string; readonly content: string; readonly sizeBytes?: number },
): void {
  const files = new Map(volume.disk.files);
  const before = files.get(file.path);
  files.set(file.path, file.content);
  const size = file.sizeBytes ?? Buffer.byteLength(file.content);
  const grown = before === undefined ? size : Math.max(0, size - Buffer.byteLength(before));
  world.volumes.update(volume.id, {
    disk: { ...volume.disk, files, dataBytes: volume.disk.dataBytes + grown },
    changedBytes: volume.changedBytes + size,
  });
}

export function rootVolume(world: World, instance: InstanceRecord) {
  return volumeAt(world, instance, instance.rootDeviceName);
}

export function volumeAt(world: World, instance: InstanceRecord, device: string) {
  for (const id of instance.volumeIds) {
    const volume = world.volumes.get(id);
    if (volume?.attachment?.device === device && volume.attachment.instanceId === instance.id)
      return volume;
  }
  return undefined;
}
