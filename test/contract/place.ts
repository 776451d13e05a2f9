/** Finds where the suite can work: a default subnet whose zone offers its types, and a small image. */
import type { EC2, Image } from "@aws-sdk/client-ec2";
import { type Place, TYPES } from "./target";

export interface PlaceWish {
  /** A subnet to use in place of a default one. */
  readonly subnetId?: string;
}

export async function discoverPlace(ec2: EC2, { subnetId }: PlaceWish = {}): Promise<Place> {
  const zones = await zonesWithTypes(ec2);
  const Filters = subnetId === undefined ? [{ Name: "default-for-az", Values: ["true"] }] : [];
  const { Subnets = [] } = await ec2.describeSubnets({
    Filters,
    SubnetIds: subnetId === undefined ? undefined : [subnetId],
  });
  const subnet = Subnets.filter((each) => zones.has(each.AvailabilityZone ?? ""))
    .sort((one, other) => compare(one.AvailabilityZone, other.AvailabilityZone))
    .at(0);
  if (subnet === undefined)
    throw new Error(
      `no ${subnetId ?? "default subnet"} in a zone that offers ${TYPES.small} and ${TYPES.larger}: name another one with SUBNET=subnet-…`,
    );
  const image = await smallImage(ec2);
  return {
    zone: subnet.AvailabilityZone ?? "",
    subnetId: subnet.SubnetId ?? "",
    imageId: image.ImageId ?? "",
    rootDeviceName: image.RootDeviceName ?? "",
    rootSizeGib: rootSizeOf(image),
    platformDetails: image.PlatformDetails ?? "",
  };
}

async function zonesWithTypes(ec2: EC2): Promise<ReadonlySet<string>> {
  const offered = async (type: string) => {
    const { InstanceTypeOfferings = [] } = await ec2.describeInstanceTypeOfferings({
      LocationType: "availability-zone",
      Filters: [{ Name: "instance-type", Values: [type] }],
    });
    return InstanceTypeOfferings.flatMap((each) => each.Location ?? []);
  };
  const larger = new Set(await offered(TYPES.larger));
  return new Set((await offered(TYPES.small)).filter((zone) => larger.has(zone)));
}

function rootSizeOf({ RootDeviceName, BlockDeviceMappings = [] }: Image): number {
  const root = BlockDeviceMappings.find((each) => each.DeviceName === RootDeviceName);
  return root?.Ebs?.VolumeSize ?? 8;
}

/** The newest of the first family that is there; all of them boot on an x86_64 Nitro instance. */
const FAMILIES = ["al2023-ami-2023*x86_64", "amzn2-ami-hvm*x86_64*", "amzn-ami-hvm*x86_64*"];

async function smallImage(ec2: EC2): Promise<Image> {
  for (const family of FAMILIES) {
    const image = await newestImage(ec2, family);
    if (image !== undefined) return image;
  }
  throw new Error(`no image of Amazon's is called ${FAMILIES.join(" or ")}`);
}

export async function newestImage(
  ec2: EC2,
  name: string,
  owner = "amazon",
): Promise<Image | undefined> {
  const { Images = [] } = await ec2.describeImages({
    Owners: [owner],
    Filters: [
      { Name: "name", Values: [name] },
      { Name: "root-device-type", Values: ["ebs"] },
    ],
  });
  return Images.sort((one, other) => compare(one.CreationDate, other.CreationDate)).at(-1);
}

function compare(one = "", other = ""): number {
  return one < other ? -1 : 1;
}
