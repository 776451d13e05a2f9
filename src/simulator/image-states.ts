/** How an image comes to be and goes: names, the snapshots it holds, `pending` to its end. */
import { Ec2Error } from "./errors";
import type { ImageRecord } from "./records";
import { invalidValue } from "./refusals";
import type { World } from "./world";

export function checkImageName(world: World, name: string): void {
  if (name.length < 3 || name.length > 128 || !/^[A-Za-z0-9()[\] ./\-'@_]+$/.test(name))
    throw new Ec2Error(
      "InvalidAMIName.Malformed",
      "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'",
    );
  const holder = world.imageNames.get(name);
  if (holder !== undefined)
    throw new Ec2Error(
      "InvalidAMIName.Duplicate",
      `AMI name ${name} is already in use by AMI ${holder}`,
    );
}

export function insertImage(world: World, image: ImageRecord): ImageRecord {
  world.images.insert(image);
  world.imageNames.set(image.name, image.id);
  for (const { snapshotId } of image.mappings) {
    if (snapshotId === undefined) continue;
    const users = world.imagesBySnapshot.get(snapshotId) ?? new Set();
    world.imagesBySnapshot.set(snapshotId, users.add(image.id));
  }
  return image;
}

/** Ends in `available`, or in `failed` when a fault says so or a snapshot of it failed. */
export function scheduleImage(world: World, id: string): void {
  const fails = world.faults.strikes("failImages");
  world.after(world.latencies.imageRegistration, () => {
    const image = world.images.get(id);
    if (image?.state === "pending") finishImage(world, image, fails);
  });
}

export function finishImage(world: World, image: ImageRecord, fails: boolean): void {
  const stateReason = {
    code: "Server.InternalError",
    message: "Server.InternalError: Internal error on launch",
  };
  world.images.update(image.id, fails ? { state: "failed", stateReason } : { state: "available" });
  publishImageEvent(world, image.id, fails ? "failed" : "available");
}

/** Listed a little longer, its name taken longer still (ec2-facts §3); its snapshots are free at once. */
export function deregister(world: World, image: ImageRecord): void {
  if (image.isProtected)
    throw new Ec2Error(
      "OperationNotPermitted",
      `The image '${image.id}' has deregistration protection enabled.`,
    );
  world.images.update(image.id, { state: "deregistered" });
  for (const { snapshotId } of image.mappings) forgetUse(world, snapshotId, image.id);
  world.after(world.latencies.deregisteredVisible, () => world.images.remove(image.id));
  world.after(world.latencies.imageNameReuse, () => world.imageNames.delete(image.name));
  publishImageEvent(world, image.id, "deregistered");
}

/** Hidden, and neither its name nor its snapshots are free (ec2-facts §3). */
export function disable(world: World, image: ImageRecord): void {
  world.images.update(image.id, { state: "disabled" });
  publishImageEvent(world, image.id, "disabled");
}

export function enable(world: World, image: ImageRecord): void {
  if (image.state !== "disabled") return;
  world.images.update(image.id, { state: "available" });
  publishImageEvent(world, image.id, "available");
}

function forgetUse(world: World, snapshotId: string | undefined, imageId: string): void {
  if (snapshotId === undefined) return;
  const users = world.imagesBySnapshot.get(snapshotId);
  users?.delete(imageId);
  if (users?.size === 0) world.imagesBySnapshot.delete(snapshotId);
}

function publishImageEvent(world: World, id: string, state: string): void {
  world.events.publish("EC2 AMI State Change", [`arn:aws:ec2:${world.region}::image/${id}`], {
    RequestId: "",
    ImageId: id,
    State: state,
    ErrorMessage: state === "failed" ? "Internal error" : "",
  });
}

export function oneOf(value: string, permitted: readonly string[], name: string): string {
  if (permitted.includes(value)) return value;
  throw invalidValue(`Invalid value '${value}' for ${name}.`);
}
