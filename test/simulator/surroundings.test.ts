import {
  DEFAULT_SECURITY_GROUP_ID,
  DEFAULT_SUBNET_IDS,
  DEFAULT_VPC_ID,
  IMAGE_IDS,
} from "../../src/simulator";
import { createTester, only } from "./tester";

describe("the start world", () => {
  test("has a default VPC with a subnet in each of three zones and a default group", () => {
    const { call } = createTester();
    expect(only(call("DescribeVpcs", {}).Vpcs)).toMatchObject({
      VpcId: DEFAULT_VPC_ID,
      CidrBlock: "172.31.0.0/16",
      IsDefault: true,
    });
    const subnets = call("DescribeSubnets", {
      Filters: [{ Name: "default-for-az", Values: ["true"] }],
    }).Subnets;
    expect(subnets?.map((each) => [each.SubnetId, each.AvailabilityZone])).toEqual([
      [DEFAULT_SUBNET_IDS[0], "us-east-1a"],
      [DEFAULT_SUBNET_IDS[1], "us-east-1b"],
      [DEFAULT_SUBNET_IDS[2], "us-east-1c"],
    ]);
    expect(only(call("DescribeSecurityGroups", {}).SecurityGroups)).toMatchObject({
      GroupId: DEFAULT_SECURITY_GROUP_ID,
      GroupName: "default",
      IpPermissionsEgress: [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
    });
  });

  test("has Amazon's images for Linux on two architectures and Windows", () => {
    const { image } = createTester();
    expect(image(IMAGE_IDS.amazonLinuxArm).Architecture).toBe("arm64");
    expect(image(IMAGE_IDS.ubuntu).RootDeviceName).toBe("/dev/sda1");
    expect(image(IMAGE_IDS.windows)).toMatchObject({
      PlatformDetails: "Windows",
      UsageOperation: "RunInstances:0002",
      ImageOwnerAlias: "amazon",
    });
  });

  test("lies in the region and account of the options", () => {
    const { call, boot, instance } = createTester({
      region: "eu-central-1",
      account: "111122223333",
    });
    expect(only(call("DescribeRegions", {}).Regions).RegionName).toBe("eu-central-1");
    expect(
      call("DescribeAvailabilityZones", {}).AvailabilityZones?.map((each) => each.ZoneId),
    ).toEqual(["euc1-az1", "euc1-az2", "euc1-az3"]);
    expect(instance(boot()).Placement?.AvailabilityZone).toBe("eu-central-1a");
  });
});

describe("networks", () => {
  test("are made, checked and deleted in order", () => {
    const { call, error } = createTester();
    const VpcId = call("CreateVpc", { CidrBlock: "10.0.0.0/16" }).Vpc?.VpcId ?? "";
    const subnet = (CidrBlock: string) => ({ VpcId, CidrBlock });
    const SubnetId = call("CreateSubnet", subnet("10.0.1.0/24")).Subnet?.SubnetId ?? "";
    expect(error("CreateSubnet", subnet("10.0.1.128/25")).code).toBe("InvalidSubnet.Conflict");
    expect(error("CreateSubnet", subnet("10.1.0.0/24")).code).toBe("InvalidSubnet.Range");
    expect(error("CreateVpc", { CidrBlock: "10.0.0.0/8" }).code).toBe("InvalidVpc.Range");
    expect(error("DeleteVpc", { VpcId }).code).toBe("DependencyViolation");
    const eni = call("CreateNetworkInterface", { SubnetId }).NetworkInterface?.NetworkInterfaceId;
    expect(error("DeleteSubnet", { SubnetId }).code).toBe("DependencyViolation");
    call("DeleteNetworkInterface", { NetworkInterfaceId: eni });
    call("DeleteSubnet", { SubnetId });
    call("DeleteVpc", { VpcId });
    expect(call("DescribeVpcs", {}).Vpcs).toHaveLength(1);
  });

  test("run out of addresses", () => {
    const { call, error } = createTester();
    const VpcId = call("CreateVpc", { CidrBlock: "10.0.0.0/16" }).Vpc?.VpcId;
    const SubnetId = call("CreateSubnet", { VpcId, CidrBlock: "10.0.0.0/28" }).Subnet?.SubnetId;
    const addresses = Array.from(
      { length: 11 },
      () => call("CreateNetworkInterface", { SubnetId }).NetworkInterface?.PrivateIpAddress,
    );
    expect(new Set(addresses).size).toBe(11);
    expect(error("CreateNetworkInterface", { SubnetId }).code).toBe(
      "InsufficientFreeAddressesInSubnet",
    );
  });

  test("answer what Terraform asks of a VPC", () => {
    const { call } = createTester();
    const attribute = (Attribute: "enableDnsSupport") =>
      call("DescribeVpcAttribute", { VpcId: DEFAULT_VPC_ID, Attribute }).EnableDnsSupport;
    expect(attribute("enableDnsSupport")).toEqual({ Value: true });
    const { RouteTables } = call("DescribeRouteTables", {
      Filters: [
        { Name: "association.main", Values: ["true"] },
        { Name: "vpc-id", Values: [DEFAULT_VPC_ID] },
      ],
    });
    expect(only(RouteTables).Routes?.[0]?.GatewayId).toBe("local");
  });
});

describe("security groups", () => {
  test("keep rules, refuse duplicates and unknown ones, and are not deleted while used", () => {
    const tester = createTester();
    const { call, error } = tester;
    const { GroupId = "" } = call("CreateSecurityGroup", { GroupName: "web", Description: "w" });
    const IpPermissions = [
      { IpProtocol: "tcp", FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: "0.0.0.0/0" }] },
    ];
    const added = call("AuthorizeSecurityGroupIngress", { GroupId, IpPermissions });
    expect(added.SecurityGroupRules).toHaveLength(1);
    expect(error("AuthorizeSecurityGroupIngress", { GroupId, IpPermissions }).code).toBe(
      "InvalidPermission.Duplicate",
    );
    const groups = call("DescribeSecurityGroups", { GroupIds: [GroupId] }).SecurityGroups;
    expect(only(groups).IpPermissions).toEqual([
      expect.objectContaining({ IpProtocol: "tcp", FromPort: 80, ToPort: 80 }),
    ]);
    call("RevokeSecurityGroupIngress", { GroupId, IpPermissions });
    expect(error("RevokeSecurityGroupIngress", { GroupId, IpPermissions }).code).toBe(
      "InvalidPermission.NotFound",
    );
    const eni = tester.anchor({ Groups: [GroupId] });
    expect(error("DeleteSecurityGroup", { GroupId }).code).toBe("DependencyViolation");
    call("DeleteNetworkInterface", { NetworkInterfaceId: eni });
    call("DeleteSecurityGroup", { GroupId });
    expect(error("DescribeSecurityGroups", { GroupIds: [GroupId] }).code).toBe(
      "InvalidGroup.NotFound",
    );
  });

  test("are found with their rules", () => {
    const { call } = createTester();
    const { SecurityGroupRules } = call("DescribeSecurityGroupRules", {
      Filters: [{ Name: "group-id", Values: [DEFAULT_SECURITY_GROUP_ID] }],
    });
    expect(SecurityGroupRules?.map((rule) => rule.IsEgress)).toEqual([false, true]);
  });

  test("have unique names in a VPC", () => {
    const { call, error } = createTester();
    call("CreateSecurityGroup", { GroupName: "web", Description: "w" });
    expect(error("CreateSecurityGroup", { GroupName: "web", Description: "w" }).code).toBe(
      "InvalidGroup.Duplicate",
    );
  });
});

