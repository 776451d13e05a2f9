/** CreateReplaceRootVolumeTask, behind the root mode `reattach` (ec2-facts §5). */
import assert from "node:assert/strict";
import { type Stage, scene } from "../scene";
import {
  expectRefused,
  launched,
  ownName,
  plainLaunch,
  rootVolumeId,
  terminate,
  tooFast,
  until,
  untilInstance,
  untilSnapshot,
  untilVolume,
  volumeById,
} from "../steps";
import { TYPES } from "../target";

const OVER = ["succeeded", "failed", "failed-detached"];

export async function untilReplaced(stage: Stage, taskId: string): Promise<string> {
  const done = await until(stage, "the root replacement is over", async () => {
    const { ReplaceRootVolumeTasks } = await stage.ec2.describeReplaceRootVolumeTasks({
      ReplaceRootVolumeTaskIds: [taskId],
    });
    const state = ReplaceRootVolumeTasks?.[0]?.TaskState;
    return state !== undefined && OVER.includes(state) ? state : undefined;
  });
  return done;
}

export const replaceRoot = scene(
  "replacing the root volume of a running instance",
  async (stage) => {
    const instanceId = await launched(stage, plainLaunch(stage, "replace"));
    await untilInstance(stage, instanceId, "running");
    const oldRootId = await rootVolumeId(stage, instanceId);
    const { SnapshotId = "" } = await stage.ec2.createSnapshot({ VolumeId: oldRootId });
    await untilSnapshot(stage, SnapshotId, "completed");
    const { VolumeId: newRootId = "" } = await stage.ec2.createVolume({
      AvailabilityZone: stage.place.zone,
      SnapshotId,
      VolumeType: "gp3",
      ClientToken: ownName(stage, "replace-root"),
    });
    await untilVolume(stage, newRootId, "available");
    const request = {
      InstanceId: instanceId,
      VolumeId: newRootId,
      ClientToken: ownName(stage, "replace-task"),
    };
    const replace = async () => {
      const made = await stage.ec2.createReplaceRootVolumeTask(request);
      return made.ReplaceRootVolumeTask?.ReplaceRootVolumeTaskId ?? "";
    };
    return { stage, instanceId, oldRootId, newRootId, request, replace, taskId: "" };
  },
  [
    {
      sentence: "a volume and a snapshot as the source of one replacement are refused",
      fact: "§5",
      check: async ({ stage, request, newRootId }) => {
        const { SnapshotId } = await volumeById(stage, newRootId);
        await expectRefused(
          stage.ec2.createReplaceRootVolumeTask({ ...request, SnapshotId, DryRun: true }),
          "InvalidParameterCombination",
          "InvalidParameterValue",
        );
      },
    },
    {
      sentence: "the root becomes an existing volume",
      fact: "§5",
      check: async (context) => {
        const { stage, instanceId, newRootId } = context;
        context.taskId = await context.replace();
        assert.equal(await untilReplaced(stage, context.taskId), "succeeded");
        assert.equal(await rootVolumeId(stage, instanceId), newRootId);
      },
    },
    {
      sentence: "the same token is the same replacement",
      fact: "§1.1",
      check: async ({ replace, taskId }) => assert.equal(await replace(), taskId),
    },
    {
      sentence: "the replaced root is kept and becomes available",
      fact: "§5",
      check: async ({ stage, oldRootId }) => {
        await untilVolume(stage, oldRootId, "available");
      },
    },
    {
      sentence: "the instance runs on under its own id",
      fact: "§5",
      check: async ({ stage, instanceId }) => {
        await untilInstance(stage, instanceId, "running");
      },
    },
    {
      sentence: "the root of an instance that ends is not replaced",
      fact: "§5",
      check: async ({ stage, instanceId, oldRootId }) => {
        await terminate(stage, instanceId);
        await expectRefused(
          stage.ec2.createReplaceRootVolumeTask({ InstanceId: instanceId, VolumeId: oldRootId }),
          "IncorrectInstanceState",
          "InvalidInstanceID.NotFound",
        );
      },
    },
    {
      sentence: "the root of an instance that is not running yet is not replaced",
      fact: "§5",
      check: async ({ stage, oldRootId }) => {
        const request = plainLaunch(stage, "replace-pending", { InstanceType: TYPES.larger });
        const { Instances = [] } = await stage.ec2.runInstances(request);
        const [{ InstanceId = "", State } = {}] = Instances;
        if (State?.Name !== "pending") tooFast("pending");
        await expectRefused(
          stage.ec2.createReplaceRootVolumeTask({ InstanceId, VolumeId: oldRootId }),
          "IncorrectInstanceState",
          "InvalidInstanceID.NotFound",
        );
        await untilInstance(stage, InstanceId, "running");
        await terminate(stage, InstanceId);
      },
    },
  ],
);
