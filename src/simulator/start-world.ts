/**
 * What exists before the first call: the default VPC with a subnet in each zone, its security group,
 * and Amazon-owned images. The ids are fixed and documented, the same for every seed and region.
 */
import { takeIps } from "./addressing";
import type { Disk, ImageRecord, Platform } from "./records";
import type { World } from "./world";

export const DEFAULT_VPC_ID = "vpc-0d5c0000000000001";
export const DEFAULT_SECURITY_GROUP_ID = "sg-0d5c0000000000001";
/** One in each zone: a, b, c. */
export const DEFAULT_SUBNET_IDS = [
  "subnet-0d5c000000000000a",
  "subnet-0d5c000000000000b",
  "subnet-0d5c000000000000c",
] as const;
export const AMAZON_ACCOUNT = "137112412989";

/** The Amazon-owned images that every simulator starts with. */
export const IMAGE_IDS = {
  amazonLinux: "ami-0a12023000000001a",
  amazonLinuxNewer: "ami-0a12023000000002a",
  amazonLinuxArm: "ami-0a12023000000001b",
  ubuntu: "ami-0b22404000000001a",
  windows: "ami-0c32022000000001a",
} as const;

const LINUX: Platform = { details: "Linux/UNIX", usageOperation: "RunInstances" };
const WINDOWS: Platform = {
  details: "Windows",
  usageOperation: "RunInstances:0002",
  name: "windows",
};
const GIB = 1024 ** 3;

interface AmazonImage {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly architecture: "x86_64" | "arm64";
  readonly rootDeviceName: string;
  readonly sizeGib: number;
  readonly dataGib: number;
  readonly platform: Platform;
  readonly requiresTokens?: boolean;
  readonly bootMode?: string;
  readonly createdAt: string;
  readonly release: string;
}

const amazonImages: readonly AmazonImage[] = [
  {
    id: IMAGE_IDS.amazonLinux,
    name: "al2023-ami-2023.9.20251110.1-kernel-6.1-x86_64",
    description: "Amazon Linux 2023 AMI 2023.9.20251110.1 x86_64 HVM kernel-6.1",
    architecture: "x86_64",
    rootDeviceName: "/dev/xvda",
    sizeGib: 8,
    dataGib: 2,
    platform: LINUX,
    requiresTokens: true,
    bootMode: "uefi-preferred",
    createdAt: "2025-11-10T00:00:00.000Z",
    release: "Amazon Linux 2023.9.20251110",
  },
  {
    id: IMAGE_IDS.amazonLinuxNewer,
    name: "al2023-ami-2023.9.20251208.0-kernel-6.1-x86_64",
    description: "Amazon Linux 2023 AMI 2023.9.20251208.0 x86_64 HVM kernel-6.1",
    architecture: "x86_64",
    rootDeviceName: "/dev/xvda",
    sizeGib: 8,
    dataGib: 2,
    platform: LINUX,
    requiresTokens: true,
    bootMode: "uefi-preferred",
    createdAt: "2025-12-08T00:00:00.000Z",
    release: "Amazon Linux 2023.9.20251208",
  },
  {
    id: IMAGE_IDS.amazonLinuxArm,
    name: "al2023-ami-2023.9.20251208.0-kernel-6.1-arm64",
    description: "Amazon Linux 2023 AMI 2023.9.20251208.0 arm64 HVM kernel-6.1",
    architecture: "arm64",
    rootDeviceName: "/dev/xvda",
    sizeGib: 8,
    dataGib: 2,
    platform: LINUX,
    requiresTokens: true,
    bootMode: "uefi",
    createdAt: "2025-12-08T00:00:00.000Z",
    release: "Amazon Linux 2023.9.20251208",
  },
  {
    id: IMAGE_IDS.ubuntu,
    name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20251115",
    description: "Canonical, Ubuntu, 24.04, amd64 noble image",
    architecture: "x86_64",
    rootDeviceName: "/dev/sda1",
    sizeGib: 8,
    dataGib: 2,
    platform: LINUX,
    bootMode: "uefi-preferred",
    createdAt: "2025-11-15T00:00:00.000Z",
    release: "Ubuntu 24.04 LTS",
  },
  {
    id: IMAGE_IDS.windows,
    name: "Windows_Server-2022-English-Full-Base-2025.12.10",
    description: "Microsoft Windows Server 2022 Full Locale English AMI provided by Amazon",
    architecture: "x86_64",
    rootDeviceName: "/dev/sda1",
    sizeGib: 30,
    dataGib: 16,
    platform: WINDOWS,
    createdAt: "2025-12-10T00:00:00.000Z",
    release: "Windows Server 2022",
  },
];

