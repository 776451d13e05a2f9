/** Registering images from snapshots, and taking both away again (ec2-facts §3). */
import assert from "node:assert/strict";
import { scene } from "../scene";
import {
  expectRefused,
  imageById,
  newVolume,
  ownName,
  registration,
  until,
  untilImage,
  untilSnapshot,
} from "../steps";

export const images = scene(
  "images registered from snapshots",
  async (stage) => {
    const volumeId = await newVolume(stage, "image-volume");
    const { SnapshotId: snapshotId = "" } = await stage.ec2.createSnapshot({ VolumeId: volumeId });
    await untilSnapshot(stage, snapshotId, "completed");
    await stage.ec2.deleteVolume({ VolumeId: volumeId });
    const request = registration(stage, snapshotId, "image");
    const register = async (purpose: string) => {
      const made = await stage.ec2.registerImage({ ...request, Name: ownName(stage, purpose) });
      return made.ImageId ?? "";
    };
    return { stage, snapshotId, request, register, imageId: "" };
  },
  [
    {
      sentence: "the encrypted flag beside a snapshot is refused",
      fact: "§3",
      check: async ({ stage, snapshotId, request }) => {
        const Ebs = { SnapshotId: snapshotId, Encrypted: false };
        const BlockDeviceMappings = [{ DeviceName: request.RootDeviceName, Ebs }];
        await expectRefused(
          stage.ec2.registerImage({
            ...request,
            Name: ownName(stage, "image-encrypted"),
            BlockDeviceMappings,
          }),
          "InvalidParameterValue",
          "InvalidParameterCombination",
          "InvalidParameter",
          "InvalidBlockDeviceMapping",
        );
      },
    },
    {
      sentence: "tags for anything but images are refused when one is registered",
      fact: "§3",
      check: ({ stage, request }) =>
        expectRefused(
          stage.ec2.registerImage({
            ...request,
            Name: ownName(stage, "image-tags"),
            TagSpecifications: [{ ResourceType: "snapshot", Tags: [{ Key: "a", Value: "b" }] }],
          }),
          "InvalidParameterValue",
          "InvalidParameterCombination",
          "InvalidParameter",
        ),
    },
    {
      sentence: "a registered image becomes available and keeps what was said",
      fact: "§3",
      check: async (context) => {
        const { stage, request, register } = context;
        context.imageId = await register("image");
        const found = await untilImage(stage, context.imageId, "available");
        assert.deepEqual(
          [found.Architecture, found.VirtualizationType, found.EnaSupport, found.RootDeviceName],
          ["x86_64", "hvm", true, request.RootDeviceName],
        );
      },
    },
    {
      sentence: "a registered image knows its snapshot",
      fact: "§3",
      check: async ({ stage, imageId, snapshotId }) => {
        const { BlockDeviceMappings } = await imageById(stage, imageId);
        assert.equal(BlockDeviceMappings?.[0]?.Ebs?.SnapshotId, snapshotId);
      },
    },
    {
      sentence: "an image says what it is billed as",
      fact: "§3",
      check: async ({ stage, imageId }) => {
        const { PlatformDetails, UsageOperation } = await imageById(stage, imageId);
        assert.deepEqual([PlatformDetails, UsageOperation], ["Linux/UNIX", "RunInstances"]);
      },
    },
    {
      sentence: "a registered image has no source image",
      fact: "§3",
      check: async ({ stage, imageId }) => {
        const { SourceImageId, SourceInstanceId } = await imageById(stage, imageId);
        assert.deepEqual([SourceImageId, SourceInstanceId], [undefined, undefined]);
      },
    },
    {
      sentence: "an image is found by its name among one's own",
      fact: "§1.1",
      check: async ({ stage, imageId }) => {
        const Filters = [{ Name: "name", Values: [ownName(stage, "image")] }];
        const { Images } = await stage.ec2.describeImages({ Owners: ["self"], Filters });
        assert.deepEqual(
          Images?.map((image) => image.ImageId),
          [imageId],
        );
      },
    },
    {
      sentence: "an image is found by how its name begins, among one's own",
      fact: "§9",
      check: async ({ stage, imageId }) => {
        const start = ownName(stage, "im");
        const Filters = [{ Name: "name", Values: [`${start}*`] }];
        const { Images = [] } = await stage.ec2.describeImages({ Owners: ["self"], Filters });
        assert.ok(Images.some((image) => image.ImageId === imageId));
        assert.ok(Images.every((image) => image.Name?.startsWith(start)));
      },
    },
    {
      sentence: "the name of an image is taken, also by another request of the same kind",
      fact: "§1.1",
      check: ({ register }) => expectRefused(register("image"), "InvalidAMIName.Duplicate"),
    },
    {
      sentence: "a snapshot that an image uses cannot be deleted",
      fact: "§3",
      check: ({ stage, snapshotId }) =>
        expectRefused(
          stage.ec2.deleteSnapshot({ SnapshotId: snapshotId }),
          "InvalidSnapshot.InUse",
        ),
    },
    {
      sentence: "RegisterImage without more makes an i386, paravirtual image without ENA",
      fact: "§3",
      check: async ({ stage, request }) => {
        const { RootDeviceName, BlockDeviceMappings } = request;
        const { ImageId = "" } = await stage.ec2.registerImage({
          Name: ownName(stage, "image-defaults"),
          RootDeviceName,
          BlockDeviceMappings,
        });
        const found = await until(stage, "the image", () => imageById(stage, ImageId));
        assert.deepEqual(
          [found.Architecture, found.VirtualizationType, found.EnaSupport ?? false],
          ["i386", "paravirtual", false],
        );
        await stage.ec2.deregisterImage({ ImageId });
      },
    },
    {
      sentence: "a disabled image is hidden unless it is asked for",
      fact: "§3",
      check: async ({ stage, imageId }) => {
        await stage.ec2.disableImage({ ImageId: imageId });
        const Filters = [{ Name: "image-id", Values: [imageId] }];
        const ask = (IncludeDisabled: boolean) =>
          stage.ec2.describeImages({ Owners: ["self"], Filters, IncludeDisabled });
        await until(stage, "disabled", async () =>
          (await ask(true)).Images?.[0]?.State === "disabled" ? true : undefined,
        );
        assert.deepEqual((await ask(false)).Images ?? [], []);
      },
    },
    {
      sentence: "a snapshot of a disabled image is in use as well",
      fact: "§3",
      check: async ({ stage, snapshotId, imageId }) => {
        await expectRefused(
          stage.ec2.deleteSnapshot({ SnapshotId: snapshotId }),
          "InvalidSnapshot.InUse",
        );
        await stage.ec2.enableImage({ ImageId: imageId });
        await untilImage(stage, imageId, "available");
      },
    },
    {
      sentence: "a deregistered image is gone soon",
      fact: "§3",
      check: async ({ stage, imageId }) => {
        await stage.ec2.deregisterImage({ ImageId: imageId });
        await until(stage, "the image is not listed", async () => {
          const Filters = [{ Name: "image-id", Values: [imageId] }];
          const { Images = [] } = await stage.ec2.describeImages({ Owners: ["self"], Filters });
          return Images.length === 0 ? true : undefined;
        });
      },
    },
    {
      sentence: "deregistering what is deregistered says that it is not there",
      fact: "§3",
      check: ({ stage, imageId }) =>
        expectRefused(
          stage.ec2.deregisterImage({ ImageId: imageId }),
          "InvalidAMIID.Unavailable",
          "InvalidAMIID.NotFound",
        ),
    },
    {
      sentence: "deregistering with its snapshots names each of them",
      fact: "§3",
      check: async ({ stage, register, snapshotId }) => {
        const ImageId = await register("image-with-snapshots");
        await untilImage(stage, ImageId, "available");
        const { DeleteSnapshotResults } = await stage.ec2.deregisterImage({
          ImageId,
          DeleteAssociatedSnapshots: true,
        });
        assert.deepEqual(
          DeleteSnapshotResults?.map((each) => each.SnapshotId),
          [snapshotId],
        );
      },
    },
    {
      sentence: "a deleted snapshot is unknown",
      fact: "§9",
      check: async ({ stage, snapshotId }) => {
        const Filters = [{ Name: "snapshot-id", Values: [snapshotId] }];
        await until(stage, "the snapshot is gone", async () => {
          const { Snapshots = [] } = await stage.ec2.describeSnapshots({
            OwnerIds: ["self"],
            Filters,
          });
          return Snapshots.length === 0 ? true : undefined;
        });
        await expectRefused(
          stage.ec2.deleteSnapshot({ SnapshotId: snapshotId }),
          "InvalidSnapshot.NotFound",
        );
      },
    },
  ],
);
