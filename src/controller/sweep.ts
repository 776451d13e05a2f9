/**
 * Deletes what is past its time, from tags alone, so that it works after the stack is gone: images
 * before their snapshots, everything after two looks, judged by AWS's clock.
 */
import type { Inventory, Retained } from "../aws/inventory";
import { type Clock, type Cloud, CloudError, type CloudStep, isFinal } from "../engine/ports";
import { cannotBeDeleted, deletedBy, describeStep } from "../engine/reconcile";
import { deletion } from "../engine/retention";

export interface SweepOptions {
  cloud: Pick<Cloud, "now" | "perform">;
  inventory: Inventory;
  clock: Clock;
  signal?: AbortSignal;
  progress?: (message: string) => void;
}

export interface SweepReport {
  /** The ids of what was deleted. */
  deleted: string[];
  /** What retention still keeps. */
  kept: Retained[];
  /** What is past its time and EC2 refuses to delete: in use or locked by somebody. */
  blocked: string[];
}

const pauseAfterFailureMs = 5000;

/**
 * Sweeps until nothing that is past its time is left, or the signal stops it between two calls. Throws
 * a CloudError, at once, when EC2 denies or cannot understand a call, and in the end when it denied to
 * delete anything at all: a policy may deny the one and allow the others.
 */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { clock, cloud, inventory, signal } = options;
  const deleted: string[] = [];
  const refused: Refused = new Map();
  for (;;) {
    const retained = await inventory.retained();
    const now = cloud.now();
    const expired = retained.filter(
      ({ id, resource }) => (resource.deleteAfterAt ?? now + 1) <= now && !refused.has(id),
    );
    const images = retained.flatMap((each) => (each.kind === "image" ? [each.resource] : []));
    const { steps, nextAt } = deletion(expired, { images, now });
    const isIdle = steps.length === 0 && nextAt === undefined;
    if (isIdle || signal?.aborted === true) {
      const denied = [...refused.values()].find(({ meaning }) => meaning === "denied");
      if (denied !== undefined && deleted.length === 0) throw denied;
      return { deleted, kept: retained, blocked: [...refused.keys()] };
    }
    const done = await performAll(options, steps as CloudStep[], refused);
    deleted.push(...done.ids);
    if (!done.complete) await clock.sleep(pauseAfterFailureMs, signal);
    else if (steps.length === 0 && nextAt !== undefined) await clock.sleep(nextAt - now, signal);
  }
}

/** Why EC2 does not delete what, by id. */
type Refused = Map<string, CloudError>;

async function performAll(options: SweepOptions, steps: readonly CloudStep[], refused: Refused) {
  const ids: string[] = [];
  for (const step of steps) {
    if (options.signal?.aborted === true) return { ids, complete: false };
    options.progress?.(describeStep(step));
    try {
      const outcome = await options.cloud.perform(step);
      const id = step.kind === "delete-anchor" ? step.interfaceId : deletedBy(step);
      if (outcome.kind === "done" || outcome.meaning === "not-found") {
        if (id !== undefined) ids.push(id);
        continue;
      }
      const error = new CloudError(outcome.meaning, `${describeStep(step)}: ${outcome.message}`);
      if (id !== undefined && (cannotBeDeleted(outcome.meaning) || isFinal(outcome))) {
        refused.set(id, error);
        options.progress?.(error.message);
        continue;
      }
      if (isFinal(outcome)) throw error;
      return { ids, complete: false };
    } catch (error) {
      if (!(error instanceof CloudError) || isFinal(error)) throw error;
      return { ids, complete: false };
    }
  }
  return { ids, complete: true };
}
