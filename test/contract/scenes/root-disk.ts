/** What becomes of a root disk: kept, snapshotted, and available after its instance (ec2-facts §2). */
import assert from "node:assert/strict";
import { scene } from "../scene";
import {
  expectRefused,
  instanceById,
  launched,
  launchOn,
  newInterface,
  ownName,
  plainLaunch,
  rootVolumeId,
  snapshotById,
  snapshotSpacing,
  terminate,
  tooFast,
  until,
  untilInstance,
  untilSnapshot,
  untilVolume,
  volumeById,
} from "../steps";

export const rootDisk = scene(
  "the root disk of an instance",
  async (stage) => {
    const anchor = await newInterface(stage, "disk-anchor");
    const request = launchOn(stage, anchor, "disk", {
      TagSpecifications: [{ ResourceType: "volume", Tags: [{ Key: "kind", Value: "root" }] }],
    });
    const instanceId = await launched(stage, request);
    await untilInstance(stage, instanceId, "running");
    const volumeId = await rootVolumeId(stage, instanceId);
    const mapping = async () => {
      const { BlockDeviceMappings = [] } = await instanceById(stage, instanceId);
      return BlockDeviceMappings[0]?.Ebs?.DeleteOnTermination;
    };
    const setKept = (Ebs: { DeleteOnTermination?: boolean; VolumeId?: string }) =>
      stage.ec2.modifyInstanceAttribute({
        InstanceId: instanceId,
        BlockDeviceMappings: [{ DeviceName: stage.place.rootDeviceName, Ebs }],
      });
    return { stage, instanceId, volumeId, mapping, setKept, snapshotId: "" };
  },
  [
    {
      sentence: "a root volume carries the tags that its launch gave to volumes",
      fact: "§10",
      check: async ({ stage, volumeId }) => {
        const { Tags = [] } = await volumeById(stage, volumeId);
        assert.ok(Tags.some(({ Key, Value }) => Key === "kind" && Value === "root"));
      },
    },
    {
      sentence: "the root volume is at the root device that the instance names",
      fact: "§2",
      check: async ({ stage, instanceId }) => {
        const { RootDeviceName, BlockDeviceMappings } = await instanceById(stage, instanceId);
        assert.deepEqual(
          [RootDeviceName, BlockDeviceMappings?.[0]?.DeviceName],
          [stage.place.rootDeviceName, stage.place.rootDeviceName],
        );
      },
    },
    {
      sentence: "DeleteOnTermination=false at launch keeps the root volume",
      fact: "§2",
      check: async ({ mapping }) => assert.equal(await mapping(), false),
    },
    {
      sentence: "a block device mapping without DeleteOnTermination sets it to true",
      fact: "§2",
      check: async ({ stage, mapping, setKept, volumeId }) => {
        await setKept({ VolumeId: volumeId });
        await until(stage, "true", async () => ((await mapping()) === true ? true : undefined));
      },
    },
    {
      sentence: "DeleteOnTermination=false is set on a running instance",
      fact: "§2",
      check: async ({ stage, mapping, setKept }) => {
        await setKept({ DeleteOnTermination: false });
        await until(stage, "false", async () => ((await mapping()) === false ? true : undefined));
      },
    },
    {
      sentence: "a volume tells the instance that it is attached to",
      fact: "§2",
      check: async ({ stage, volumeId, instanceId }) => {
        const { State, Attachments } = await volumeById(stage, volumeId);
        assert.deepEqual([State, Attachments?.[0]?.InstanceId], ["in-use", instanceId]);
      },
    },
    {
      sentence: "an attached volume cannot be deleted",
      fact: "§2",
      check: ({ stage, volumeId }) =>
        expectRefused(stage.ec2.deleteVolume({ VolumeId: volumeId }), "VolumeInUse"),
    },
    {
      sentence: "the root of a running instance cannot be detached",
      fact: "§2",
      check: ({ stage, volumeId }) =>
        expectRefused(
          stage.ec2.detachVolume({ VolumeId: volumeId }),
          "OperationNotPermitted",
          "IncorrectState",
        ),
    },
    {
      sentence: "a snapshot of an attached root is pending at first",
      fact: "§2",
      check: async (context) => {
        const { stage, volumeId } = context;
        const made = await stage.ec2.createSnapshot({
          VolumeId: volumeId,
          Description: `${ownName(stage, "root")} first`,
          TagSpecifications: [{ ResourceType: "snapshot", Tags: [{ Key: "n", Value: "1" }] }],
        });
        context.snapshotId = made.SnapshotId ?? "";
        assert.equal(made.State, "pending");
      },
    },
    {
      sentence: "a second snapshot of a volume within fifteen seconds is refused",
      fact: "§2",
      check: ({ stage, volumeId }) =>
        expectRefused(
          stage.ec2.createSnapshot({ VolumeId: volumeId }),
          "SnapshotCreationPerVolumeRateExceeded",
        ),
    },
    {
      sentence: "progress is told in per cent",
      fact: "§2",
      check: async ({ stage, snapshotId }) => {
        const { Progress, State } = await until(stage, "the snapshot", () =>
          snapshotById(stage, snapshotId),
        );
        if (State === "completed") assert.equal(Progress, "100%");
        else assert.match(Progress ?? "", /^(\d{1,2}%)?$/);
      },
    },
    {
      sentence: "a pending snapshot cannot become a volume",
      fact: "§2",
      check: async ({ stage, snapshotId }) => {
        if ((await snapshotById(stage, snapshotId)).State === "completed") tooFast("pending");
        await expectRefused(
          stage.ec2.createVolume({
            AvailabilityZone: stage.place.zone,
            SnapshotId: snapshotId,
            ClientToken: `${stage.runId}-pending`,
          }),
          "IncorrectState",
          "InvalidSnapshot.NotFound",
        );
      },
    },
    {
      sentence: "a snapshot completes, and knows its volume and its tags",
      fact: "§2",
      check: async ({ stage, snapshotId, volumeId }) => {
        const found = await untilSnapshot(stage, snapshotId, "completed");
        assert.equal(found.VolumeId, volumeId);
        assert.ok(found.StartTime instanceof Date);
        assert.ok(found.Tags?.some(({ Key }) => Key === "n"));
      },
    },
    {
      sentence: "a snapshot is found by how its description begins, among one's own",
      fact: "§9",
      check: async ({ stage, snapshotId }) => {
        const Filters = [{ Name: "description", Values: [`${ownName(stage, "root")} *`] }];
        const { Snapshots } = await stage.ec2.describeSnapshots({ OwnerIds: ["self"], Filters });
        assert.deepEqual(
          Snapshots?.map((snapshot) => snapshot.SnapshotId),
          [snapshotId],
        );
      },
    },
    {
      sentence: "both status checks of a healthy instance end as ok",
      fact: "§9",
      check: async ({ stage, instanceId }) => {
        await until(stage, "both checks are ok", async () => {
          const { InstanceStatuses } = await stage.ec2.describeInstanceStatus({
            InstanceIds: [instanceId],
          });
          const [status] = InstanceStatuses ?? [];
          const checks = [status?.InstanceStatus?.Status, status?.SystemStatus?.Status];
          return checks.every((check) => check === "ok") ? true : undefined;
        });
      },
    },
    {
      sentence: "terminating goes through shutting-down",
      fact: "§2",
      check: async ({ stage, instanceId }) => {
        const { TerminatingInstances } = await stage.ec2.terminateInstances({
          InstanceIds: [instanceId],
        });
        assert.equal(TerminatingInstances?.[0]?.CurrentState?.Name, "shutting-down");
      },
    },
    {
      sentence: "terminating what terminates already is no error",
      fact: "§1.1",
      check: async ({ stage, instanceId }) => {
        await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
      },
    },
    {
      sentence: "a terminated instance is still listed, with its user as the reason",
      fact: "§1.4",
      check: async ({ stage, instanceId }) => {
        const { StateReason } = await untilInstance(stage, instanceId, "terminated");
        assert.equal(StateReason?.Code, "Client.UserInitiatedShutdown");
      },
    },
    {
      sentence: "a kept root volume becomes available and has its tags still",
      fact: "§2",
      check: async ({ stage, volumeId }) => {
        const { Attachments, Tags = [] } = await untilVolume(stage, volumeId, "available");
        assert.equal(Attachments?.length ?? 0, 0);
        assert.ok(Tags.some(({ Key, Value }) => Key === "kind" && Value === "root"));
      },
    },
    {
      sentence: "a volume without an instance is snapshotted like any other",
      fact: "§2",
      check: async ({ stage, volumeId }) => {
        await snapshotSpacing(stage);
        const { SnapshotId = "" } = await stage.ec2.createSnapshot({ VolumeId: volumeId });
        await untilSnapshot(stage, SnapshotId, "completed");
      },
    },
    {
      sentence: "deleting an older snapshot leaves a newer one usable",
      fact: "§2",
      check: async ({ stage, volumeId, snapshotId }) => {
        await stage.ec2.deleteSnapshot({ SnapshotId: snapshotId });
        const Filters = [{ Name: "volume-id", Values: [volumeId] }];
        const rest = await until(stage, "one snapshot less", async () => {
          const { Snapshots = [] } = await stage.ec2.describeSnapshots({
            OwnerIds: ["self"],
            Filters,
          });
          return Snapshots.some((each) => each.SnapshotId === snapshotId) ? undefined : Snapshots;
        });
        const newer = rest[0]?.SnapshotId ?? "";
        const { VolumeId = "" } = await stage.ec2.createVolume({
          AvailabilityZone: stage.place.zone,
          SnapshotId: newer,
          ClientToken: `${stage.runId}-restored`,
        });
        const volume = await untilVolume(stage, VolumeId, "available");
        assert.equal(volume.SnapshotId, newer);
        await stage.ec2.deleteVolume({ VolumeId });
      },
    },
    {
      sentence: "an available volume is deleted and then unknown",
      fact: "§2",
      check: async ({ stage, volumeId }) => {
        await stage.ec2.deleteVolume({ VolumeId: volumeId });
        await until(stage, "the volume is gone", async () => {
          const Filters = [{ Name: "volume-id", Values: [volumeId] }];
          const { Volumes = [] } = await stage.ec2.describeVolumes({ Filters });
          return Volumes.length === 0 ? true : undefined;
        });
        const described = stage.ec2.describeVolumes({ VolumeIds: [volumeId] });
        await expectRefused(described, "InvalidVolume.NotFound");
      },
    },
    {
      sentence: "a root mapping that says no size takes the image's",
      fact: "§2",
      check: async ({ stage }) => {
        const { rootDeviceName: DeviceName, rootSizeGib } = stage.place;
        const BlockDeviceMappings = [{ DeviceName, Ebs: { DeleteOnTermination: true } }];
        const request = plainLaunch(stage, "disk-size", { BlockDeviceMappings });
        const instanceId = await launched(stage, request);
        const volume = await volumeById(stage, await rootVolumeId(stage, instanceId));
        assert.equal(volume.Size, rootSizeGib);
        await untilInstance(stage, instanceId, "running");
        await terminate(stage, instanceId);
      },
    },
  ],
);
