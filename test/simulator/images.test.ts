import { IMAGE_IDS } from "../../src/simulator";
import { createTester, SPOT } from "./tester";

function registered(tester: ReturnType<typeof createTester>, instanceId: string) {
  return tester.imageOf(tester.snapshotOf(tester.rootVolumeId(instanceId)));
}

describe("RegisterImage (ec2-facts §3)", () => {
  test("defaults to i386, paravirtual and no ENA, which no modern type launches", () => {
    const tester = createTester();
    const id = tester.imageOf(tester.snapshotOf(tester.rootVolumeId(tester.boot())), {
      Architecture: undefined,
      VirtualizationType: undefined,
      EnaSupport: undefined,
    });
    expect(tester.image(id)).toMatchObject({
      Architecture: "i386",
      VirtualizationType: "paravirtual",
      EnaSupport: undefined,
    });
    const launch = (InstanceType: "t3.micro" | "t2.micro") =>
      tester.error("RunInstances", { ImageId: id, InstanceType, MinCount: 1, MaxCount: 1 });
    expect(launch("t3.micro").message).toMatch(/'x86_64'.* does not match the architecture 'i386'/);
    expect(launch("t2.micro")).toMatchObject({
      code: "InvalidParameterCombination",
      message: expect.stringMatching(/^Virtualization type 'hvm' is required/),
    });
  });

  test("without ENA support does not launch where ENA is required", () => {
    const tester = createTester();
    const ImageId = tester.imageOf(tester.snapshotOf(tester.rootVolumeId(tester.boot())), {
      EnaSupport: false,
    });
    expect(
      tester.error("RunInstances", { ImageId, InstanceType: "m5.large", MinCount: 1, MaxCount: 1 }),
    ).toMatchObject({
      code: "InvalidParameterCombination",
      message: expect.stringMatching(/^Enhanced networking with the Elastic Network Adapter/),
    });
  });

  test("is pending before it is available, and not launchable until then", () => {
    const tester = createTester();
    const snapshotId = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const { ImageId } = tester.call("RegisterImage", {
      Name: "mine",
      RootDeviceName: "/dev/xvda",
      Architecture: "x86_64",
      VirtualizationType: "hvm",
      EnaSupport: true,
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: snapshotId } }],
    });
    const input = { ImageId, InstanceType: "t3.micro" as const, MinCount: 1, MaxCount: 1 };
    expect(tester.image(ImageId ?? "").State).toBe("pending");
    expect(tester.error("RunInstances", input).code).toBe("InvalidAMIID.Unavailable");
    tester.sim.clock.advance(tester.sim.latencies.imageRegistration);
    expect(tester.call("RunInstances", input).Instances).toHaveLength(1);
  });

  test("may end in failed", () => {
    const tester = createTester();
    tester.sim.control.setFaults({ failImages: { next: 1 } });
    const id = registered(tester, tester.boot());
    expect(tester.image(id)).toMatchObject({
      State: "failed",
      StateReason: { Code: "Server.InternalError" },
    });
  });

  test("refuses Encrypted beside a snapshot, and tags for anything but the image", () => {
    const tester = createTester();
    const SnapshotId = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const input = { Name: "mine", RootDeviceName: "/dev/xvda" };
    expect(
      tester.error("RegisterImage", {
        ...input,
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId, Encrypted: false } }],
      }).code,
    ).toBe("InvalidParameterValue");
    expect(
      tester.refusal("RegisterImage", {
        ...input,
        BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId } }],
        TagSpecifications: [{ ResourceType: "snapshot", Tags: [] }],
      }),
    ).toBe(
      "InvalidParameterValue: 'snapshot' is not a valid taggable resource type for this operation.",
    );
  });

  test("demands a unique name, which is not free at once after deregistering", () => {
    const tester = createTester();
    const { sim, call } = tester;
    const snapshotId = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const first = tester.imageOf(snapshotId, { Name: "pmi-1" });
    const again = () => tester.imageOf(snapshotId, { Name: "pmi-1" });
    expect(again).toThrow(`AMI name pmi-1 is already in use by AMI ${first}`);
    call("DeregisterImage", { ImageId: first });
    sim.clock.advance(sim.latencies.imageNameReuse - 1);
    expect(again).toThrow(/already in use/);
    sim.clock.advance(1);
    expect(again()).not.toBe(first);
  });

  test.each([
    [false, undefined, "Linux/UNIX", "RunInstances"],
    [true, "windows", "Windows", "RunInstances:0002"],
  ])(
    "with derived metadata %s says of a Windows disk: %s, %s",
    (derives, name, details, operation) => {
      const tester = createTester({ registerImageDerivesPlatform: derives });
      const id = tester.boot({ ImageId: IMAGE_IDS.windows });
      const root = tester.instance(id).BlockDeviceMappings?.[0]?.Ebs?.VolumeId ?? "";
      expect(tester.image(tester.imageOf(tester.snapshotOf(root)))).toMatchObject({
        Platform: name,
        PlatformDetails: details,
        UsageOperation: operation,
      });
    },
  );
});

