import { DEFAULT_SECURITY_GROUP_ID, DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator";
import { createTester, onAnchor, SPOT, SUBNET_A, SUBNET_B } from "./tester";

describe("instance attributes", () => {
  test.each([
    ["blockDeviceMapping", { BlockDeviceMappings: [{ DeviceName: "/dev/xvda" }] }],
    ["disableApiTermination", { DisableApiTermination: { Value: false } }],
    ["ebsOptimized", { EbsOptimized: { Value: false } }],
    ["enaSupport", { EnaSupport: { Value: true } }],
    ["groupSet", { Groups: [{ GroupId: DEFAULT_SECURITY_GROUP_ID, GroupName: "default" }] }],
    ["instanceInitiatedShutdownBehavior", { InstanceInitiatedShutdownBehavior: { Value: "stop" } }],
    ["instanceType", { InstanceType: { Value: "t3.micro" } }],
    ["rootDeviceName", { RootDeviceName: { Value: "/dev/xvda" } }],
    ["sourceDestCheck", { SourceDestCheck: { Value: true } }],
    ["sriovNetSupport", { SriovNetSupport: { Value: "simple" } }],
  ] as const)("%s reads as %j", (Attribute, expected) => {
    const { boot, call } = createTester();
    const InstanceId = boot();
    expect(call("DescribeInstanceAttribute", { InstanceId, Attribute })).toMatchObject(expected);
  });

  test("change while the instance runs, or only while it is stopped (ec2-facts §11)", () => {
    const tester = createTester();
    const { call, error, sim } = tester;
    const InstanceId = tester.boot();
    const { GroupId = "" } = call("CreateSecurityGroup", { GroupName: "web", Description: "w" });
    call("ModifyInstanceAttribute", { InstanceId, Groups: [GroupId] });
    call("ModifyInstanceAttribute", { InstanceId, SourceDestCheck: { Value: false } });
    call("ModifyInstanceAttribute", { InstanceId, DisableApiTermination: { Value: true } });
    call("ModifyInstanceAttribute", {
      InstanceId,
      InstanceInitiatedShutdownBehavior: { Value: "terminate" },
    });
    expect(tester.instance(InstanceId)).toMatchObject({
      SecurityGroups: [{ GroupId }],
      SourceDestCheck: false,
    });
    const whileStopped = [
      { EbsOptimized: { Value: true } },
      { UserData: { Value: Buffer.from("#!/bin/sh") } },
      { EnaSupport: { Value: true } },
    ];
    for (const change of whileStopped)
      expect(error("ModifyInstanceAttribute", { InstanceId, ...change }).code).toBe(
        "IncorrectInstanceState",
      );
    call("StopInstances", { InstanceIds: [InstanceId] });
    sim.clock.advance(60);
    for (const change of whileStopped) call("ModifyInstanceAttribute", { InstanceId, ...change });
    expect(
      call("DescribeInstanceAttribute", { InstanceId, Attribute: "userData" }).UserData?.Value,
    ).toBe(Buffer.from("#!/bin/sh").toString("base64"));
  });

  test("change in the old form too, by name and text", () => {
    const { boot, call, error } = createTester();
    const InstanceId = boot();
    call("ModifyInstanceAttribute", {
      InstanceId,
      Attribute: "disableApiTermination",
      Value: "true",
    });
    expect(error("TerminateInstances", { InstanceIds: [InstanceId] }).code).toBe(
      "OperationNotPermitted",
    );
  });

  test.each([
    [{}, "InvalidParameterCombination"],
    [{ InstanceType: { Value: "m9.huge" } }, "InvalidParameterValue"],
    [{ InstanceType: { Value: "m6g.large" } }, "InvalidParameterValue"],
    [{ InstanceInitiatedShutdownBehavior: { Value: "hide" } }, "InvalidParameterValue"],
    [{ Attribute: "kernel", Value: "aki-1" } as const, "Unsupported"],
  ])("refuse the change %j as %s", (change, code) => {
    const { boot, error } = createTester();
    expect(error("ModifyInstanceAttribute", { InstanceId: boot(), ...change }).code).toBe(code);
  });

  test("of Spot Instances know neither another type nor protection (ec2-facts §11)", () => {
    const { boot, error } = createTester();
    const InstanceId = boot({ InstanceMarketOptions: SPOT });
    const refused = (change: object) =>
      error("ModifyInstanceAttribute", { InstanceId, ...change }).code;
    expect(refused({ InstanceType: { Value: "t3.large" } })).toBe("UnsupportedOperation");
    expect(refused({ DisableApiTermination: { Value: true } })).toBe("UnsupportedOperation");
  });

  test("protect from being stopped", () => {
    const { boot, error } = createTester();
    const InstanceIds = [boot({ DisableApiStop: true })];
    expect(error("StopInstances", { InstanceIds }).code).toBe("OperationNotPermitted");
  });
});

describe("network settings of a launch", () => {
  test("make new interfaces as they say", () => {
    const { boot, instance } = createTester();
    const id = boot({
      SubnetId: undefined,
      NetworkInterfaces: [
        {
          DeviceIndex: 0,
          SubnetId: SUBNET_A,
          PrivateIpAddress: "172.31.4.4",
          AssociatePublicIpAddress: false,
          DeleteOnTermination: false,
          Description: "made at launch",
        },
        { DeviceIndex: 1, SubnetId: SUBNET_A, SecondaryPrivateIpAddressCount: 2 },
      ],
    });
    expect(instance(id)).toMatchObject({
      PrivateIpAddress: "172.31.4.4",
      NetworkInterfaces: [
        { Description: "made at launch", Attachment: { DeleteOnTermination: false } },
        { PrivateIpAddresses: [{ Primary: true }, { Primary: false }, { Primary: false }] },
      ],
    });
    expect(instance(id).PublicIpAddress).toBeUndefined();
  });

  test("fall back to the default subnet", () => {
    const { boot, instance } = createTester();
    const id = boot({ SubnetId: undefined, NetworkInterfaces: [{ DeviceIndex: 0 }] });
    expect(instance(id).SubnetId).toBe(DEFAULT_SUBNET_IDS[0]);
  });

  test.each([
    [[{ DeviceIndex: 1 }], "InvalidParameterValue"],
    [[{ DeviceIndex: 0 }, { DeviceIndex: 0 }], "InvalidParameterValue"],
    [
      [
        { DeviceIndex: 0, SubnetId: SUBNET_A },
        { DeviceIndex: 1, SubnetId: SUBNET_B },
      ],
      "InvalidParameterCombination",
    ],
  ])("refuse %j as %s", (NetworkInterfaces, code) => {
    const { error } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, NetworkInterfaces };
    expect(error("RunInstances", input).code).toBe(code);
  });

  test("refuse one existing interface for two instances, and a zone that is not its own", () => {
    const { anchor, error } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, ...onAnchor(anchor()) };
    expect(error("RunInstances", { ...input, MaxCount: 2 }).code).toBe(
      "InvalidParameterCombination",
    );
    const Placement = { AvailabilityZone: "us-east-1b" };
    expect(error("RunInstances", { ...input, MaxCount: 1, Placement }).code).toBe(
      "InvalidParameterValue",
    );
  });

  test("name security groups of the default VPC by name", () => {
    const { boot, instance, call, error } = createTester();
    call("CreateSecurityGroup", { GroupName: "web", Description: "w" });
    expect(instance(boot({ SecurityGroups: ["web"] })).SecurityGroups?.[0]?.GroupName).toBe("web");
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1 };
    expect(error("RunInstances", { ...input, SecurityGroups: ["none"] }).code).toBe(
      "InvalidGroup.NotFound",
    );
  });
});

