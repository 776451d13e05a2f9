/**
 * EC2's token buckets per account, region and action (ec2-facts §7): requests, and for some actions
 * the instances that a request names. A refused request has no effect.
 */
import { Ec2Error } from "./errors";

interface Bucket {
  readonly size: number;
  readonly perSecond: number;
}

const READ: Bucket = { size: 100, perSecond: 20 };
const UNFILTERED_READ: Bucket = { size: 50, perSecond: 10 };
const WRITE: Bucket = { size: 50, perSecond: 5 };

const requestBuckets: Readonly<Record<string, Bucket>> = {
  RunInstances: { size: 5, perSecond: 2 },
  StartInstances: { size: 5, perSecond: 2 },
  ...bucketsOf({ size: 100, perSecond: 10 }, ["CreateTags", "DeleteTags"]),
  ...bucketsOf({ size: 100, perSecond: 5 }, [
    "TerminateInstances",
    "DeregisterImage",
    "ModifyImageAttribute",
    "AssignPrivateIpAddresses",
    "UnassignPrivateIpAddresses",
    "CreateSnapshot",
    "CreateSnapshots",
    "DeleteSnapshot",
    "CreateVolume",
    "DeleteVolume",
    "CreateNetworkInterface",
    "DeleteNetworkInterface",
    "ModifyNetworkInterfaceAttribute",
    "ModifyInstanceMetadataOptions",
  ]),
};

const resourceBuckets: Readonly<Record<string, Bucket>> = {
  RunInstances: { size: 1000, perSecond: 2 },
  StartInstances: { size: 1000, perSecond: 2 },
  StopInstances: { size: 1000, perSecond: 20 },
  TerminateInstances: { size: 1000, perSecond: 20 },
};

const UNFILTERED_ACTIONS = new Set([
  "DescribeInstances",
  "DescribeInstanceStatus",
  "DescribeNetworkInterfaces",
  "DescribeSecurityGroups",
  "DescribeSnapshots",
  "DescribeSpotInstanceRequests",
  "DescribeVolumes",
]);

function bucketsOf(bucket: Bucket, actions: readonly string[]): Record<string, Bucket> {
  return Object.fromEntries(actions.map((action) => [action, bucket]));
}

export interface Throttle {
  /** Throws RequestLimitExceeded when a bucket is empty. */
  admit(action: string, input: Readonly<Record<string, unknown>>): void;
}

export function createThrottle(now: () => number): Throttle {
  const levels = new Map<string, { level: number; at: number }>();
  const take = (name: string, bucket: Bucket, tokens: number) => {
    const at = now();
    const before = levels.get(name) ?? { level: bucket.size, at };
    const refilled = before.level + ((at - before.at) / 1000) * bucket.perSecond;
    const level = Math.min(bucket.size, refilled);
    const isEnough = level >= tokens;
    levels.set(name, { level: isEnough ? level - tokens : level, at });
    if (!isEnough) throw requestLimitExceeded();
  };
  return {
    admit: (action, input) => {
      const isUnfiltered = UNFILTERED_ACTIONS.has(action) && isUnfilteredCall(input);
      // An unfiltered, unpaginated describe drains a smaller bucket of its own.
      const name = isUnfiltered ? `${action}/unfiltered` : action;
      take(name, isUnfiltered ? UNFILTERED_READ : requestBucket(action), 1);
      const resources = Object.hasOwn(resourceBuckets, action)
        ? resourceBuckets[action]
        : undefined;
      if (resources !== undefined) take(`${action}/resources`, resources, instanceCount(input));
    },
  };
}

function requestBucket(action: string): Bucket {
  const own = Object.hasOwn(requestBuckets, action) ? requestBuckets[action] : undefined;
  return own ?? (/^(Describe|Get|List|Search)/.test(action) ? READ : WRITE);
}

/** An empty list of ids or filters counts as none (ec2-facts §7). */
function isUnfilteredCall(input: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(input).every(([name, value]) => {
    if (name === "DryRun" || value === undefined) return true;
    return Array.isArray(value) && value.length === 0;
  });
}

function instanceCount(input: Readonly<Record<string, unknown>>): number {
  const { InstanceIds: ids, MaxCount: count } = input;
  if (Array.isArray(ids)) return ids.length;
  return typeof count === "number" ? count : 1;
}

export function requestLimitExceeded(): Ec2Error {
  return new Ec2Error("RequestLimitExceeded", "Request limit exceeded.", 503);
}
