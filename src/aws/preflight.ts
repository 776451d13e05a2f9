/**
 * What EC2 knows about the things that a program names, for the provider's checks before anything is
 * made. Read-only. What does not exist is absent from the answer and never an error, because filters
 * are used where ids would make EC2 refuse the whole call.
 */
import type { Image } from "@aws-sdk/client-ec2";
import { CloudError } from "../engine/ports";
import { allPages, type Ec2 } from "./client";
import { otherDevicesOf } from "./shapes";

export interface ImageFacts {
  imageId: string;
  state: string;
  architecture: string;
  rootDeviceType: string;
  platformDetails: string;
  rootSizeGiB?: number;
  rootDevice: string;
  /** Devices of the EBS volumes that it maps besides its root. */
  otherDevices: readonly string[];
}

export interface SubnetFacts {
  subnetId: string;
  vpcId: string;
  zone: string;
  cidr: string;
}

export interface InstanceTypeFacts {
  instanceType: string;
  architectures: readonly string[];
  usageClasses: readonly string[];
}

export interface Preflight {
  image(imageId: string): Promise<ImageFacts | undefined>;
  subnets(subnetIds: readonly string[]): Promise<SubnetFacts[]>;
  instanceTypes(types: readonly string[]): Promise<InstanceTypeFacts[]>;
  /** Where each type is offered at all, full or not. */
  offerings(types: readonly string[]): Promise<{ instanceType: string; zone: string }[]>;
  securityGroups(groupIds: readonly string[]): Promise<{ groupId: string; vpcId: string }[]>;
  hasKeyPair(keyName: string): Promise<boolean>;
}

export function createPreflight(ec2: Ec2): Preflight {
  return {
    image: (imageId) => findImage(ec2, imageId),
    async subnets(subnetIds) {
      const input = { Filters: [filter("subnet-id", subnetIds)] };
      const { Subnets } = await ec2.call("DescribeSubnets", input);
      return (Subnets ?? []).map((subnet) => ({
        subnetId: subnet.SubnetId ?? "",
        vpcId: subnet.VpcId ?? "",
        zone: subnet.AvailabilityZone ?? "",
        cidr: subnet.CidrBlock ?? "",
      }));
    },
    async instanceTypes(types) {
      const input = { Filters: [filter("instance-type", types)] };
      const found = await allPages(
        ec2,
        "DescribeInstanceTypes",
        input,
        (page) => page.InstanceTypes,
      );
      return found.map((type) => ({
        instanceType: type.InstanceType ?? "",
        architectures: type.ProcessorInfo?.SupportedArchitectures ?? [],
        usageClasses: type.SupportedUsageClasses ?? [],
      }));
    },
    async offerings(types) {
      const found = await allPages(
        ec2,
        "DescribeInstanceTypeOfferings",
        { LocationType: "availability-zone", Filters: [filter("instance-type", types)] },
        (page) => page.InstanceTypeOfferings,
      );
      return found.map((offering) => ({
        instanceType: offering.InstanceType ?? "",
        zone: offering.Location ?? "",
      }));
    },
    async securityGroups(groupIds) {
      const input = { Filters: [filter("group-id", groupIds)] };
      const { SecurityGroups } = await ec2.call("DescribeSecurityGroups", input);
      return (SecurityGroups ?? []).map((group) => ({
        groupId: group.GroupId ?? "",
        vpcId: group.VpcId ?? "",
      }));
    },
    async hasKeyPair(keyName) {
      const input = { Filters: [filter("key-name", [keyName])] };
      const { KeyPairs } = await ec2.call("DescribeKeyPairs", input);
      return (KeyPairs ?? []).length > 0;
    },
  };
}

const filter = (name: string, values: readonly string[]) => ({ Name: name, Values: [...values] });

/** EC2's error code behind an error of the client. */
export function codeOf(error: Error): string {
  const { cause } = error;
  return error instanceof CloudError && cause instanceof Error ? cause.name : error.name;
}

const absentImageCodes = ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"];

/** By id: without it EC2 searches every image that the account may see. */
async function findImage(ec2: Ec2, imageId: string): Promise<ImageFacts | undefined> {
  try {
    const { Images } = await ec2.call("DescribeImages", {
      ImageIds: [imageId],
      IncludeDisabled: true,
    });
    const image = Images?.[0];
    return image && imageFacts(imageId, image);
  } catch (error) {
    if (error instanceof Error && absentImageCodes.includes(codeOf(error))) return undefined;
    throw error;
  }
}

function imageFacts(imageId: string, image: Image): ImageFacts {
  const root = image.BlockDeviceMappings?.find(
    ({ DeviceName }) => DeviceName === image.RootDeviceName,
  );
  return {
    imageId,
    state: image.State ?? "",
    architecture: image.Architecture ?? "",
    rootDeviceType: image.RootDeviceType ?? "",
    platformDetails: image.PlatformDetails ?? "",
    rootSizeGiB: root?.Ebs?.VolumeSize,
    rootDevice: image.RootDeviceName ?? "",
    otherDevices: otherDevicesOf(image),
  };
}
