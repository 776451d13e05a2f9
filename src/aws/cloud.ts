/**
 * The Cloud on EC2: each step of the engine as the one call that carries it out. A deletion reads
 * the resource again by its id first: its second look (design §4).
 */
import type * as sdk from "@aws-sdk/client-ec2";
import type { Step } from "../engine/model";
import { type Cloud, CloudError, type CloudStep, type StepOutcome } from "../engine/ports";
import { type Tags, tagKeys } from "../engine/tags";
import type { Ec2, Input } from "./client";
import { createObserver } from "./observer";
import { ownImages } from "./own-images";
import { tagsOf } from "./shapes";

type StepOf<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

export function createCloud(ec2: Ec2, clock: { now(): number }): Cloud {
  const now = () => clock.now();
  const observer = createObserver(ec2, now);
  return {
    now,
    observe: observer.observe,
    glance: observer.glance,
    async perform(step) {
      try {
        const id = await carryOut(ec2, step);
        return { kind: "done", created: id === undefined ? undefined : { id } };
      } catch (error) {
        return refusal(error);
      }
    },
  };
}

/** No answer is no refusal: what may have happened is found by looking again. */
function refusal(error: unknown): StepOutcome {
  if (!(error instanceof CloudError) || error.meaning === "unknown") throw error;
  return { kind: "refused", meaning: error.meaning, message: error.message };
}

const tagList = (tags: Tags): sdk.Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const specification = (ResourceType: sdk.ResourceType, tags: Tags): sdk.TagSpecification => ({
  ResourceType,
  Tags: tagList(tags),
});

/** Returns the id of what was created. */
async function carryOut(ec2: Ec2, step: CloudStep): Promise<string | undefined> {
  switch (step.kind) {
    case "create-anchor":
      return createAnchor(ec2, step);
    case "launch":
      return launch(ec2, step);
    case "create-snapshot":
      return createSnapshot(ec2, step);
    case "register-image":
      return (await ec2.call("RegisterImage", registration(step))).ImageId;
    case "terminate":
      await ec2.call("TerminateInstances", { InstanceIds: [step.instanceId] });
      return undefined;
    case "keep-root":
      await ec2.call("ModifyInstanceAttribute", keptRoot(step));
      return undefined;
    case "set-security-groups":
      await ec2.call("ModifyNetworkInterfaceAttribute", {
        NetworkInterfaceId: step.interfaceId,
        Groups: [...step.securityGroupIds],
      });
      return undefined;
    case "tag":
      await ec2.call("CreateTags", { Resources: [...step.resourceIds], Tags: tagList(step.tags) });
      return undefined;
    case "untag":
      await ec2.call("DeleteTags", {
        Resources: [...step.resourceIds],
        Tags: step.keys.map((Key) => ({ Key })),
      });
      return undefined;
    case "delete-anchor":
      await ec2.call("DeleteNetworkInterface", { NetworkInterfaceId: step.interfaceId });
      return undefined;
    case "deregister-image":
    case "delete-snapshot":
    case "delete-volume":
      return deleteCondemned(ec2, step);
  }
}

async function createAnchor(ec2: Ec2, step: StepOf<"create-anchor">) {
  const { NetworkInterface } = await ec2.call("CreateNetworkInterface", {
    ClientToken: step.token,
    SubnetId: step.subnetId,
    PrivateIpAddress: step.privateIp,
    Groups: step.securityGroupIds.length > 0 ? [...step.securityGroupIds] : undefined,
    Description: `managed instance ${step.tags[tagKeys.id] ?? ""}`,
    TagSpecifications: [specification("network-interface", step.tags)],
  });
  return NetworkInterface?.NetworkInterfaceId;
}

/** On the existing interface, so no subnet and no groups here (ec2-facts §1.3). */
async function launch(ec2: Ec2, step: StepOf<"launch">) {
  const { properties } = step;
  const { Instances } = await ec2.call("RunInstances", {
    MinCount: 1,
    MaxCount: 1,
    ClientToken: step.token,
    ImageId: step.imageId,
    InstanceType: step.pool.instanceType as sdk._InstanceType,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: step.interfaceId }],
    BlockDeviceMappings: [rootMapping(step), ...omissions(step)],
    InstanceMarketOptions: step.pool.market === "spot" ? spotOptions(step) : undefined,
    KeyName: properties.keyName,
    IamInstanceProfile: instanceProfile(properties.iamInstanceProfile),
    UserData:
      properties.userData === undefined
        ? undefined
        : Buffer.from(properties.userData).toString("base64"),
    EbsOptimized: properties.ebsOptimized,
    Monitoring: properties.monitoring ? { Enabled: true } : undefined,
    MetadataOptions: {
      HttpEndpoint: "enabled",
      HttpTokens: properties.metadataOptions.httpTokens,
      HttpPutResponseHopLimit: properties.metadataOptions.httpPutResponseHopLimit,
      InstanceMetadataTags: properties.metadataOptions.instanceMetadataTags,
    },
    TagSpecifications: [
      specification("instance", step.instanceTags),
      specification("volume", step.volumeTags),
    ],
  });
  return Instances?.[0]?.InstanceId;
}

