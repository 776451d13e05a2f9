/** The launch that the engine makes, on an interface that exists already (ec2-facts §1.1, §1.3, §4). */
import assert from "node:assert/strict";
import { scene } from "../scene";
import {
  expectRefused,
  instanceById,
  interfaceById,
  launched,
  launchOn,
  newInterface,
  ownName,
  plainLaunch,
  refusalOf,
  terminate,
  until,
  untilInstance,
} from "../steps";
import { TYPES } from "../target";

const note = { Key: "note", Value: "grüße <&> ✓" };

export const interfaceLaunch = scene(
  "a launch on an existing network interface",
  async (stage) => {
    const anchor = await newInterface(stage, "launch-anchor");
    const { PrivateIpAddress: address } = await interfaceById(stage, anchor);
    const request = launchOn(stage, anchor, "launch", {
      TagSpecifications: [{ ResourceType: "instance", Tags: [note] }],
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 2 },
    });
    // These are asked while nothing holds the interface yet, and make nothing wherever they are refused.
    const free = await newInterface(stage, "launch-free");
    return { stage, anchor, address, free, request, instanceId: "" };
  },
  [
    {
      sentence: "the same token makes the same network interface",
      fact: "§1.1",
      check: async ({ stage, anchor }) =>
        assert.equal(await newInterface(stage, "launch-anchor"), anchor),
    },
    {
      sentence: "the same token with another description is refused for a network interface",
      fact: "§1.1",
      check: ({ stage }) =>
        expectRefused(
          stage.ec2.createNetworkInterface({
            ClientToken: ownName(stage, "launch-anchor"),
            SubnetId: stage.place.subnetId,
            Description: "another one",
          }),
          "IdempotentParameterMismatch",
        ),
    },
    {
      sentence: "a dry run of a launch that would work says so and launches nothing",
      fact: "§13",
      check: async ({ stage, request, anchor }) => {
        await expectRefused(
          stage.ec2.runInstances({ ...request, DryRun: true }),
          "DryRunOperation",
        );
        assert.equal((await interfaceById(stage, anchor)).Status, "available");
      },
    },
    {
      sentence: "a subnet of the instance beside an interface is refused",
      fact: "§1.3",
      check: ({ stage, request }) =>
        expectRefused(
          stage.ec2.runInstances({ ...request, SubnetId: stage.place.subnetId, DryRun: true }),
          "InvalidParameterCombination",
        ),
    },
    {
      sentence: "security groups of the instance beside an interface are refused",
      fact: "§1.3",
      check: async ({ stage, request, anchor }) => {
        const { Groups = [] } = await interfaceById(stage, anchor);
        const SecurityGroupIds = Groups.flatMap((group) => group.GroupId ?? []);
        await expectRefused(
          stage.ec2.runInstances({ ...request, SecurityGroupIds, DryRun: true }),
          "InvalidParameterCombination",
        );
      },
    },
    {
      sentence: "an interface without a device index is refused",
      fact: "§1.3",
      check: ({ stage, anchor, request }) =>
        expectRefused(
          stage.ec2.runInstances({
            ...request,
            NetworkInterfaces: [{ NetworkInterfaceId: anchor }],
            DryRun: true,
          }),
          "MissingParameter",
          "InvalidParameterValue",
          "InvalidParameterCombination",
        ),
    },
    {
      sentence: "deleting an existing interface with its instance cannot be asked for at launch",
      fact: "§1.3",
      check: ({ stage, anchor, request }) =>
        expectRefused(
          stage.ec2.runInstances({
            ...request,
            NetworkInterfaces: [
              { DeviceIndex: 0, NetworkInterfaceId: anchor, DeleteOnTermination: true },
            ],
            DryRun: true,
          }),
          "InvalidParameterCombination",
          "InvalidParameterValue",
        ),
    },
    {
      sentence: "tags for network interfaces are refused when a launch creates none",
      fact: "§1.3",
      check: ({ stage, free }) => {
        const tags = [{ ResourceType: "network-interface" as const, Tags: [note] }];
        const request = launchOn(stage, free, "launch-tags", { TagSpecifications: tags });
        return expectRefused(stage.ec2.runInstances(request), "InvalidParameterValue");
      },
    },
    {
      sentence: "a launch takes the private address of its interface",
      fact: "§1.3",
      check: async (context) => {
        const { stage, request, address } = context;
        context.instanceId = await launched(stage, request);
        const instance = await until(stage, "the instance", () =>
          instanceById(stage, context.instanceId),
        );
        assert.equal(instance.PrivateIpAddress, address);
      },
    },
    {
      sentence: "an interface names the instance that holds it",
      fact: "§4",
      check: async ({ stage, anchor, instanceId }) => {
        const { Attachment } = await interfaceById(stage, anchor);
        assert.equal(Attachment?.InstanceId, instanceId);
      },
    },
    {
      sentence: "an interface that is given by its id is kept on termination",
      fact: "§1.3",
      check: async ({ stage, anchor }) => {
        const { Attachment } = await interfaceById(stage, anchor);
        assert.equal(Attachment?.DeleteOnTermination, false);
      },
    },
    {
      sentence: "a launched instance becomes running",
      fact: "§1.6",
      check: async ({ stage, instanceId }) => {
        await untilInstance(stage, instanceId, "running");
      },
    },
    {
      sentence: "the metadata options of a launch are those of its instance",
      fact: "§12",
      check: async ({ stage, instanceId }) => {
        const { MetadataOptions } = await instanceById(stage, instanceId);
        assert.deepEqual(
          [MetadataOptions?.HttpTokens, MetadataOptions?.HttpPutResponseHopLimit],
          ["required", 2],
        );
      },
    },
    {
      sentence: "tags come back letter by letter",
      fact: "§10",
      check: async ({ stage, instanceId }) => {
        const { Tags } = await instanceById(stage, instanceId);
        assert.deepEqual(
          Tags?.filter(({ Key }) => Key === note.Key),
          [note],
        );
      },
    },
    {
      sentence: "the security groups of an interface change in place",
      fact: "§4",
      check: async ({ stage, anchor }) => {
        const { Groups = [] } = await interfaceById(stage, anchor);
        const ids = Groups.flatMap((group) => group.GroupId ?? []);
        await stage.ec2.modifyNetworkInterfaceAttribute({
          NetworkInterfaceId: anchor,
          Groups: ids,
        });
        const after = await interfaceById(stage, anchor);
        assert.deepEqual(after.Groups, Groups);
      },
    },
    {
      sentence: "the interface at device 0 cannot be detached",
      fact: "§4",
      check: async ({ stage, anchor }) => {
        const { Attachment } = await interfaceById(stage, anchor);
        const AttachmentId = Attachment?.AttachmentId;
        await expectRefused(
          stage.ec2.detachNetworkInterface({ AttachmentId }),
          "OperationNotPermitted",
        );
      },
    },
    {
      sentence: "a terminated instance frees its interface, which keeps its address",
      fact: "§4",
      check: async ({ stage, anchor, address, instanceId }) => {
        await terminate(stage, instanceId);
        const freed = await until(stage, "the interface is free", async () => {
          const found = await interfaceById(stage, anchor);
          return found.Status === "available" ? found : undefined;
        });
        assert.equal(freed.PrivateIpAddress, address);
        assert.equal(freed.Attachment, undefined);
      },
    },
    {
      sentence: "the next launch takes the interface over, and its address",
      fact: "§4",
      check: async ({ stage, anchor, address }) => {
        const instanceId = await launched(stage, launchOn(stage, anchor, "launch-next"));
        const found = await until(stage, "the instance", () => instanceById(stage, instanceId));
        const [first] = found.NetworkInterfaces ?? [];
        assert.deepEqual([first?.NetworkInterfaceId, first?.PrivateIpAddress], [anchor, address]);
        await untilInstance(stage, instanceId, "running");
        await terminate(stage, instanceId);
      },
    },
  ],
);

