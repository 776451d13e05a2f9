/**
 * RegisterImage, whose defaults are i386, paravirtual and no ENA and which inherits next to nothing
 * from its snapshot, and CreateImage, which needs the instance and keeps everything (ec2-facts §3).
 */
import {
  type BlockDeviceMapping,
  BootModeValues,
  type CreateImageRequest,
  type CreateImageResult,
  ImdsSupportValues,
  type RegisterImageRequest,
  type RegisterImageResult,
  TpmSupportValues,
  VolumeType,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { Ec2Error } from "./errors";
import { checkImageName, finishImage, insertImage, oneOf, scheduleImage } from "./image-states";
import { reboot } from "./instance-states";
import type {
  ImageMapping,
  ImageRecord,
  InstanceRecord,
  Platform,
  SnapshotRecord,
} from "./records";
import { find, invalidCombination, invalidValue, nouns, required } from "./refusals";
import { checkSnapshotLimits, insertSnapshot } from "./snapshot-states";
import { tagsFor } from "./tag-sets";
import { usableSnapshot } from "./volume-states";
import type { World } from "./world";

const LINUX: Platform = { details: "Linux/UNIX", usageOperation: "RunInstances" };

function registerImage(world: World, input: RegisterImageRequest): RegisterImageResult {
  const name = required(input.Name, "Name");
  const rootDeviceName = required(input.RootDeviceName, "RootDeviceName");
  const mappings = (input.BlockDeviceMappings ?? []).map((each) => mappingOf(world, each));
  const root = mappings.find((each) => each.deviceName === rootDeviceName);
  if (root?.snapshotId === undefined)
    throw new Ec2Error(
      "InvalidBlockDeviceMapping",
      `The root device ${rootDeviceName} must have a snapshot in the block device mapping`,
    );
  const tags = tagsFor(input.TagSpecifications, "image");
  checkImageName(world, name);
  const snapshot = usableSnapshot(world, root.snapshotId);
  const image = insertImage(world, {
    id: world.newId("ami"),
    tags,
    createdAt: world.now(),
    name,
    description: input.Description,
    ownerId: world.account,
    isPublic: false,
    state: "pending",
    architecture: oneOf(input.Architecture ?? "i386", ["i386", "x86_64", "arm64"], "architecture"),
    virtualizationType: oneOf(
      input.VirtualizationType ?? "paravirtual",
      ["hvm", "paravirtual"],
      "virtualizationType",
    ),
    enaSupport: input.EnaSupport,
    sriovNetSupport: input.SriovNetSupport,
    bootMode: input.BootMode,
    tpmSupport: input.TpmSupport,
    imdsSupport: input.ImdsSupport,
    uefiData: input.UefiData,
    rootDeviceName,
    mappings,
    platform: derivedPlatform(world, snapshot),
    isProtected: false,
  });
  scheduleImage(world, image.id);
  return { ImageId: image.id };
}

/** Whether the snapshot carries the metadata that billing is derived from is the simulator's option. */
function derivedPlatform(world: World, snapshot: SnapshotRecord): Platform {
  return world.options.registerImageDerivesPlatform === true ? snapshot.disk.platform : LINUX;
}

function mappingOf(world: World, mapping: BlockDeviceMapping): ImageMapping {
  const deviceName = required(mapping.DeviceName, "BlockDeviceMapping.DeviceName");
  const ebs = mapping.Ebs;
  if (ebs === undefined) return { deviceName, virtualName: mapping.VirtualName };
  if (ebs.SnapshotId !== undefined && ebs.Encrypted !== undefined)
    throw invalidValue(
      `the encrypted flag cannot be specified since device ${deviceName} has a snapshot specified.`,
    );
  const snapshot = ebs.SnapshotId === undefined ? undefined : usableSnapshot(world, ebs.SnapshotId);
  const sizeGib = ebs.VolumeSize ?? snapshot?.sizeGib;
  if (sizeGib === undefined || (snapshot !== undefined && sizeGib < snapshot.sizeGib))
    throw new Ec2Error(
      "InvalidBlockDeviceMapping",
      `Volume of size ${sizeGib ?? 0}GB is smaller than snapshot '${snapshot?.id ?? ""}', expect size>= ${snapshot?.sizeGib ?? 1}GB`,
    );
  return {
    deviceName,
    snapshotId: ebs.SnapshotId,
    sizeGib,
    volumeType: ebs.VolumeType ?? "standard",
    iops: ebs.Iops,
    throughput: ebs.Throughput,
    deleteOnTermination: ebs.DeleteOnTermination ?? true,
    encrypted: snapshot?.encrypted ?? ebs.Encrypted ?? false,
  };
}

function createImage(world: World, input: CreateImageRequest): CreateImageResult {
  const id = required(input.InstanceId, "InstanceId");
  const name = required(input.Name, "Name");
  const instance = find(world.instances, nouns.instance, id);
  // Impossible after a Spot reclaim, which is why root disks are registered from snapshots.
  if (instance.state !== "running" && instance.state !== "stopped")
    throw new Ec2Error(
      "IncorrectInstanceState",
      `The instance '${id}' is not in a state from which an image can be created.`,
    );
  const tags = tagsFor(input.TagSpecifications, "image", ["image", "snapshot"]);
  const snapshotTags = tagsFor(input.TagSpecifications, "snapshot", ["image", "snapshot"]);
  checkImageName(world, name);
  const volumes = instance.volumeIds
    .flatMap((each) => world.volumes.get(each) ?? [])
    .filter((volume) => volume.attachment?.instanceId === id);
  if (volumes.length === 0) throw invalidCombination(`Instance '${id}' has no volumes.`);
  for (const volume of volumes) checkSnapshotLimits(world, volume);
  const imageId = world.newId("ami");
  const description = `Created by CreateImage(${id}) for ${imageId}`;
  const mappings = volumes.map(
    (volume): ImageMapping => ({
      deviceName: volume.attachment?.device ?? "",
      snapshotId: insertSnapshot(world, volume, { description, tags: snapshotTags }).id,
      sizeGib: volume.sizeGib,
      volumeType: volume.volumeType,
      iops: volume.volumeType === "gp2" ? undefined : volume.iops,
      throughput: volume.throughput,
      deleteOnTermination: volume.attachment?.deleteOnTermination ?? true,
      encrypted: volume.encrypted,
    }),
  );
  const image = {
    ...imageOfInstance(world, instance),
    id: imageId,
    name,
    description: input.Description,
    tags,
    mappings,
  };
  insertImage(world, image);
  if (input.NoReboot !== true && instance.state === "running") reboot(world, id);
  finishWithSnapshots(world, imageId);
  return { ImageId: imageId };
}

function imageOfInstance(world: World, instance: InstanceRecord): Omit<ImageRecord, "name"> {
  const base = world.images.get(instance.imageId);
  return {
    id: "",
    tags: new Map(),
    mappings: [],
    createdAt: world.now(),
    ownerId: world.account,
    isPublic: false,
    state: "pending",
    architecture: instance.architecture,
    virtualizationType: "hvm",
    enaSupport: instance.enaSupport,
    sriovNetSupport: instance.sriovNetSupport,
    bootMode: instance.bootMode,
    tpmSupport: base?.tpmSupport,
    imdsSupport: base?.imdsSupport,
    rootDeviceName: instance.rootDeviceName,
    platform: instance.platform,
    sourceInstanceId: instance.id,
    sourceImageId: instance.imageId,
    isProtected: false,
  };
}

/** An image of an instance is as slow as its slowest snapshot, and fails with it. */
function finishWithSnapshots(world: World, imageId: string): void {
  world.after(1, () => {
    const image = world.images.get(imageId);
    if (image?.state !== "pending") return;
    const states = image.mappings.flatMap(({ snapshotId }) =>
      snapshotId === undefined ? [] : (world.snapshots.get(snapshotId)?.state ?? "error"),
    );
    if (states.includes("error")) finishImage(world, image, true);
    else if (states.includes("pending")) finishWithSnapshots(world, imageId);
    else scheduleImage(world, imageId);
  });
}

const ebs = {
  DeleteOnTermination: true,
  Encrypted: true,
  Iops: true,
  SnapshotId: true,
  Throughput: true,
  VolumeSize: true,
  VolumeType: anyOf(VolumeType),
} as const;

export const imageRegistrationActions = {
  RegisterImage: action<RegisterImageRequest, RegisterImageResult>(
    {
      Architecture: true,
      BlockDeviceMappings: { DeviceName: true, VirtualName: true, Ebs: ebs },
      BootMode: anyOf(BootModeValues),
      Description: true,
      EnaSupport: true,
      ImdsSupport: anyOf(ImdsSupportValues),
      Name: true,
      RootDeviceName: true,
      SriovNetSupport: true,
      TagSpecifications: true,
      TpmSupport: anyOf(TpmSupportValues),
      UefiData: true,
      VirtualizationType: true,
    },
    registerImage,
  ),
  CreateImage: action<CreateImageRequest, CreateImageResult>(
    { Description: true, InstanceId: true, Name: true, NoReboot: true, TagSpecifications: true },
    createImage,
  ),
};
