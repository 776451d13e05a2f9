/**
 * The limits of the account as far as EC2 tells them, the requests that upkeep takes, what nobody
 * claims any more, and whether a controller is at work. Pure: judges what was read.
 */
import type { Retained } from "../aws/inventory";
import { demandOf, describeStretch, loadOf, noDemand, stretchOf } from "../controller/stretch";
import { isOurImage, isOurSnapshot, isOurVolume } from "../engine/tags";
import { counted, type Finding, some } from "./finding";
import { duration } from "./human-time";
import type { Belongings, Managed, Overview } from "./overview";

/** Quotas of a Region that an account starts with (ec2-facts §2, §3). */
const quotas = { snapshots: 100_000, images: 50_000 } as const;
/** EC2's limit for each volume; those that failed count (ec2-facts §2). */
const pendingSnapshotsPerVolume = 5;

export function checkLimits({ managed }: Overview): Finding[] {
  const observations = managed.map(({ observation }) => observation);
  const crowded = observations.flatMap(({ snapshots, volumes }) =>
    volumes.flatMap(({ volumeId }) => {
      const open = snapshots.filter(
        (each) => each.volumeId === volumeId && each.state !== "completed",
      );
      return open.length >= pendingSnapshotsPerVolume - 1 ? [volumeId] : [];
    }),
  );
  const findings: Finding[] = (["snapshots", "images"] as const).map((kind) => {
    const count = observations.reduce((sum, observation) => sum + observation[kind].length, 0);
    const share = count / quotas[kind];
    const quota = quotas[kind].toLocaleString("en");
    const message = `${counted(count, kind.slice(0, -1))} of ours, where an account may have ${quota} unless AWS raised it.`;
    if (share < 0.5) return { check: "limits", status: "ok", message };
    const next = "Ask for more in Service Quotas, or keep fewer with snapshots.keep.";
    return { check: "limits", status: share < 0.9 ? "warning" : "problem", message, next };
  });
  if (crowded.length > 0)
    findings.push({
      check: "limits",
      status: "warning",
      message: `${some(crowded)}: nearly as many unfinished snapshots as EC2 allows for one volume, ${pendingSnapshotsPerVolume}.`,
      next: "Raise snapshots.intervalMinutes if this stays.",
    });
  findings.push({
    check: "limits",
    status: "note",
    message: "EC2 does not tell how many vCPUs the account may run, on Spot or On-Demand.",
    next: "`aws service-quotas list-service-quotas --service-code ec2` does.",
  });
  return findings;
}

export function checkRequests({ managed }: Overview): Finding[] {
  const entries = managed.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
  if (entries.length === 0) return [];
  const demand = entries.reduce((sum, entry) => demandOf(entry, sum), noDemand);
  const stretched = describeStretch(stretchOf(demand));
  if (stretched !== undefined)
    return [{ check: "requests", status: "warning", message: `${stretched}.` }];
  const percent = (loadOf(demand) * 100).toFixed(1);
  const message = `Upkeep of ${counted(entries.length, "managed instance")} takes ${percent} % of the requests that we allow ourselves.`;
  return [{ check: "requests", status: "ok", message }];
}

const isExpiring = ({ deleteAfterAt }: { deleteAfterAt?: number }) => deleteAfterAt !== undefined;

/** What is tagged as ours although nothing claims it, and what only looks like ours. */
export function checkLeftovers(overview: Overview, retained: readonly Retained[], now: number) {
  const { managed, unclaimed } = overview;
  const findings: Finding[] = [];
  const add = (finding: Omit<Finding, "check">) =>
    findings.push({ check: "leftovers", ...finding });
  for (const [id, belongings] of unclaimed) {
    const ids = unclaimedIds(belongings);
    if (ids.length > 0)
      add({
        status: belongings.instances.length > 0 ? "problem" : "warning",
        message: `${some(ids)} are tagged with ${id}, of which there is neither a network interface nor an entry.`,
        next: "Look at them; what you do not need you may delete yourself, for nothing else will.",
      });
  }
  const copies = managed.flatMap(({ observation }) => copiesIn(observation));
  if (copies.length > 0)
    add({
      status: "note",
      message: `${some(copies)} wear our tags and are not ours: backups or copies. They are left alone.`,
    });
  const overdue = retained.filter(({ resource }) => (resource.deleteAfterAt ?? now) < now - hourMs);
  if (overdue.length > 0)
    add({
      status: "warning",
      message: `${counted(overdue.length, "resource")} should have been deleted over an hour ago.`,
      next: "Run `managed-instance gc`, or a controller, which does it by itself.",
    });
  if (findings.every(({ status }) => status === "note"))
    add({ status: "ok", message: "Nothing of ours is left over." });
  return findings;
}

const hourMs = 3_600_000;

const unclaimedIds = ({ images, instances, snapshots, volumes }: Belongings): string[] => [
  ...instances.map(({ instanceId }) => instanceId),
  ...volumes.filter((each) => isOurVolume(each) && !isExpiring(each)).map((each) => each.volumeId),
  ...snapshots
    .filter((each) => isOurSnapshot(each) && !isExpiring(each))
    .map((each) => each.snapshotId),
  ...images.filter((each) => isOurImage(each) && !isExpiring(each)).map((each) => each.imageId),
];

const copiesIn = ({ images, snapshots, volumes }: Managed["observation"]): string[] => [
  ...volumes.filter((each) => !isOurVolume(each)).map((each) => each.volumeId),
  ...snapshots.filter((each) => !isOurSnapshot(each)).map((each) => each.snapshotId),
  ...images.filter((each) => !isOurImage(each)).map((each) => each.imageId),
];

/** A daemon looks every few seconds, a Lambda every minute. */
const lateMs = 300_000;

export function checkController({ managed }: Overview, registry: string | undefined, now: number) {
  const add = (finding: Omit<Finding, "check">): Finding[] => [{ check: "controller", ...finding }];
  const living = managed.filter(({ facts }) => facts?.state !== "deallocated");
  if (living.length === 0) return [];
  if (registry === undefined)
    return add({
      status: "note",
      message: "No registry is named, so what the controller knows was not looked at.",
      next: "Name it with --table or --directory.",
    });
  const strangers = living.filter(({ entry }) => entry === undefined).map(({ id }) => id);
  const late = managed.filter(({ entry }) => {
    if (entry === undefined || entry.dueAt >= now - lateMs) return false;
    return (entry.lease?.untilAt ?? 0) < now;
  });
  const findings: Finding[] = [];
  if (strangers.length > 0)
    findings.push(
      ...add({
        status: "warning",
        message: `${some(strangers)} are not in ${registry}: nobody answers their interruptions or takes their snapshots from there.`,
        next: "Give them `controller` in the program and run `pulumi up`.",
      }),
    );
  if (late.length > 0) {
    const longest = Math.max(...late.map(({ entry }) => now - (entry?.dueAt ?? now)));
    findings.push(
      ...add({
        status: "problem",
        message: `No controller is at work: ${counted(late.length, "managed instance")} waited up to ${duration(longest)} for a look.`,
        next: "Start one with `managed-instance controller`, or look at the logs of yours.",
      }),
    );
  } else
    findings.push(...add({ status: "ok", message: `Nothing waits for a look in ${registry}.` }));
  return findings;
}
