/** What belongs to no resource: regions, zones and account settings. */

import {
  AccountAttributeName,
  type AvailabilityZone,
  type DescribeAccountAttributesRequest,
  type DescribeAccountAttributesResult,
  type DescribeAvailabilityZonesRequest,
  type DescribeAvailabilityZonesResult,
  type DescribeRegionsRequest,
  type DescribeRegionsResult,
  type Filter,
  type GetEbsEncryptionByDefaultRequest,
  type GetEbsEncryptionByDefaultResult,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { matcherOf } from "./describe";
import { Ec2Error } from "./errors";
import { invalidValue } from "./refusals";
import { DEFAULT_VPC_ID } from "./start-world";
import type { World } from "./world";

function matchesAll(
  filters: readonly Filter[] | undefined,
  values: Readonly<Record<string, string | undefined>>,
): boolean {
  return (filters ?? []).every(({ Name: name = "", Values: wanted = [] }) => {
    if (!Object.hasOwn(values, name)) throw invalidValue(`The filter '${name}' is invalid`);
    return wanted.map(matcherOf).some((matches) => matches(values[name] ?? ""));
  });
}

/** One region is simulated, so one exists. */
function describeRegions(world: World, input: DescribeRegionsRequest): DescribeRegionsResult {
  const endpoint = `ec2.${world.region}.amazonaws.com`;
  const unknown = (input.RegionNames ?? []).find((name) => name !== world.region);
  if (unknown !== undefined) throw invalidValue(`Invalid region provided: ${unknown}`);
  const isWanted = matchesAll(input.Filters, {
    endpoint,
    "opt-in-status": "opt-in-not-required",
    "region-name": world.region,
  });
  const region = {
    Endpoint: endpoint,
    OptInStatus: "opt-in-not-required",
    RegionName: world.region,
  };
  return { Regions: isWanted ? [region] : [] };
}

function describeZones(
  world: World,
  input: DescribeAvailabilityZonesRequest,
): DescribeAvailabilityZonesResult {
  const names = input.ZoneNames ?? [];
  const ids = input.ZoneIds ?? [];
  const unknown = [
    ...names.filter((name) => world.zones.every((zone) => zone.name !== name)),
    ...ids.filter((id) => world.zones.every((zone) => zone.id !== id)),
  ][0];
  if (unknown !== undefined)
    throw new Ec2Error("InvalidParameterValue", `Invalid availability zone: [${unknown}]`);
  const found = world.zones.filter(
    (zone) =>
      (names.length === 0 || names.includes(zone.name)) &&
      (ids.length === 0 || ids.includes(zone.id)) &&
      matchesAll(input.Filters, {
        "group-name": `${world.region}-zg-1`,
        "opt-in-status": "opt-in-not-required",
        "region-name": world.region,
        state: "available",
        "zone-id": zone.id,
        "zone-name": zone.name,
        "zone-type": "availability-zone",
      }),
  );
  return { AvailabilityZones: found.map((zone) => zoneView(world, zone)) };
}

function zoneView(
  world: World,
  zone: { readonly name: string; readonly id: string },
): AvailabilityZone {
  return {
    GroupName: `${world.region}-zg-1`,
    Messages: [],
    NetworkBorderGroup: world.region,
    OptInStatus: "opt-in-not-required",
    RegionName: world.region,
    State: "available",
    ZoneId: zone.id,
    ZoneName: zone.name,
    ZoneType: "availability-zone",
  };
}

const accountAttributes: Readonly<Record<string, string>> = {
  "default-vpc": DEFAULT_VPC_ID,
  "max-elastic-ips": "5",
  "max-instances": "20",
  "supported-platforms": "VPC",
  "vpc-max-elastic-ips": "5",
  "vpc-max-security-groups-per-interface": "5",
};

function describeAttributes(
  _world: World,
  input: DescribeAccountAttributesRequest,
): DescribeAccountAttributesResult {
  const names: readonly string[] = input.AttributeNames ?? [];
  const found = Object.entries(accountAttributes).filter(
    ([name]) => names.length === 0 || names.includes(name),
  );
  return {
    AccountAttributes: found.map(([AttributeName, AttributeValue]) => ({
      AttributeName,
      AttributeValues: [{ AttributeValue }],
    })),
  };
}

export const accountActions = {
  DescribeRegions: action<DescribeRegionsRequest, DescribeRegionsResult>(
    { AllRegions: true, Filters: true, RegionNames: true },
    describeRegions,
  ),
  DescribeAvailabilityZones: action<
    DescribeAvailabilityZonesRequest,
    DescribeAvailabilityZonesResult
  >({ AllAvailabilityZones: true, Filters: true, ZoneIds: true, ZoneNames: true }, describeZones),
  DescribeAccountAttributes: action<
    DescribeAccountAttributesRequest,
    DescribeAccountAttributesResult
  >({ AttributeNames: anyOf(AccountAttributeName) }, describeAttributes),
  GetEbsEncryptionByDefault: action<
    GetEbsEncryptionByDefaultRequest,
    GetEbsEncryptionByDefaultResult
  >({}, () => ({ EbsEncryptionByDefault: false })),
};