describe("CreateImage (ec2-facts §3)", () => {
  test("keeps everything of the instance, platform and source included", () => {
    const tester = createTester();
    const id = tester.boot({ ImageId: IMAGE_IDS.windows });
    const { ImageId = "" } = tester.call("CreateImage", { InstanceId: id, Name: "win" });
    expect(tester.image(ImageId).State).toBe("pending");
    tester.sim.clock.advance(1000);
    expect(tester.image(ImageId)).toMatchObject({
      State: "available",
      Architecture: "x86_64",
      EnaSupport: true,
      PlatformDetails: "Windows",
      SourceInstanceId: id,
      SourceImageId: IMAGE_IDS.windows,
    });
  });

  test("is impossible once the instance is gone", () => {
    const tester = createTester();
    const id = tester.boot({ InstanceMarketOptions: SPOT });
    tester.sim.control.interrupt({ instanceId: id, noticeSeconds: 0 });
    expect(tester.error("CreateImage", { InstanceId: id, Name: "late" }).code).toBe(
      "IncorrectInstanceState",
    );
  });

  test("reboots the instance unless told not to", () => {
    const tester = createTester();
    const id = tester.boot();
    tester.call("CreateImage", { InstanceId: id, Name: "one", NoReboot: true });
    tester.sim.guest.write({ instanceId: id, path: "/a", content: "x" });
    tester.sim.clock.advance(60);
    tester.call("CreateImage", { InstanceId: id, Name: "two" });
    expect(() => tester.sim.guest.write({ instanceId: id, path: "/a", content: "x" })).toThrow(
      /not running/,
    );
  });

  test("fails with its snapshot", () => {
    const tester = createTester();
    const id = tester.boot();
    tester.sim.control.setFaults({ failSnapshots: { next: 1 } });
    const { ImageId = "" } = tester.call("CreateImage", { InstanceId: id, Name: "one" });
    tester.sim.clock.advance(1000);
    expect(tester.image(ImageId).State).toBe("failed");
  });
});

describe("DeregisterImage (ec2-facts §3)", () => {
  test("leaves the image listed for a short while, and running instances alone", () => {
    const tester = createTester();
    const image = registered(tester, tester.boot());
    const child = tester.boot({ ImageId: image });
    tester.call("DeregisterImage", { ImageId: image });
    expect(tester.image(image).State).toBe("deregistered");
    expect(tester.error("DeregisterImage", { ImageId: image }).code).toBe(
      "InvalidAMIID.Unavailable",
    );
    tester.sim.clock.advance(tester.sim.latencies.deregisteredVisible);
    expect(tester.error("DescribeImages", { ImageIds: [image] }).code).toBe(
      "InvalidAMIID.NotFound",
    );
    expect(tester.instance(child).State?.Name).toBe("running");
  });

  test("deletes associated snapshots except those that another image uses", () => {
    const tester = createTester();
    const snapshotId = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const images = [tester.imageOf(snapshotId), tester.imageOf(snapshotId)];
    const outcomes = images.map((ImageId) =>
      tester.call("DeregisterImage", { ImageId, DeleteAssociatedSnapshots: true }),
    );
    expect(outcomes.map((each) => each.DeleteSnapshotResults)).toEqual([
      [{ SnapshotId: snapshotId, ReturnCode: "skipped" }],
      [{ SnapshotId: snapshotId, ReturnCode: "success" }],
    ]);
  });

  test("is refused for Amazon's images", () => {
    const { error } = createTester();
    expect(error("DeregisterImage", { ImageId: IMAGE_IDS.ubuntu }).code).toBe("AuthFailure");
  });
});

