import { IMAGE_IDS } from "../../src/simulator";
import {
  createTester,
  KEEP_ROOT,
  onAnchor,
  only,
  SPOT,
  SUBNET_A,
  SUBNET_B,
  ZONE_A,
  ZONE_B,
} from "./tester";

describe("RunInstances", () => {
  test("passes through pending to running, showing disks only then", () => {
    const { launch, instance, sim } = createTester();
    const id = launch();
    expect(instance(id).State).toEqual({ Code: 0, Name: "pending" });
    expect(instance(id).BlockDeviceMappings).toEqual([]);
    sim.clock.advance(sim.latencies.pendingToRunning);
    expect(instance(id).State).toEqual({ Code: 16, Name: "running" });
    expect(only(instance(id).BlockDeviceMappings).Ebs?.Status).toBe("attached");
  });

  test("gives an address of the subnet and a public one where the subnet does so", () => {
    const { boot, instance } = createTester();
    const found = instance(boot({ SubnetId: SUBNET_B }));
    expect(found.PrivateIpAddress).toMatch(/^172\.31\.(1[6-9]|2\d|3[01])\./);
    expect(found.PublicIpAddress).toMatch(/^54\./);
    expect(found.Placement?.AvailabilityZone).toBe(ZONE_B);
  });

  test("without a subnet uses the default subnet of the zone asked for", () => {
    const { boot, instance } = createTester();
    const id = boot({ SubnetId: undefined, Placement: { AvailabilityZone: ZONE_B } });
    expect(instance(id).SubnetId).toBe(SUBNET_B);
  });

  test("refuses a zone that contradicts the subnet", () => {
    const { refusal } = createTester();
    expect(
      refusal("RunInstances", {
        ImageId: IMAGE_IDS.amazonLinux,
        MinCount: 1,
        MaxCount: 1,
        SubnetId: SUBNET_A,
        Placement: { AvailabilityZone: ZONE_B },
      }),
    ).toMatch(/^InvalidParameterValue: .*does not match/);
  });

  test("launches as many as there is room for between MinCount and MaxCount", () => {
    const { call, sim } = createTester();
    sim.control.setCapacity({
      instanceType: "t3.micro",
      zone: ZONE_A,
      market: "on-demand",
      available: 2,
    });
    const input = { ImageId: IMAGE_IDS.amazonLinux, InstanceType: "t3.micro" as const };
    const found = call("RunInstances", { ...input, MinCount: 1, MaxCount: 5, SubnetId: SUBNET_A });
    expect(found.Instances?.map((each) => each.AmiLaunchIndex)).toEqual([0, 1]);
  });

  test("tags instance, volume and new interface at once, or nothing at all (ec2-facts §10)", () => {
    const { call, launch, refusal, rootVolumeId, instance, volume, networkInterface } =
      createTester();
    const spec = (type: "instance" | "volume" | "network-interface", value: string) => ({
      ResourceType: type,
      Tags: [{ Key: "name", Value: value }],
    });
    const id = launch({
      TagSpecifications: [
        spec("instance", "i"),
        spec("volume", "v"),
        spec("network-interface", "n"),
      ],
    });
    expect(instance(id).Tags).toEqual([{ Key: "name", Value: "i" }]);
    expect(volume(rootVolumeId(id)).Tags).toEqual([{ Key: "name", Value: "v" }]);
    const eni = only(instance(id).NetworkInterfaces).NetworkInterfaceId ?? "";
    expect(networkInterface(eni).TagSet).toEqual([{ Key: "name", Value: "n" }]);
    expect(
      refusal("RunInstances", {
        ImageId: IMAGE_IDS.amazonLinux,
        MinCount: 1,
        MaxCount: 1,
        TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "aws:x", Value: "1" }] }],
      }),
    ).toMatch(/^InvalidParameterValue/);
    expect(call("DescribeInstances", {}).Reservations).toHaveLength(1);
  });

  test("takes disks from the image, the request's word first (ec2-facts §2)", () => {
    const { boot, call } = createTester();
    const id = boot({
      BlockDeviceMappings: [
        { DeviceName: "/dev/xvda", Ebs: { VolumeSize: 20, DeleteOnTermination: false } },
        { DeviceName: "/dev/sdf", Ebs: { VolumeSize: 5, VolumeType: "gp2", Encrypted: true } },
      ],
    });
    const { Volumes: volumes = [] } = call("DescribeVolumes", {
      Filters: [{ Name: "attachment.instance-id", Values: [id] }],
    });
    expect(
      volumes.map(({ Size, VolumeType, Iops, Encrypted, Attachments }) => ({
        Size,
        VolumeType,
        Iops,
        Encrypted,
        DeleteOnTermination: Attachments?.[0]?.DeleteOnTermination,
      })),
    ).toEqual([
      { Size: 20, VolumeType: "gp3", Iops: 3000, Encrypted: false, DeleteOnTermination: false },
      { Size: 5, VolumeType: "gp2", Iops: 100, Encrypted: true, DeleteOnTermination: true },
    ]);
  });

  test("refuses a root smaller than its snapshot", () => {
    const { refusal } = createTester();
    expect(
      refusal("RunInstances", {
        ImageId: IMAGE_IDS.amazonLinux,
        MinCount: 1,
        MaxCount: 1,
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 4 } }],
      }),
    ).toBe(
      "InvalidBlockDeviceMapping: Volume of size 4GB is smaller than snapshot 'snap-0a12023000000001a', expect size>= 8GB",
    );
  });

  test("refuses an architecture that the type does not have", () => {
    const { refusal } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinuxArm, MinCount: 1, MaxCount: 1 };
    expect(refusal("RunInstances", { ...input, InstanceType: "t3.micro" })).toMatch(
      /^InvalidParameterValue: The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of the specified AMI\./,
    );
  });

  test("knows types that a zone does not offer, and says where they are (ec2-facts §1.5)", () => {
    const { refusal, boot } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinuxArm, InstanceType: "c7g.large" as const };
    expect(
      refusal("RunInstances", {
        ...input,
        MinCount: 1,
        MaxCount: 1,
        Placement: { AvailabilityZone: "us-east-1c" },
      }),
    ).toMatch(
      /^Unsupported: Your requested instance type \(c7g.large\) .*choosing us-east-1a, us-east-1b\.$/,
    );
    expect(boot(input)).toMatch(/^i-/);
  });

  test("asks for IMDSv2 where the image does", () => {
    const { boot, instance } = createTester();
    expect(instance(boot()).MetadataOptions).toMatchObject({
      HttpTokens: "required",
      HttpPutResponseHopLimit: 2,
    });
    const ubuntu = boot({ ImageId: IMAGE_IDS.ubuntu });
    expect(instance(ubuntu).MetadataOptions?.HttpTokens).toBe("optional");
    const chosen = boot({
      MetadataOptions: { HttpTokens: "optional", HttpPutResponseHopLimit: 3 },
    });
    expect(instance(chosen).MetadataOptions).toMatchObject({
      HttpTokens: "optional",
      HttpPutResponseHopLimit: 3,
    });
  });

  test("accepts an instance profile as given and refuses an unknown key pair", () => {
    const { boot, instance, refusal } = createTester();
    const id = boot({ IamInstanceProfile: { Name: "web" } });
    expect(instance(id).IamInstanceProfile?.Arn).toBe(
      "arn:aws:iam::123456789012:instance-profile/web",
    );
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, KeyName: "mine" };
    expect(refusal("RunInstances", input)).toBe(
      "InvalidKeyPair.NotFound: The key pair 'mine' does not exist",
    );
  });

  test("refuses what it does not simulate instead of ignoring it", () => {
    const { refusal } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1 };
    expect(refusal("RunInstances", { ...input, KernelId: "aki-1" })).toMatch(
      /^UnknownParameter: The parameter KernelId is not recognized/,
    );
    expect(refusal("RunInstances", { ...input, Placement: { Tenancy: "dedicated" } })).toMatch(
      /^Unsupported: .*Placement.Tenancy/,
    );
    expect(
      refusal("RunInstances", {
        ...input,
        NetworkInterfaces: [{ DeviceIndex: 0, Ipv6AddressCount: 1 }],
      }),
    ).toMatch(/^Unsupported: .*NetworkInterfaces.1.Ipv6AddressCount/);
  });

  test("with DryRun says that it would have worked, and changes nothing", () => {
    const { error, call } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, DryRun: true };
    expect(error("RunInstances", input)).toMatchObject({
      code: "DryRunOperation",
      statusCode: 412,
      message: "Request would have succeeded, but DryRun flag is set.",
    });
    expect(call("DescribeInstances", {}).Reservations).toEqual([]);
    expect(call("DescribeNetworkInterfaces", {}).NetworkInterfaces).toEqual([]);
    expect(call("DescribeVolumes", {}).Volumes).toEqual([]);
  });

  test("with DryRun makes every check that the real call makes", () => {
    const { refusal } = createTester();
    const input = { ImageId: "ami-00000000000000000", MinCount: 1, MaxCount: 1, DryRun: true };
    expect(refusal("RunInstances", input)).toBe(
      "InvalidAMIID.NotFound: The image id '[ami-00000000000000000]' does not exist",
    );
  });
});