function rootMapping({ rootDevice }: StepOf<"launch">): sdk.BlockDeviceMapping {
  return {
    DeviceName: rootDevice.deviceName,
    Ebs: {
      DeleteOnTermination: rootDevice.deleteOnTermination,
      VolumeSize: rootDevice.sizeGiB,
      VolumeType: rootDevice.volumeType as sdk.VolumeType,
      Iops: rootDevice.iops,
      Throughput: rootDevice.throughput,
      Encrypted: rootDevice.encrypted ? true : undefined,
      KmsKeyId: rootDevice.kmsKeyId,
    },
  };
}

/**
 * The tags of a launch go on every volume that it makes, and the image's mappings are made unless the
 * request names them with an empty NoDevice (ec2-facts §2).
 */
const omissions = ({ omittedDevices }: StepOf<"launch">): sdk.BlockDeviceMapping[] =>
  omittedDevices.map((DeviceName) => ({ DeviceName, NoDevice: "" }));

/** One-time: a persistent request would launch a ghost after our terminate (ec2-facts §1.4). */
const spotOptions = ({ properties }: StepOf<"launch">): sdk.InstanceMarketOptionsRequest => ({
  MarketType: "spot",
  SpotOptions: {
    SpotInstanceType: "one-time",
    InstanceInterruptionBehavior: "terminate",
    MaxPrice: properties.maxSpotPrice?.toString(),
  },
});

function instanceProfile(nameOrArn: string | undefined) {
  if (nameOrArn === undefined) return undefined;
  return nameOrArn.startsWith("arn:") ? { Arn: nameOrArn } : { Name: nameOrArn };
}

async function createSnapshot(ec2: Ec2, step: StepOf<"create-snapshot">) {
  const { SnapshotId } = await ec2.call("CreateSnapshot", {
    VolumeId: step.volumeId,
    Description: step.description,
    TagSpecifications: [specification("snapshot", step.tags)],
  });
  return SnapshotId;
}

/** Everything that RegisterImage does not take from the snapshot (ec2-facts §3). */
function registration(step: StepOf<"register-image">): Input<"RegisterImage"> {
  const { platform } = step;
  return {
    Name: step.name,
    Description: `root disk of managed instance ${step.tags[tagKeys.id] ?? ""}`,
    Architecture: platform.architecture as sdk.ArchitectureValues,
    VirtualizationType: "hvm",
    RootDeviceName: platform.rootDeviceName,
    EnaSupport: platform.enaSupport,
    SriovNetSupport: platform.sriovNetSupport,
    BootMode: platform.bootMode as sdk.BootModeValues | undefined,
    TpmSupport: platform.tpmSupport as sdk.TpmSupportValues | undefined,
    ImdsSupport: platform.imdsSupport as sdk.ImdsSupportValues | undefined,
    BlockDeviceMappings: [
      { DeviceName: platform.rootDeviceName, Ebs: { SnapshotId: step.snapshotId } },
    ],
    TagSpecifications: [specification("image", step.tags)],
  };
}

/** Saying DeleteOnTermination is the point: left out it would become true (ec2-facts §2). */
const keptRoot = (step: StepOf<"keep-root">): Input<"ModifyInstanceAttribute"> => ({
  InstanceId: step.instanceId,
  BlockDeviceMappings: [{ DeviceName: step.deviceName, Ebs: { DeleteOnTermination: false } }],
});

type Deletion = StepOf<"deregister-image" | "delete-snapshot" | "delete-volume">;

async function deleteCondemned(ec2: Ec2, step: Deletion): Promise<undefined> {
  const tags = await tagsById(ec2, step);
  if (tags === undefined) return;
  if (tags[tagKeys.id] === undefined || tags[tagKeys.condemned] === undefined)
    throw new CloudError("not-found", `${step.kind}: it is not condemned any more`);
  switch (step.kind) {
    case "deregister-image":
      await ec2.call("DeregisterImage", { ImageId: step.imageId });
      return;
    case "delete-snapshot":
      await ec2.call("DeleteSnapshot", { SnapshotId: step.snapshotId });
      return;
    case "delete-volume":
      await ec2.call("DeleteVolume", { VolumeId: step.volumeId });
      return;
  }
}

/** The tags of what is to be deleted, read by its id; undefined when it is gone. */
async function tagsById(ec2: Ec2, step: Deletion): Promise<Tags | undefined> {
  const found = await findById(ec2, step);
  return found === undefined ? undefined : tagsOf(found.Tags);
}

async function findById(ec2: Ec2, step: Deletion): Promise<{ Tags?: sdk.Tag[] } | undefined> {
  const byId = (name: string, id: string) => [{ Name: name, Values: [id] }];
  switch (step.kind) {
    case "deregister-image": {
      const Filters = byId("image-id", step.imageId);
      return (await ec2.call("DescribeImages", ownImages(Filters))).Images?.[0];
    }
    case "delete-snapshot": {
      const Filters = byId("snapshot-id", step.snapshotId);
      return (await ec2.call("DescribeSnapshots", { OwnerIds: ["self"], Filters })).Snapshots?.[0];
    }
    case "delete-volume": {
      const Filters = byId("volume-id", step.volumeId);
      return (await ec2.call("DescribeVolumes", { Filters })).Volumes?.[0];
    }
  }
}
