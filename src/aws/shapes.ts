/**
 * EC2's answers as the engine's nouns. What carries our tags but does not agree with them in its own
 * attributes is dropped here or in the engine, never trusted.
 */
import type * as sdk from "@aws-sdk/client-ec2";
import { derived } from "../engine/derived";
import type {
  Anchor,
  BaseImage,
  Health,
  Image,
  Instance,
  InstanceState,
  Platform,
  Snapshot,
  Volume,
} from "../engine/model";
import { parseProvenance, type Tags, tagKeys } from "../engine/tags";

export const tagsOf = (tags: readonly sdk.Tag[] | undefined): Tags =>
  tags === undefined ? {} : tagsIn(tags);

const tagsIn = derived(
  (tags: readonly sdk.Tag[]): Tags =>
    Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
);

const instant = (date: Date | undefined) => date?.getTime() ?? 0;

export const anchorOf = derived((found: sdk.NetworkInterface): Anchor => {
  const tags = tagsOf(found.TagSet);
  const movedAt = Date.parse(tags[tagKeys.movedAt] ?? "");
  return {
    interfaceId: found.NetworkInterfaceId ?? "",
    moves: Number(tags[tagKeys.moves] ?? 0),
    movedAt: Number.isNaN(movedAt) ? undefined : movedAt,
    status: found.Status ?? "",
    subnetId: found.SubnetId ?? "",
    zone: found.AvailabilityZone ?? "",
    vpcId: found.VpcId ?? "",
    privateIp: found.PrivateIpAddress ?? "",
    securityGroupIds: (found.Groups ?? []).map((group) => group.GroupId ?? ""),
    attachedInstanceId: found.Attachment?.InstanceId,
    tags,
  };
});

export interface Watchfulness {
  status?: sdk.InstanceStatus;
  spotStatusCode?: string;
}

export function instanceOf(found: sdk.Instance, seen: Watchfulness): Instance {
  const root = found.BlockDeviceMappings?.find((each) => each.DeviceName === found.RootDeviceName);
  return {
    instanceId: found.InstanceId ?? "",
    state: (found.State?.Name ?? "pending") as InstanceState,
    clientToken: found.ClientToken ?? "",
    imageId: found.ImageId ?? "",
    instanceType: found.InstanceType ?? "",
    market: found.InstanceLifecycle === "spot" ? "spot" : "on-demand",
    launchedAt: instant(found.LaunchTime),
    stateReason: found.StateReason?.Code,
    rootVolumeId: root?.Ebs?.VolumeId,
    rootDeletedOnTermination: root?.Ebs?.DeleteOnTermination ?? false,
    platform: platformOf(found),
    health: healthOf(seen.status),
    interruptionNoticed: seen.spotStatusCode === "marked-for-termination",
    tags: tagsOf(found.Tags),
  };
}

/** What instances and images tell alike; an instance does not tell its ImdsSupport. */
interface Described {
  Architecture?: string;
  RootDeviceName?: string;
  BootMode?: string;
  EnaSupport?: boolean;
  SriovNetSupport?: string;
  TpmSupport?: string;
  ImdsSupport?: string;
  PlatformDetails?: string;
}

const platformOf = (found: Described): Platform => ({
  architecture: found.Architecture ?? "x86_64",
  rootDeviceName: found.RootDeviceName ?? "/dev/xvda",
  bootMode: found.BootMode,
  enaSupport: found.EnaSupport,
  sriovNetSupport: found.SriovNetSupport,
  tpmSupport: found.TpmSupport,
  imdsSupport: found.ImdsSupport,
  platformDetails: found.PlatformDetails ?? "Linux/UNIX",
});

/** Both checks must pass; of two impairments the longer counts. */
export function healthOf(status: sdk.InstanceStatus | undefined): Health {
  const checks = [status?.InstanceStatus, status?.SystemStatus];
  const states = checks.map((check) => check?.Status ?? "initializing");
  if (states.includes("impaired")) {
    const times = checks.flatMap((check) =>
      (check?.Details ?? []).map((detail) => detail.ImpairedSince?.getTime()),
    );
    const known = times.filter((at): at is number => at !== undefined);
    return known.length > 0
      ? { kind: "impaired", sinceAt: Math.min(...known) }
      : { kind: "unknown" };
  }
  if (states.every((state) => state === "ok")) return { kind: "ok" };
  return states.includes("initializing") ? { kind: "initializing" } : { kind: "unknown" };
}

export const volumeOf = derived((found: sdk.Volume): Volume[] => {
  const provenance = parseProvenance(tagsOf(found.Tags));
  const isGoing = found.State === "deleting" || found.State === "deleted";
  if (provenance === undefined || isGoing) return [];
  return [
    {
      ...provenance,
      volumeId: found.VolumeId ?? "",
      state: found.State ?? "",
      sizeGiB: found.Size ?? 0,
      attachedInstanceId: found.Attachments?.[0]?.InstanceId,
      createdAt: instant(found.CreateTime),
    },
  ];
});

export const snapshotOf = derived((found: sdk.Snapshot): Snapshot[] => {
  const provenance = parseProvenance(tagsOf(found.Tags));
  if (provenance === undefined) return [];
  return [
    {
      ...provenance,
      snapshotId: found.SnapshotId ?? "",
      volumeId: found.VolumeId ?? "",
      state: found.State ?? "",
      startedAt: instant(found.StartTime),
      sizeGiB: found.VolumeSize ?? 0,
    },
  ];
});

export const imageOf = derived((found: sdk.Image): Image[] => {
  const provenance = parseProvenance(tagsOf(found.Tags));
  if (provenance === undefined || found.State === "deregistered") return [];
  const root = found.BlockDeviceMappings?.find((each) => each.DeviceName === found.RootDeviceName);
  return [
    {
      ...provenance,
      imageId: found.ImageId ?? "",
      name: found.Name ?? "",
      state: found.State ?? "",
      snapshotId: root?.Ebs?.SnapshotId ?? "",
      platformDetails: found.PlatformDetails ?? "",
      createdAt: Date.parse(found.CreationDate ?? "") || 0,
    },
  ];
});

export function baseImageOf(imageId: string, found: sdk.Image | undefined): BaseImage {
  if (found === undefined) return { kind: "absent", imageId };
  const root = found.BlockDeviceMappings?.find((each) => each.DeviceName === found.RootDeviceName);
  return {
    kind: "present",
    imageId,
    state: found.State ?? "",
    platform: platformOf(found),
    rootSizeGiB: root?.Ebs?.VolumeSize ?? 0,
    otherDevices: otherDevicesOf(found),
  };
}

/** Of the EBS volumes that an image maps besides its root; an instance store has a VirtualName instead. */
export const otherDevicesOf = ({ BlockDeviceMappings = [], RootDeviceName }: sdk.Image): string[] =>
  BlockDeviceMappings.filter(({ Ebs }) => Ebs !== undefined)
    .map(({ DeviceName }) => DeviceName ?? "")
    .filter((device) => device !== RootDeviceName);
