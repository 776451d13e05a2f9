import { IMAGE_IDS } from "../../src/simulator";
import { createTester, SUBNET_B, ZONE_A } from "./tester";

function volumeIn(tester: ReturnType<typeof createTester>, zone = ZONE_A): string {
  const { VolumeId = "" } = tester.call("CreateVolume", { AvailabilityZone: zone, Size: 10 });
  tester.sim.clock.advance(10);
  return VolumeId;
}

describe("volumes", () => {
  test("pass through creating to available", () => {
    const tester = createTester();
    const { VolumeId = "", State } = tester.call("CreateVolume", {
      AvailabilityZone: ZONE_A,
      Size: 10,
      VolumeType: "gp3",
    });
    expect(State).toBe("creating");
    tester.sim.clock.advance(tester.sim.latencies.volumeCreate);
    expect(tester.volume(VolumeId)).toMatchObject({
      State: "available",
      Iops: 3000,
      Throughput: 125,
    });
  });

  test.each([
    [{ VolumeType: "gp3", Iops: 2999 }, "too low; minimum is 3000"],
    [{ VolumeType: "gp3", Iops: 80_001, Size: 1000 }, "too high; maximum is 80000"],
    [{ VolumeType: "gp3", Iops: 5001 }, "maximum is 500"],
    [{ VolumeType: "io2", Iops: 10_001 }, "maximum is 1000"],
    [{ VolumeType: "gp3", Throughput: 124 }, "between 125 and 2000"],
    [{ VolumeType: "gp3", Throughput: 751 }, "maximum is 0.25 MiBps per iops"],
  ] as const)("are refused beyond EBS's limits: %j", (asked, message) => {
    const { error } = createTester();
    const refused = error("CreateVolume", { AvailabilityZone: ZONE_A, Size: 10, ...asked });
    expect(refused).toMatchObject({ code: "InvalidParameterValue" });
    expect(refused.message).toContain(message);
  });

  test("are made once per client token (ec2-facts §1.1)", () => {
    const { call, error } = createTester();
    const input = { AvailabilityZone: ZONE_A, Size: 10, ClientToken: "data-1" };
    const first = call("CreateVolume", input).VolumeId;
    expect(call("CreateVolume", input).VolumeId).toBe(first);
    expect(error("CreateVolume", { ...input, Size: 11 }).code).toBe("IdempotentParameterMismatch");
  });

  test("pass through attaching to attached and detaching to available", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot();
    const VolumeId = volumeIn(tester);
    const { State } = call("AttachVolume", { VolumeId, InstanceId: id, Device: "/dev/sdf" });
    expect(State).toBe("attaching");
    expect(tester.volume(VolumeId).State).toBe("in-use");
    sim.clock.advance(sim.latencies.attach);
    expect(tester.volume(VolumeId).Attachments?.[0]).toMatchObject({
      State: "attached",
      Device: "/dev/sdf",
      DeleteOnTermination: false,
    });
    expect(tester.instance(id).BlockDeviceMappings?.map((each) => each.DeviceName)).toEqual([
      "/dev/xvda",
      "/dev/sdf",
    ]);
    call("DetachVolume", { VolumeId });
    expect(tester.volume(VolumeId).Attachments?.[0]?.State).toBe("detaching");
    sim.clock.advance(sim.latencies.detach);
    expect(tester.volume(VolumeId)).toMatchObject({ State: "available", Attachments: [] });
    expect(tester.instance(id).BlockDeviceMappings).toHaveLength(1);
  });

  test("attach only when available, free of others, in their own zone and at a free device", () => {
    const tester = createTester();
    const id = tester.boot();
    const other = tester.boot({ SubnetId: SUBNET_B });
    const VolumeId = volumeIn(tester);
    const attach = (InstanceId: string, Device: string) =>
      tester.error("AttachVolume", { VolumeId, InstanceId, Device }).code;
    expect(attach(other, "/dev/sdf")).toBe("InvalidVolume.ZoneMismatch");
    expect(attach(id, "/dev/xvda")).toBe("InvalidParameterValue");
    tester.call("AttachVolume", { VolumeId, InstanceId: id, Device: "/dev/sdf" });
    expect(attach(id, "/dev/sdg")).toBe("VolumeInUse");
  });

  test("are not deleted while attached (ec2-facts §2)", () => {
    const tester = createTester();
    const id = tester.boot();
    const root = tester.rootVolumeId(id);
    expect(tester.refusal("DeleteVolume", { VolumeId: root })).toBe(
      `VolumeInUse: Volume ${root} is currently attached to ${id}`,
    );
  });

  test("are deleting for a moment and then gone", () => {
    const tester = createTester();
    const id = volumeIn(tester);
    tester.call("DeleteVolume", { VolumeId: id });
    expect(tester.volume(id).State).toBe("deleting");
    expect(tester.error("DeleteVolume", { VolumeId: id }).code).toBe("IncorrectState");
    tester.sim.clock.advance(tester.sim.latencies.volumeDelete);
    expect(tester.refusal("DescribeVolumes", { VolumeIds: [id] })).toBe(
      `InvalidVolume.NotFound: The volume '${id}' does not exist.`,
    );
  });

  test("that are roots are detached only from a stopped instance (ec2-facts §2)", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot();
    const root = tester.rootVolumeId(id);
    expect(tester.error("DetachVolume", { VolumeId: root }).code).toBe("OperationNotPermitted");
    call("StopInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    call("DetachVolume", { VolumeId: root });
    sim.clock.advance(10);
    expect(tester.volume(root).State).toBe("available");
    expect(tester.error("StartInstances", { InstanceIds: [id] }).code).toBe(
      "IncorrectInstanceState",
    );
  });

  test("become free later under the slow detach fault", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot();
    const VolumeId = volumeIn(tester);
    call("AttachVolume", { VolumeId, InstanceId: id, Device: "/dev/sdf" });
    sim.clock.advance(10);
    sim.control.setFaults({ slowDetach: { seconds: 300 } });
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(200);
    expect(tester.volume(VolumeId).State).toBe("in-use");
    sim.clock.advance(200);
    expect(tester.volume(VolumeId).State).toBe("available");
  });

  test.each([
    [{ Size: 10, VolumeType: "gp2", Throughput: 200 }, "InvalidParameterCombination"],
    [{ Size: 10, VolumeType: "st1" }, "InvalidParameterValue"],
    [{ Size: 10, VolumeType: "io1" }, "MissingParameter"],
    [{ VolumeType: "gp3" }, "MissingParameter"],
    [{ Size: 4, SnapshotId: "snap-0a12023000000001a" }, "InvalidBlockDeviceMapping"],
    [{ Size: 10, VolumeInitializationRate: 50 }, "InvalidParameterValue"],
  ] as const)("with %j are refused as %s", (input, code) => {
    const { error } = createTester();
    expect(error("CreateVolume", { AvailabilityZone: ZONE_A, ...input }).code).toBe(code);
  });
});