/** The lock of the whole design (docs/design.md §5): that EC2 refuses a second launch at once. */
export const heldInterface = scene(
  "a second launch on one interface",
  async (stage) => {
    const anchor = await newInterface(stage, "held");
    const first = await launched(stage, launchOn(stage, anchor, "held-first"));
    const second = stage.ec2.runInstances(launchOn(stage, anchor, "held-second"));
    // Asked here, so that nothing comes between the two launches.
    const refusal = await refusalOf(second).catch((error: unknown) => error);
    return { stage, anchor, first, refusal };
  },
  [
    {
      sentence: "an interface is held from the moment that a launch on it is accepted",
      fact: "§1.3",
      check: async ({ refusal }) => {
        if (refusal instanceof Error) throw refusal;
        assert.ok(typeof refusal === "object" && refusal !== null && "code" in refusal);
        assert.equal(refusal.code, "InvalidNetworkInterface.InUse");
      },
    },
    {
      sentence: "an interface stays with the instance that was first",
      fact: "§1.3",
      check: async ({ stage, anchor, first }) => {
        await untilInstance(stage, first, "running");
        assert.equal((await interfaceById(stage, anchor)).Attachment?.InstanceId, first);
      },
    },
    {
      sentence: "an interface that an instance holds cannot be deleted",
      fact: "§4",
      check: async ({ stage, anchor, first }) => {
        const deleted = stage.ec2.deleteNetworkInterface({ NetworkInterfaceId: anchor });
        await expectRefused(deleted, "InvalidParameterValue", "InvalidNetworkInterface.InUse");
        assert.equal((await interfaceById(stage, anchor)).Status, "in-use");
        await terminate(stage, first);
      },
    },
  ],
);

export const launchTokens = scene(
  "the client token of a launch",
  async (stage) => {
    const request = plainLaunch(stage, "token");
    const instanceId = await launched(stage, request);
    return { stage, request, instanceId };
  },
  [
    {
      sentence: "an instance is found by its client token",
      fact: "§1.1",
      check: async ({ stage, request, instanceId }) => {
        const Filters = [{ Name: "client-token", Values: [request.ClientToken ?? ""] }];
        const found = await until(stage, "the instance by its token", async () => {
          const { Reservations } = await stage.ec2.describeInstances({ Filters });
          return Reservations?.[0]?.Instances?.[0]?.InstanceId;
        });
        assert.equal(found, instanceId);
      },
    },
    {
      sentence: "the same token with the same launch is the same instance",
      fact: "§1.1",
      check: async ({ stage, request, instanceId }) =>
        assert.equal(await launched(stage, request), instanceId),
    },
    {
      sentence: "the same token with another instance type is refused",
      fact: "§1.1",
      check: ({ stage, request }) =>
        expectRefused(
          stage.ec2.runInstances({ ...request, InstanceType: TYPES.larger }),
          "IdempotentParameterMismatch",
        ),
    },
    {
      sentence: "the token of a terminated instance is used up",
      fact: "§1.1",
      check: async ({ stage, request, instanceId }) => {
        await untilInstance(stage, instanceId, "running");
        await terminate(stage, instanceId);
        await expectRefused(stage.ec2.runInstances(request), "IdempotentInstanceTerminated");
      },
    },
  ],
);
