/** Bugs where the engine meets EC2, the Registry, other processes and other people's resources. */
import type { Bug } from "./bug";

export const adapterBugs: readonly Bug[] = [
  {
    name: "the time for which a computer was suspended does not count",
    harm: "a step is taken on a look of hours ago",
    file: "src/aws/clock.ts",
    find: "return Math.max(performance.now() - monotonicMs, Date.now() - wallMs);",
    replace: "return performance.now() - monotonicMs;",
  },
  {
    name: "a call that EC2 may have carried out is signed and sent again",
    harm: "two snapshots, of which nobody knows one",
    file: "src/aws/client.ts",
    find: 'if (!(error instanceof CloudError) || error.meaning !== "denied") return false;',
    replace: "if (!(error instanceof CloudError)) return false;",
  },
  {
    name: "an empty page ends the listing",
    harm: "what stands on the next page counts as gone",
    file: "src/aws/client.ts",
    find: "for await (const page of eachPage(ec2, action, input)) found.push(...(items(page) ?? []));",
    replace: `for await (const page of eachPage(ec2, action, input)) {
    const some = items(page) ?? [];
    if (some.length === 0) break;
    found.push(...some);
  }`,
  },
  {
    name: "the anchor of another managed instance is taken for ours",
    harm: "two machines share one lock and one address",
    file: "src/aws/observer.ts",
    find: ".filter(({ tags }) => tags[tagKeys.id] === query.id)",
    replace: ".filter(({ tags }) => tags[tagKeys.id] !== undefined)",
  },
  {
    name: "an interface that wears copies of our tags is taken for an anchor",
    harm: "somebody's interface is deleted",
    file: "src/engine/tags.ts",
    find: "tags[tagKeys.marked] === undefined || tags[tagKeys.marked] === interfaceId;",
    replace: `tags[tagKeys.marked] === undefined || interfaceId !== "";`,
  },
  {
    name: "instances are looked for by a tag, which terminated ones lose",
    harm: "a disk that was written to counts as never booted",
    file: "src/aws/observer.ts",
    find: `const found = await find(filter("client-token", `,
    replace: `const found = await find(filter("tag:pmi:operation", `,
  },
  {
    name: "an id that a lagging tag index does not show is not asked for",
    harm: "the disk of a moment ago counts as gone",
    file: "src/aws/observer.ts",
    find: 'if (isMissed) found.push(...(await find([filter("network-interface-id", interfaceId)])));',
    replace: "",
  },
  {
    name: "the newest of two ledgers is passed over",
    harm: "after a move the engine acts on what was true before it",
    file: "src/engine/ledgers.ts",
    find: "return ledger.revision > newest.revision ? ledger : newest;",
    replace: "return ledger.revision < newest.revision ? ledger : newest;",
  },
  {
    name: "what is not condemned any more is deleted",
    harm: "what a rollback has just pinned is gone",
    file: "src/aws/cloud.ts",
    find: "if (tags[tagKeys.id] === undefined || tags[tagKeys.condemned] === undefined)",
    replace: "if (tags[tagKeys.id] === undefined)",
  },
  {
    name: "keeping the root leaves DeleteOnTermination out",
    harm: "EC2 sets it to true: the call that is to save the disk dooms it",
    file: "src/aws/cloud.ts",
    find: "BlockDeviceMappings: [{ DeviceName: step.deviceName, Ebs: { DeleteOnTermination: false } }],",
    replace: "BlockDeviceMappings: [{ DeviceName: step.deviceName, Ebs: {} }],",
  },
  {
    name: "Spot is asked for by a persistent request",
    harm: "after every termination a ghost is launched and paid for",
    file: "src/aws/cloud.ts",
    find: `SpotInstanceType: "one-time",`,
    replace: `SpotInstanceType: "persistent",`,
  },
  {
    name: "no answer is taken for a refusal",
    harm: "a launch that EC2 carried out is tried again elsewhere",
    file: "src/aws/errors.ts",
    find: `return isDefinite ? "invalid" : "unknown";`,
    replace: `return isDefinite || status === undefined ? "invalid" : "unknown";`,
  },
  {
    name: "one passed status check counts as healthy",
    harm: "the previous disk is cleared away although the new system does not come up",
    file: "src/aws/shapes.ts",
    find: `if (states.every((state) => state === "ok")) return { kind: "ok" };`,
    replace: `if (states.some((state) => state === "ok")) return { kind: "ok" };`,
  },
  {
    name: "a Spot notice is not seen",
    harm: "two minutes of warning are wasted: longer down, more to lose",
    file: "src/aws/shapes.ts",
    find: `interruptionNoticed: seen.spotStatusCode === "marked-for-termination",`,
    replace: `interruptionNoticed: seen.spotStatusCode === "instance-terminated-by-price",`,
  },
  {
    name: "the anchor of a living managed instance is swept",
    harm: "lock, address and ledger of a paused machine are gone",
    file: "src/aws/inventory.ts",
    find: "if (isLiving || !isOurAnchor(id, tags)) return [];",
    replace: "if (isLiving && !isOurAnchor(id, tags)) return [];",
  },
  {
    name: "expiry is judged by this host's clock",
    harm: "a laptop whose clock is wrong deletes what was to be kept",
    file: "src/controller/sweep.ts",
    find: `const now = cloud.now();
    const expired`,
    replace: `const now = Date.now();
    const expired`,
  },
  {
    name: "AWS's clock is never learnt",
    harm: "deadlines and expiry follow a host that may be hours off",
    file: "src/aws/clock.ts",
    find: "if (Number.isNaN(told)) return;",
    replace: "if (!Number.isNaN(told)) return;",
  },
  {
    name: "what has no expiry is swept",
    harm: "the sweep deletes what is in use",
    file: "src/controller/sweep.ts",
    find: "(resource.deleteAfterAt ?? now + 1) <= now",
    replace: "(resource.deleteAfterAt ?? now) <= now + 3_600_000",
  },
  {
    name: "the creation of a living process is taken over",
    harm: "two programs report one machine as theirs",
    file: "src/provider/claim.ts",
    find: "return claim.pid === claimant.pid ? !isInFlight : !isAlive(claim.pid);",
    replace: "return claim.pid === claimant.pid ? !isInFlight : isAlive(claim.pid);",
  },
  {
    name: "a creation on another host is taken over at once",
    harm: "two hosts go on with one creation",
    file: "src/provider/claim.ts",
    find: "if (claim.host !== claimant.host) return false;",
    replace: "if (claim.host !== claimant.host) return true;",
  },
  {
    name: "a lease holder that was overtaken still writes",
    harm: "a worker that stood still overwrites what its successor did",
    file: "src/controller/entry-changes.ts",
    find: "lease !== undefined && lease.holder === claimed.holder && lease.fencing === claimed.fencing;",
    replace: "lease !== undefined && lease.holder === claimed.holder;",
  },
  {
    name: "a lease is given away while it is held",
    harm: "two workers do the same work and use up the account's requests",
    file: "src/controller/entry-changes.ts",
    find: "return now < lease.untilAt && lease.untilAt <= now + longestLeaseMs;",
    replace: "return now > lease.untilAt && lease.untilAt <= now + longestLeaseMs;",
  },
  {
    name: "an older ledger overwrites a newer one in the Registry",
    harm: "a launch is forgotten",
    file: "src/controller/entry-changes.ts",
    find: "kept.ledger !== undefined && ledger.revision < kept.ledger.revision",
    replace: "kept.ledger !== undefined && ledger.revision > kept.ledger.revision + 1_000_000",
  },
  {
    name: "an older registration replaces a newer one",
    harm: "a stack that was restored from a backup brings back an old specification",
    file: "src/controller/entry-changes.ts",
    find: "if (registration.specVersion < kept.specVersion) return { result: asEntry(kept) };",
    replace: "",
  },
];
