/**
 * Which disks a launch makes: the image's mappings with the request's laid over them. Who deletes
 * what at the end follows ec2-facts §2: the request's word, else the image's, else delete.
 */
import type { BlockDeviceMapping, EbsBlockDevice } from "@aws-sdk/client-ec2";
import { Ec2Error } from "./errors";
import type { ImageMapping, ImageRecord, VolumeRecord } from "./records";
import { invalidValue, missingParameter } from "./refusals";
import type { Tags } from "./table";
import { planVolume } from "./volume-states";
import type { World } from "./world";

export interface DevicePlan {
  readonly device: string;
  readonly deleteOnTermination: boolean;
  /** Made anew for each instance of the launch, because each needs an id of its own. */
  readonly plan: () => VolumeRecord;
}

export function planDevices(
  world: World,
  image: ImageRecord,
  request: {
    readonly mappings: readonly BlockDeviceMapping[] | undefined;
    readonly zone: string;
    readonly tags: Tags;
  },
): readonly DevicePlan[] {
  const wishes = new Map<string, ImageMapping & { readonly ebs?: EbsBlockDevice }>();
  for (const mapping of image.mappings) wishes.set(mapping.deviceName, mapping);
  for (const mapping of request.mappings ?? []) {
    const device = deviceOf(mapping);
    if (mapping.NoDevice !== undefined) {
      refuseRootRemoval(image, device);
      wishes.delete(device);
    } else if (mapping.VirtualName === undefined) {
      const base = wishes.get(device) ?? { deviceName: device };
      wishes.set(device, { ...base, ebs: mapping.Ebs });
    }
  }
  return [...wishes.values()]
    .filter((wish) => wish.virtualName === undefined && wish.noDevice === undefined)
    .map((wish) => devicePlan(world, wish, request));
}

function deviceOf(mapping: BlockDeviceMapping): string {
  if (mapping.DeviceName === undefined) throw missingParameter("deviceName");
  return mapping.DeviceName;
}

function refuseRootRemoval(image: ImageRecord, device: string): void {
  if (device !== image.rootDeviceName) return;
  throw new Ec2Error(
    "InvalidBlockDeviceMapping",
    `Cannot remove the root device ${device} from the block device mapping`,
  );
}

function devicePlan(
  world: World,
  wish: ImageMapping & { readonly ebs?: EbsBlockDevice },
  request: { readonly zone: string; readonly tags: Tags },
): DevicePlan {
  const { ebs } = wish;
  if (ebs?.SnapshotId !== undefined && ebs.Encrypted === false)
    throw invalidValue(
      "the encrypted flag cannot be specified since device " +
        `${wish.deviceName} has a snapshot specified.`,
    );
  const plan = () =>
    planVolume(world, {
      zone: request.zone,
      tags: request.tags,
      snapshotId: ebs?.SnapshotId ?? wish.snapshotId,
      sizeGib: ebs?.VolumeSize ?? (ebs?.SnapshotId === undefined ? wish.sizeGib : undefined),
      encrypted: ebs?.Encrypted ?? wish.encrypted,
      kmsKeyId: ebs?.KmsKeyId,
      initializationRate: ebs?.VolumeInitializationRate,
      ...performanceWish(wish),
    });
  // Checked once before anything is made: a launch is all or nothing.
  plan();
  const deleteOnTermination = ebs?.DeleteOnTermination ?? wish.deleteOnTermination ?? true;
  return { device: wish.deviceName, deleteOnTermination, plan };
}

/** The image's performance numbers hold only for the image's own volume type. */
function performanceWish(wish: ImageMapping & { readonly ebs?: EbsBlockDevice }) {
  const { ebs } = wish;
  const volumeType = ebs?.VolumeType ?? wish.volumeType;
  const keepsType = volumeType === wish.volumeType;
  const takesIops = volumeType !== "gp2";
  return {
    volumeType,
    iops: ebs?.Iops ?? (keepsType && takesIops ? wish.iops : undefined),
    throughput: ebs?.Throughput ?? (keepsType ? wish.throughput : undefined),
  };
}
