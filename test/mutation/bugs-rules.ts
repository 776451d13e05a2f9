/** Bugs in launching, ending and in who is in charge (design §3, §5). */
import type { Bug } from "./bug";

const identity = "src/engine/rules-identity.ts";
const launch = "src/engine/rules-launch.ts";
const rest = "src/engine/rules-rest.ts";
const stop = "src/engine/rules-stop.ts";
const situation = "src/engine/situation.ts";
const memory = "src/engine/memory.ts";

export const ruleBugs: readonly Bug[] = [
  {
    name: "a boot without root persistence that ended before it ran gives the disk up",
    harm: "the disk is set aside for the base image, because persistence was off for a moment",
    file: situation,
    find: "const left = returns && before !== undefined && hasState(known, before.number) ? before : newest;",
    replace: "const left = newest;",
  },
  {
    name: "that a launch failed is known as long as EC2 shows it, and no longer",
    harm: "repaired after an hour, a key is followed by 'no root state can be found'",
    file: identity,
    find: "if (!launch.ran && launchFailure(instance) !== undefined) next.failed = true;",
    replace: "if (launch.ran && launchFailure(instance) !== undefined) next.failed = true;",
  },
  {
    name: "a leap of the computer's clock counts as five minutes of refusals",
    harm: "pulumi up ends in an error because the computer was suspended between two calls",
    file: memory,
    find: "return now - sinceAt >= absenceSeconds * 1000 && times >= leastRefusals;",
    replace: "return now - sinceAt >= absenceSeconds * 1000;",
  },
  {
    name: "an older ledger that is written over the end of a managed instance counts",
    harm: "its network interface and address are kept and paid for, and its name taken, for ever",
    file: "src/engine/tags.ts",
    find: 'read[tagKeys.deallocatedAt] === undefined ? read[tagKeys.phase] : "deallocated";',
    replace: "read[tagKeys.phase];",
  },
  {
    name: "only of what runs is the disk written down",
    harm: "a copy of the disk of an instance that was stopped at once is taken for ours",
    file: identity,
    find: 'launch.instanceId === undefined || instance.state !== "pending";',
    replace: "launch.instanceId === undefined || isRunning || launch.ran;",
  },
  {
    name: "a launch that failed because of a key is told of for ever, even once that is repaired",
    harm: "no machine until somebody finds out that EC2 forgets the instance after an hour",
    file: "src/engine/rules-launch.ts",
    find: "const isOurs = ledger.launch.recordedAt >= (observation.lookingSinceAt ?? now);",
    replace: "const isOurs = now >= (observation.lookingSinceAt ?? now);",
  },
  {
    name: "two attempts share one client token",
    harm: "EC2 answers the second launch with the first, in the pool that has no capacity",
    file: launch,
    find: "attempt: isSameGeneration ? open.attempt + 1 : 1,",
    replace: "attempt: isSameGeneration ? open.attempt : 1,",
  },
  {
    name: "two generations share one client token",
    harm: "the next launch is answered with the terminated instance",
    file: launch,
    find: "generation: isSameGeneration ? newest : newest + 1,",
    replace: "generation: isSameGeneration ? newest : Math.max(1, newest),",
  },
  {
    name: "the attempt advances although the outcome of the launch is unknown",
    harm: "a lost reply starts a second instance beside the first",
    file: launch,
    find: "if (isStillWanted(situation, anchor, launch)) return act(launchStep(situation, anchor, launch));",
    replace: "if (isStillWanted(situation, anchor, launch)) return undefined;",
  },
  {
    name: "the intent is not recorded before the launch",
    harm: "after a crash nobody knows that a generation was launched",
    file: launch,
    find: "return act(intent, step);\n  return",
    replace: "return act(step);\n  return",
  },
  {
    name: "a launch lets its root volume go with the instance",
    harm: "an interruption deletes the disk",
    file: launch,
    find: "deleteOnTermination: !launch.rootKept,",
    replace: "deleteOnTermination: launch.rootKept,",
  },
  {
    name: "the disk is made as small as the specification says",
    harm: "EC2 refuses every launch after the disk was shrunk in the program",
    file: launch,
    find: "Math.max(sizeGiB, snapshot?.sizeGiB ?? 0)",
    replace: "Math.min(sizeGiB, snapshot?.sizeGiB ?? sizeGiB)",
  },
  {
    name: "an instance is terminated although its root would go with it",
    harm: "a recycle deletes the disk",
    file: stop,
    find: "return carrier.rootVolumeId === undefined || carrier.rootDeletedOnTermination;",
    replace: "return carrier.rootVolumeId === undefined;",
  },
  {
    name: "a running instance is ended before the next one is known to be possible",
    harm: "a typing error in imageId takes the machine down",
    file: stop,
    find: "if (obstacleTo(situation, reason) !== undefined) return undefined;",
    replace: "",
  },
  {
    name: "a healthy instance is recycled within its grace",
    harm: "slow starters are killed again and again",
    file: stop,
    find: "const sinceAt = Math.max(carrier.health.sinceAt, graceEndsAt);",
    replace: "const sinceAt = Math.min(carrier.health.sinceAt, graceEndsAt);",
  },
  {
    name: "an interruption notice is not answered with a snapshot",
    harm: "the final snapshot takes as long as everything since the last one",
    file: stop,
    find: "if (volume !== undefined && spec.persistRootDevice && isDue && !isPending)",
    replace: "if (volume !== undefined && spec.persistRootDevice && isDue && isPending)",
  },
  {
    name: "an instance that is shutting down counts as gone",
    harm: "its successor starts from a disk that is still written to",
    file: situation,
    find: `instance.state !== "terminated" &&
      parseClientToken`,
    replace: `!["terminated", "shutting-down"].includes(instance.state) &&
      parseClientToken`,
  },
  {
    name: "NotFound is taken for gone",
    harm: "a pause ends while the instance that it did not see runs on",
    file: rest,
    find: "if (isRefused || now >= believedAt) return undefined;",
    replace: "if (isRefused || now >= launch.recordedAt) return undefined;",
  },
  {
    name: "an anchor that is not to be seen is made again at once",
    harm: "two anchors are two locks: two instances write as one",
    file: identity,
    find: "const trustedAt = (observation.anchorMissingSinceAt ?? now) + absenceSeconds * 1000;",
    replace: "const trustedAt = observation.anchorMissingSinceAt ?? now;",
  },
  {
    name: "a lost anchor is made again with another address",
    harm: "the promised private IP changes",
    file: identity,
    find: "privateIp: spec.privateIp ?? (isLost ? observation.remembered?.privateIp : undefined),",
    replace: "privateIp: spec.privateIp,",
  },
  {
    name: "the promised address is dropped when there is no capacity in its zone",
    harm: "the private IP changes in the night",
    file: "src/engine/pools.ts",
    find: "if (promised && spec.privateIp === undefined) return [anchor.subnetId];",
    replace: "if (promised && spec.privateIp !== undefined) return [anchor.subnetId];",
  },
  {
    name: "the anchor that moved last is in force",
    harm: "while a move is under way two processes use two locks",
    file: situation,
    find: "isFree(a) - isFree(b) || a.moves - b.moves ||",
    replace: "isFree(a) - isFree(b) || b.moves - a.moves ||",
  },
  {
    name: "an anchor is deleted before the other one has the ledger",
    harm: "what was launched and what is kept is forgotten",
    file: identity,
    find: "if (survivor !== undefined && !holdsLedger(situation, survivor))",
    replace: "if (survivor === undefined)",
  },
  {
    name: "an older specification wins",
    harm: "a process that stood still brings back what was changed or destroyed since",
    file: identity,
    find: "if (ledger.specVersion <= specVersion) return undefined;",
    replace: "if (ledger.specVersion >= specVersion) return undefined;",
  },
  {
    name: "a creation goes on in two processes",
    harm: "each reports the other's machine as its own",
    file: identity,
    find: "if (claim.host === claimant.host && claim.pid === claimant.pid) return undefined;",
    replace: "if (claim.host === claimant.host || claim.pid === claimant.pid) return undefined;",
  },
  {
    name: "what is deallocated is launched again",
    harm: "a destroyed machine comes back and is paid for",
    file: situation,
    find: `if (ledger.phase === "deallocating" || ledger.phase === "deallocated") return "deallocated";`,
    replace: `if (ledger.phase === "deallocating") return "deallocated";`,
  },
  {
    name: "the ledger's revision is ignored",
    harm: "a reading that lags brings back an older truth: a launch is forgotten",
    file: memory,
    find: "if (read !== undefined && read.revision >= (this.ledger?.revision ?? 0)) this.ledger = read;",
    replace: "if (read !== undefined) this.ledger = read;",
  },
  {
    name: "what was just made and does not show yet is forgotten",
    harm: "a snapshot is taken twice, a launch is taken for lost",
    file: memory,
    find: "this.made.filter(({ madeAt }) => now - madeAt < absenceSeconds * 1000);",
    replace: "this.made.filter(({ madeAt }) => now - madeAt < absenceSeconds * 0);",
  },
  {
    name: "what EC2 showed once is forgotten when a later answer lacks it",
    harm: "a snapshot and its image are left out of a deallocation and never swept",
    file: memory,
    find: "return this.made.filter(({ id }) => !shown.has(id));",
    replace: `this.made = this.made.filter(({ id }) => !shown.has(id));
    return this.made;`,
  },
  {
    name: "a launch into another lineage of the same number is taken for the one recorded",
    harm: "going back to an image sets the disk with the writes aside",
    file: identity,
    find: "const isOfLineage = isDeepStrictEqual(lineageOf(situation, launch), startedLineage);",
    replace: "const isOfLineage = launch.lineage === startedLineage.number;",
  },
  {
    name: "a launch with other properties is taken for the one recorded",
    harm: "the instance runs on with what the program does not say any more",
    file: identity,
    find: "if (isOfLineage && isAsMeant) return undefined;",
    replace: "if (isOfLineage) return undefined;",
  },
  {
    name: "a deallocation makes an image of what has its end already",
    harm: "destroying twice leaves an image behind",
    file: "src/engine/rules-rest.ts",
    find: "(images > 0 && !isGivenUp(situation))",
    replace: "images > 0",
  },
  {
    name: "a decision that is minutes old still launches and deletes",
    harm: "a suspended laptop wakes up and destroys on what it knew then",
    file: "src/engine/reconcile.ts",
    find: "if (cloud.now() - decidedAt > staleAfterMs) return;",
    replace: "",
  },
  {
    name: "a look in the middle of which the process stood still is decided on",
    harm: "what has its end is kept for ever, on what was true before and what is true now",
    file: "src/engine/reconcile.ts",
    find: " || memory.isTorn(options.cloud.now() - beganAt)",
    replace: "",
  },
  {
    name: "after a call without an answer the next step follows all the same",
    harm: "a launch is made although its intent was never written",
    file: "src/engine/reconcile.ts",
    find: `    await pauseAfterFailure(options, memory, error.message);
    return false;`,
    replace: `    await pauseAfterFailure(options, memory, error.message);
    return true;`,
  },
];
