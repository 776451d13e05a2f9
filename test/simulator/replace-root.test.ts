import { IMAGE_IDS } from "../../src/simulator";
import { createTester, KEEP_ROOT, onAnchor, only, SUBNET_B } from "./tester";

type RootTester = ReturnType<typeof createTester>;

function replace(
  tester: RootTester,
  InstanceId: string,
  source: {
    VolumeId?: string;
    SnapshotId?: string;
    ImageId?: string;
    DeleteReplacedRootVolume?: boolean;
  } = {},
): string {
  const { ReplaceRootVolumeTask: task } = tester.call("CreateReplaceRootVolumeTask", {
    InstanceId,
    ...source,
  });
  return task?.ReplaceRootVolumeTaskId ?? "";
}

function stateOf(tester: RootTester, id: string) {
  const { ReplaceRootVolumeTasks } = tester.call("DescribeReplaceRootVolumeTasks", {
    ReplaceRootVolumeTaskIds: [id],
  });
  return only(ReplaceRootVolumeTasks).TaskState;
}

describe("CreateReplaceRootVolumeTask (ec2-facts §5)", () => {
  test("swaps in an existing volume, the reattach of a preserved root", () => {
    const tester = createTester();
    const { sim } = tester;
    const eni = tester.anchor();
    const first = tester.boot({ ...onAnchor(eni), BlockDeviceMappings: KEEP_ROOT });
    const preserved = tester.rootVolumeId(first);
    sim.guest.write({ instanceId: first, path: "/state", content: "precious" });
    tester.call("TerminateInstances", { InstanceIds: [first] });
    sim.clock.advance(60);
    const second = tester.boot(onAnchor(eni));
    const scratch = tester.rootVolumeId(second);
    const task = replace(tester, second, { VolumeId: preserved, DeleteReplacedRootVolume: true });
    expect(stateOf(tester, task)).toBe("pending");
    expect(tester.error("DeleteVolume", { VolumeId: preserved }).code).toBe("IncorrectState");
    sim.clock.advance(sim.latencies.replaceRootStart);
    expect(stateOf(tester, task)).toBe("in-progress");
    expect(() => sim.guest.list({ instanceId: second })).toThrow(/not running/);
    sim.clock.advance(60);
    expect(stateOf(tester, task)).toBe("succeeded");
    expect(tester.rootVolumeId(second)).toBe(preserved);
    expect(sim.guest.read({ instanceId: second, path: "/state" })).toBe("precious");
    expect(sim.guest.read({ instanceId: second, path: "/var/lib/cloud/data/instance-id" })).toBe(
      `${second}\n`,
    );
    expect(tester.error("DescribeVolumes", { VolumeIds: [scratch] }).code).toBe(
      "InvalidVolume.NotFound",
    );
    expect(tester.instance(second).NetworkInterfaces?.[0]?.NetworkInterfaceId).toBe(eni);
  });

  test("restores the launch state and keeps the old root", () => {
    const tester = createTester();
    const { sim } = tester;
    const id = tester.boot();
    const old = tester.rootVolumeId(id);
    sim.guest.write({ instanceId: id, path: "/state", content: "x" });
    replace(tester, id);
    sim.clock.advance(60);
    expect(sim.guest.list({ instanceId: id })).not.toContain("/state");
    expect(tester.volume(old).State).toBe("available");
  });

  test("takes snapshots of this instance's present and former roots, and no others", () => {
    const tester = createTester();
    const { sim } = tester;
    const id = tester.boot();
    sim.guest.write({ instanceId: id, path: "/state", content: "x" });
    const own = tester.snapshotOf(tester.rootVolumeId(id));
    replace(tester, id);
    sim.clock.advance(60);
    replace(tester, id, { SnapshotId: own });
    sim.clock.advance(60);
    expect(sim.guest.read({ instanceId: id, path: "/state" })).toBe("x");
    const foreign = tester.snapshotOf(tester.rootVolumeId(tester.boot()));
    expect(
      tester.refusal("CreateReplaceRootVolumeTask", { InstanceId: id, SnapshotId: foreign }),
    ).toMatch(/^InvalidParameterValue: The snapshot '.*' was not created from a root volume/);
  });

  test("takes a compatible image, which the instance then shows", () => {
    const tester = createTester();
    const id = tester.boot();
    replace(tester, id, { ImageId: IMAGE_IDS.amazonLinuxNewer });
    tester.sim.clock.advance(60);
    expect(tester.instance(id).ImageId).toBe(IMAGE_IDS.amazonLinuxNewer);
    expect(tester.sim.guest.read({ instanceId: id, path: "/etc/os-release" })).toMatch(/20251208/);
    for (const ImageId of [IMAGE_IDS.amazonLinuxArm, IMAGE_IDS.windows])
      expect(tester.error("CreateReplaceRootVolumeTask", { InstanceId: id, ImageId }).code).toBe(
        "InvalidParameterValue",
      );
  });

  test("is refused unless the instance runs, for volumes elsewhere, and two at a time", () => {
    const tester = createTester();
    const code = (InstanceId: string, VolumeId?: string) =>
      tester.error("CreateReplaceRootVolumeTask", { InstanceId, VolumeId }).code;
    expect(code(tester.launch())).toBe("IncorrectInstanceState");
    const id = tester.boot();
    const far = tester.boot({ SubnetId: SUBNET_B, BlockDeviceMappings: KEEP_ROOT });
    const farRoot = tester.rootVolumeId(far);
    expect(code(id, farRoot)).toBe("IncorrectState");
    tester.call("TerminateInstances", { InstanceIds: [far] });
    tester.sim.clock.advance(60);
    expect(code(id, farRoot)).toBe("InvalidVolume.ZoneMismatch");
    replace(tester, id);
    expect(code(id)).toBe("IncorrectInstanceState");
  });

  test("fails when the instance ends meanwhile, leaving the volume free", () => {
    const tester = createTester();
    const { sim } = tester;
    const first = tester.boot({ BlockDeviceMappings: KEEP_ROOT });
    const root = tester.rootVolumeId(first);
    tester.call("TerminateInstances", { InstanceIds: [first] });
    sim.clock.advance(60);
    const second = tester.boot();
    const task = replace(tester, second, { VolumeId: root });
    tester.call("TerminateInstances", { InstanceIds: [second] });
    sim.clock.advance(60);
    expect(stateOf(tester, task)).toBe("failed");
    expect(tester.volume(root).State).toBe("available");
  });

  test("is done once per client token", () => {
    const tester = createTester();
    const InstanceId = tester.boot();
    const input = { InstanceId, ClientToken: "swap-1" };
    const id = () =>
      tester.call("CreateReplaceRootVolumeTask", input).ReplaceRootVolumeTask
        ?.ReplaceRootVolumeTaskId;
    expect(id()).toBe(id());
  });
});
