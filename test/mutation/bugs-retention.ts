/** Bugs in what is kept, for how long, and in which order it is deleted (design §4, §7). */
import type { Bug } from "./bug";

const file = "src/engine/retention.ts";

export const retentionBugs: readonly Bug[] = [
  {
    name: "a snapshot that an image holds back after a deallocation gets no end",
    harm: "it is never swept and paid for ever",
    file,
    find: "isRefused || staysImaged(situation, held)",
    replace: "isRefused",
  },
  {
    name: "retention counts seconds instead of hours",
    harm: "what was to be kept for four days is gone after a minute and a half",
    file,
    find: "const hours = 3_600_000;",
    replace: "const hours = 1000;",
  },
  {
    name: "one snapshot too few is kept",
    harm: "the user has less to go back to than was asked for",
    file,
    find: ".slice(0, spec.snapshots.keep)",
    replace: ".slice(0, spec.snapshots.keep - 1)",
  },
  {
    name: "what is condemned is deleted without a second look",
    harm: "a decision made on an old answer of EC2 deletes what is needed",
    file,
    find: "(held.resource.condemnedAt ?? now) + settleSeconds * 1000;",
    replace: "(held.resource.condemnedAt ?? now) + 0 * settleSeconds;",
  },
  {
    name: "a snapshot is deleted before its image is deregistered",
    harm: "EC2 refuses, or somebody's image loses its disk",
    file,
    find: "return !imaged.has(held.id);",
    replace: "return true;",
  },
  {
    name: "a volume is deleted although it is not marked with its own id",
    harm: "somebody's copy of the volume is deleted",
    file,
    find: `return held.resource.state === "available" && held.resource.markedId === held.id;`,
    replace: `return held.resource.state === "available";`,
  },
  {
    name: "earlier states go as soon as the next instance runs, not when it is healthy",
    harm: "an image that never boots costs the only good disk",
    file,
    find: "if (launch?.healthy !== true) return false;",
    replace: "if (launch === undefined) return false;",
  },
  {
    name: "a pending snapshot counts as the proof that a running disk is safe",
    harm: "the last completed copy is deleted while the new one may still fail",
    file,
    find: "(snapshot) => snapshot.volumeId === carrier.rootVolumeId && isCompleted(snapshot),",
    replace: "(snapshot) => snapshot.volumeId === carrier.rootVolumeId,",
  },
  {
    name: "a volume goes although only a periodic snapshot of it exists",
    harm: "the writes since then are lost",
    file,
    find: `if (held.kind === "volume") return completedFinal(situation, held.id) === undefined;`,
    replace: `if (held.kind === "volume") return snapshotsOf(situation, held.id).length === 0;`,
  },
  {
    name: "deleteAfter is written before the final snapshot is completed",
    harm: "the volume's time is up while its successor is still being made",
    file,
    find: `if (held.id !== situation.tip?.volumeId || isUnsaved(situation, held))
        return`,
    replace: `if (held.id !== situation.tip?.volumeId)
        return`,
  },
  {
    name: "after an AMI swap the previous state goes at once",
    harm: "there is nothing to roll back to",
    file,
    find: `return keptFor(goal === "deallocated" ? longestHours(situation) : spec.rollbackHours);`,
    replace: `return goal === "deallocated" ? keptFor(longestHours(situation)) : disposable;`,
  },
  {
    name: "an expiry counts although the lineage has come back",
    harm: "the disk of a rolled back image is swept while it is in use",
    file,
    find: `goal === "deallocated" || !current.includes(resource.lineage);`,
    replace: `goal === "deallocated" || current.length > 0;`,
  },
  {
    name: "a paused managed instance keeps its image and not the snapshot",
    harm: "EC2 refuses to delete it, for ever; or the only state goes",
    file,
    find: "const isRest = held.id === rest.snapshot?.snapshotId || held.id === rest.image?.imageId;",
    replace: "const isRest = held.id === rest.image?.imageId;",
  },
  {
    name: "the volume with the reported gap is not kept",
    harm: "the missing writes are out of reach although they were promised",
    file,
    find: `if (held.resource.holdsGap === true) return`,
    replace: `if (held.resource.holdsGap === true && goal === "deallocated") return`,
  },
  {
    name: "zero hours keep for ever",
    harm: "what nobody pays attention to is paid for",
    file,
    find: `(hours > 0 ? { kind: "kept", hours } : disposable);`,
    replace: `(hours > 0 ? { kind: "kept", hours } : needed);`,
  },
  {
    name: "a deallocation makes nothing safe before it clears away",
    harm: "destroy loses what retention promised to keep",
    file: "src/engine/rules-rest.ts",
    find: "if (hasEnded(situation)) return undefined;",
    replace: 'if (goal === "deallocated") return undefined;',
  },
];