describe("a launch on an existing network interface (ec2-facts §1.3)", () => {
  test("takes its address, subnet and zone from the interface", () => {
    const { anchor, boot, instance, networkInterface } = createTester();
    const eni = anchor({ PrivateIpAddress: "172.31.5.5", SubnetId: SUBNET_A });
    const id = boot(onAnchor(eni));
    expect(instance(id)).toMatchObject({ PrivateIpAddress: "172.31.5.5", SubnetId: SUBNET_A });
    expect(networkInterface(eni)).toMatchObject({
      Status: "in-use",
      Attachment: {
        InstanceId: id,
        DeviceIndex: 0,
        DeleteOnTermination: false,
        Status: "attached",
      },
    });
  });

  test("holds the interface from the moment that RunInstances accepts it", () => {
    const { anchor, launch, refusal } = createTester();
    const eni = anchor();
    launch(onAnchor(eni));
    const again = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, ...onAnchor(eni) };
    expect(refusal("RunInstances", again)).toBe(
      `InvalidNetworkInterface.InUse: Interface: [${eni}] in use.`,
    );
  });

  test.each([
    [
      { SubnetId: SUBNET_A },
      "Network interfaces and an instance-level subnet ID may not be specified on the same request",
    ],
    [
      { SecurityGroupIds: ["sg-0d5c0000000000001"] },
      "Network interfaces and an instance-level security groups may not be specified on the same request",
    ],
  ])("forbids %j at instance level", (extra, message) => {
    const { anchor, refusal } = createTester();
    const input = {
      ImageId: IMAGE_IDS.amazonLinux,
      MinCount: 1,
      MaxCount: 1,
      ...onAnchor(anchor()),
    };
    expect(refusal("RunInstances", { ...input, ...extra })).toBe(
      `InvalidParameterCombination: ${message}`,
    );
  });

  test.each([
    { SubnetId: SUBNET_A },
    { Groups: ["sg-0d5c0000000000001"] },
    { PrivateIpAddress: "172.31.0.9" },
    { Description: "mine" },
    { AssociatePublicIpAddress: false },
    { DeleteOnTermination: true },
  ])("forbids %j beside the interface's id", (extra) => {
    const { anchor, refusal } = createTester();
    const NetworkInterfaces = [{ DeviceIndex: 0, NetworkInterfaceId: anchor(), ...extra }];
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, NetworkInterfaces };
    expect(refusal("RunInstances", input)).toMatch(/^InvalidParameterCombination/);
  });

  test("forbids tags for network interfaces when none is created", () => {
    const { anchor, refusal } = createTester();
    const input = {
      ImageId: IMAGE_IDS.amazonLinux,
      MinCount: 1,
      MaxCount: 1,
      ...onAnchor(anchor()),
    };
    const TagSpecifications = [
      { ResourceType: "network-interface" as const, Tags: [{ Key: "a", Value: "b" }] },
    ];
    expect(refusal("RunInstances", { ...input, TagSpecifications })).toBe(
      "InvalidParameterValue: You cannot specify tags for network interfaces if there are no network interfaces being created by the request.",
    );
  });

  test("demands a device index", () => {
    const { anchor, refusal } = createTester();
    const NetworkInterfaces = [{ NetworkInterfaceId: anchor() }];
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, NetworkInterfaces };
    expect(refusal("RunInstances", input)).toMatch(/^MissingParameter/);
  });
});

