/** Creating, attaching, detaching, deleting and listing volumes. */
import type {
  AttachVolumeRequest,
  CreateVolumeRequest,
  DeleteVolumeRequest,
  DescribeVolumesRequest,
  DescribeVolumesResult,
  DetachVolumeRequest,
  Volume,
  VolumeAttachment,
  VolumeType,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { rememberedIds, rememberIds } from "./client-tokens";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import { slowDetach } from "./instance-states";
import { keptByRow } from "./kept-views";
import type { InstanceRecord, VolumeRecord } from "./records";
import { find, invalidValue, missingParameter, nouns, required } from "./refusals";
import { tagList, tagsFor } from "./tag-sets";
import {
  beginVolumeRelease,
  confirmVolume,
  deleteVolumeNow,
  finishVolumeRelease,
  holdVolume,
  planVolume,
  publishVolumeEvent,
  volumeAt,
} from "./volume-states";
import { type World, zoneId } from "./world";

const listing: Listing<VolumeRecord> = {
  table: (world) => world.volumes,
  noun: nouns.volume,
  pageSize: [5, 1000],
  filters: {
    "volume-id": (row) => row.id,
    "availability-zone": (row) => row.zone,
    "availability-zone-id": (row, world) => zoneId(world, row.zone),
    "create-time": (row) => new Date(row.createdAt).toISOString(),
    encrypted: (row) => row.encrypted,
    "fast-restored": () => false,
    "multi-attach-enabled": () => false,
    size: (row) => row.sizeGib,
    "snapshot-id": (row) => row.snapshotId ?? "",
    status: (row) => row.state,
    "volume-type": (row) => row.volumeType,
    "attachment.attach-time": (row) =>
      row.attachment === undefined ? undefined : new Date(row.attachment.attachedAt).toISOString(),
    "attachment.delete-on-termination": (row) => row.attachment?.deleteOnTermination,
    "attachment.device": (row) => row.attachment?.device,
    "attachment.instance-id": (row) => row.attachment?.instanceId,
    "attachment.status": (row) => row.attachment?.state,
  },
};

const volumeView = keptByRow(writeVolume);

function writeVolume(world: World, row: VolumeRecord): Volume {
  return {
    Attachments: row.attachment === undefined ? [] : [attachmentView(row)],
    AvailabilityZone: row.zone,
    AvailabilityZoneId: zoneId(world, row.zone),
    CreateTime: new Date(row.createdAt),
    Encrypted: row.encrypted,
    Iops: row.iops,
    KmsKeyId: row.kmsKeyId,
    MultiAttachEnabled: false,
    Size: row.sizeGib,
    SnapshotId: row.snapshotId ?? "",
    State: row.state,
    Tags: tagList(row.tags),
    Throughput: row.throughput,
    VolumeId: row.id,
    VolumeInitializationRate: row.initializationRate,
    VolumeType: row.volumeType as VolumeType,
  };
}

function attachmentView(row: VolumeRecord): VolumeAttachment {
  const { attachment } = row;
  if (attachment === undefined) return {};
  return {
    AttachTime: new Date(attachment.attachedAt),
    DeleteOnTermination: attachment.deleteOnTermination,
    Device: attachment.device,
    InstanceId: attachment.instanceId,
    State: attachment.state,
    VolumeId: row.id,
  };
}

function createVolume(world: World, input: CreateVolumeRequest): Volume {
  const remembered = rememberedIds(world, "CreateVolume", input)?.[0];
  if (remembered !== undefined)
    return volumeView(world, find(world.volumes, nouns.volume, remembered));
  const volume = planVolume(world, {
    zone: wantedZone(world, input),
    sizeGib: input.Size,
    volumeType: input.VolumeType,
    iops: input.Iops,
    throughput: input.Throughput,
    encrypted: input.Encrypted,
    kmsKeyId: input.KmsKeyId,
    snapshotId: input.SnapshotId,
    initializationRate: input.VolumeInitializationRate,
    tags: tagsFor(input.TagSpecifications, "volume"),
  });
  world.volumes.insert(volume);
  rememberIds(world, "CreateVolume", input, [volume.id]);
  world.after(world.latencies.volumeCreate, () => {
    if (world.volumes.get(volume.id)?.state !== "creating") return;
    world.volumes.update(volume.id, { state: "available" });
    publishVolumeEvent(world, "createVolume", volume.id, "available");
  });
  return volumeView(world, volume);
}

function wantedZone(world: World, input: CreateVolumeRequest): string {
  const { AvailabilityZone: name, AvailabilityZoneId: id } = input;
  if (name === undefined && id === undefined) throw missingParameter("AvailabilityZone");
  const zone = world.zones.find((each) => each.name === name || each.id === id);
  if (zone === undefined)
    throw new Ec2Error("InvalidZone.NotFound", `The zone '${name ?? id}' does not exist.`);
  return zone.name;
}

function attachVolume(world: World, input: AttachVolumeRequest): VolumeAttachment {
  const volume = find(world.volumes, nouns.volume, required(input.VolumeId, "VolumeId"));
  const instance = find(world.instances, nouns.instance, required(input.InstanceId, "InstanceId"));
  const device = required(input.Device, "Device");
  checkAttachable(world, { volume, instance, device });
  const held = holdVolume(world, volume.id, {
    instanceId: instance.id,
    device,
    deleteOnTermination: false,
  });
  world.after(world.latencies.attach, () => confirmVolume(world, volume.id, instance.id));
  return attachmentView(held);
}

function checkAttachable(
  world: World,
  wish: {
    readonly volume: VolumeRecord;
    readonly instance: InstanceRecord;
    readonly device: string;
  },
): void {
  const { volume, instance, device } = wish;
  if (volume.attachment !== undefined)
    throw new Ec2Error("VolumeInUse", `${volume.id} is already attached to an instance`);
  if (volume.state !== "available")
    throw new Ec2Error("IncorrectState", `Volume '${volume.id}' is not 'available'.`);
  if (instance.state !== "running" && instance.state !== "stopped")
    throw new Ec2Error("IncorrectState", `Instance '${instance.id}' is not 'running'.`);
  if (volume.zone !== instance.zone)
    throw new Ec2Error(
      "InvalidVolume.ZoneMismatch",
      `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`,
    );
  if (volumeAt(world, instance, device) !== undefined)
    throw invalidValue(
      `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
    );
}

function detachVolume(world: World, input: DetachVolumeRequest): VolumeAttachment {
  const volume = find(world.volumes, nouns.volume, required(input.VolumeId, "VolumeId"));
  const { attachment } = volume;
  const isNamed =
    attachment !== undefined &&
    [undefined, attachment.instanceId].includes(input.InstanceId) &&
    [undefined, attachment.device].includes(input.Device);
  if (!isNamed || attachment === undefined)
    throw new Ec2Error("IncorrectState", `Volume '${volume.id}' is in the 'available' state.`);
  const instance = world.instances.get(attachment.instanceId);
  const isRoot = instance?.rootDeviceName === attachment.device;
  if (isRoot && instance.state !== "stopped")
    throw new Ec2Error(
      "OperationNotPermitted",
      `Unable to detach root volume '${volume.id}' from instance '${instance.id}'`,
    );
  beginVolumeRelease(world, volume.id);
  world.after(world.latencies.detach + slowDetach(world), () =>
    finishVolumeRelease(world, volume.id, {
      instanceId: attachment.instanceId,
      isTermination: false,
    }),
  );
  return attachmentView(find(world.volumes, nouns.volume, volume.id));
}

function deleteVolume(world: World, input: DeleteVolumeRequest) {
  const volume = find(world.volumes, nouns.volume, required(input.VolumeId, "VolumeId"));
  if (volume.attachment !== undefined)
    throw new Ec2Error(
      "VolumeInUse",
      `Volume ${volume.id} is currently attached to ${volume.attachment.instanceId}`,
    );
  if (volume.state !== "available" && volume.state !== "error")
    throw new Ec2Error("IncorrectState", `The volume '${volume.id}' is '${volume.state}'`);
  deleteVolumeNow(world, volume.id);
  return {};
}

export const volumeActions = {
  CreateVolume: action<CreateVolumeRequest, Volume>(
    {
      AvailabilityZone: true,
      AvailabilityZoneId: true,
      ClientToken: true,
      Encrypted: true,
      Iops: true,
      KmsKeyId: true,
      MultiAttachEnabled: [false],
      Size: true,
      SnapshotId: true,
      TagSpecifications: true,
      Throughput: true,
      VolumeInitializationRate: true,
      VolumeType: true,
    },
    createVolume,
  ),
  AttachVolume: action<AttachVolumeRequest, VolumeAttachment>(
    { Device: true, InstanceId: true, VolumeId: true },
    attachVolume,
  ),
  DetachVolume: action<DetachVolumeRequest, VolumeAttachment>(
    { Device: true, Force: true, InstanceId: true, VolumeId: true },
    detachVolume,
  ),
  DeleteVolume: action<DeleteVolumeRequest, object>({ VolumeId: true }, deleteVolume),
  DescribeVolumes: action<DescribeVolumesRequest, DescribeVolumesResult>(
    { VolumeIds: true, Filters: true, MaxResults: true, NextToken: true },
    (world, input) => {
      const page = list(world, listing, { ...input, ids: input.VolumeIds });
      return {
        Volumes: page.rows.map((row) => volumeView(world, row)),
        NextToken: page.nextToken,
      };
    },
  ),
};
