/**
 * Where to launch: every allowed combination of instance type, market and subnet, best first. A
 * pool that EC2 just refused rests for a while and then waits its turn; when all rest, the answer
 * says until when.
 */
import type { Anchor, Market, Pool } from "./model";
import { stuck, type Verdict } from "./rule";
import { launchFailure, type Situation } from "./situation";

/** How long a pool without capacity is left alone before it is asked again. */
const refusalRestSeconds = 60;

/**
 * How long it comes after all that were not refused. A move to another subnet takes half a minute, so
 * with three of them the first has rested when the last is refused: without this On-Demand would never
 * be asked.
 */
const refusalCountsSeconds = 600;

export type PoolChoice = { kind: "pool"; pool: Pool } | { kind: "resting"; untilAt: number };

export function choosePool(situation: Situation): PoolChoice {
  const { now } = situation;
  const pools = orderedPools(situation).map((pool) => {
    const at = Math.max(
      lastRefusedAt(situation, pool),
      lastFailedAt(situation, pool),
      fullAt(situation, pool.subnetId),
    );
    const counts = at > now - refusalCountsSeconds * 1000;
    return { pool, turn: counts ? at : 0, restsUntil: at + refusalRestSeconds * 1000 };
  });
  const [next] = pools
    .filter(({ restsUntil }) => restsUntil <= now)
    .sort((a, b) => a.turn - b.turn);
  if (next !== undefined) return { kind: "pool", pool: next.pool };
  return { kind: "resting", untilAt: Math.min(...pools.map(({ restsUntil }) => restsUntil)) };
}

function lastRefusedAt({ observation }: Situation, pool: Pool): number {
  const times = observation.refusals
    .filter((refusal) => refusal.kind === "no-capacity" && isSamePool(refusal.pool, pool))
    .map((refusal) => refusal.at);
  return Math.max(Number.NEGATIVE_INFINITY, ...times);
}

/**
 * What EC2 took and then ended for a reason of its own before it ran was refused there, too. In which
 * subnet an ended instance was EC2 does not tell: in the anchor's since that moved, before in another.
 */
function lastFailedAt(
  { anchor, observation }: Situation,
  { instanceType, market, subnetId }: Pool,
) {
  const isHere = subnetId === anchor?.subnetId;
  const times = observation.instances
    .filter((each) => launchFailure(each)?.startsWith("Server.") === true)
    .filter((each) => each.instanceType === instanceType && each.market === market)
    .filter((each) => each.launchedAt >= (anchor?.movedAt ?? 0) === isHere)
    .map((each) => each.launchedAt);
  return Math.max(Number.NEGATIVE_INFINITY, ...times);
}

/** A subnet without a free address takes no other network interface; what is there needs none. */
function fullAt({ anchor, observation }: Situation, subnetId: string): number {
  if (subnetId === anchor?.subnetId) return Number.NEGATIVE_INFINITY;
  const full = observation.fullSubnets?.find((each) => each.subnetId === subnetId);
  return full?.at ?? Number.NEGATIVE_INFINITY;
}

const isSamePool = (a: Pool, b: Pool) =>
  a.instanceType === b.instanceType && a.market === b.market && a.subnetId === b.subnetId;

/**
 * Spot before On-Demand; within a market the present subnet before others, because a move costs
 * time; within a subnet preferred types first, in the user's order, then by placement score, price
 * and the user's order.
 */
export function orderedPools(situation: Situation): Pool[] {
  const { spec } = situation;
  const markets: Market[] = [];
  if (spec.lifeCycle === "spot") markets.push("spot");
  if (spec.lifeCycle === "on_demand" || spec.fallbackToOnDemand) markets.push("on-demand");
  return markets.flatMap((market) =>
    orderedSubnets(situation, market).flatMap((subnetId) =>
      orderedTypes(situation, market, subnetId).map((instanceType) => ({
        instanceType,
        market,
        subnetId,
      })),
    ),
  );
}

/** The address belongs to the subnet, so it may be left only while the address is not promised. */
export function allowedSubnets({ anchor, ledger, spec }: Situation): readonly string[] {
  if (anchor === undefined) return spec.subnetIds;
  const promised = spec.persistPrivateIp && ledger.phase !== "creating";
  if (promised && spec.privateIp === undefined) return [anchor.subnetId];
  return spec.subnetIds;
}

function orderedSubnets(situation: Situation, market: Market): string[] {
  const { anchor, observation } = situation;
  const score = (subnetId: string) => {
    const zone = observation.zones[subnetId] ?? "";
    return market === "spot" ? (observation.spotMarket.zoneScores[zone] ?? 0) : 0;
  };
  return [...allowedSubnets(situation)].sort(
    (a, b) => isHere(anchor, b) - isHere(anchor, a) || score(b) - score(a),
  );
}

const isHere = (anchor: Anchor | undefined, subnetId: string) =>
  Number(anchor?.subnetId === subnetId);

function orderedTypes(situation: Situation, market: Market, subnetId: string): string[] {
  const { observation, spec } = situation;
  const zone = observation.zones[subnetId] ?? "";
  const price = (type: string) =>
    market === "spot"
      ? (observation.spotMarket.usdPerHour[`${type} ${zone}`] ?? Number.MAX_VALUE)
      : 0;
  const others = spec.instanceTypes.filter((type) => !spec.preferredInstanceTypes.includes(type));
  return [...spec.preferredInstanceTypes, ...others.sort((a, b) => price(a) - price(b))];
}

/** Once EC2 had no address left in any of them. */
export function tellNoAddress(
  { observation }: Situation,
  subnetIds: readonly string[],
): Verdict | undefined {
  const full = observation.fullSubnets?.map((each) => each.subnetId) ?? [];
  if (!subnetIds.every((id) => full.includes(id))) return undefined;
  return stuck(
    `no private IP address is free in ${subnetIds.join(", ")}`,
    "free some, or name another subnet in subnetIds",
  );
}
