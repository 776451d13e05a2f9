import type { Instance, NetworkInterface, Volume } from "@aws-sdk/client-ec2";
import { DEFAULT_SECURITY_GROUP_ID, DEFAULT_VPC_ID, IMAGE_IDS } from "../../src/simulator";
import { createTester, SPOT, SUBNET_A } from "./tester";

const TAGS = [{ Key: "name", Value: "one" }];

/** Two machines that differ in all that filters look at; the first is to be found. */
function twoMachines() {
  const tester = createTester();
  const { call, sim } = tester;
  call("ImportKeyPair", { KeyName: "mine", PublicKeyMaterial: Buffer.from("ssh-rsa A") });
  const id = tester.boot({
    ClientToken: "token-1",
    KeyName: "mine",
    IamInstanceProfile: { Name: "web" },
    InstanceMarketOptions: SPOT,
    MetadataOptions: { HttpTokens: "optional" },
    Monitoring: { Enabled: true },
    SecurityGroupIds: [DEFAULT_SECURITY_GROUP_ID],
    TagSpecifications: (["instance", "volume", "network-interface"] as const).map(
      (ResourceType) => ({ ResourceType, Tags: TAGS }),
    ),
  });
  sim.clock.advance(60);
  const { Vpc } = call("CreateVpc", { CidrBlock: "10.0.0.0/16" });
  const { Subnet } = call("CreateSubnet", {
    VpcId: Vpc?.VpcId,
    CidrBlock: "10.0.0.0/24",
    AvailabilityZone: "us-east-1b",
  });
  const other = tester.boot({
    ImageId: IMAGE_IDS.amazonLinuxArm,
    InstanceType: "m6g.large",
    SubnetId: Subnet?.SubnetId,
    BlockDeviceMappings: [
      {
        DeviceName: "/dev/xvda",
        Ebs: { VolumeSize: 20, VolumeType: "gp2", Encrypted: true, DeleteOnTermination: false },
      },
    ],
  });
  return { tester, id, other, found: tester.instance(id) };
}

describe("filters of DescribeInstances find", () => {
  const machines = twoMachines();
  const instance = machines.found;
  const eni = instance.NetworkInterfaces?.[0];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["architecture", "x86_64"],
    ["availability-zone", "us-east-1a"],
    ["availability-zone-id", "use1-az1"],
    ["block-device-mapping.volume-id", instance.BlockDeviceMappings?.[0]?.Ebs?.VolumeId],
    ["block-device-mapping.delete-on-termination", "true"],
    ["client-token", "token-*"],
    ["dns-name", instance.PublicDnsName],
    ["iam-instance-profile.arn", "*instance-profile/web"],
    ["image-id", IMAGE_IDS.amazonLinux],
    ["instance-id", instance.InstanceId],
    ["instance-lifecycle", "spot"],
    ["instance-type", "t3.*"],
    ["instance.group-id", DEFAULT_SECURITY_GROUP_ID],
    ["ip-address", instance.PublicIpAddress],
    ["key-name", "mine"],
    ["launch-time", "2026-01-01T00:00:00.000Z"],
    ["metadata-options.http-tokens", "optional"],
    ["monitoring-state", "enabled"],
    ["network-interface.network-interface-id", eni?.NetworkInterfaceId],
    ["network-interface.addresses.private-ip-address", instance.PrivateIpAddress],
    ["network-interface.vpc-id", DEFAULT_VPC_ID],
    ["private-dns-name", instance.PrivateDnsName],
    ["private-ip-address", instance.PrivateIpAddress],
    ["spot-instance-request-id", instance.SpotInstanceRequestId],
    ["subnet-id", SUBNET_A],
    ["tag:name", "one"],
    ["tag-key", "name"],
    ["tag-value", "one"],
    ["vpc-id", DEFAULT_VPC_ID],
  ];

  test.each(cases)("by %s alone the one that has %s", (Name, value) => {
    const { Reservations = [] } = machines.tester.call("DescribeInstances", {
      Filters: [{ Name, Values: [value ?? "missing"] }],
    });
    const ids = Reservations.flatMap((each) => each.Instances ?? []).map(
      (each: Instance) => each.InstanceId,
    );
    expect(ids).toEqual([machines.id]);
  });

  test.each([
    ["instance-state-name", "running"],
    ["instance-state-code", "16"],
    ["owner-id", "123456789012"],
    ["root-device-name", "/dev/xvda"],
    ["root-device-type", "ebs"],
    ["virtualization-type", "hvm"],
    ["hypervisor", "xen"],
    ["launch-index", "0"],
    ["platform-details", "Linux/UNIX"],
    ["tenancy", "default"],
    ["instance.group-name", "default"],
    ["block-device-mapping.status", "attached"],
    ["block-device-mapping.device-name", "/dev/xvda"],
    ["usage-operation", "RunInstances"],
  ])("by %s = %s both", (Name, value) => {
    const found = machines.tester.call("DescribeInstances", {
      Filters: [{ Name, Values: [value] }],
    });
    expect(found.Reservations).toHaveLength(2);
  });
});

