import { createTester, KEEP_ROOT, onAnchor, SPOT } from "./tester";

describe("TerminateInstances", () => {
  test("passes through shutting-down and frees volume and interface at moments of their own (ec2-facts §2, §4)", () => {
    const tester = createTester();
    const { sim, call, instance, volume, networkInterface } = tester;
    const eni = tester.anchor();
    const id = tester.boot({ ...onAnchor(eni), BlockDeviceMappings: KEEP_ROOT });
    const root = tester.rootVolumeId(id);
    const { osShutdown, shuttingDownToTerminated } = sim.latencies;
    const { terminatedToInterfaceAvailable, terminatedToVolumeAvailable } = sim.latencies;

    const [change] = call("TerminateInstances", { InstanceIds: [id] }).TerminatingInstances ?? [];
    expect(change?.PreviousState?.Name).toBe("running");
    expect(change?.CurrentState?.Name).toBe("shutting-down");
    expect(networkInterface(eni).Status).toBe("in-use");

    sim.clock.advance(osShutdown + shuttingDownToTerminated);
    expect(instance(id).State?.Name).toBe("terminated");
    expect(volume(root).State).toBe("in-use");
    expect(networkInterface(eni).Status).toBe("detaching");

    sim.clock.advance(terminatedToInterfaceAvailable);
    expect(networkInterface(eni)).toMatchObject({ Status: "available", Attachment: undefined });
    expect(volume(root).State).toBe("in-use");

    sim.clock.advance(terminatedToVolumeAvailable - terminatedToInterfaceAvailable);
    expect(volume(root)).toMatchObject({ State: "available", Attachments: [] });
  });

  test("deletes what DeleteOnTermination says and keeps what was attached later (ec2-facts §2)", () => {
    const tester = createTester();
    const { sim, call } = tester;
    const id = tester.boot();
    const root = tester.rootVolumeId(id);
    const data = call("CreateVolume", { AvailabilityZone: "us-east-1a", Size: 1 }).VolumeId ?? "";
    sim.clock.advance(5);
    call("AttachVolume", { Device: "/dev/sdf", InstanceId: id, VolumeId: data });
    sim.clock.advance(5);
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(120);
    expect(tester.error("DescribeVolumes", { VolumeIds: [root] }).code).toBe(
      "InvalidVolume.NotFound",
    );
    expect(tester.volume(data).State).toBe("available");
    expect(call("DescribeNetworkInterfaces", {}).NetworkInterfaces).toEqual([]);
  });

  test("is repeatable and takes several ids, all or none", () => {
    const { boot, call, error, instance } = createTester();
    const ids = [boot(), boot()];
    const missing = "i-00000000000000000";
    expect(error("TerminateInstances", { InstanceIds: [...ids, missing] })).toMatchObject({
      code: "InvalidInstanceID.NotFound",
      message: `The instance ID '${missing}' does not exist`,
    });
    expect(ids.map((id) => instance(id).State?.Name)).toEqual(["running", "running"]);
    call("TerminateInstances", { InstanceIds: ids });
    const again = call("TerminateInstances", { InstanceIds: ids }).TerminatingInstances;
    expect(again?.map((each) => each.PreviousState?.Name)).toEqual([
      "shutting-down",
      "shutting-down",
    ]);
  });

  test("says who ended the instance (ec2-facts §1.4)", () => {
    const { boot, call, instance } = createTester();
    const id = boot();
    call("TerminateInstances", { InstanceIds: [id] });
    expect(instance(id)).toMatchObject({
      StateReason: { Code: "Client.UserInitiatedShutdown" },
      StateTransitionReason: "User initiated (2026-01-01 00:00:10 GMT)",
    });
  });

  test("is refused for a protected instance", () => {
    const { boot, error } = createTester();
    const id = boot({ DisableApiTermination: true });
    expect(error("TerminateInstances", { InstanceIds: [id] }).code).toBe("OperationNotPermitted");
  });

  test("leaves an instance listed for an hour, without disks, place and sooner or later tags (ec2-facts §9)", () => {
    const { boot, call, error, instance, sim } = createTester();
    const id = boot({
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] }],
    });
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(instance(id)).toMatchObject({
      State: { Name: "terminated" },
      BlockDeviceMappings: [],
      NetworkInterfaces: [],
      Tags: [{ Key: "a", Value: "b" }],
    });
    expect(instance(id).PrivateIpAddress).toBeUndefined();
    sim.clock.advance(3300);
    expect(instance(id).Tags).toEqual([]);
    sim.clock.advance(300);
    expect(error("DescribeInstances", { InstanceIds: [id] }).code).toBe(
      "InvalidInstanceID.NotFound",
    );
  });

  test("skips the operating system's shutdown on demand", () => {
    const { boot, call, instance, sim } = createTester();
    const id = boot();
    call("TerminateInstances", { InstanceIds: [id], SkipOsShutdown: true });
    expect(() => sim.guest.write({ instanceId: id, path: "/a", content: "x" })).toThrow(
      /operating system/,
    );
    sim.clock.advance(sim.latencies.shuttingDownToTerminated);
    expect(instance(id).State?.Name).toBe("terminated");
  });
});