describe("block devices of a launch", () => {
  test("leave an image's data device out, but never its root", () => {
    const tester = createTester();
    const snapshot = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const image = tester.imageOf(snapshot, {
      BlockDeviceMappings: [
        { DeviceName: "/dev/xvda", Ebs: { SnapshotId: snapshot, VolumeType: "gp3" } },
        { DeviceName: "/dev/sdf", Ebs: { VolumeSize: 3, VolumeType: "gp3" } },
        { DeviceName: "/dev/sdg", VirtualName: "ephemeral0" },
      ],
    });
    const without = (DeviceName: string) => [{ DeviceName, NoDevice: "" }];
    const devices = (id: string) =>
      tester.instance(id).BlockDeviceMappings?.map((each) => each.DeviceName);
    expect(devices(tester.boot({ ImageId: image }))).toEqual(["/dev/xvda", "/dev/sdf"]);
    const lean = tester.boot({ ImageId: image, BlockDeviceMappings: without("/dev/sdf") });
    expect(devices(lean)).toEqual(["/dev/xvda"]);
    const input = { ImageId: image, InstanceType: "t3.micro" as const, MinCount: 1, MaxCount: 1 };
    expect(
      tester.error("RunInstances", { ...input, BlockDeviceMappings: without("/dev/xvda") }).code,
    ).toBe("InvalidBlockDeviceMapping");
  });

  test("restore data disks from snapshots", () => {
    const tester = createTester();
    const { sim } = tester;
    const first = tester.boot({
      BlockDeviceMappings: [
        { DeviceName: "/dev/sdf", Ebs: { VolumeSize: 1, DeleteOnTermination: false } },
      ],
    });
    sim.guest.write({ instanceId: first, device: "/dev/sdf", path: "/db", content: "rows" });
    const data = tester.instance(first).BlockDeviceMappings?.[1]?.Ebs?.VolumeId ?? "";
    const SnapshotId = tester.snapshotOf(data);
    const second = tester.boot({
      SubnetId: SUBNET_B,
      BlockDeviceMappings: [
        { DeviceName: "/dev/sdf", Ebs: { SnapshotId, VolumeInitializationRate: 300 } },
      ],
    });
    expect(sim.guest.read({ instanceId: second, device: "/dev/sdf", path: "/db" })).toBe("rows");
  });

  test("stay encrypted along their lineage", () => {
    const tester = createTester();
    const id = tester.boot({
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { Encrypted: true } }],
    });
    const snapshot = tester.snapshotOf(tester.rootVolumeId(id));
    expect(tester.snapshot(snapshot)).toMatchObject({ Encrypted: true });
    const child = tester.boot({ ImageId: tester.imageOf(snapshot) });
    expect(tester.volume(tester.rootVolumeId(child))).toMatchObject({
      Encrypted: true,
      KmsKeyId: expect.stringMatching(/^arn:aws:kms:us-east-1:123456789012:key\//),
    });
  });
});

