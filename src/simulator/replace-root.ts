/**
 * CreateReplaceRootVolumeTask: a running instance gets another root volume, made from its launch
 * image, a snapshot of its own roots, another image, or an existing volume (ec2-facts §5). The old
 * root is kept unless the request says otherwise.
 */
import type {
  CreateReplaceRootVolumeTaskRequest,
  CreateReplaceRootVolumeTaskResult,
  DescribeReplaceRootVolumeTasksRequest,
  DescribeReplaceRootVolumeTasksResult,
  ReplaceRootVolumeTask,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { rememberedIds, rememberIds } from "./client-tokens";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import { reboot } from "./instance-states";
import { launchableImage } from "./launch-plan";
import type { InstanceRecord, ReplaceRootTaskRecord, VolumeRecord } from "./records";
import { find, invalidCombination, invalidValue, nouns, required } from "./refusals";
import { NO_TAGS, tagList, tagsFor } from "./tag-sets";
import {
  confirmVolume,
  deleteVolumeNow,
  finishVolumeRelease,
  holdVolume,
  planVolume,
  rootVolume,
  usableSnapshot,
} from "./volume-states";
import type { World } from "./world";

const listing: Listing<ReplaceRootTaskRecord> = {
  table: (world) => world.replaceRootTasks,
  noun: nouns.replaceRootTask,
  pageSize: [1, 50],
  filters: { "instance-id": (row) => row.instanceId },
};

function taskView(row: ReplaceRootTaskRecord): ReplaceRootVolumeTask {
  return {
    CompleteTime:
      row.completedAt === undefined ? undefined : new Date(row.completedAt).toISOString(),
    DeleteReplacedRootVolume: row.deleteReplacedRootVolume,
    ImageId: row.imageId,
    InstanceId: row.instanceId,
    ReplaceRootVolumeTaskId: row.id,
    SnapshotId: row.snapshotId,
    StartTime: new Date(row.createdAt).toISOString(),
    Tags: tagList(row.tags),
    TaskState: row.state,
  };
}

function createTask(
  world: World,
  input: CreateReplaceRootVolumeTaskRequest,
): CreateReplaceRootVolumeTaskResult {
  const remembered = rememberedIds(world, "CreateReplaceRootVolumeTask", input)?.[0];
  if (remembered !== undefined)
    return {
      ReplaceRootVolumeTask: taskView(
        find(world.replaceRootTasks, nouns.replaceRootTask, remembered),
      ),
    };
  const instance = find(world.instances, nouns.instance, required(input.InstanceId, "InstanceId"));
  const old = checkReplaceable(world, instance);
  const tags = tagsFor(input.TagSpecifications, "replace-root-volume-task");
  const source = sourceOf(world, input, { instance, old });
  const task = world.replaceRootTasks.insert({
    id: world.newId("replacevol"),
    tags,
    createdAt: world.now(),
    instanceId: instance.id,
    state: "pending",
    imageId: input.ImageId,
    snapshotId: source.snapshotId,
    volumeId: input.VolumeId,
    deleteReplacedRootVolume: input.DeleteReplacedRootVolume ?? false,
  });
  // An existing volume is spoken for from now on, so that nobody else attaches it meanwhile.
  const volume = source.kind === "existing" ? source.volume : world.volumes.insert(source.volume);
  world.volumes.update(volume.id, { state: "in-use" });
  rememberIds(world, "CreateReplaceRootVolumeTask", input, [task.id]);
  scheduleTask(world, { taskId: task.id, volumeId: volume.id, oldVolumeId: old.id });
  return { ReplaceRootVolumeTask: taskView(task) };
}

function checkReplaceable(world: World, instance: InstanceRecord): VolumeRecord {
  const old = rootVolume(world, instance);
  if (instance.state !== "running" || old === undefined)
    throw new Ec2Error(
      "IncorrectInstanceState",
      `The instance '${instance.id}' is not in the 'running' state.`,
    );
  for (const task of world.replaceRootTasks.all())
    if (task.instanceId === instance.id && ["pending", "in-progress"].includes(task.state))
      throw new Ec2Error(
        "IncorrectInstanceState",
        `A root volume replacement task is already in progress for the instance '${instance.id}'.`,
      );
  return old;
}

type Source =
  | { readonly kind: "new"; readonly volume: VolumeRecord; readonly snapshotId?: string }
  | { readonly kind: "existing"; readonly volume: VolumeRecord; readonly snapshotId?: undefined };

function sourceOf(
  world: World,
  input: CreateReplaceRootVolumeTaskRequest,
  place: { readonly instance: InstanceRecord; readonly old: VolumeRecord },
): Source {
  const { ImageId: imageId, SnapshotId: snapshotId, VolumeId: volumeId } = input;
  if ([imageId, snapshotId, volumeId].filter((each) => each !== undefined).length > 1)
    throw invalidCombination("Only one of ImageId, SnapshotId and VolumeId may be specified");
  if (volumeId !== undefined) return existingSource(world, volumeId, place);
  if (imageId !== undefined)
    return newSource(world, input, place, imageSnapshot(world, imageId, place));
  if (snapshotId !== undefined)
    return newSource(world, input, place, ownSnapshot(world, snapshotId, place));
  const launched = launchSnapshot(world, place.instance);
  return newSource(world, input, place, launched);
}

function existingSource(
  world: World,
  volumeId: string,
  place: { readonly instance: InstanceRecord; readonly old: VolumeRecord },
): Source {
  const volume = find(world.volumes, nouns.volume, volumeId);
  if (volume.state !== "available")
    throw new Ec2Error("IncorrectState", `Volume '${volumeId}' is not 'available'.`);
  if (volume.zone !== place.instance.zone)
    throw new Ec2Error(
      "InvalidVolume.ZoneMismatch",
      `The volume '${volumeId}' is not in the same availability zone as instance '${place.instance.id}'`,
    );
  if (place.old.encrypted && !volume.encrypted)
    throw invalidValue(`The volume '${volumeId}' must be encrypted because the root volume is.`);
  return { kind: "existing", volume };
}

function newSource(
  world: World,
  input: CreateReplaceRootVolumeTaskRequest,
  place: { readonly instance: InstanceRecord; readonly old: VolumeRecord },
  from: { readonly snapshotId: string; readonly sizeGib?: number },
): Source {
  const { old, instance } = place;
  const volume = planVolume(world, {
    zone: instance.zone,
    sizeGib: Math.max(old.sizeGib, from.sizeGib ?? 0),
    volumeType: old.volumeType,
    iops: old.volumeType === "gp2" ? undefined : old.iops,
    throughput: old.throughput,
    encrypted: old.encrypted,
    kmsKeyId: old.kmsKeyId,
    snapshotId: from.snapshotId,
    initializationRate: input.VolumeInitializationRate,
    tags: NO_TAGS,
  });
  return { kind: "new", volume, snapshotId: from.snapshotId };
}

function imageSnapshot(
  world: World,
  imageId: string,
  place: { readonly instance: InstanceRecord; readonly old: VolumeRecord },
) {
  const image = launchableImage(world, imageId);
  const { instance, old } = place;
  const isCompatible =
    image.architecture === instance.architecture &&
    image.virtualizationType === "hvm" &&
    image.platform.usageOperation === instance.platform.usageOperation &&
    (image.enaSupport === true || !instance.enaSupport);
  if (!isCompatible)
    throw invalidValue(
      `The image '${imageId}' is not compatible with the instance '${instance.id}': architecture, virtualization type, billing information and ENA support must match.`,
    );
  const root = image.mappings.find((each) => each.deviceName === image.rootDeviceName);
  const sizeGib = root?.sizeGib ?? 0;
  if (sizeGib < old.sizeGib)
    throw invalidValue(
      `The root volume of the image '${imageId}' must not be smaller than ${old.sizeGib} GiB.`,
    );
  return { snapshotId: root?.snapshotId ?? "", sizeGib };
}

/** Only direct snapshots of this instance's present and former roots will do. */
function ownSnapshot(
  world: World,
  snapshotId: string,
  place: { readonly instance: InstanceRecord; readonly old: VolumeRecord },
) {
  const snapshot = usableSnapshot(world, snapshotId);
  const formerRoots = world.formerRoots.get(place.instance.id) ?? [];
  if (snapshot.volumeId !== place.old.id && !formerRoots.includes(snapshot.volumeId))
    throw invalidValue(
      `The snapshot '${snapshotId}' was not created from a root volume of the instance '${place.instance.id}'.`,
    );
  return { snapshotId };
}

function launchSnapshot(world: World, instance: InstanceRecord) {
  const image = world.images.get(instance.imageId);
  const root = image?.mappings.find((each) => each.deviceName === image.rootDeviceName);
  if (root?.snapshotId === undefined)
    throw new Ec2Error(
      "InvalidAMIID.NotFound",
      `The image id '[${instance.imageId}]' does not exist`,
    );
  return { snapshotId: root.snapshotId };
}

interface Replacement {
  readonly taskId: string;
  readonly volumeId: string;
  readonly oldVolumeId: string;
}

function scheduleTask(world: World, replacement: Replacement): void {
  const { replaceRootStart, replaceRoot } = world.latencies;
  world.after(replaceRootStart, () => {
    const task = world.replaceRootTasks.get(replacement.taskId);
    if (task?.state !== "pending") return;
    if (world.instances.get(task.instanceId)?.state !== "running") {
      fail(world, replacement);
      return;
    }
    world.replaceRootTasks.update(task.id, { state: "in-progress" });
    reboot(world, task.instanceId, replaceRoot + 1);
  });
  world.after(replaceRootStart + replaceRoot, () => finishTask(world, replacement));
}

/** The old root was never let go of, so a task that fails leaves the instance as it was. */
function fail(world: World, { taskId, volumeId }: Replacement): void {
  world.replaceRootTasks.update(taskId, { state: "failed", completedAt: world.now() });
  if (world.replaceRootTasks.get(taskId)?.volumeId === undefined) deleteVolumeNow(world, volumeId);
  else world.volumes.update(volumeId, { state: "available" });
}

function finishTask(world: World, replacement: Replacement): void {
  const { taskId, volumeId, oldVolumeId } = replacement;
  const task = world.replaceRootTasks.get(taskId);
  if (task?.state !== "in-progress") return;
  const instance = world.instances.get(task.instanceId);
  if (instance?.state !== "running") {
    fail(world, replacement);
    return;
  }
  const deleteOnTermination =
    world.volumes.get(oldVolumeId)?.attachment?.deleteOnTermination ?? true;
  const release = { instanceId: instance.id, isTermination: false };
  finishVolumeRelease(world, oldVolumeId, release);
  holdVolume(world, volumeId, {
    instanceId: instance.id,
    device: instance.rootDeviceName,
    deleteOnTermination,
  });
  confirmVolume(world, volumeId, instance.id);
  const formerRoots = world.formerRoots.get(instance.id) ?? [];
  world.formerRoots.set(instance.id, [...formerRoots, oldVolumeId]);
  if (task.deleteReplacedRootVolume) deleteVolumeNow(world, oldVolumeId);
  if (task.imageId !== undefined) world.instances.update(instance.id, { imageId: task.imageId });
  world.replaceRootTasks.update(taskId, { state: "succeeded", completedAt: world.now() });
}

export const replaceRootActions = {
  CreateReplaceRootVolumeTask: action<
    CreateReplaceRootVolumeTaskRequest,
    CreateReplaceRootVolumeTaskResult
  >(
    {
      ClientToken: true,
      DeleteReplacedRootVolume: true,
      ImageId: true,
      InstanceId: true,
      SnapshotId: true,
      TagSpecifications: true,
      VolumeId: true,
      VolumeInitializationRate: true,
    },
    createTask,
  ),
  DescribeReplaceRootVolumeTasks: action<
    DescribeReplaceRootVolumeTasksRequest,
    DescribeReplaceRootVolumeTasksResult
  >(
    { Filters: true, MaxResults: true, NextToken: true, ReplaceRootVolumeTaskIds: true },
    (world, input) => {
      const page = list(world, listing, { ...input, ids: input.ReplaceRootVolumeTaskIds });
      return { ReplaceRootVolumeTasks: page.rows.map(taskView), NextToken: page.nextToken };
    },
  ),
};
