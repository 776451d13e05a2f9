/**
 * How often all managed instances together can be looked at and snapshotted. An account takes so many
 * requests and no more (ec2-facts §7); when what the specifications ask for exceeds our share of
 * that, all intervals are stretched alike, and it is said by how much.
 */
import type { Action } from "../aws/client";
import { requestBucket } from "../aws/request-buckets";
import { settledLookMinutes } from "../engine/rules-upkeep";
import { goalOf } from "./news";
import type { Entry } from "./registry";

/** What upkeep comes to, unstretched. */
export interface Demand {
  snapshotsPerSecond: number;
  looksPerSecond: number;
  /** A look observes again after each decision that it carries out. */
  observationsPerSecond: number;
}

export const noDemand: Demand = {
  snapshotsPerSecond: 0,
  looksPerSecond: 0,
  observationsPerSecond: 0,
};

/** Our part of EC2's buckets; the rest is for people, other tools and what we did not foresee. */
export const defaultShare = 0.8;

/** The demand with one more managed instance. What is paused or ended wants nothing by itself. */
export function demandOf(entry: Entry, sum: Demand): Demand {
  if (goalOf(entry) !== "running") return sum;
  const { persistRootDevice, snapshots } = entry.spec;
  const minutes = persistRootDevice ? snapshots.intervalMinutes : Number.POSITIVE_INFINITY;
  const snapshotsPerSecond = 1 / (minutes * 60);
  const looksPerSecond = 1 / (Math.min(minutes, settledLookMinutes) * 60);
  // Taking one goes with condemning the one too many and deleting the last; rare ones go at the next look.
  const decisions = minutes <= settledLookMinutes ? 1 : 3;
  return {
    snapshotsPerSecond: sum.snapshotsPerSecond + snapshotsPerSecond,
    looksPerSecond: sum.looksPerSecond + looksPerSecond,
    observationsPerSecond:
      sum.observationsPerSecond + looksPerSecond + decisions * snapshotsPerSecond,
  };
}

type Occasion = "look" | "observation" | "snapshot";

/** The calls that upkeep makes, once for each of these occasions. */
const upkeepCalls: Partial<Record<Action, readonly Occasion[]>> = {
  DescribeNetworkInterfaces: ["observation"],
  DescribeInstances: ["observation"],
  DescribeInstanceStatus: ["observation"],
  DescribeSpotInstanceRequests: ["observation"],
  DescribeVolumes: ["observation"],
  // What is to be deleted is read again.
  DescribeSnapshots: ["observation", "snapshot"],
  // The base image too.
  DescribeImages: ["observation", "look"],
  CreateSnapshot: ["snapshot"],
  CreateTags: ["snapshot"],
  DeleteSnapshot: ["snapshot"],
};

/** Calls of one kind in each second. */
export function callsPerSecond(action: Action, demand: Demand): number {
  const rates: Record<Occasion, number> = {
    look: demand.looksPerSecond,
    observation: demand.observationsPerSecond,
    snapshot: demand.snapshotsPerSecond,
  };
  return (upkeepCalls[action] ?? []).reduce((sum, occasion) => sum + rates[occasion], 0);
}

/** How much of our share of the scarcest bucket the demand takes: 0.5 is half of it. */
export function loadOf(demand: Demand, share = defaultShare): number {
  const loads = (Object.keys(upkeepCalls) as Action[]).map(
    (action) => callsPerSecond(action, demand) / (share * requestBucket(action).refillPerSecond),
  );
  return Math.max(...loads);
}

/** 1 where the account carries what is asked for, else how many times longer everything takes. */
export const stretchOf = (demand: Demand): number => Math.max(1, loadOf(demand));

/** For people; undefined where nothing is stretched. */
export function describeStretch(stretch: number): string | undefined {
  if (stretch <= 1) return undefined;
  return `this account carries less than is specified, so that all intervals take ${stretch.toFixed(2)} times as long: raise snapshots.intervalMinutes, spread over several accounts or Regions, or ask AWS for higher request limits`;
}