describe("ModifyInstanceAttribute", () => {
  test("sets DeleteOnTermination, and left out it means true: the trap of ec2-facts §2", () => {
    const tester = createTester();
    const id = tester.boot();
    const flag = () => tester.instance(id).BlockDeviceMappings?.[0]?.Ebs?.DeleteOnTermination;
    const modify = (Ebs: { DeleteOnTermination?: boolean }) =>
      tester.call("ModifyInstanceAttribute", {
        InstanceId: id,
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs }],
      });
    modify({ DeleteOnTermination: false });
    expect(flag()).toBe(false);
    modify({});
    expect(flag()).toBe(true);
  });

  test("refuses devices that are not there and several attributes at once", () => {
    const tester = createTester();
    const InstanceId = tester.boot();
    expect(
      tester.refusal("ModifyInstanceAttribute", {
        InstanceId,
        BlockDeviceMappings: [{ DeviceName: "/dev/sdz", Ebs: {} }],
      }),
    ).toBe("InvalidInstanceAttributeValue: No device is currently mapped at /dev/sdz");
    expect(
      tester.error("ModifyInstanceAttribute", {
        InstanceId,
        DisableApiStop: { Value: true },
        DisableApiTermination: { Value: true },
      }).code,
    ).toBe("InvalidParameterCombination");
  });

  test("changes the type of a stopped instance only (ec2-facts §11)", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const InstanceId = tester.boot();
    const change = { InstanceId, InstanceType: { Value: "t3.large" } };
    expect(tester.error("ModifyInstanceAttribute", change).code).toBe("IncorrectInstanceState");
    call("StopInstances", { InstanceIds: [InstanceId] });
    sim.clock.advance(60);
    call("ModifyInstanceAttribute", change);
    expect(tester.instance(InstanceId).InstanceType).toBe("t3.large");
  });

  test("is read back by DescribeInstanceAttribute", () => {
    const tester = createTester();
    const UserData = Buffer.from("#!/bin/sh").toString("base64");
    const InstanceId = tester.boot({ ImageId: IMAGE_IDS.amazonLinux, UserData });
    tester.call("ModifyInstanceAttribute", { InstanceId, DisableApiStop: { Value: true } });
    const read = (Attribute: "disableApiStop" | "userData") =>
      tester.call("DescribeInstanceAttribute", { InstanceId, Attribute });
    expect(read("disableApiStop").DisableApiStop).toEqual({ Value: true });
    expect(read("userData").UserData).toEqual({ Value: UserData });
  });

  test("of metadata options has a call of its own", () => {
    const tester = createTester();
    const InstanceId = tester.boot();
    tester.call("ModifyInstanceMetadataOptions", { InstanceId, HttpTokens: "optional" });
    expect(tester.instance(InstanceId).MetadataOptions).toMatchObject({
      HttpTokens: "optional",
      HttpPutResponseHopLimit: 2,
    });
  });
});
