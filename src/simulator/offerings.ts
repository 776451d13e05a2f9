/** What instance types there are and where they are offered. */

import {
  type _InstanceType,
  type ArchitectureType,
  type DescribeInstanceTypeOfferingsRequest,
  type DescribeInstanceTypeOfferingsResult,
  type DescribeInstanceTypesRequest,
  type DescribeInstanceTypesResult,
  type Filter,
  type InstanceTypeInfo,
  LocationType,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { type InstanceTypeFacts, instanceTypes, isOffered } from "./catalog";
import { matcherOf } from "./describe";
import { Ec2Error } from "./errors";
import { invalidCombination, invalidValue } from "./refusals";
import type { World } from "./world";

function threadsPerCore(facts: InstanceTypeFacts): number {
  const isArm = facts.architectures.includes("arm64");
  return facts.isNitro && !isArm && facts.vcpus > 1 ? 2 : 1;
}

function typeView(facts: InstanceTypeFacts): InstanceTypeInfo {
  return {
    ...capabilities(facts),
    InstanceType: facts.name as _InstanceType,
    CurrentGeneration: true,
    FreeTierEligible: facts.isFreeTier,
    BareMetal: false,
    Hypervisor: facts.isNitro ? "nitro" : "xen",
    ProcessorInfo: {
      SupportedArchitectures: [...facts.architectures] as ArchitectureType[],
      SustainedClockSpeedInGhz: 2.5,
    },
    VCpuInfo: {
      DefaultVCpus: facts.vcpus,
      DefaultCores: facts.vcpus / threadsPerCore(facts),
      DefaultThreadsPerCore: threadsPerCore(facts),
    },
    MemoryInfo: { SizeInMiB: facts.memoryMib },
    EbsInfo: {
      EbsOptimizedSupport: facts.isNitro ? "default" : "unsupported",
      EncryptionSupport: "supported",
      NvmeSupport: facts.isNitro ? "required" : "unsupported",
    },
    NetworkInfo: {
      NetworkPerformance: facts.isNitro ? "Up to 5 Gigabit" : "Low to Moderate",
      MaximumNetworkInterfaces: facts.vcpus <= 2 ? 3 : 4,
      MaximumNetworkCards: 1,
      DefaultNetworkCardIndex: 0,
      Ipv4AddressesPerInterface: facts.vcpus <= 2 ? 10 : 15,
      Ipv6AddressesPerInterface: facts.vcpus <= 2 ? 10 : 15,
      Ipv6Supported: true,
      EnaSupport: facts.isNitro ? "required" : "unsupported",
    },
  };
}

function capabilities(facts: InstanceTypeFacts): InstanceTypeInfo {
  return {
    SupportedUsageClasses: ["on-demand", "spot"],
    SupportedRootDeviceTypes: ["ebs"],
    SupportedVirtualizationTypes: ["hvm"],
    SupportedBootModes: facts.architectures.includes("arm64") ? ["uefi"] : ["legacy-bios", "uefi"],
    InstanceStorageSupported: false,
    BurstablePerformanceSupported: facts.isBurstable,
    HibernationSupported: false,
    DedicatedHostsSupported: false,
    AutoRecoverySupported: true,
    PlacementGroupInfo: { SupportedStrategies: ["partition", "spread"] },
  };
}

type Value = string | number | boolean | undefined;

const filters: Readonly<Record<string, (view: InstanceTypeInfo) => Value | readonly Value[]>> = {
  "auto-recovery-supported": (view) => view.AutoRecoverySupported,
  "bare-metal": (view) => view.BareMetal,
  "burstable-performance-supported": (view) => view.BurstablePerformanceSupported,
  "current-generation": (view) => view.CurrentGeneration,
  "free-tier-eligible": (view) => view.FreeTierEligible,
  hypervisor: (view) => view.Hypervisor,
  "instance-storage-supported": (view) => view.InstanceStorageSupported,
  "instance-type": (view) => view.InstanceType,
  "memory-info.size-in-mib": (view) => view.MemoryInfo?.SizeInMiB,
  "processor-info.supported-architecture": (view) => view.ProcessorInfo?.SupportedArchitectures,
  "supported-boot-mode": (view) => view.SupportedBootModes,
  "supported-root-device-type": (view) => view.SupportedRootDeviceTypes,
  "supported-usage-class": (view) => view.SupportedUsageClasses,
  "supported-virtualization-type": (view) => view.SupportedVirtualizationTypes,
  "vcpu-info.default-vcpus": (view) => view.VCpuInfo?.DefaultVCpus,
};

function typeFilter({ Name: name = "", Values: values = [] }: Filter) {
  const valuesOf = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (valuesOf === undefined) throw invalidValue(`The filter '${name}' is invalid`);
  const matchers = values.map(matcherOf);
  return (view: InstanceTypeInfo): boolean =>
    [valuesOf(view)].flat().some((value) => matchers.some((matches) => matches(String(value))));
}

function describeTypes(
  _world: World,
  input: DescribeInstanceTypesRequest,
): DescribeInstanceTypesResult {
  const wanted: readonly string[] = input.InstanceTypes ?? [];
  if (wanted.length > 0 && input.MaxResults !== undefined)
    throw invalidCombination(
      "The parameter instanceTypes and the parameter maxResults cannot be used together",
    );
  const unknown = wanted.filter((name) => !instanceTypes.has(name));
  if (unknown.length > 0)
    throw new Ec2Error(
      "InvalidInstanceType",
      `The following supplied instance types do not exist: [${unknown.join(", ")}]`,
    );
  const matches = (input.Filters ?? []).map(typeFilter);
  const views = [...instanceTypes.values()]
    .filter((facts) => wanted.length === 0 || wanted.includes(facts.name))
    .map(typeView)
    .filter((view) => matches.every((isMatch) => isMatch(view)));
  const page = pageOf(views, input, [5, 100]);
  return { InstanceTypes: page.items, NextToken: page.nextToken };
}

function describeOfferings(
  world: World,
  input: DescribeInstanceTypeOfferingsRequest,
): DescribeInstanceTypeOfferingsResult {
  const type = input.LocationType ?? "region";
  const places =
    type === "region"
      ? [{ location: world.region, index: -1 }]
      : world.zones.map((zone, index) => ({
          location: type === "availability-zone" ? zone.name : zone.id,
          index,
        }));
  const matches = (input.Filters ?? []).map(offeringFilter);
  const offerings = [...instanceTypes.values()].flatMap((facts) =>
    places
      .filter(({ index }) => isOffered(facts, index))
      .map(({ location }) => ({
        InstanceType: facts.name as _InstanceType,
        Location: location,
        LocationType: type,
      })),
  );
  const found = offerings.filter((each) => matches.every((isMatch) => isMatch(each)));
  const page = pageOf(found, input, [5, 1000]);
  return { InstanceTypeOfferings: page.items, NextToken: page.nextToken };
}

function offeringFilter({ Name: name = "", Values: values = [] }: Filter) {
  if (name !== "instance-type" && name !== "location")
    throw invalidValue(`The filter '${name}' is invalid`);
  const matchers = values.map(matcherOf);
  return (offering: { readonly InstanceType: string; readonly Location: string }): boolean => {
    const text = name === "location" ? offering.Location : offering.InstanceType;
    return matchers.some((matches) => matches(text));
  };
}

function pageOf<Item>(
  items: readonly Item[],
  request: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
  [least, most]: readonly [number, number],
): { readonly items: Item[]; readonly nextToken?: string } {
  const { MaxResults: limit } = request;
  if (limit !== undefined && (limit < least || limit > most))
    throw invalidValue(
      `Value ( ${limit} ) for parameter maxResults is invalid. Expecting a value between ${least} and ${most}.`,
    );
  const start = Number(Buffer.from(request.NextToken ?? "", "base64").toString() || "0");
  if (!Number.isInteger(start)) throw new Ec2Error("InvalidNextToken", "The token is invalid.");
  // Without MaxResults EC2 still answers in pages of its own.
  const end = start + (limit ?? most);
  const nextToken = end < items.length ? Buffer.from(String(end)).toString("base64") : undefined;
  return { items: items.slice(start, end), nextToken };
}

export const instanceTypeActions = {
  DescribeInstanceTypes: action<DescribeInstanceTypesRequest, DescribeInstanceTypesResult>(
    { Filters: true, InstanceTypes: true, MaxResults: true, NextToken: true },
    describeTypes,
  ),
  DescribeInstanceTypeOfferings: action<
    DescribeInstanceTypeOfferingsRequest,
    DescribeInstanceTypeOfferingsResult
  >(
    { Filters: true, LocationType: anyOf(LocationType), MaxResults: true, NextToken: true },
    describeOfferings,
  ),
};
