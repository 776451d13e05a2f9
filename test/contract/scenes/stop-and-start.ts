/** Stopping, starting and changing an On-Demand instance (ec2-facts §11). */
import assert from "node:assert/strict";
import { scene } from "../scene";
import {
  expectRefused,
  instanceById,
  launched,
  launchOn,
  newInterface,
  rootVolumeId,
  terminate,
  tooFast,
  untilInstance,
  untilVolume,
} from "../steps";
import { TYPES } from "../target";

export const stopAndStart = scene(
  "stopping and starting an On-Demand instance",
  async (stage) => {
    const anchor = await newInterface(stage, "stop-anchor");
    const instanceId = await launched(stage, launchOn(stage, anchor, "stop"));
    const { PrivateIpAddress: address } = await untilInstance(stage, instanceId, "running");
    const volumeId = await rootVolumeId(stage, instanceId);
    const changeType = () =>
      stage.ec2.modifyInstanceAttribute({
        InstanceId: instanceId,
        InstanceType: { Value: TYPES.larger },
      });
    return { stage, anchor, instanceId, address, volumeId, changeType };
  },
  [
    {
      sentence: "the type of a running instance cannot be changed",
      fact: "§11",
      check: ({ changeType }) => expectRefused(changeType(), "IncorrectInstanceState"),
    },
    {
      sentence: "two attributes cannot be changed in one call",
      fact: "§11",
      check: ({ stage, instanceId }) =>
        expectRefused(
          stage.ec2.modifyInstanceAttribute({
            InstanceId: instanceId,
            DisableApiTermination: { Value: false },
            DisableApiStop: { Value: false },
          }),
          "InvalidParameterCombination",
        ),
    },
    {
      sentence: "termination protection refuses a termination until it is taken away",
      fact: "§11",
      check: async ({ stage, instanceId }) => {
        const protect = (Value: boolean) =>
          stage.ec2.modifyInstanceAttribute({
            InstanceId: instanceId,
            DisableApiTermination: { Value },
          });
        await protect(true);
        await expectRefused(
          stage.ec2.terminateInstances({ InstanceIds: [instanceId] }),
          "OperationNotPermitted",
        );
        await protect(false);
      },
    },
    {
      sentence: "stopping goes through stopping to stopped",
      fact: "§11",
      check: async ({ stage, instanceId }) => {
        const { StoppingInstances } = await stage.ec2.stopInstances({ InstanceIds: [instanceId] });
        const state = StoppingInstances?.[0]?.CurrentState?.Name;
        await untilInstance(stage, instanceId, "stopped");
        assert.equal(state, "stopping");
      },
    },
    {
      sentence: "a stopped instance keeps its interface, its address and its root",
      fact: "§11",
      check: async ({ stage, anchor, instanceId, address, volumeId }) => {
        const found = await instanceById(stage, instanceId);
        const [held] = found.NetworkInterfaces ?? [];
        assert.deepEqual([held?.NetworkInterfaceId, found.PrivateIpAddress], [anchor, address]);
        assert.equal(await rootVolumeId(stage, instanceId), volumeId);
      },
    },
    {
      sentence: "no other instance can be launched on the interface of a stopped one",
      fact: "§4",
      check: ({ stage, anchor }) =>
        expectRefused(
          stage.ec2.runInstances(launchOn(stage, anchor, "stop-other")),
          "InvalidNetworkInterface.InUse",
        ),
    },
    {
      sentence: "the type of a stopped instance is changed",
      fact: "§11",
      check: async ({ stage, instanceId, changeType }) => {
        await changeType();
        assert.equal((await instanceById(stage, instanceId)).InstanceType, TYPES.larger);
      },
    },
    {
      sentence: "an instance that is not running has a status only if all are asked for",
      fact: "§9",
      check: async ({ stage, instanceId }) => {
        const ask = async (IncludeAllInstances: boolean) => {
          const request = { InstanceIds: [instanceId], IncludeAllInstances };
          return (await stage.ec2.describeInstanceStatus(request)).InstanceStatuses ?? [];
        };
        assert.deepEqual(await ask(false), []);
        assert.equal((await ask(true))[0]?.InstanceState?.Name, "stopped");
      },
    },
    {
      sentence: "a stopped instance starts again, with another launch time",
      fact: "§11",
      check: async ({ stage, instanceId }) => {
        const before = await instanceById(stage, instanceId);
        await stage.clock.sleep(1000);
        await stage.ec2.startInstances({ InstanceIds: [instanceId] });
        const after = await untilInstance(stage, instanceId, "running");
        assert.ok(Number(after.LaunchTime) > Number(before.LaunchTime));
      },
    },
    {
      sentence: "what is being terminated cannot be started",
      fact: "§11",
      check: async ({ stage, instanceId, volumeId }) => {
        await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
        await expectRefused(
          stage.ec2.startInstances({ InstanceIds: [instanceId] }),
          "IncorrectInstanceState",
          "IncorrectState",
        );
        await untilInstance(stage, instanceId, "terminated");
        await untilVolume(stage, volumeId, "available");
      },
    },
    {
      sentence: "what is pending cannot be stopped",
      fact: "§11",
      check: async ({ stage }) => {
        const other = await newInterface(stage, "stop-pending");
        const instanceId = await launched(stage, launchOn(stage, other, "stop-pending"));
        const { State } = await instanceById(stage, instanceId);
        if (State?.Name !== "pending") tooFast("pending");
        await expectRefused(
          stage.ec2.stopInstances({ InstanceIds: [instanceId] }),
          "IncorrectInstanceState",
        );
        await untilInstance(stage, instanceId, "running");
        await terminate(stage, instanceId);
      },
    },
  ],
);