describe("DescribeImages", () => {
  test("finds by owner and name pattern", () => {
    const { call } = createTester();
    const find = (value: string) =>
      call("DescribeImages", { Owners: ["amazon"], Filters: [{ Name: "name", Values: [value] }] })
        .Images?.length;
    expect(find("al2023-ami-2023.*-x86_64")).toBe(2);
    expect(find("ubuntu*")).toBe(1);
    expect(call("DescribeImages", { Owners: ["self"] }).Images).toEqual([]);
  });

  test("hides a disabled image by its id, too, until it is enabled again (ec2-facts §3)", () => {
    const tester = createTester();
    const { call, error } = tester;
    const ImageId = registered(tester, tester.boot());
    call("DisableImage", { ImageId });
    expect(error("DescribeImages", { ImageIds: [ImageId] }).code).toBe("InvalidAMIID.NotFound");
    const asked = { ImageIds: [ImageId], IncludeDisabled: true };
    expect(call("DescribeImages", asked).Images?.[0]?.State).toBe("disabled");
    call("EnableImage", { ImageId });
    expect(tester.image(ImageId).State).toBe("available");
    tester.boot({ ImageId });
  });

  test("a disabled image keeps its name until it is deregistered (ec2-facts §3)", () => {
    const tester = createTester();
    const snapshot = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    const ImageId = tester.imageOf(snapshot, { Name: "kept" });
    tester.call("DisableImage", { ImageId });
    expect(() => tester.imageOf(snapshot, { Name: "kept" })).toThrow(/already in use/);
    tester.call("DeregisterImage", { ImageId });
    tester.sim.clock.advance(3600);
    tester.imageOf(snapshot, { Name: "kept" });
  });

  test("a failed image is not made available by enabling it", () => {
    const tester = createTester();
    const snapshot = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    tester.sim.control.setFaults({ failImages: { next: 1 } });
    const ImageId = tester.imageOf(snapshot);
    tester.call("EnableImage", { ImageId });
    expect(tester.image(ImageId).State).toBe("failed");
  });

  test("disabling and enabling an image are told as events (ec2-facts §8)", () => {
    const tester = createTester();
    const ImageId = registered(tester, tester.boot());
    tester.call("DisableImage", { ImageId });
    tester.call("EnableImage", { ImageId });
    tester.sim.clock.advance(60);
    const told = tester.sim.control.events
      .list()
      .filter((event) => event["detail-type"] === "EC2 AMI State Change")
      .map(({ detail }) => detail.State);
    expect(told).toEqual(["available", "disabled", "available"]);
  });

  test("hides disabled images unless asked, and they do not launch", () => {
    const tester = createTester();
    const { call } = tester;
    const image = registered(tester, tester.boot());
    call("DisableImage", { ImageId: image });
    expect(call("DescribeImages", { Owners: ["self"] }).Images).toEqual([]);
    expect(call("DescribeImages", { Owners: ["self"], IncludeDisabled: true }).Images).toHaveLength(
      1,
    );
    expect(tester.error("RunInstances", { ImageId: image, MinCount: 1, MaxCount: 1 }).code).toBe(
      "InvalidAMIID.Unavailable",
    );
  });
});