describe("client tokens of RunInstances (ec2-facts §1.1)", () => {
  const request = {
    ImageId: IMAGE_IDS.amazonLinux,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: "pmi-1:1:1",
  };

  test("answer the same request with the same instance in its present state", () => {
    const { call, sim } = createTester();
    const first = only(call("RunInstances", request).Instances);
    sim.clock.advance(10);
    const second = only(call("RunInstances", request).Instances);
    expect(second.InstanceId).toBe(first.InstanceId);
    expect(second.State?.Name).toBe("running");
  });

  test("are refused with other parameters", () => {
    const { call, refusal } = createTester();
    call("RunInstances", request);
    expect(refusal("RunInstances", { ...request, InstanceType: "t3.large" })).toMatch(
      /^IdempotentParameterMismatch/,
    );
  });

  test("are refused once their instance is terminated, for 24 hours at least", () => {
    const { call, error, sim } = createTester();
    const id = only(call("RunInstances", request).Instances).InstanceId ?? "";
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(error("RunInstances", request).code).toBe("IdempotentInstanceTerminated");
    sim.clock.advance(23.9 * 3600);
    expect(error("RunInstances", request).code).toBe("IdempotentInstanceTerminated");
    sim.clock.advance(0.2 * 3600);
    expect(only(call("RunInstances", request).Instances).InstanceId).not.toBe(id);
  });

  test("are zonal with a zone or a subnet, so that another zone launches a second instance", () => {
    const { call } = createTester();
    const inZone = (zone: string) =>
      only(call("RunInstances", { ...request, Placement: { AvailabilityZone: zone } }).Instances);
    const first = inZone(ZONE_A);
    expect(inZone(ZONE_B).InstanceId).not.toBe(first.InstanceId);
    expect(inZone(ZONE_A).InstanceId).toBe(first.InstanceId);
  });

  test("are not used up by a request that was refused for capacity", () => {
    const { call, error, sim } = createTester();
    const pool = { instanceType: "t3.micro", zone: ZONE_A, market: "on-demand" as const };
    const request2 = { ...request, SubnetId: SUBNET_A };
    sim.control.setCapacity({ ...pool, available: 0 });
    expect(error("RunInstances", request2).code).toBe("InsufficientInstanceCapacity");
    sim.control.setCapacity({ ...pool, available: "unlimited" });
    expect(call("RunInstances", request2).Instances).toHaveLength(1);
  });

  test("can be looked for, with wildcards", () => {
    const { call } = createTester();
    const id = only(call("RunInstances", request).Instances).InstanceId;
    const find = (value: string) =>
      call("DescribeInstances", { Filters: [{ Name: "client-token", Values: [value] }] })
        .Reservations?.[0]?.Instances?.[0]?.InstanceId;
    expect(find("pmi-1:1:1")).toBe(id);
    expect(find("pmi-1:*")).toBe(id);
    expect(find("pmi-2:*")).toBeUndefined();
  });
});

