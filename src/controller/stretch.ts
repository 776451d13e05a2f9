/**
 * How often all managed instances together can be looked at and snapshotted. An account takes so many
 * requests and no more (ec2-facts §7); when what the specifications ask for exceeds our share of
 * that, all intervals are stretched alike, and it is said by how much.
 */
import type { Action } from "../aws/client";
import { requestBucket } from "../aws/request-buckets";
import { goalOf } from "./news";
import type { Entry } from "./registry";

/** What upkeep comes to, unstretched. */
export interface Demand {
  snapshotsPerSecond: number;
  looksPerSecond: number;
}

export const noDemand: Demand = { snapshotsPerSecond: 0, looksPerSecond: 0 };

/** Our part of EC2's buckets; the rest is for people, other tools and what we did not foresee. */
export const defaultShare = 0.8;

/** What settles is looked at this often (`concludeRunning`), snapshot or not. */
const lookMinutes = 5;

/** The demand with one more managed instance. What is paused or ended wants nothing by itself. */
export function demandOf(entry: Entry, sum: Demand): Demand {
  if (goalOf(entry) !== "running") return sum;
  const { persistRootDevice, snapshots } = entry.spec;
  const minutes = persistRootDevice ? snapshots.intervalMinutes : Number.POSITIVE_INFINITY;
  return {
    snapshotsPerSecond: sum.snapshotsPerSecond + 1 / (minutes * 60),
    looksPerSecond: sum.looksPerSecond + 1 / (Math.min(minutes, lookMinutes) * 60),
  };
}

/** Calls that one look makes, and those more that a look makes which takes a snapshot. */
export const upkeepCalls: Partial<Record<Action, { look: number; snapshot: number }>> = {
  DescribeNetworkInterfaces: { look: 1, snapshot: 2 },
  DescribeInstances: { look: 1, snapshot: 2 },
  DescribeInstanceStatus: { look: 1, snapshot: 2 },
  DescribeSpotInstanceRequests: { look: 1, snapshot: 2 },
  DescribeVolumes: { look: 1, snapshot: 2 },
  DescribeSnapshots: { look: 1, snapshot: 3 },
  DescribeImages: { look: 2, snapshot: 2 },
  DescribeSpotPriceHistory: { look: 1, snapshot: 0 },
  CreateSnapshot: { look: 0, snapshot: 1 },
  CreateTags: { look: 0, snapshot: 1 },
  DeleteSnapshot: { look: 0, snapshot: 1 },
};

/** How much of our share of the scarcest bucket the demand takes: 0.5 is half of it. */
export function loadOf(demand: Demand, share = defaultShare): number {
  const loads = Object.entries(upkeepCalls).map(([action, { look, snapshot }]) => {
    const perSecond = look * demand.looksPerSecond + snapshot * demand.snapshotsPerSecond;
    return perSecond / (share * requestBucket(action as Action).refillPerSecond);
  });
  return Math.max(...loads);
}

/** 1 where the account carries what is asked for, else how many times longer everything takes. */
export const stretchOf = (demand: Demand, share = defaultShare): number =>
  Math.max(1, loadOf(demand, share));

/** For people; undefined where nothing is stretched. */
export function describeStretch(stretch: number): string | undefined {
  if (stretch <= 1) return undefined;
  return `this account carries only one snapshot every ${(5 * stretch).toFixed(1)} minutes where every 5 are specified (all intervals × ${stretch.toFixed(2)}): raise snapshots.intervalMinutes, spread over several accounts or Regions, or ask AWS for higher request limits`;
}
