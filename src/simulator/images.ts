/** Listing, changing and deregistering images. */
import type {
  ArchitectureValues,
  BlockDeviceMapping,
  BootModeValues,
  DeregisterImageRequest,
  DeregisterImageResult,
  DescribeImageAttributeRequest,
  DescribeImagesRequest,
  DescribeImagesResult,
  DisableImageDeprecationRequest,
  DisableImageDeprecationResult,
  DisableImageRequest,
  DisableImageResult,
  EnableImageDeprecationRequest,
  EnableImageDeprecationResult,
  EnableImageRequest,
  EnableImageResult,
  Image,
  ImageAttribute,
  ImageState,
  ImdsSupportValues,
  ModifyImageAttributeRequest,
  PlatformValues,
  TpmSupportValues,
  VirtualizationType,
  VolumeType,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { type FilterValues, type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import { deregister, disable, enable } from "./image-states";
import { keptByRow } from "./kept-views";
import type { ImageMapping, ImageRecord } from "./records";
import { find, invalidCombination, notSimulated, nouns, required } from "./refusals";
import { ownerMatcher, removeSnapshot } from "./snapshots";
import { tagList } from "./tag-sets";
import type { World } from "./world";

type ImageFilter = FilterValues<ImageRecord>;

function ofMappings(
  value: (mapping: ImageMapping) => string | number | boolean | undefined,
): ImageFilter {
  return (row) => row.mappings.map(value);
}

const listing: Listing<ImageRecord> = {
  table: (world) => world.images,
  noun: nouns.image,
  pageSize: [1, 1000],
  filters: {
    architecture: (row) => row.architecture,
    "block-device-mapping.delete-on-termination": ofMappings((each) => each.deleteOnTermination),
    "block-device-mapping.device-name": ofMappings((each) => each.deviceName),
    "block-device-mapping.encrypted": ofMappings((each) => each.encrypted),
    "block-device-mapping.snapshot-id": ofMappings((each) => each.snapshotId),
    "block-device-mapping.volume-size": ofMappings((each) => each.sizeGib),
    "block-device-mapping.volume-type": ofMappings((each) => each.volumeType),
    "creation-date": (row) => new Date(row.createdAt).toISOString(),
    description: (row) => row.description,
    "ena-support": (row) => row.enaSupport ?? false,
    hypervisor: () => "xen",
    "image-id": (row) => row.id,
    "image-type": () => "machine",
    "is-public": (row) => row.isPublic,
    name: (row) => row.name,
    "owner-alias": (row) => row.ownerAlias,
    "owner-id": (row) => row.ownerId,
    platform: (row) => row.platform.name,
    "root-device-name": (row) => row.rootDeviceName,
    "root-device-type": () => "ebs",
    "source-instance-id": (row) => row.sourceInstanceId,
    "source-image-id": (row) => row.sourceImageId,
    state: (row) => row.state,
    "state-reason-code": (row) => row.stateReason?.code,
    "virtualization-type": (row) => row.virtualizationType,
  },
  indexedFilter: "name",
};

const imageView = keptByRow(writeImage);

function writeImage(world: World, row: ImageRecord): Image {
  return {
    Architecture: row.architecture as ArchitectureValues,
    BlockDeviceMappings: row.mappings.map(mappingView),
    BootMode: row.bootMode as BootModeValues | undefined,
    CreationDate: new Date(row.createdAt).toISOString(),
    DeprecationTime: dateText(row.deprecationAt),
    DeregistrationProtection: row.isProtected ? "enabled" : "disabled",
    Description: row.description,
    EnaSupport: row.enaSupport,
    Hypervisor: "xen",
    ImageId: row.id,
    ImageLocation: `${row.ownerAlias ?? world.account}/${row.name}`,
    ImageOwnerAlias: row.ownerAlias,
    ImageType: "machine",
    ImdsSupport: row.imdsSupport as ImdsSupportValues | undefined,
    Name: row.name,
    OwnerId: row.ownerId,
    // The model says Windows, EC2 says windows.
    Platform: row.platform.name as PlatformValues | undefined,
    PlatformDetails: row.platform.details,
    ProductCodes: [],
    Public: row.isPublic,
    RootDeviceName: row.rootDeviceName,
    RootDeviceType: "ebs",
    SourceImageId: row.sourceImageId,
    SourceImageRegion: row.sourceImageId === undefined ? undefined : world.region,
    SourceInstanceId: row.sourceInstanceId,
    SriovNetSupport: row.sriovNetSupport,
    State: row.state as ImageState,
    StateReason:
      row.stateReason === undefined
        ? undefined
        : { Code: row.stateReason.code, Message: row.stateReason.message },
    Tags: tagList(row.tags),
    TpmSupport: row.tpmSupport as TpmSupportValues | undefined,
    UsageOperation: row.platform.usageOperation,
    VirtualizationType: row.virtualizationType as VirtualizationType,
  };
}

function dateText(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

function mappingView(mapping: ImageMapping): BlockDeviceMapping {
  if (mapping.virtualName !== undefined)
    return { DeviceName: mapping.deviceName, VirtualName: mapping.virtualName };
  return {
    DeviceName: mapping.deviceName,
    Ebs: {
      DeleteOnTermination: mapping.deleteOnTermination,
      Encrypted: mapping.encrypted,
      Iops: mapping.iops,
      SnapshotId: mapping.snapshotId,
      Throughput: mapping.throughput,
      VolumeSize: mapping.sizeGib,
      VolumeType: mapping.volumeType as VolumeType | undefined,
    },
  };
}

function describeImages(world: World, input: DescribeImagesRequest): DescribeImagesResult {
  const owners = ownerMatcher(world, input.Owners);
  const users = input.ExecutableUsers;
  const isExecutable = (row: ImageRecord) =>
    users === undefined ||
    users.length === 0 ||
    users.some((user) =>
      user === "all" ? row.isPublic : row.ownerId !== world.account && row.isPublic,
    );
  const isVisible = (row: ImageRecord) =>
    (row.isPublic || row.ownerId === world.account) &&
    owners(row) &&
    isExecutable(row) &&
    (row.state !== "disabled" || input.IncludeDisabled === true);
  const page = list(world, { ...listing, isVisible }, { ...input, ids: input.ImageIds });
  return { Images: page.rows.map((row) => imageView(world, row)), NextToken: page.nextToken };
}

function ownImage(world: World, imageId: string | undefined): ImageRecord {
  const id = required(imageId, "ImageId");
  const image = find(world.images, nouns.image, id);
  if (image.ownerId !== world.account)
    throw new Ec2Error("AuthFailure", `Not authorized for image:${id}`);
  if (image.state === "deregistered")
    throw new Ec2Error("InvalidAMIID.Unavailable", `The image ID '${id}' is no longer available`);
  return image;
}

function deregisterImage(world: World, input: DeregisterImageRequest): DeregisterImageResult {
  const image = ownImage(world, input.ImageId);
  deregister(world, image);
  const snapshotIds = image.mappings.flatMap(({ snapshotId }) => snapshotId ?? []);
  if (input.DeleteAssociatedSnapshots !== true) return { Return: true };
  return {
    Return: true,
    DeleteSnapshotResults: snapshotIds.map((id) => ({
      SnapshotId: id,
      ReturnCode: deleteIfUnused(world, id),
    })),
  };
}

/** A snapshot that another image uses too is left alone. */
function deleteIfUnused(world: World, id: string) {
  const snapshot = world.snapshots.get(id);
  if (snapshot === undefined) return "skipped" as const;
  if (world.imagesBySnapshot.has(id)) return "skipped" as const;
  removeSnapshot(world, snapshot);
  return "success" as const;
}

function modifyImageAttribute(world: World, input: ModifyImageAttributeRequest) {
  const image = ownImage(world, input.ImageId);
  const description =
    input.Description?.Value ?? (input.Attribute === "description" ? input.Value : undefined);
  if (description === undefined) throw invalidCombination("No attributes specified.");
  world.images.update(image.id, { description });
  return {};
}

function describeImageAttribute(
  world: World,
  input: DescribeImageAttributeRequest,
): ImageAttribute {
  const image = ownImage(world, input.ImageId);
  if (input.Attribute === "description")
    return { ImageId: image.id, Description: { Value: image.description ?? "" } };
  if (input.Attribute === "launchPermission") return { ImageId: image.id, LaunchPermissions: [] };
  if (input.Attribute === "uefiData")
    return { ImageId: image.id, UefiData: { Value: image.uefiData } };
  throw notSimulated(`the image attribute ${String(input.Attribute)}`);
}

export const imageActions = {
  DeregisterImage: action<DeregisterImageRequest, DeregisterImageResult>(
    { ImageId: true, DeleteAssociatedSnapshots: true },
    deregisterImage,
  ),
  DescribeImages: action<DescribeImagesRequest, DescribeImagesResult>(
    {
      ImageIds: true,
      Owners: true,
      ExecutableUsers: true,
      Filters: true,
      IncludeDeprecated: true,
      IncludeDisabled: true,
      MaxResults: true,
      NextToken: true,
    },
    describeImages,
  ),
  DescribeImageAttribute: action<DescribeImageAttributeRequest, ImageAttribute>(
    { Attribute: true, ImageId: true },
    describeImageAttribute,
  ),
  ModifyImageAttribute: action<ModifyImageAttributeRequest, object>(
    { Attribute: true, Description: true, ImageId: true, Value: true },
    modifyImageAttribute,
  ),
  DisableImage: action<DisableImageRequest, DisableImageResult>(
    { ImageId: true },
    (world, input) => {
      disable(world, ownImage(world, input.ImageId));
      return { Return: true };
    },
  ),
  EnableImage: action<EnableImageRequest, EnableImageResult>({ ImageId: true }, (world, input) => {
    enable(world, ownImage(world, input.ImageId));
    return { Return: true };
  }),
  EnableImageDeprecation: action<EnableImageDeprecationRequest, EnableImageDeprecationResult>(
    { ImageId: true, DeprecateAt: true },
    (world, input) => {
      const deprecationAt = required(input.DeprecateAt, "DeprecateAt").getTime();
      world.images.update(ownImage(world, input.ImageId).id, { deprecationAt });
      return { Return: true };
    },
  ),
  DisableImageDeprecation: action<DisableImageDeprecationRequest, DisableImageDeprecationResult>(
    { ImageId: true },
    (world, input) => {
      world.images.update(ownImage(world, input.ImageId).id, { deprecationAt: undefined });
      return { Return: true };
    },
  ),
};
