/**
 * Without an instance and meant to be so: paused or deallocated. The last writes are made safe
 * first; then what is not needed goes, and what retention keeps says until when.
 */
import { disposal, retentionSteps } from "./retention";
import { findRoot, findSnapshot, secureVolume } from "./root";
import { act, actAll, pursue, type Rule, record, stuck, type Verdict, wait } from "./rule";
import type { Situation } from "./situation";
import { deleteAfterTag } from "./tags";

const never = Number.MAX_SAFE_INTEGER;
const hours = 3_600_000;

const isAtRest = ({ carrier, goal }: Situation) => goal !== "running" && carrier === undefined;

const secureState: Rule = {
  name: "what the last instance wrote is made safe before anything is called done",
  apply(situation) {
    if (!isAtRest(situation)) return undefined;
    const { goal, spec } = situation;
    const { images, snapshots } = spec.retentionHours;
    if (goal === "deallocated" && images + snapshots === 0) return undefined;
    const wantsImage = goal === "paused" || images > 0;
    const found = wantsImage ? findRoot(situation) : findSnapshot(situation);
    if (found.kind === "opens" || found.kind === "secured") return undefined;
    if (found.kind !== "failed") return pursue(found);
    if (goal === "deallocated") return undefined;
    return stuck(found.reason, "look at the volume and its snapshots; nothing of it is deleted");
  },
};

const secureOldVolumes: Rule = {
  name: "a kept volume of an earlier generation or lineage gets its final snapshot too",
  apply(situation) {
    const { goal, spec, tip, volumes } = situation;
    if (!isAtRest(situation)) return undefined;
    const { images, snapshots } = spec.retentionHours;
    if (goal === "deallocated" && images + snapshots === 0) return undefined;
    const old = volumes.filter((volume) => volume !== tip && volume.deleteAfterAt === undefined);
    return firstOf(old.map((volume) => pursue(secureVolume(situation, volume))));
  },
};

const firstOf = (verdicts: (Verdict | undefined)[]) =>
  verdicts.find((verdict) => verdict !== undefined);

const clearAway: Rule = {
  name: "what is kept says until when, and what is not needed is deleted after two looks",
  apply(situation) {
    if (!isAtRest(situation)) return undefined;
    const kept = actAll(retentionSteps(situation));
    if (kept !== undefined) return kept;
    const { nextAt, steps } = disposal(situation);
    const now = actAll(steps);
    if (now !== undefined) return now;
    if (nextAt === undefined) return undefined;
    return wait("EC2's lag is waited out before the second look", { kind: "time" }, nextAt);
  },
};

const concludeDeallocation: Rule = {
  name: "the anchor goes last, or stays as long as retention says",
  apply(situation) {
    const { anchor, goal, now, spec } = situation;
    if (!isAtRest(situation) || goal !== "deallocated") return undefined;
    if (anchor === undefined) return { kind: "done", wakeAt: never };
    if (anchor.status !== "available")
      return wait(
        `network interface ${anchor.interfaceId} is still ${anchor.status}`,
        { kind: "anchor", interfaceId: anchor.interfaceId },
        now + 60_000,
      );
    const keptHours = spec.retentionHours.networkInterfaces;
    const { interfaceId } = anchor;
    if (keptHours === 0) return act({ kind: "delete-anchor", interfaceId });
    const tags = deleteAfterTag(now + keptHours * hours);
    return act(
      { kind: "tag", resourceIds: [interfaceId], tags },
      record(situation, anchor, { phase: "deallocated", deallocatedAt: now }),
    );
  },
};

const concludePause: Rule = {
  name: "a paused managed instance rests with its latest snapshot and image",
  apply: (situation) =>
    isAtRest(situation) && situation.goal === "paused"
      ? { kind: "done", wakeAt: never }
      : undefined,
};

export const restRules: readonly Rule[] = [
  secureState,
  secureOldVolumes,
  clearAway,
  concludeDeallocation,
  concludePause,
];