describe("filters of DescribeVolumes find", () => {
  const machines = twoMachines();
  test.each([
    ["volume-id", machines.found.BlockDeviceMappings?.[0]?.Ebs?.VolumeId],
    ["availability-zone", "us-east-1a"],
    ["availability-zone-id", "use1-az1"],
    ["attachment.delete-on-termination", "true"],
    ["attachment.instance-id", machines.id],
    ["create-time", "2026-01-01T00:00:00.000Z"],
    ["attachment.attach-time", "2026-01-01T00:00:00.000Z"],
    ["encrypted", "false"],
    ["size", "8"],
    ["snapshot-id", "snap-0a12023000000001a"],
    ["tag:name", "o*"],
    ["volume-type", "gp3"],
  ])("by %s alone the one that has %s", (Name, value) => {
    const { Volumes = [] } = machines.tester.call("DescribeVolumes", {
      Filters: [{ Name, Values: [value ?? "missing"] }],
    });
    expect(Volumes.map((each: Volume) => each.Attachments?.[0]?.InstanceId)).toEqual([machines.id]);
  });
});

describe("filters of DescribeNetworkInterfaces find", () => {
  const machines = twoMachines();
  const eni = machines.found.NetworkInterfaces?.[0];
  test.each([
    ["network-interface-id", eni?.NetworkInterfaceId],
    ["subnet-id", SUBNET_A],
    ["vpc-id", DEFAULT_VPC_ID],
    ["availability-zone", "us-east-1a"],
    ["group-id", DEFAULT_SECURITY_GROUP_ID],
    ["mac-address", eni?.MacAddress],
    ["private-ip-address", eni?.PrivateIpAddress],
    ["addresses.private-ip-address", eni?.PrivateIpAddress],
    ["association.public-ip", eni?.Association?.PublicIp],
    ["attachment.attachment-id", eni?.Attachment?.AttachmentId],
    ["attachment.instance-id", machines.id],
    ["tag:name", "one"],
  ])("by %s alone the one that has %s", (Name, value) => {
    const { NetworkInterfaces = [] } = machines.tester.call("DescribeNetworkInterfaces", {
      Filters: [{ Name, Values: [value ?? "missing"] }],
    });
    expect(NetworkInterfaces.map((each: NetworkInterface) => each.Attachment?.InstanceId)).toEqual([
      machines.id,
    ]);
  });
});

describe("what a terminated instance no longer shows", () => {
  test("is not found by either", () => {
    const { tester, id, found } = twoMachines();
    tester.call("TerminateInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(60);
    const find = (Name: string, value: string | undefined) =>
      tester.call("DescribeInstances", { Filters: [{ Name, Values: [value ?? ""] }] }).Reservations
        ?.length;
    expect(find("private-ip-address", found.PrivateIpAddress)).toBe(0);
    expect(find("vpc-id", DEFAULT_VPC_ID)).toBe(0);
    expect(find("instance-state-name", "terminated")).toBe(1);
  });
});