describe("capacity (ec2-facts §1.5)", () => {
  test("that is used up is refused with an HTTP 500 and AWS's two texts", () => {
    const { error, sim } = createTester();
    for (const market of ["spot", "on-demand"] as const)
      sim.control.setCapacity({ instanceType: "m5.large", zone: ZONE_A, market, available: 0 });
    const input = {
      ImageId: IMAGE_IDS.amazonLinux,
      InstanceType: "m5.large" as const,
      MinCount: 1,
      MaxCount: 1,
      SubnetId: SUBNET_A,
    };
    expect(error("RunInstances", input)).toMatchObject({
      code: "InsufficientInstanceCapacity",
      statusCode: 500,
      message: expect.stringMatching(
        /^We currently do not have sufficient m5.large capacity in the Availability Zone you requested \(us-east-1a\)\..*choosing us-east-1b, us-east-1c\.$/,
      ),
    });
    expect(error("RunInstances", { ...input, InstanceMarketOptions: SPOT })).toMatchObject({
      statusCode: 500,
      message: "There is no Spot capacity available that matches your request.",
    });
  });

  test("is counted by type, zone and market, and avoided where no zone is named", () => {
    const { launch, instance, sim } = createTester();
    sim.control.setCapacity({
      instanceType: "t3.micro",
      zone: ZONE_A,
      market: "spot",
      available: 1,
    });
    const input = { SubnetId: undefined, InstanceMarketOptions: SPOT };
    const zones = [launch(input), launch(input)].map(
      (id) => instance(id).Placement?.AvailabilityZone,
    );
    expect(zones).toEqual([ZONE_A, ZONE_B]);
    const onDemand = launch({ SubnetId: undefined });
    expect(instance(onDemand).Placement?.AvailabilityZone).toBe(ZONE_A);
  });

  test("is not given back by an instance that ends", () => {
    const { boot, call, error, sim } = createTester();
    sim.control.setCapacity({
      instanceType: "t3.micro",
      zone: ZONE_A,
      market: "on-demand",
      available: 1,
    });
    call("TerminateInstances", { InstanceIds: [boot({ BlockDeviceMappings: KEEP_ROOT })] });
    sim.clock.advance(120);
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1, SubnetId: SUBNET_A };
    expect(error("RunInstances", input).code).toBe("InsufficientInstanceCapacity");
  });
});
