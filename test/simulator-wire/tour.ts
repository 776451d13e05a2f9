/**
 * A walk through every action that the simulator has, in an order in which each of them succeeds.
 * Run over several transports, it shows that the wire protocol adds and loses nothing.
 */
export interface Step {
  readonly action: string;
  /** Where the output is kept for later steps. */
  readonly as: string;
  readonly input: (outputs: Outputs) => Record<string, unknown>;
  /** The code of the error with which this step must fail; it must succeed otherwise. */
  readonly fails: string | undefined;
  /** How much simulated time passes after the step. */
  readonly thenSeconds: number;
}

/** What earlier steps answered: `outputs("run", "Instances.0.InstanceId")`. */
export type Outputs = (step: string, path: string) => string;

type Input = Record<string, unknown> | ((outputs: Outputs) => Record<string, unknown>);

function step(
  action: string,
  input: Input = {},
  { as = action, fails, thenSeconds = 0 }: Partial<Omit<Step, "action" | "input">> = {},
): Step {
  return {
    action,
    as,
    input: typeof input === "function" ? input : () => input,
    fails,
    thenSeconds,
  };
}

const zone = "us-east-1a";
const instanceId = (got: Outputs) => got("RunInstances", "Instances.0.InstanceId");
const interfaceId = (got: Outputs) =>
  got("CreateNetworkInterface", "NetworkInterface.NetworkInterfaceId");
const rootVolumeId = (got: Outputs) =>
  got("DescribeInstances", "Reservations.0.Instances.0.BlockDeviceMappings.0.Ebs.VolumeId");
// Characters that XML or a form would change if they were not escaped.
const tags = (type: string) => [
  { ResourceType: type, Tags: [{ Key: "Name", Value: `grüße <${type}> & "more"\t+%` }] },
];

/** Every simulated action succeeds at least once on the way, except what can only be refused. */
export function tour(): readonly Step[] {
  return [
    ...surroundings(),
    ...ownNetwork(),
    ...launch(),
    ...attributes(),
    ...volumes(),
    ...interfaces(),
    ...snapshotsAndImages(),
    ...restarts(),
    ...spot(),
    ...farewell(),
  ];
}

function surroundings(): Step[] {
  const offered = { InstanceTypes: ["t3.micro"], ProductDescriptions: ["Linux/UNIX"] };
  const scored = { InstanceTypes: ["t3.micro", "m5.large", "c5.large"], TargetCapacity: 1 };
  return [
    step("DescribeRegions"),
    step("DescribeAvailabilityZones"),
    step("DescribeAccountAttributes"),
    step("GetEbsEncryptionByDefault"),
    step("DescribeVpcs"),
    step("DescribeSubnets", { Filters: [{ Name: "availability-zone", Values: [zone] }] }),
    step("DescribeSecurityGroups"),
    step("DescribeRouteTables"),
    step("DescribeImages", {
      Owners: ["amazon"],
      Filters: [{ Name: "name", Values: ["al2023*x86_64"] }],
    }),
    step("DescribeImages", { Owners: ["amazon"] }, { as: "allImages" }),
    step("DescribeInstanceTypes", { InstanceTypes: ["t3.micro", "m6g.large"] }),
    step("DescribeInstanceTypes", { MaxResults: 5 }, { as: "page" }),
    step("DescribeInstanceTypes", (got) => ({
      MaxResults: 5,
      NextToken: got("page", "NextToken"),
    })),
    step("DescribeInstanceTypeOfferings", { LocationType: "availability-zone" }),
    step("DescribeSpotPriceHistory", { ...offered, StartTime: new Date("2026-01-01T00:00:00Z") }),
    step("GetSpotPlacementScores", { ...scored, RegionNames: ["us-east-1"] }),
    step(
      "DescribeInstances",
      { Filters: [{ Name: "colour" }] },
      { fails: "InvalidParameterValue" },
    ),
    step("DescribeInstances", { InstanceIds: ["i-0123456789abcdef0"] }, { fails: notFound }),
    step("DescribeCarrierGateways", {}, { fails: "InvalidAction" }),
    step("CreateKeyPair", { KeyName: "tour", TagSpecifications: tags("key-pair") }),
    step("ImportKeyPair", { KeyName: "mine", PublicKeyMaterial: publicKey }),
    step("DescribeKeyPairs"),
    step("DeleteKeyPair", { KeyName: "mine" }),
  ];
}