describe("user data", () => {
  test.each(["not base64!", Buffer.alloc(16385).toString("base64")])(
    "is refused when malformed or too long (%#)",
    (UserData) => {
      const { error } = createTester();
      const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, UserData };
      expect(error("RunInstances", input).code).toBe("InvalidParameterValue");
    },
  );
});

describe("the attributes of other resources", () => {
  test("of interfaces read one by one", () => {
    const tester = createTester();
    const NetworkInterfaceId = tester.anchor({ Description: "anchor" });
    tester.boot(onAnchor(NetworkInterfaceId));
    const read = (Attribute: "description" | "groupSet" | "sourceDestCheck" | "attachment") =>
      tester.call("DescribeNetworkInterfaceAttribute", { NetworkInterfaceId, Attribute });
    expect(read("description").Description).toEqual({ Value: "anchor" });
    expect(read("groupSet").Groups).toHaveLength(1);
    expect(read("sourceDestCheck").SourceDestCheck).toEqual({ Value: true });
    expect(read("attachment").Attachment?.DeviceIndex).toBe(0);
    const refused = { NetworkInterfaceId, Attribute: "colour" as "description" };
    expect(tester.error("DescribeNetworkInterfaceAttribute", refused).code).toBe(
      "InvalidParameterValue",
    );
  });

  test("of interfaces decide about a public address (ec2-facts §4)", () => {
    const tester = createTester();
    const eni = tester.anchor();
    tester.call("ModifyNetworkInterfaceAttribute", {
      NetworkInterfaceId: eni,
      AssociatePublicIpAddress: true,
    });
    const id = tester.boot(onAnchor(eni));
    expect(tester.instance(id).PublicIpAddress).toMatch(/^54\./);
    tester.call("TerminateInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(60);
    expect(tester.networkInterface(eni).Association).toBeUndefined();
  });

  test("of images change and read", () => {
    const tester = createTester();
    const { call } = tester;
    const ImageId = tester.imageOf(tester.snapshotOf(tester.rootVolumeId(tester.boot())));
    call("ModifyImageAttribute", { ImageId, Description: { Value: "mine" } });
    call("EnableImageDeprecation", { ImageId, DeprecateAt: new Date("2027-01-01T00:00:00Z") });
    expect(tester.image(ImageId)).toMatchObject({
      Description: "mine",
      DeprecationTime: "2027-01-01T00:00:00.000Z",
    });
    call("DisableImageDeprecation", { ImageId });
    expect(tester.image(ImageId).DeprecationTime).toBeUndefined();
    const read = (Attribute: "description" | "launchPermission" | "uefiData" | "kernel") =>
      ({ ImageId, Attribute }) as const;
    expect(call("DescribeImageAttribute", read("description")).Description?.Value).toBe("mine");
    expect(call("DescribeImageAttribute", read("launchPermission")).LaunchPermissions).toEqual([]);
    expect(tester.error("DescribeImageAttribute", read("kernel")).code).toBe("Unsupported");
    call("DisableImage", { ImageId });
    call("EnableImage", { ImageId });
    expect(tester.image(ImageId).State).toBe("available");
  });

  test("of subnets and VPCs change", () => {
    const { call, boot, instance } = createTester();
    call("ModifySubnetAttribute", { SubnetId: SUBNET_A, MapPublicIpOnLaunch: { Value: false } });
    expect(instance(boot()).PublicIpAddress).toBeUndefined();
    const VpcId = call("DescribeVpcs", {}).Vpcs?.[0]?.VpcId ?? "";
    call("ModifyVpcAttribute", { VpcId, EnableDnsHostnames: { Value: false } });
    expect(
      call("DescribeVpcAttribute", { VpcId, Attribute: "enableDnsHostnames" }).EnableDnsHostnames,
    ).toEqual({ Value: false });
  });

  test("of the account and its key pairs read", () => {
    const { call } = createTester();
    expect(
      call("DescribeAccountAttributes", { AttributeNames: ["default-vpc"] }).AccountAttributes,
    ).toHaveLength(1);
    expect(call("GetEbsEncryptionByDefault", {}).EbsEncryptionByDefault).toBe(false);
    const created = call("CreateKeyPair", { KeyName: "new" });
    expect(created.KeyMaterial).toMatch(/PRIVATE KEY/);
    expect(
      call("DescribeKeyPairs", { KeyPairIds: [created.KeyPairId ?? ""] }).KeyPairs?.[0]?.KeyName,
    ).toBe("new");
    expect(call("DeleteKeyPair", { KeyName: "none" }).Return).toBe(true);
  });
});

describe("Elastic IPs", () => {
  test("are disassociated by association or by address", () => {
    const tester = createTester();
    const { call, error } = tester;
    const { AllocationId, PublicIp } = call("AllocateAddress", {});
    const NetworkInterfaceId = tester.anchor();
    const { AssociationId } = call("AssociateAddress", { AllocationId, NetworkInterfaceId });
    call("DisassociateAddress", { AssociationId });
    expect(error("DisassociateAddress", { AssociationId }).code).toBe(
      "InvalidAssociationID.NotFound",
    );
    call("AssociateAddress", { PublicIp, NetworkInterfaceId });
    call("DisassociateAddress", { PublicIp });
    const { Addresses } = call("DescribeAddresses", { PublicIps: [PublicIp ?? ""] });
    expect(Addresses?.[0]?.AssociationId).toBeUndefined();
    expect(error("DescribeAddresses", { PublicIps: ["1.2.3.4"] }).code).toBe(
      "InvalidAddress.NotFound",
    );
    expect(
      call("DescribeAddressesAttribute", {
        AllocationIds: [AllocationId ?? ""],
        Attribute: "domain-name",
      }).Addresses,
    ).toHaveLength(1);
  });

  test("take the place of another one at the same private address", () => {
    const tester = createTester();
    const NetworkInterfaceId = tester.anchor();
    const ids = [1, 2].map(() => tester.call("AllocateAddress", {}).AllocationId ?? "");
    for (const AllocationId of ids)
      tester.call("AssociateAddress", { AllocationId, NetworkInterfaceId });
    const { Addresses = [] } = tester.call("DescribeAddresses", { AllocationIds: ids });
    expect(Addresses.map((each) => each.NetworkInterfaceId)).toEqual([
      undefined,
      NetworkInterfaceId,
    ]);
  });

  test("are refused an address that the interface does not have", () => {
    const tester = createTester();
    const { AllocationId } = tester.call("AllocateAddress", {});
    const input = { AllocationId, NetworkInterfaceId: tester.anchor() };
    expect(
      tester.error("AssociateAddress", { ...input, PrivateIpAddress: "172.31.9.9" }).code,
    ).toBe("InvalidParameterValue");
  });
});
