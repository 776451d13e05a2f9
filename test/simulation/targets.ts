/**
 * What must be true once everything has settled: the account looks as the program says, seen by a
 * bystander and not by the engine.
 */
import type { Scene } from "./scene";
import { type Identity, newestSpec } from "./users";
import { find } from "./witness";
import { Violation } from "./world";

export function expectTargets(scene: Scene, identity: Identity): void {
  const complaint = identity.destroyedAt === undefined ? mismatch(scene, identity) : undefined;
  if (complaint !== undefined) throw new Violation(`(f) it is called done, but ${complaint}`);
}

function mismatch({ witness }: Scene, identity: Identity): string | undefined {
  const spec = newestSpec(identity);
  const { instances, interfaces, volumes } = witness.rows();
  const alive = [...instances()].filter(
    (each) => each.clientToken?.startsWith(`${identity.id}:`) && each.state !== "terminated",
  );
  const anchors = [...interfaces()].filter((each) => each.tags.get("pmi:id") === identity.id);
  if (anchors.length !== 1) return `it has ${anchors.length} network interfaces`;
  const [instance, ...more] = alive;
  if (spec.desiredState === "paused")
    return instance === undefined ? undefined : `${instance.id} is ${instance.state}`;
  if (instance === undefined || more.length > 0) return `${alive.length} instances are alive`;
  if (instance.state !== "running") return `${instance.id} is ${instance.state}`;
  const root = find(volumes(), instance.volumeIds[0]);
  if (root === undefined) return `${instance.id} has no root volume`;
  if (spec.persistRootDevice && root.attachment?.deleteOnTermination === true)
    return `${root.id} goes with its instance`;
  if (spec.applyChanges === "at-next-recycle") return undefined;
  const baseImageId = root.tags.get("pmi:base-image");
  if (baseImageId !== spec.imageId) return `${instance.id} descends from ${baseImageId}`;
  if (!spec.instanceTypes.includes(instance.instanceType))
    return `${instance.id} is a ${instance.instanceType}`;
  return undefined;
}
