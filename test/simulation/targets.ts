/**
 * What must be true once everything has settled: the account looks as the program says, seen by a
 * bystander and not by the engine.
 */
import type { Spec } from "../../src/engine/spec";
import type { Scene } from "./scene";
import { type Identity, newestSpec } from "./users";
import { find } from "./witness";
import { Violation } from "./world";

export async function expectTargets(scene: Scene, identity: Identity): Promise<void> {
  if (identity.destroyedAt !== undefined) return;
  const entry = await scene.registry.get(identity.id);
  const asked = scene.plan.isControlled === true ? entry?.asked : undefined;
  const complaint = mismatch(scene, identity, { ...newestSpec(identity), ...asked });
  if (complaint !== undefined) throw new Violation(`(f) it is called done, but ${complaint}`);
}

function mismatch({ witness }: Scene, identity: Identity, spec: Spec): string | undefined {
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
  if (instance.monitoring !== spec.monitoring)
    return `${instance.id} was launched with other properties`;
  return undefined;
}