export function fillStartWorld(world: World): void {
  const createdAt = Date.parse("2025-01-01T00:00:00Z");
  const base = { tags: new Map(), createdAt };
  world.vpcs.insert({
    ...base,
    id: DEFAULT_VPC_ID,
    cidr: "172.31.0.0/16",
    isDefault: true,
    enableDnsSupport: true,
    enableDnsHostnames: true,
  });
  DEFAULT_SUBNET_IDS.forEach((id, index) => {
    world.subnets.insert({
      ...base,
      id,
      vpcId: DEFAULT_VPC_ID,
      zone: world.zones[index]?.name ?? world.region,
      cidr: `172.31.${index * 16}.0/20`,
      isDefault: true,
      mapPublicIp: true,
    });
    takeIps(world, id, []);
  });
  world.securityGroups.insert({
    ...base,
    id: DEFAULT_SECURITY_GROUP_ID,
    name: "default",
    description: "default VPC security group",
    vpcId: DEFAULT_VPC_ID,
    rules: [
      {
        id: "sgr-0d5c0000000000001",
        isEgress: false,
        protocol: "-1",
        groupId: DEFAULT_SECURITY_GROUP_ID,
      },
      { id: "sgr-0d5c0000000000002", isEgress: true, protocol: "-1", cidr: "0.0.0.0/0" },
    ],
  });
  for (const image of amazonImages) addAmazonImage(world, image);
}

function addAmazonImage(world: World, image: AmazonImage): void {
  const createdAt = Date.parse(image.createdAt);
  const snapshotId = image.id.replace("ami-", "snap-");
  const volumeId = "vol-ffffffff";
  world.snapshots.insert({
    id: snapshotId,
    tags: new Map(),
    createdAt,
    ownerId: AMAZON_ACCOUNT,
    ownerAlias: "amazon",
    volumeId,
    sizeGib: image.sizeGib,
    description: image.description,
    encrypted: false,
    state: "completed",
    completesAt: createdAt,
    disk: amazonDisk(image),
    fullBytes: image.dataGib * GIB,
    isPublic: true,
  });
  world.imagesBySnapshot.set(snapshotId, new Set([image.id]));
  world.images.insert(amazonImageRecord(image, snapshotId, createdAt));
}

function amazonImageRecord(image: AmazonImage, snapshotId: string, createdAt: number): ImageRecord {
  return {
    id: image.id,
    tags: new Map(),
    createdAt,
    name: image.name,
    description: image.description,
    ownerId: AMAZON_ACCOUNT,
    ownerAlias: "amazon",
    isPublic: true,
    state: "available",
    architecture: image.architecture,
    virtualizationType: "hvm",
    enaSupport: true,
    sriovNetSupport: "simple",
    bootMode: image.bootMode,
    imdsSupport: image.requiresTokens ? "v2.0" : undefined,
    rootDeviceName: image.rootDeviceName,
    mappings: [
      {
        deviceName: image.rootDeviceName,
        snapshotId,
        sizeGib: image.sizeGib,
        volumeType: "gp3",
        iops: 3000,
        throughput: 125,
        deleteOnTermination: true,
        encrypted: false,
      },
    ],
    platform: image.platform,
    isProtected: false,
  };
}

function amazonDisk(image: AmazonImage): Disk {
  const release = image.platform.name === "windows" ? "C:\\release.txt" : "/etc/os-release";
  return {
    files: new Map([
      [release, `${image.release}\n`],
      ["/etc/image-id", `${image.id}\n`],
    ]),
    dataBytes: image.dataGib * GIB,
    boots: "healthy",
    platform: image.platform,
    baseOwner: AMAZON_ACCOUNT,
  };
}