const notFound = "InvalidInstanceID.NotFound";
const publicKey = new TextEncoder().encode(
  `ssh-ed25519 ${Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20".padEnd(51, "k")).toString("base64")} me`,
);

function ownNetwork(): Step[] {
  const vpcId = (got: Outputs) => got("CreateVpc", "Vpc.VpcId");
  const subnetId = (got: Outputs) => got("CreateSubnet", "Subnet.SubnetId");
  const groupId = (got: Outputs) => got("CreateSecurityGroup", "GroupId");
  const rule = (port: number) => [
    { IpProtocol: "tcp", FromPort: port, ToPort: port, IpRanges: [{ CidrIp: "10.0.0.0/8" }] },
  ];
  const rules = (got: Outputs, port: number) => ({
    GroupId: groupId(got),
    IpPermissions: rule(port),
  });
  return [
    step("CreateVpc", { CidrBlock: "10.1.0.0/16", TagSpecifications: tags("vpc") }),
    step("DescribeVpcAttribute", (got) => ({ VpcId: vpcId(got), Attribute: "enableDnsSupport" })),
    step("ModifyVpcAttribute", (got) => ({
      VpcId: vpcId(got),
      EnableDnsHostnames: { Value: true },
    })),
    step("CreateSubnet", (got) => ({ VpcId: vpcId(got), CidrBlock: "10.1.1.0/24" })),
    step("ModifySubnetAttribute", (got) => ({
      SubnetId: subnetId(got),
      MapPublicIpOnLaunch: { Value: true },
    })),
    step("CreateSecurityGroup", (got) => ({
      GroupName: "tour",
      Description: "for the tour",
      VpcId: vpcId(got),
    })),
    step("AuthorizeSecurityGroupIngress", (got) => rules(got, 22)),
    step("AuthorizeSecurityGroupEgress", (got) => rules(got, 443)),
    step("DescribeSecurityGroupRules"),
    step("RevokeSecurityGroupIngress", (got) => rules(got, 22)),
    step("RevokeSecurityGroupEgress", (got) => rules(got, 443)),
    step("DeleteSecurityGroup", (got) => ({ GroupId: groupId(got) })),
    step("DeleteSubnet", (got) => ({ SubnetId: subnetId(got) })),
    step("DeleteVpc", (got) => ({ VpcId: vpcId(got) })),
    step(
      "CreateDefaultSubnet",
      { AvailabilityZone: zone },
      { fails: "DefaultSubnetAlreadyExistsInAvailabilityZone" },
    ),
  ];
}

function launch(): Step[] {
  const request = (got: Outputs) => ({
    ImageId: got("DescribeImages", "Images.0.ImageId"),
    InstanceType: "t3.micro",
    KeyName: "tour",
    MinCount: 1,
    MaxCount: 1,
    ClientToken: "tour-1",
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: interfaceId(got) }],
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { DeleteOnTermination: false } }],
    TagSpecifications: tags("instance"),
    UserData: Buffer.from("#!/bin/sh\necho hello > /etc/motd\n").toString("base64"),
    MetadataOptions: { HttpTokens: "required" },
  });
  const dryRun = (got: Outputs) => ({ ...request(got), DryRun: true });
  return [
    step("CreateNetworkInterface", (got) => ({
      ClientToken: "tour-interface",
      SubnetId: got("DescribeSubnets", "Subnets.0.SubnetId"),
      TagSpecifications: tags("network-interface"),
    })),
    step("RunInstances", dryRun, { as: "dryRun", fails: "DryRunOperation" }),
    step("RunInstances", request, { thenSeconds: 200 }),
    step("DescribeInstances"),
    step("DescribeInstanceStatus"),
    step("DescribeNetworkInterfaces"),
    step("CreateTags", (got) => ({
      Resources: [instanceId(got)],
      Tags: [{ Key: "Stage", Value: "" }],
    })),
    step("DescribeTags"),
    step("DeleteTags", (got) => ({ Resources: [instanceId(got)], Tags: [{ Key: "Stage" }] })),
  ];
}

