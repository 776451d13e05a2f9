/** Spot or On-Demand: what a launch may ask of the market, and whether its pool has room for it. */
import type { InstanceMarketOptionsRequest, RunInstancesRequest } from "@aws-sdk/client-ec2";
import { type InstanceTypeFacts, priceText, spotPrice } from "./catalog";
import { Ec2Error } from "./errors";
import { invalidCombination, invalidValue } from "./refusals";
import type { World } from "./world";

export interface SpotPlan {
  readonly type: "one-time" | "persistent";
  readonly interruptionBehavior: "terminate" | "stop" | "hibernate";
  readonly maxPrice: string;
  readonly validUntil?: number;
}

/** The prohibitions of ec2-facts §1.4. */
export function planSpot(
  input: RunInstancesRequest,
  facts: InstanceTypeFacts,
): SpotPlan | undefined {
  const options: InstanceMarketOptionsRequest | undefined = input.InstanceMarketOptions;
  if (options === undefined) return undefined;
  if (options.MarketType !== "spot")
    throw invalidValue(
      `Value (${options.MarketType ?? ""}) for parameter marketType is invalid. The simulator knows spot.`,
    );
  const spot = options.SpotOptions ?? {};
  const type = spot.SpotInstanceType ?? "one-time";
  const interruptionBehavior = spot.InstanceInterruptionBehavior ?? "terminate";
  if (type === "persistent" && interruptionBehavior === "terminate")
    throw invalidCombination(
      "Persistent Spot Instance requests made with RunInstances require the instance interruption behavior stop or hibernate",
    );
  if (type === "one-time" && interruptionBehavior !== "terminate")
    throw invalidCombination(
      `The interruption behavior ${interruptionBehavior} is not supported for one-time Spot Instance requests`,
    );
  if (spot.ValidUntil !== undefined && type === "one-time")
    throw invalidCombination("ValidUntil is supported only for persistent Spot Instance requests");
  if (input.DisableApiTermination === true)
    throw invalidCombination("You can't enable termination protection for Spot Instances");
  return {
    type,
    interruptionBehavior,
    maxPrice: checkedPrice(spot.MaxPrice, facts),
    validUntil: spot.ValidUntil?.getTime(),
  };
}

function checkedPrice(text: string | undefined, facts: InstanceTypeFacts): string {
  if (text === undefined) return priceText(facts.onDemandPrice);
  const price = Number(text);
  if (!Number.isFinite(price) || price <= 0.001)
    throw invalidValue(
      `Invalid value '${text}' for spot price. It must be greater than USD 0.001.`,
    );
  return text;
}

export function checkSpotPrice(plan: SpotPlan, facts: InstanceTypeFacts, zone: string): void {
  const least = spotPrice(facts, zone);
  if (Number(plan.maxPrice) >= least) return;
  throw new Ec2Error(
    "SpotMaxPriceTooLow",
    `Your Spot request price of ${plan.maxPrice} is lower than the minimum required Spot request fulfillment price of ${least.toFixed(4)}.`,
  );
}

export interface Pool {
  readonly instanceType: string;
  readonly zone: string;
  readonly market: "spot" | "on-demand";
}

function poolKey(pool: Pool): string {
  return `${pool.instanceType}/${pool.zone}/${pool.market}`;
}

export function room(world: World, pool: Pool): number {
  return world.capacity.get(poolKey(pool)) ?? Number.POSITIVE_INFINITY;
}

export function setRoom(world: World, pool: Pool, available: number | "unlimited"): void {
  if (available === "unlimited") world.capacity.delete(poolKey(pool));
  else world.capacity.set(poolKey(pool), Math.max(0, available));
}

export function takeRoom(world: World, pool: Pool, count: number): void {
  const left = world.capacity.get(poolKey(pool));
  if (left !== undefined) world.capacity.set(poolKey(pool), left - count);
}

/** An HTTP 500, which the SDK retries unless told otherwise (ec2-facts §1.2, §1.5). */
export function insufficientCapacity(world: World, pool: Pool): Ec2Error {
  const others = world.zones
    .map((zone) => zone.name)
    .filter((zone) => zone !== pool.zone && room(world, { ...pool, zone }) > 0);
  const text =
    pool.market === "spot"
      ? "There is no Spot capacity available that matches your request."
      : `We currently do not have sufficient ${pool.instanceType} capacity in the Availability Zone you requested (${pool.zone}). Our system will be working on provisioning additional capacity. You can currently get ${pool.instanceType} capacity by not specifying an Availability Zone in your request or choosing ${others.join(", ")}.`;
  return new Ec2Error("InsufficientInstanceCapacity", text, 500);
}
