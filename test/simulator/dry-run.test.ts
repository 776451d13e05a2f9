import { IMAGE_IDS } from "../../src/simulator";
import { createTester, PERSISTENT_SPOT, SUBNET_A } from "./tester";

/** A world in which every changing action below would succeed. */
function preparedWorld() {
  const tester = createTester();
  const { call, sim } = tester;
  const running = tester.boot({ InstanceMarketOptions: PERSISTENT_SPOT });
  const stopped = tester.boot();
  call("StopInstances", { InstanceIds: [stopped] });
  const VolumeId = call("CreateVolume", { AvailabilityZone: "us-east-1a", Size: 1 }).VolumeId ?? "";
  const SnapshotId = tester.snapshotOf(tester.rootVolumeId(running));
  const spare = tester.snapshotOf(tester.rootVolumeId(running));
  const ImageId = tester.imageOf(SnapshotId);
  const eni = tester.anchor();
  const { AllocationId } = call("AllocateAddress", {});
  const SpotInstanceRequestIds = [tester.instance(running).SpotInstanceRequestId ?? ""];
  sim.clock.advance(60);
  const inputs: Readonly<Record<string, Record<string, unknown>>> = {
    RunInstances: { ImageId: IMAGE_IDS.ubuntu, MinCount: 1, MaxCount: 1 },
    TerminateInstances: { InstanceIds: [running, stopped] },
    StopInstances: { InstanceIds: [running] },
    StartInstances: { InstanceIds: [stopped] },
    RebootInstances: { InstanceIds: [running] },
    ModifyInstanceAttribute: { InstanceId: running, DisableApiStop: { Value: true } },
    ModifyInstanceMetadataOptions: { InstanceId: running, HttpTokens: "optional" },
    CreateReplaceRootVolumeTask: { InstanceId: running },
    CreateVolume: { AvailabilityZone: "us-east-1a", Size: 1 },
    AttachVolume: { VolumeId, InstanceId: running, Device: "/dev/sdf" },
    DetachVolume: { VolumeId: tester.rootVolumeId(stopped) },
    DeleteVolume: { VolumeId },
    CreateSnapshot: { VolumeId: tester.rootVolumeId(running) },
    CreateSnapshots: { InstanceSpecification: { InstanceId: running } },
    DeleteSnapshot: { SnapshotId: spare },
    RegisterImage: {
      Name: "dry",
      RootDeviceName: "/dev/xvda",
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId } }],
    },
    CreateImage: { InstanceId: running, Name: "dry" },
    DeregisterImage: { ImageId, DeleteAssociatedSnapshots: true },
    CreateNetworkInterface: { SubnetId: SUBNET_A },
    DeleteNetworkInterface: { NetworkInterfaceId: eni },
    AttachNetworkInterface: { NetworkInterfaceId: eni, InstanceId: running, DeviceIndex: 1 },
    ModifyNetworkInterfaceAttribute: { NetworkInterfaceId: eni, Description: { Value: "x" } },
    AllocateAddress: {},
    AssociateAddress: { AllocationId, NetworkInterfaceId: eni },
    ReleaseAddress: { AllocationId },
    CreateTags: { Resources: [eni], Tags: [{ Key: "a", Value: "b" }] },
    DeleteTags: { Resources: [eni], Tags: [{ Key: "a" }] },
    CancelSpotInstanceRequests: { SpotInstanceRequestIds },
    CreateVpc: { CidrBlock: "10.0.0.0/16" },
    CreateSecurityGroup: { GroupName: "web", Description: "w" },
    CreateKeyPair: { KeyName: "mine" },
  };
  return { tester, inputs };
}

const prepared = preparedWorld();

test.each(Object.keys(prepared.inputs))(
  "a dry run of %s succeeds and changes nothing",
  (action) => {
    const { sim } = prepared.tester;
    const before = JSON.stringify(sim.control.state());
    const eventsBefore = sim.control.events.list().length;
    const input = { ...prepared.inputs[action], DryRun: true };
    expect(() => sim.call(action, input)).toThrow(
      "Request would have succeeded, but DryRun flag is set.",
    );
    sim.clock.advance(0);
    expect(JSON.stringify(sim.control.state())).toBe(before);
    expect(sim.control.events.list()).toHaveLength(eventsBefore);
  },
);

test("what EC2's model has no dry run of refuses the parameter", () => {
  const { sim } = preparedWorld().tester;
  expect(() => sim.call("AssignPrivateIpAddresses", { DryRun: true })).toThrow(
    "The parameter DryRun is not recognized",
  );
});

test.each(Object.keys(prepared.inputs))("without DryRun that call of %s does succeed", (action) => {
  const { tester, inputs } = preparedWorld();
  expect(tester.sim.call(action, inputs[action] ?? {})).toBeDefined();
});

test("a call that only reads has nothing to stop at and says the same", () => {
  const { error } = prepared.tester;
  expect(error("DescribeInstances", { DryRun: true })).toMatchObject({
    code: "DryRunOperation",
    statusCode: 412,
  });
});