function attributes(): Step[] {
  const names = ["userData", "disableApiTermination", "blockDeviceMapping", "groupSet"];
  return [
    ...names.map((Attribute) =>
      step("DescribeInstanceAttribute", (got) => ({ InstanceId: instanceId(got), Attribute })),
    ),
    step("ModifyInstanceAttribute", (got) => ({
      InstanceId: instanceId(got),
      DisableApiTermination: { Value: false },
    })),
    step("ModifyInstanceAttribute", (got) => ({
      InstanceId: instanceId(got),
      Attribute: "instanceInitiatedShutdownBehavior",
      Value: "terminate",
    })),
    step("ModifyInstanceMetadataOptions", (got) => ({
      InstanceId: instanceId(got),
      HttpTokens: "optional",
    })),
    step("DescribeInstanceCreditSpecifications", (got) => ({ InstanceIds: [instanceId(got)] })),
  ];
}

function volumes(): Step[] {
  const volumeId = (got: Outputs) => got("CreateVolume", "VolumeId");
  const volume = { AvailabilityZone: zone, Size: 2, VolumeType: "gp3", ClientToken: "tour-volume" };
  const attachment = (got: Outputs) => ({
    InstanceId: instanceId(got),
    VolumeId: volumeId(got),
    Device: "/dev/sdf",
  });
  return [
    step("CreateVolume", { ...volume, TagSpecifications: tags("volume") }, { thenSeconds: 60 }),
    step("AttachVolume", attachment, { thenSeconds: 60 }),
    step("DescribeVolumes"),
    step("CreateSnapshots", (got) => ({
      InstanceSpecification: { InstanceId: instanceId(got) },
      CopyTagsFromSource: "volume",
    })),
    step("DetachVolume", (got) => ({ VolumeId: volumeId(got) }), { thenSeconds: 60 }),
    step("DeleteVolume", (got) => ({ VolumeId: volumeId(got) })),
  ];
}

function interfaces(): Step[] {
  const second = (got: Outputs) => got("second", "NetworkInterface.NetworkInterfaceId");
  const addressOf = (got: Outputs) => ({
    AllocationId: got("AllocateAddress", "AllocationId"),
    NetworkInterfaceId: interfaceId(got),
  });
  return [
    step(
      "CreateNetworkInterface",
      (got) => ({
        ClientToken: "tour-second",
        SubnetId: got("DescribeSubnets", "Subnets.0.SubnetId"),
      }),
      { as: "second", thenSeconds: 5 },
    ),
    step("AssignPrivateIpAddresses", (got) => ({
      NetworkInterfaceId: second(got),
      PrivateIpAddresses: ["172.31.9.9"],
    })),
    step("UnassignPrivateIpAddresses", (got) => ({
      NetworkInterfaceId: second(got),
      PrivateIpAddresses: ["172.31.9.9"],
    })),
    step(
      "AttachNetworkInterface",
      (got) => ({
        InstanceId: instanceId(got),
        NetworkInterfaceId: second(got),
        DeviceIndex: 1,
      }),
      { thenSeconds: 30 },
    ),
    step("DescribeNetworkInterfaceAttribute", (got) => ({
      NetworkInterfaceId: second(got),
      Attribute: "attachment",
    })),
    step("ModifyNetworkInterfaceAttribute", (got) => ({
      NetworkInterfaceId: second(got),
      Description: { Value: "changed" },
    })),
    step(
      "DetachNetworkInterface",
      (got) => ({ AttachmentId: got("AttachNetworkInterface", "AttachmentId") }),
      { thenSeconds: 60 },
    ),
    step("DeleteNetworkInterface", (got) => ({ NetworkInterfaceId: second(got) })),
    step("AllocateAddress", { Domain: "vpc", TagSpecifications: tags("elastic-ip") }),
    step("AssociateAddress", addressOf),
    step("DescribeNetworkInterfaces", {}, { as: "withAddress" }),
    step("DescribeInstances", {}, { as: "withAddress" }),
    step("DescribeAddresses"),
    step("DescribeAddressesAttribute", { Attribute: "domain-name" }),
    step("DisassociateAddress", (got) => ({
      AssociationId: got("AssociateAddress", "AssociationId"),
    })),
    step("ReleaseAddress", (got) => ({ AllocationId: got("AllocateAddress", "AllocationId") })),
  ];
}

