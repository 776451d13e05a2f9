/** Volumes beside the root, and Elastic IPs (ec2-facts §1.1, §2, §4). */
import assert from "node:assert/strict";
import { scene } from "../scene";
import {
  expectRefused,
  launched,
  newInterface,
  newVolume,
  ownName,
  plainLaunch,
  terminate,
  untilInstance,
  untilVolume,
  volumeById,
  volumeRequest,
} from "../steps";

export const dataVolumes = scene(
  "data volumes",
  async (stage) => {
    const volumeId = await newVolume(stage, "data");
    const instanceId = await launched(stage, plainLaunch(stage, "data"));
    await untilInstance(stage, instanceId, "running");
    const attach = () =>
      stage.ec2.attachVolume({ VolumeId: volumeId, InstanceId: instanceId, Device: "/dev/sdf" });
    return { stage, volumeId, instanceId, attach };
  },
  [
    {
      sentence: "the same token makes the same volume",
      fact: "§1.1",
      check: async ({ stage, volumeId }) => {
        const { VolumeId } = await stage.ec2.createVolume(volumeRequest(stage, "data"));
        assert.equal(VolumeId, volumeId);
      },
    },
    {
      sentence: "the same token with another size is refused for a volume",
      fact: "§1.1",
      check: async ({ stage }) => {
        const other = { ...volumeRequest(stage, "data"), Size: 2 };
        await expectRefused(stage.ec2.createVolume(other), "IdempotentParameterMismatch");
      },
    },
    {
      sentence: "an attached data volume is in use and kept on termination",
      fact: "§2",
      check: async ({ stage, volumeId, attach }) => {
        await attach();
        const { Attachments } = await untilVolume(stage, volumeId, "in-use");
        assert.equal(Attachments?.[0]?.DeleteOnTermination, false);
      },
    },
    {
      sentence: "a volume cannot be attached twice",
      fact: "§2",
      check: ({ attach }) => expectRefused(attach(), "VolumeInUse"),
    },
    {
      sentence: "a detached volume becomes available",
      fact: "§2",
      check: async ({ stage, volumeId }) => {
        await stage.ec2.detachVolume({ VolumeId: volumeId });
        await untilVolume(stage, volumeId, "available");
      },
    },
    {
      sentence: "a detached volume cannot be detached again",
      fact: "§2",
      check: ({ stage, volumeId }) =>
        expectRefused(stage.ec2.detachVolume({ VolumeId: volumeId }), "IncorrectState"),
    },
    {
      sentence: "an attached volume outlives its instance",
      fact: "§2",
      check: async ({ stage, volumeId, instanceId, attach }) => {
        await attach();
        await untilVolume(stage, volumeId, "in-use");
        await terminate(stage, instanceId);
        await untilVolume(stage, volumeId, "available");
      },
    },
    {
      sentence: "a volume cannot be attached to what is terminated",
      fact: "§2",
      check: async ({ stage, volumeId, attach }) => {
        await expectRefused(
          attach(),
          "IncorrectState",
          "IncorrectInstanceState",
          "InvalidInstanceID.NotFound",
        );
        assert.equal((await volumeById(stage, volumeId)).State, "available");
      },
    },
  ],
);

export const elasticIps = scene(
  "Elastic IPs",
  async (stage) => {
    const interfaceId = await newInterface(stage, "eip");
    const { AllocationId: allocationId = "" } = await stage.ec2.allocateAddress({ Domain: "vpc" });
    const associate = async () => {
      const made = await stage.ec2.associateAddress({
        AllocationId: allocationId,
        NetworkInterfaceId: interfaceId,
      });
      return made.AssociationId ?? "";
    };
    return { stage, interfaceId, allocationId, associate, associationId: "" };
  },
  [
    {
      sentence: "an Elastic IP is associated with an interface that nobody holds",
      fact: "§4",
      check: async (context) => {
        context.associationId = await context.associate();
        const { Addresses } = await context.stage.ec2.describeAddresses({
          AllocationIds: [context.allocationId],
        });
        assert.equal(Addresses?.[0]?.NetworkInterfaceId, context.interfaceId);
      },
    },
    {
      sentence: "associating it with the same interface again changes nothing",
      fact: "§1.1",
      check: async ({ associate, associationId }) => assert.equal(await associate(), associationId),
    },
    {
      sentence: "an associated Elastic IP cannot be released",
      fact: "§4",
      check: ({ stage, allocationId }) =>
        expectRefused(
          stage.ec2.releaseAddress({ AllocationId: allocationId }),
          "InvalidIPAddress.InUse",
        ),
    },
    {
      sentence: "an Elastic IP whose association ended is released",
      fact: "§4",
      check: async ({ stage, allocationId, associationId }) => {
        await stage.ec2.disassociateAddress({ AssociationId: associationId });
        await stage.ec2.releaseAddress({ AllocationId: allocationId });
        await expectRefused(
          stage.ec2.describeAddresses({ AllocationIds: [allocationId] }),
          "InvalidAllocationID.NotFound",
        );
      },
    },
    {
      sentence: "a private address that is taken is refused, and given once it is free",
      fact: "§4",
      check: async ({ stage, interfaceId }) => {
        const token = ownName(stage, "eip-taken");
        const { NetworkInterfaces } = await stage.ec2.describeNetworkInterfaces({
          NetworkInterfaceIds: [interfaceId],
        });
        const taken = NetworkInterfaces?.[0]?.PrivateIpAddress;
        const request = { ClientToken: token, SubnetId: stage.place.subnetId };
        await expectRefused(
          stage.ec2.createNetworkInterface({ ...request, PrivateIpAddress: taken }),
          "InvalidIPAddress.InUse",
          "InvalidParameterValue",
        );
        await stage.ec2.deleteNetworkInterface({ NetworkInterfaceId: interfaceId });
        const { NetworkInterface: made } = await stage.ec2.createNetworkInterface({
          ClientToken: `${token}-free`,
          SubnetId: stage.place.subnetId,
          PrivateIpAddress: taken,
        });
        assert.equal(made?.PrivateIpAddress, taken);
      },
    },
  ],
);
