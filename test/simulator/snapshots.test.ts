import { createTester, KEEP_ROOT } from "./tester";

describe("CreateSnapshot", () => {
  test("is pending with progress, and then completed", () => {
    const tester = createTester({ latencies: { snapshotBase: 10, snapshotPerGib: 5 } });
    const id = tester.boot();
    const { SnapshotId: snapshotId = "", ...answer } = tester.call("CreateSnapshot", {
      VolumeId: tester.rootVolumeId(id),
      Description: "periodic",
    });
    expect(answer).toMatchObject({ State: "pending", Progress: "", Description: "periodic" });
    tester.sim.clock.advance(10);
    expect(tester.snapshot(snapshotId)).toMatchObject({ State: "pending", Progress: "49%" });
    tester.sim.clock.advance(11);
    expect(tester.snapshot(snapshotId)).toMatchObject({ State: "completed", Progress: "100%" });
  });

  test("is full the first time and incremental within a lineage afterwards", () => {
    const tester = createTester({ latencies: { snapshotBase: 10, snapshotPerGib: 100 } });
    const { sim } = tester;
    const id = tester.boot();
    const seconds = (volumeId: string) => {
      const snapshotId = tester.call("CreateSnapshot", { VolumeId: volumeId }).SnapshotId ?? "";
      const startedAt = sim.clock.now();
      while (tester.snapshot(snapshotId).State === "pending") sim.clock.advance(1);
      sim.clock.advance(15);
      return { snapshotId, seconds: (sim.clock.now() - startedAt) / 1000 - 15 };
    };
    const root = tester.rootVolumeId(id);
    const first = seconds(root);
    expect(first.seconds).toBeGreaterThanOrEqual(210);
    expect(seconds(root).seconds).toBe(10);
    sim.guest.write({ instanceId: id, path: "/big", content: "x", sizeBytes: 1024 ** 3 });
    expect(seconds(root).seconds).toBe(110);
    const copy = tester.call("CreateVolume", {
      AvailabilityZone: "us-east-1a",
      SnapshotId: first.snapshotId,
    });
    sim.clock.advance(10);
    expect(seconds(copy.VolumeId ?? "").seconds).toBe(10);
  });

  test("may follow the end of the instance, before the volume is available (ec2-facts §2)", () => {
    const tester = createTester();
    const id = tester.boot({ BlockDeviceMappings: KEEP_ROOT });
    const root = tester.rootVolumeId(id);
    tester.call("TerminateInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(34);
    expect(tester.volume(root).State).toBe("in-use");
    expect(tester.call("CreateSnapshot", { VolumeId: root }).State).toBe("pending");
  });

  test("is refused within 15 seconds of the last one of the volume (ec2-facts §2)", () => {
    const tester = createTester();
    const root = tester.rootVolumeId(tester.boot());
    tester.call("CreateSnapshot", { VolumeId: root });
    tester.sim.clock.advance(14);
    expect(tester.refusal("CreateSnapshot", { VolumeId: root })).toBe(
      "SnapshotCreationPerVolumeRateExceeded: The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval between requests.",
    );
    tester.sim.clock.advance(1);
    expect(tester.call("CreateSnapshot", { VolumeId: root }).State).toBe("pending");
  });

  test.each([
    ["gp3", 5],
    ["st1", 1],
  ] as const)("is refused for a %s volume with %i pending (ec2-facts §2)", (VolumeType, slots) => {
    const tester = createTester({ latencies: { snapshotBase: 10_000 } });
    const { VolumeId = "" } = tester.call("CreateVolume", {
      AvailabilityZone: "us-east-1a",
      Size: 200,
      VolumeType,
    });
    tester.sim.clock.advance(20);
    for (let count = 0; count < slots; count += 1) {
      tester.call("CreateSnapshot", { VolumeId });
      tester.sim.clock.advance(20);
    }
    expect(tester.refusal("CreateSnapshot", { VolumeId })).toBe(
      "ConcurrentSnapshotLimitExceeded: Maximum allowed in-progress snapshots for a single volume exceeded.",
    );
  });

  test("keeps a slot after being deleted while pending, until it would have completed (ec2-facts §2)", () => {
    const tester = createTester({ latencies: { snapshotBase: 1000, snapshotPerGib: 0 } });
    const { sim, call } = tester;
    const VolumeId = tester.rootVolumeId(tester.boot());
    const ids = [1, 2, 3, 4, 5].map(() => {
      const id = call("CreateSnapshot", { VolumeId }).SnapshotId ?? "";
      sim.clock.advance(20);
      return id;
    });
    call("DeleteSnapshot", { SnapshotId: ids[0] });
    expect(tester.error("CreateSnapshot", { VolumeId }).code).toBe(
      "ConcurrentSnapshotLimitExceeded",
    );
    sim.clock.advance(1000 - 5 * 20);
    expect(call("CreateSnapshot", { VolumeId }).State).toBe("pending");
  });

  test("that ended in error keeps its slot until it is deleted (ec2-facts §2)", () => {
    const tester = createTester();
    const { sim, call } = tester;
    const VolumeId = tester.rootVolumeId(tester.boot());
    sim.control.setFaults({ failSnapshots: { next: 5 } });
    const ids = [1, 2, 3, 4, 5].map(() => tester.snapshotOf(VolumeId));
    expect(tester.snapshot(ids[0] ?? "").State).toBe("error");
    expect(tester.error("CreateSnapshot", { VolumeId }).code).toBe(
      "ConcurrentSnapshotLimitExceeded",
    );
    call("DeleteSnapshot", { SnapshotId: ids[0] });
    expect(tester.snapshot(tester.snapshotOf(VolumeId)).State).toBe("completed");
  });

  test("has no client token: a repeat makes a second one (ec2-facts §1.1)", () => {
    const tester = createTester();
    const VolumeId = tester.rootVolumeId(tester.boot());
    tester.snapshotOf(VolumeId);
    tester.snapshotOf(VolumeId);
    const own = tester.call("DescribeSnapshots", { OwnerIds: ["self"] }).Snapshots;
    expect(own).toHaveLength(2);
  });

  test("says so on EventBridge, with the odd ARN (ec2-facts §8)", () => {
    const tester = createTester();
    const id = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const events = tester.sim.control.events.list();
    const [event] = events.filter((each) => each["detail-type"] === "EBS Snapshot Notification");
    expect(event).toMatchObject({
      resources: [`arn:aws:ec2::us-east-1:snapshot/${id}`],
      detail: {
        event: "createSnapshot",
        result: "succeeded",
        snapshot_id: `arn:aws:ec2::us-east-1:snapshot/${id}`,
      },
    });
  });
});

describe("snapshots", () => {
  test("that are not completed cannot be used (ec2-facts §2)", () => {
    const tester = createTester();
    const { SnapshotId } = tester.call("CreateSnapshot", {
      VolumeId: tester.rootVolumeId(tester.boot()),
    });
    const expected = "IncorrectState: Snapshot is in invalid state - pending";
    expect(tester.refusal("CreateVolume", { AvailabilityZone: "us-east-1a", SnapshotId })).toBe(
      expected,
    );
    expect(
      tester.refusal("RegisterImage", {
        Name: "early",
        RootDeviceName: "/dev/xvda",
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId } }],
      }),
    ).toBe(expected);
  });

  test("are not deleted under an image, not even a disabled one (ec2-facts §3)", () => {
    const tester = createTester();
    const { call } = tester;
    const SnapshotId = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const ImageId = tester.imageOf(SnapshotId);
    call("DisableImage", { ImageId });
    expect(tester.refusal("DeleteSnapshot", { SnapshotId })).toBe(
      `InvalidSnapshot.InUse: The snapshot ${SnapshotId} is currently in use by ${ImageId}`,
    );
    call("DeregisterImage", { ImageId });
    call("DeleteSnapshot", { SnapshotId });
    expect(tester.error("DescribeSnapshots", { SnapshotIds: [SnapshotId] }).code).toBe(
      "InvalidSnapshot.NotFound",
    );
  });

  test("outlive the deletion of older ones and of their volume (ec2-facts §2)", () => {
    const tester = createTester();
    const { sim, call } = tester;
    const id = tester.boot();
    const root = tester.rootVolumeId(id);
    const first = tester.snapshotOf(root);
    sim.guest.write({ instanceId: id, path: "/a", content: "kept" });
    const second = tester.snapshotOf(root);
    call("DeleteSnapshot", { SnapshotId: first });
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(120);
    const child = tester.boot({ ImageId: tester.imageOf(second) });
    expect(sim.guest.read({ instanceId: child, path: "/a" })).toBe("kept");
  });

  test("of all attached volumes of an instance are one call, impossible after its end (ec2-facts §2)", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot({
      BlockDeviceMappings: [{ DeviceName: "/dev/sdf", Ebs: { VolumeSize: 1 } }],
      TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "a", Value: "b" }] }],
    });
    const input = { InstanceSpecification: { InstanceId: id, ExcludeBootVolume: true } };
    const { Snapshots } = call("CreateSnapshots", { ...input, CopyTagsFromSource: "volume" });
    expect(Snapshots).toHaveLength(1);
    expect(Snapshots?.[0]?.Tags).toEqual([{ Key: "a", Value: "b" }]);
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(tester.error("CreateSnapshots", input).code).toBe("InvalidParameterCombination");
  });

  test("hang by fault until the fault is taken away", () => {
    const tester = createTester();
    const { sim } = tester;
    const VolumeId = tester.rootVolumeId(tester.boot());
    sim.control.setFaults({ hangSnapshots: { volumeId: VolumeId } });
    const id = tester.snapshotOf(VolumeId);
    sim.clock.advance(24 * 3600);
    expect(tester.snapshot(id)).toMatchObject({ State: "pending", Progress: "0%" });
    sim.control.setFaults({});
    sim.clock.advance(60);
    expect(tester.snapshot(id).State).toBe("completed");
  });
});
