/** Spot requests as records, prices and placement scores (ec2-facts §1.4, §1.6). */
import type {
  _InstanceType,
  CancelSpotInstanceRequestsRequest,
  CancelSpotInstanceRequestsResult,
  DescribeSpotInstanceRequestsRequest,
  DescribeSpotInstanceRequestsResult,
  DescribeSpotPriceHistoryRequest,
  DescribeSpotPriceHistoryResult,
  Filter,
  GetSpotPlacementScoresRequest,
  GetSpotPlacementScoresResult,
  SpotInstanceRequest,
  SpotPrice,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { type InstanceTypeFacts, instanceTypes, isOffered, priceText, spotPrice } from "./catalog";
import { type Listing, list, matcherOf } from "./describe";
import { terminate, USER_SHUTDOWN } from "./instance-states";
import { room } from "./launch-market";
import type { SpotRequestRecord } from "./records";
import { findAll, invalidValue, nouns, required, requiredList } from "./refusals";
import { scheduleRemoval, setSpotStatus } from "./spot-states";
import { tagList } from "./tag-sets";
import { type World, zoneId } from "./world";

const listing: Listing<SpotRequestRecord> = {
  table: (world) => world.spotRequests,
  noun: nouns.spotRequest,
  pageSize: [5, 1000],
  filters: {
    "create-time": (row) => new Date(row.createdAt).toISOString(),
    "instance-id": (row) => row.instanceId,
    "launched-availability-zone": (row) => row.zone,
    "spot-instance-request-id": (row) => row.id,
    "spot-price": (row) => row.maxPrice,
    state: (row) => row.state,
    "status-code": (row) => row.status.code,
    "status-message": (row) => row.status.message,
    type: (row) => row.type,
  },
};

function requestView(world: World, row: SpotRequestRecord): SpotInstanceRequest {
  const { ImageId: imageId, InstanceType: instanceType } = row.launch;
  return {
    CreateTime: new Date(row.createdAt),
    InstanceId: row.instanceId,
    InstanceInterruptionBehavior: row.interruptionBehavior,
    LaunchSpecification: {
      ImageId: typeof imageId === "string" ? imageId : undefined,
      InstanceType: instanceType as _InstanceType | undefined,
      Placement: { AvailabilityZone: row.zone },
    },
    LaunchedAvailabilityZone: row.zone,
    LaunchedAvailabilityZoneId: zoneId(world, row.zone),
    ProductDescription: "Linux/UNIX",
    SpotInstanceRequestId: row.id,
    SpotPrice: row.maxPrice,
    State: row.state,
    Status: {
      Code: row.status.code,
      Message: row.status.message,
      UpdateTime: new Date(row.status.updatedAt),
    },
    Tags: tagList(row.tags),
    Type: row.type,
    ValidUntil: row.validUntil === undefined ? undefined : new Date(row.validUntil),
  };
}

/** A running instance stays; one that its user had stopped is terminated (ec2-facts §1.4, §11). */
function cancelRequests(
  world: World,
  input: CancelSpotInstanceRequestsRequest,
): CancelSpotInstanceRequestsResult {
  const ids = requiredList(input.SpotInstanceRequestIds, "SpotInstanceRequestId");
  for (const row of findAll(world.spotRequests, nouns.spotRequest, ids)) cancel(world, row);
  return {
    CancelledSpotInstanceRequests: ids.map((id) => ({
      SpotInstanceRequestId: id,
      State: "cancelled",
    })),
  };
}

function cancel(world: World, row: SpotRequestRecord): void {
  const instance = world.instances.get(row.instanceId ?? "");
  const isStopped = instance?.state === "stopped" || instance?.state === "stopping";
  const isRunning = instance?.state === "running" || instance?.state === "pending";
  const code = isRunning ? "request-canceled-and-instance-running" : "canceled-before-fulfillment";
  setSpotStatus(world, row.id, code, { state: "cancelled" });
  if (instance !== undefined && isStopped)
    terminate(world, instance.id, {
      reason: USER_SHUTDOWN,
      transition: "User initiated",
      isGraceful: true,
    });
  if (!isRunning && !isStopped) scheduleRemoval(world, row.id);
}

function describePrices(
  world: World,
  input: DescribeSpotPriceHistoryRequest,
): DescribeSpotPriceHistoryResult {
  const wanted = input.InstanceTypes ?? [];
  const products = input.ProductDescriptions ?? ["Linux/UNIX"];
  const matches = (input.Filters ?? []).map(priceFilter);
  const prices: SpotPrice[] = [...instanceTypes.values()]
    .filter((facts) => wanted.length === 0 || wanted.includes(facts.name as _InstanceType))
    .flatMap((facts) => pricesOf(world, facts, products))
    .filter((price) => [undefined, price.AvailabilityZone].includes(input.AvailabilityZone))
    .filter((price) => matches.every((isMatch) => isMatch(price)));
  const start = Number(Buffer.from(input.NextToken ?? "", "base64").toString() || "0");
  const end = start + (input.MaxResults ?? 1000);
  const isLast = end >= prices.length;
  return {
    SpotPriceHistory: prices.slice(start, end),
    NextToken: isLast ? "" : Buffer.from(String(end)).toString("base64"),
  };
}

/** One price per type, zone and product, in force since an hour ago: they never change here. */
function pricesOf(
  world: World,
  facts: InstanceTypeFacts,
  products: readonly string[],
): SpotPrice[] {
  const since = new Date(Math.floor(world.now() / 3_600_000) * 3_600_000);
  return world.zones
    .filter((_, index) => isOffered(facts, index))
    .flatMap(({ name, id }) =>
      products.map((product) => ({
        AvailabilityZone: name,
        AvailabilityZoneId: id,
        InstanceType: facts.name as _InstanceType,
        ProductDescription: product as "Linux/UNIX",
        SpotPrice: priceText(spotPrice(facts, name)),
        Timestamp: since,
      })),
    );
}

function priceFilter({ Name: name = "", Values: values = [] }: Filter) {
  const matchers = values.map(matcherOf);
  const textOf = Object.hasOwn(priceTexts, name) ? priceTexts[name] : undefined;
  if (textOf === undefined) throw invalidValue(`The filter '${name}' is invalid`);
  return (price: SpotPrice): boolean => matchers.some((matches) => matches(textOf(price) ?? ""));
}

const priceTexts: Readonly<Record<string, (price: SpotPrice) => string | undefined>> = {
  "availability-zone": (price) => price.AvailabilityZone,
  "instance-type": (price) => price.InstanceType,
  "product-description": (price) => price.ProductDescription,
  "spot-price": (price) => price.SpotPrice,
  timestamp: (price) => price.Timestamp?.toISOString(),
};

/** From 1 to 10: by the share of the wanted types whose pool has room for the target. */
function placementScores(
  world: World,
  input: GetSpotPlacementScoresRequest,
): GetSpotPlacementScoresResult {
  const target = required(input.TargetCapacity, "TargetCapacity");
  const types = requiredList(input.InstanceTypes, "InstanceTypes").map((name) => {
    const facts = instanceTypes.get(name);
    if (facts === undefined) throw invalidValue(`Invalid value '${name}' for InstanceType.`);
    return facts;
  });
  const regions = input.RegionNames ?? [world.region];
  if (!regions.includes(world.region)) return { SpotPlacementScores: [] };
  const zoneScores = world.zones.map(({ name, id }, index) => {
    const roomy = types.filter(
      (facts) =>
        isOffered(facts, index) &&
        room(world, { instanceType: facts.name, zone: name, market: "spot" }) >= target,
    );
    // EC2 wants three types or more before it gives a good score.
    const most = types.length >= 3 ? 9 : 3;
    return {
      Region: world.region,
      AvailabilityZoneId: id,
      Score: scoreOf(roomy.length / types.length, most),
    };
  });
  if (input.SingleAvailabilityZone === true) return { SpotPlacementScores: zoneScores };
  const Score = Math.max(...zoneScores.map((each) => each.Score));
  return { SpotPlacementScores: [{ Region: world.region, Score }] };
}

function scoreOf(share: number, most: number): number {
  return Math.max(1, Math.round(share * most));
}

export const spotActions = {
  DescribeSpotInstanceRequests: action<
    DescribeSpotInstanceRequestsRequest,
    DescribeSpotInstanceRequestsResult
  >(
    { Filters: true, MaxResults: true, NextToken: true, SpotInstanceRequestIds: true },
    (world, input) => {
      const page = list(world, listing, { ...input, ids: input.SpotInstanceRequestIds });
      return {
        SpotInstanceRequests: page.rows.map((row) => requestView(world, row)),
        NextToken: page.nextToken,
      };
    },
  ),
  CancelSpotInstanceRequests: action<
    CancelSpotInstanceRequestsRequest,
    CancelSpotInstanceRequestsResult
  >({ SpotInstanceRequestIds: true }, cancelRequests),
  DescribeSpotPriceHistory: action<DescribeSpotPriceHistoryRequest, DescribeSpotPriceHistoryResult>(
    {
      AvailabilityZone: true,
      EndTime: true,
      Filters: true,
      InstanceTypes: true,
      MaxResults: true,
      NextToken: true,
      ProductDescriptions: true,
      StartTime: true,
    },
    describePrices,
  ),
  GetSpotPlacementScores: action<GetSpotPlacementScoresRequest, GetSpotPlacementScoresResult>(
    {
      InstanceTypes: true,
      MaxResults: true,
      RegionNames: true,
      SingleAvailabilityZone: true,
      TargetCapacity: true,
      TargetCapacityUnitType: ["units"],
    },
    placementScores,
  ),
};
