/**
 * The software inside an instance, as far as disks go: it writes and reads files while its operating
 * system runs, which is from `running` until some seconds into `shutting-down` or `stopping`.
 */
import type { InstanceRecord, VolumeRecord } from "./records";
import type { Guest, GuestPlace } from "./simulator";
import { volumeAt, writeFile } from "./volume-states";
import type { World } from "./world";

export function createGuest(world: World): Guest {
  return {
    write: ({ path, content, sizeBytes, ...place }) => {
      world.timeline.settle();
      writeFile(world, diskOf(world, place), { path, content, sizeBytes });
    },
    read: ({ path, ...place }) => {
      world.timeline.settle();
      const content = diskOf(world, place).disk.files.get(path);
      if (content === undefined)
        throw new Error(
          `There is no file ${path} on ${place.device ?? "the root disk"} of ${place.instanceId}.`,
        );
      return content;
    },
    list: (place) => {
      world.timeline.settle();
      return [...diskOf(world, place).disk.files.keys()].sort();
    },
  };
}

function diskOf(world: World, { instanceId, device }: GuestPlace): VolumeRecord {
  const instance = world.instances.get(instanceId);
  if (instance === undefined) throw new Error(`There is no instance ${instanceId}.`);
  if (instance.osUpSince === undefined)
    throw new Error(`The operating system of ${instanceId} is not running (${instance.state}).`);
  return attachedVolume(world, instance, device ?? instance.rootDeviceName);
}

function attachedVolume(world: World, instance: InstanceRecord, device: string): VolumeRecord {
  const volume = volumeAt(world, instance, device);
  if (volume?.attachment?.state === "attached") return volume;
  throw new Error(`No volume is attached to ${instance.id} as ${device}.`);
}