function snapshotsAndImages(): Step[] {
  const snapshotId = (got: Outputs) => got("CreateSnapshot", "SnapshotId");
  const imageId = (got: Outputs) => got("RegisterImage", "ImageId");
  const image = (got: Outputs) => ({ ImageId: imageId(got) });
  return [
    step(
      "CreateSnapshot",
      (got) => ({ VolumeId: rootVolumeId(got), TagSpecifications: tags("snapshot") }),
      { thenSeconds: 600 },
    ),
    step("DescribeSnapshots", { OwnerIds: ["self"] }),
    step(
      "RegisterImage",
      (got) => ({
        Name: "tour-registered",
        Architecture: "x86_64",
        VirtualizationType: "hvm",
        EnaSupport: true,
        RootDeviceName: "/dev/xvda",
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: snapshotId(got) } }],
      }),
      { thenSeconds: 120 },
    ),
    step(
      "CreateImage",
      (got) => ({ InstanceId: instanceId(got), Name: "tour-created", NoReboot: true }),
      { thenSeconds: 600 },
    ),
    step("DescribeImages", { Owners: ["self"] }, { as: "own" }),
    step("ModifyImageAttribute", (got) => ({ ...image(got), Description: { Value: "mine" } })),
    step("DescribeImageAttribute", (got) => ({ ...image(got), Attribute: "description" })),
    step("EnableImageDeprecation", (got) => ({
      ...image(got),
      DeprecateAt: new Date("2027-01-01T00:00:00Z"),
    })),
    step("DisableImageDeprecation", image),
    step("DisableImage", image, { thenSeconds: 60 }),
    step("EnableImage", image, { thenSeconds: 60 }),
    step("DeleteSnapshot", (got) => ({ SnapshotId: snapshotId(got) }), {
      fails: "InvalidSnapshot.InUse",
    }),
    step("DeregisterImage", image),
    step("DeleteSnapshot", (got) => ({ SnapshotId: snapshotId(got) })),
    step("DeregisterImage", (got) => ({
      ImageId: got("CreateImage", "ImageId"),
      DeleteAssociatedSnapshots: true,
    })),
  ];
}

function restarts(): Step[] {
  const instance = (got: Outputs) => ({ InstanceIds: [instanceId(got)] });
  return [
    step(
      "CreateReplaceRootVolumeTask",
      (got) => ({ InstanceId: instanceId(got), ClientToken: "tour-root" }),
      { thenSeconds: 600 },
    ),
    step("DescribeReplaceRootVolumeTasks"),
    step("RebootInstances", instance, { thenSeconds: 120 }),
    step("StopInstances", instance, { thenSeconds: 120 }),
    step("StartInstances", instance, { thenSeconds: 120 }),
  ];
}

function spot(): Step[] {
  return [
    step(
      "RunInstances",
      (got) => ({
        ImageId: got("DescribeImages", "Images.0.ImageId"),
        InstanceType: "m5.large",
        MinCount: 1,
        MaxCount: 1,
        ClientToken: "tour-spot",
        InstanceMarketOptions: { MarketType: "spot", SpotOptions: { MaxPrice: "1.5" } },
      }),
      { as: "spot", thenSeconds: 60 },
    ),
    step("DescribeSpotInstanceRequests"),
    step("CancelSpotInstanceRequests", (got) => ({
      SpotInstanceRequestIds: [got("spot", "Instances.0.SpotInstanceRequestId")],
    })),
  ];
}

function farewell(): Step[] {
  return [
    step(
      "TerminateInstances",
      (got) => ({ InstanceIds: [instanceId(got), got("spot", "Instances.0.InstanceId")] }),
      { thenSeconds: 120 },
    ),
    step("DescribeInstances", {}, { as: "terminated" }),
    step("DeleteNetworkInterface", (got) => ({ NetworkInterfaceId: interfaceId(got) })),
  ];
}