describe("key pairs", () => {
  test("are imported, used and deleted", () => {
    const { call, boot, instance, error } = createTester();
    const PublicKeyMaterial = Buffer.from("ssh-ed25519 AAAA");
    call("ImportKeyPair", { KeyName: "mine", PublicKeyMaterial });
    expect(instance(boot({ KeyName: "mine" })).KeyName).toBe("mine");
    expect(error("ImportKeyPair", { KeyName: "mine", PublicKeyMaterial }).code).toBe(
      "InvalidKeyPair.Duplicate",
    );
    call("DeleteKeyPair", { KeyName: "mine" });
    expect(error("DescribeKeyPairs", { KeyNames: ["mine"] }).code).toBe("InvalidKeyPair.NotFound");
  });
});

describe("instance types", () => {
  test("have vCPUs, memory and architecture", () => {
    const { call } = createTester();
    const { InstanceTypes } = call("DescribeInstanceTypes", { InstanceTypes: ["m6g.large"] });
    expect(only(InstanceTypes)).toMatchObject({
      VCpuInfo: { DefaultVCpus: 2 },
      MemoryInfo: { SizeInMiB: 8192 },
      ProcessorInfo: { SupportedArchitectures: ["arm64"] },
    });
  });

  test("that do not exist are refused by name", () => {
    const { refusal } = createTester();
    expect(refusal("DescribeInstanceTypes", { InstanceTypes: ["m9.huge" as "m5.large"] })).toBe(
      "InvalidInstanceType: The following supplied instance types do not exist: [m9.huge]",
    );
  });

  test("are offered by zone", () => {
    const { call } = createTester();
    const { InstanceTypeOfferings = [] } = call("DescribeInstanceTypeOfferings", {
      LocationType: "availability-zone",
      Filters: [{ Name: "instance-type", Values: ["c7g.large"] }],
    });
    expect(InstanceTypeOfferings.map((each) => each.Location)).toEqual([
      "us-east-1a",
      "us-east-1b",
    ]);
  });

  test("come in pages", () => {
    const { call, error } = createTester();
    const first = call("DescribeInstanceTypes", { MaxResults: 10 });
    const second = call("DescribeInstanceTypes", { MaxResults: 100, NextToken: first.NextToken });
    const all = call("DescribeInstanceTypes", {}).InstanceTypes ?? [];
    expect([...(first.InstanceTypes ?? []), ...(second.InstanceTypes ?? [])]).toEqual(all);
    expect(error("DescribeInstanceTypes", { MaxResults: 101 }).code).toBe("InvalidParameterValue");
  });

  test("that burst have credits", () => {
    const { boot, call } = createTester();
    const InstanceIds = [boot({ InstanceType: "t3.micro" })];
    const { InstanceCreditSpecifications } = call("DescribeInstanceCreditSpecifications", {
      InstanceIds,
    });
    expect(only(InstanceCreditSpecifications).CpuCredits).toBe("unlimited");
  });
});
