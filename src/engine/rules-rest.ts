/**
 * Without an instance and meant to be so: paused or deallocated. The last writes are made safe
 * first; then what is not needed goes, and what retention keeps says until when.
 */
import { disposal, retentionSteps } from "./retention";
import { findRoot, findSnapshot, secureVolume } from "./root";
import { act, actAll, pursue, type Rule, record, stuck, type Verdict, wait } from "./rule";
import { absenceSeconds, type Situation } from "./situation";
import { deleteAfterTag } from "./tags";

const never = Number.MAX_SAFE_INTEGER;
const hours = 3_600_000;

const isAtRest = ({ carrier, goal }: Situation) => goal !== "running" && carrier === undefined;

/** NotFound proves nothing: what was launched a moment ago may still show up (design §4). */
const awaitUnseen: Rule = {
  name: "an instance that EC2 may not show yet is waited for before anything is at rest",
  apply(situation) {
    if (!isAtRest(situation)) return undefined;
    const { launched, ledger, now, observation } = situation;
    const { launch } = ledger;
    if (launch === undefined || launched !== undefined) return undefined;
    const isRefused = observation.refusals.some(
      (each) => each.generation === launch.generation && each.attempt === launch.attempt,
    );
    const believedAt = launch.recordedAt + absenceSeconds * 1000;
    if (isRefused || now >= believedAt) return undefined;
    return wait(
      `looking for the instance of generation ${launch.generation}, which EC2 may not show yet`,
      { kind: "time" },
      Math.min(believedAt, now + 15_000),
    );
  },
};

const secureState: Rule = {
  name: "what the last instance wrote is made safe before anything is called done",
  apply(situation) {
    if (!isAtRest(situation)) return undefined;
    const { goal, spec } = situation;
    const { images, snapshots } = spec.retentionHours;
    if (goal === "deallocated" && images + snapshots === 0) return undefined;
    if (hasEnded(situation)) return undefined;
    const wantsImage = goal === "paused" || (images > 0 && !isGivenUp(situation));
    const found = wantsImage ? findRoot(situation) : findSnapshot(situation);
    if (found.kind === "opens") return undefined;
    if (found.kind !== "failed") return pursue(found);
    if (goal === "deallocated") return undefined;
    return stuck(found.reason, "look at the volume and its snapshots; nothing of it is deleted");
  },
};

/**
 * Its interface is gone and its disk says when it goes: a snapshot whose time was over before is not
 * made again, because nobody would come back to give the new one an end.
 */
const hasEnded = ({ anchor, goal, tip }: Situation) =>
  goal === "deallocated" && anchor === undefined && tip?.deleteAfterAt !== undefined;

/** Says already when it goes, as after a deallocation that is carried out once more. */
function isGivenUp(situation: Situation): boolean {
  const found = findSnapshot(situation);
  return found.kind === "secured" && found.result.snapshot.deleteAfterAt !== undefined;
}

const secureOldVolumes: Rule = {
  name: "a kept volume of an earlier generation or lineage gets its final snapshot too",
  apply(situation) {
    const { goal, spec, tip, volumes } = situation;
    if (!isAtRest(situation)) return undefined;
    const { images, snapshots } = spec.retentionHours;
    if (goal === "deallocated" && images + snapshots === 0) return undefined;
    const old = volumes.filter(
      (volume) => volume !== tip && volume.deleteAfterAt === undefined && volume.holdsGap !== true,
    );
    return firstOf(old.map((volume) => pursue(secureVolume(situation, volume))));
  },
};

const firstOf = (verdicts: (Verdict | undefined)[]) =>
  verdicts.find((verdict) => verdict !== undefined);

const awaitRelease: Rule = {
  name: "at rest nothing is in use any more",
  apply(situation) {
    const { anchor, goal, now, volumes } = situation;
    if (!isAtRest(situation)) return undefined;
    const held = volumes.find((volume) => !["available", "error"].includes(volume.state));
    if (goal === "deallocated" && held !== undefined)
      return wait(
        `${held.volumeId} is still ${held.state}`,
        { kind: "volume", volumeId: held.volumeId },
        now + 60_000,
      );
    if (anchor === undefined || anchor.status === "available") return undefined;
    return wait(
      `network interface ${anchor.interfaceId} is still ${anchor.status}`,
      { kind: "anchor", interfaceId: anchor.interfaceId },
      now + 60_000,
    );
  },
};

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
    const { anchor, goal, ledger, now, spec } = situation;
    if (!isAtRest(situation) || goal !== "deallocated") return undefined;
    if (ledger.phase === "deallocated") return { kind: "done", wakeAt: never };
    if (anchor === undefined) return concludeWithoutAnchor(situation);
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

/** Gone because we deleted it; where that was never begun, EC2 may only not show it yet. */
function concludeWithoutAnchor({ ledger, now, observation }: Situation): Verdict {
  const missingSinceAt = observation.anchorMissingSinceAt ?? now;
  if (ledger.phase === "deallocating" || now >= missingSinceAt + absenceSeconds * 1000)
    return { kind: "done", wakeAt: never };
  return wait("its network interface is not to be seen", { kind: "time" }, now + 30_000);
}

const concludePause: Rule = {
  name: "a paused managed instance rests with its latest snapshot and image",
  apply: (situation) => (isAtRest(situation) ? { kind: "done", wakeAt: never } : undefined),
};

export const restRules: readonly Rule[] = [
  awaitUnseen,
  secureState,
  secureOldVolumes,
  awaitRelease,
  clearAway,
  concludeDeallocation,
  concludePause,
];