describe("a launch that EC2 takes and ends before it runs (ec2-facts §1.5)", () => {
  test.each([
    ["Client.InternalError", "Client error on launch", 0],
    ["Server.InternalError", "Internal error on launch", 1],
  ] as const)(
    "says %s, frees the interface and leaves what became of its disk",
    (code, message, left) => {
      const tester = createTester();
      const { call, instance, networkInterface, sim } = tester;
      sim.control.setFaults({ failLaunches: { code, next: 1 } });
      const eni = tester.anchor();
      const id = tester.launch({ ...onAnchor(eni), BlockDeviceMappings: KEEP_ROOT });
      expect(instance(id).State?.Name).toBe("pending");
      sim.clock.advance(300);
      expect(instance(id)).toMatchObject({
        State: { Name: "terminated" },
        StateReason: { Code: code, Message: `${code}: ${message}` },
      });
      expect(networkInterface(eni).Status).toBe("available");
      expect(call("DescribeVolumes", {}).Volumes).toHaveLength(left);
      const next = tester.boot(onAnchor(eni));
      expect(instance(next).State?.Name).toBe("running");
    },
  );
});

describe("StopInstances and StartInstances", () => {
  test("keep address, interface and disks, and lose the automatic public address (ec2-facts §11)", () => {
    const { boot, call, instance, sim } = createTester();
    const id = boot();
    const before = instance(id);
    call("StopInstances", { InstanceIds: [id] });
    expect(instance(id).State?.Name).toBe("stopping");
    sim.clock.advance(60);
    expect(instance(id)).toMatchObject({
      State: { Name: "stopped" },
      PrivateIpAddress: before.PrivateIpAddress,
      BlockDeviceMappings: before.BlockDeviceMappings,
    });
    expect(instance(id).PublicIpAddress).toBeUndefined();
    call("StartInstances", { InstanceIds: [id] });
    sim.clock.advance(10);
    expect(instance(id).State?.Name).toBe("running");
    expect(instance(id).PublicIpAddress).not.toBe(before.PublicIpAddress);
  });

  test("are refused for a one-time Spot Instance (ec2-facts §1.6, §11)", () => {
    const { boot, refusal } = createTester();
    const id = boot({ InstanceMarketOptions: SPOT });
    expect(refusal("StopInstances", { InstanceIds: [id] })).toBe(
      `UnsupportedOperation: You can't stop the Spot Instance '${id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.`,
    );
  });

  test("find no capacity when the pool is empty (ec2-facts §1.5)", () => {
    const { boot, call, error, sim } = createTester();
    const id = boot();
    call("StopInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    sim.control.setCapacity({
      instanceType: "t3.micro",
      zone: "us-east-1a",
      market: "on-demand",
      available: 0,
    });
    expect(error("StartInstances", { InstanceIds: [id] })).toMatchObject({
      code: "InsufficientInstanceCapacity",
      statusCode: 500,
    });
  });

  test("do not apply in the wrong state", () => {
    const { boot, launch, call, error, sim } = createTester();
    expect(error("StopInstances", { InstanceIds: [launch()] }).code).toBe("IncorrectInstanceState");
    const id = boot();
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(error("StartInstances", { InstanceIds: [id] }).code).toBe("IncorrectInstanceState");
    expect(error("RebootInstances", { InstanceIds: [id] }).code).toBe("IncorrectInstanceState");
  });
});

describe("status checks", () => {
  const statusOf = (tester: ReturnType<typeof createTester>, id: string) => {
    const [status] =
      tester.call("DescribeInstanceStatus", { InstanceIds: [id] }).InstanceStatuses ?? [];
    return [status?.InstanceStatus?.Status, status?.SystemStatus?.Status];
  };

  test("go from initializing to ok after the boot", () => {
    const tester = createTester();
    const id = tester.boot();
    expect(statusOf(tester, id)).toEqual(["initializing", "initializing"]);
    tester.sim.clock.advance(tester.sim.latencies.bootToStatusOk);
    expect(statusOf(tester, id)).toEqual(["ok", "ok"]);
  });

  test("end in impaired for an image that never gets healthy, and so do disks made from it", () => {
    const tester = createTester();
    const { sim } = tester;
    sim.control.markImage({ imageId: "ami-0a12023000000001a", boots: "never-healthy" });
    const id = tester.boot();
    sim.clock.advance(sim.latencies.bootToStatusOk);
    expect(statusOf(tester, id)).toEqual(["initializing", "initializing"]);
    sim.clock.advance(sim.latencies.bootToStatusImpaired);
    expect(statusOf(tester, id)).toEqual(["impaired", "impaired"]);
    const [status] = tester.call("DescribeInstanceStatus", {}).InstanceStatuses ?? [];
    expect(status?.InstanceStatus?.Details?.[0]).toEqual({
      Name: "reachability",
      Status: "failed",
      ImpairedSince: new Date("2026-01-01T00:03:03.400Z"),
    });
    const image = tester.imageOf(tester.snapshotOf(tester.rootVolumeId(id)));
    const child = tester.boot({ ImageId: image });
    sim.clock.advance(600);
    expect(statusOf(tester, child)).toEqual(["impaired", "impaired"]);
  });

  test("fail from the moment that a running instance is impaired, until a reboot", () => {
    const tester = createTester();
    const id = tester.boot();
    tester.sim.clock.advance(200);
    tester.sim.control.impair(id);
    expect(statusOf(tester, id)).toEqual(["impaired", "impaired"]);
    tester.call("RebootInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(200);
    expect(statusOf(tester, id)).toEqual(["ok", "ok"]);
  });

  test("are shown for other than running instances only on demand", () => {
    const { launch, call } = createTester();
    const id = launch();
    const ask = (IncludeAllInstances: boolean) =>
      call("DescribeInstanceStatus", { InstanceIds: [id], IncludeAllInstances }).InstanceStatuses;
    expect(ask(false)).toEqual([]);
    expect(ask(true)?.[0]?.InstanceStatus).toEqual({ Status: "not-applicable" });
  });
});
