/**
 * Everything that RunInstances checks before it changes anything. A refused request has therefore
 * left no trace, and in particular has not used up its client token.
 */
import {
  HttpTokensState,
  InstanceMetadataEndpointState,
  InstanceMetadataProtocolState,
  InstanceMetadataTagsState,
  type RunInstancesRequest,
} from "@aws-sdk/client-ec2";
import { anyOf } from "./action";
import { freeIpCount } from "./addressing";
import { type InstanceTypeFacts, instanceTypes, isOffered } from "./catalog";
import { Ec2Error } from "./errors";
import { type DevicePlan, planDevices } from "./launch-devices";
import { type NetworkPlan, planNetwork } from "./launch-interfaces";
import {
  checkSpotPrice,
  insufficientCapacity,
  planSpot,
  room,
  type SpotPlan,
} from "./launch-market";
import type { ImageRecord, MetadataOptions } from "./records";
import { find, invalidCombination, invalidValue, nouns, required } from "./refusals";
import type { Tags } from "./table";
import { tagsFor } from "./tag-sets";
import type { World } from "./world";

export interface LaunchPlan extends NetworkPlan {
  readonly input: RunInstancesRequest;
  readonly image: ImageRecord;
  readonly facts: InstanceTypeFacts;
  readonly zone: string;
  readonly count: number;
  readonly devices: readonly DevicePlan[];
  readonly spot?: SpotPlan;
  readonly instanceTags: Tags;
  readonly spotTags: Tags;
  readonly metadata: MetadataOptions;
}

const TAGGABLE = ["instance", "volume", "network-interface", "spot-instances-request"];

export function planLaunch(world: World, input: RunInstancesRequest): LaunchPlan {
  const image = launchableImage(world, required(input.ImageId, "ImageId"));
  // EC2's own default, m1.small, cannot launch any image of today.
  const facts = typeFacts(input.InstanceType ?? "t3.micro");
  checkCompatible(image, facts);
  checkUserData(input.UserData);
  checkKeyPair(world, input.KeyName);
  const spot = planSpot(input, facts);
  const tagsOf = (type: string) => tagsFor(input.TagSpecifications, type, TAGGABLE);
  const market = spot === undefined ? "on-demand" : "spot";
  const network = planNetwork(world, input, {
    tags: tagsOf("network-interface"),
    pickZone: () => pickZone(world, input, { facts, market }),
  });
  const zone = network.subnet.zone;
  checkOffered(world, facts, zone);
  const devices = planDevices(world, image, {
    mappings: input.BlockDeviceMappings,
    zone,
    tags: tagsOf("volume"),
  });
  const count = countOf(world, input, { instanceType: facts.name, zone, market });
  checkAddresses(world, network, count);
  if (spot !== undefined) checkSpotPrice(spot, facts, zone);
  return {
    ...network,
    input,
    image,
    facts,
    zone,
    count,
    devices,
    spot,
    instanceTags: tagsOf("instance"),
    spotTags: tagsOf("spot-instances-request"),
    metadata: metadataOf(input, image),
  };
}

export function launchableImage(world: World, id: string): ImageRecord {
  const image = find(world.images, nouns.image, id);
  if (image.state === "available") return image;
  throw new Ec2Error(
    "InvalidAMIID.Unavailable",
    `The image ID '${id}' is not available (state: ${image.state})`,
  );
}

export function typeFacts(name: string): InstanceTypeFacts {
  const facts = instanceTypes.get(name);
  if (facts === undefined) throw invalidValue(`Invalid value '${name}' for InstanceType.`);
  return facts;
}

/** What RegisterImage's defaults (i386, paravirtual, no ENA) run into (ec2-facts §3). */
function checkCompatible(image: ImageRecord, facts: InstanceTypeFacts): void {
  const [architecture = ""] = facts.architectures.slice(-1);
  if (!facts.architectures.includes(image.architecture))
    throw invalidValue(
      `The architecture '${architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.`,
    );
  if (image.virtualizationType !== "hvm")
    throw invalidCombination(
      `Virtualization type 'hvm' is required for instances of type '${facts.name}'. Ensure that you are using an AMI with virtualization type 'hvm'.`,
    );
  if (facts.isNitro && image.enaSupport !== true)
    throw invalidCombination(
      `Enhanced networking with the Elastic Network Adapter (ENA) is required for the '${facts.name}' instance type. Ensure that you are using an AMI that is enabled for ENA.`,
    );
}

function checkUserData(encoded: string | undefined): void {
  if (encoded === undefined) return;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(encoded))
    throw invalidValue("Invalid BASE64 encoding of user data.");
  if (Buffer.from(encoded, "base64").length > 16384)
    throw invalidValue("User data is limited to 16384 bytes");
}

function checkKeyPair(world: World, name: string | undefined): void {
  if (name === undefined) return;
  for (const pair of world.keyPairs.all()) if (pair.name === name) return;
  throw new Ec2Error("InvalidKeyPair.NotFound", `The key pair '${name}' does not exist`);
}

function checkOffered(world: World, facts: InstanceTypeFacts, zone: string): void {
  const index = world.zones.findIndex((each) => each.name === zone);
  if (isOffered(facts, index)) return;
  const others = world.zones.filter((_, each) => isOffered(facts, each)).map(({ name }) => name);
  throw new Ec2Error(
    "Unsupported",
    `Your requested instance type (${facts.name}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${others.join(", ")}.`,
  );
}

/** Where EC2 puts what names no place: the first default subnet whose pool has room. */
function pickZone(
  world: World,
  input: RunInstancesRequest,
  pool: { readonly facts: InstanceTypeFacts; readonly market: "spot" | "on-demand" },
): string {
  const wanted = input.Placement?.AvailabilityZone;
  if (wanted !== undefined) {
    if (world.zones.some((zone) => zone.name === wanted)) return wanted;
    throw invalidValue(`Invalid availability zone: [${wanted}]`);
  }
  const instanceType = pool.facts.name;
  const zones = world.zones.filter((_, index) => isOffered(pool.facts, index));
  const roomy = zones.find(
    ({ name }) => room(world, { instanceType, zone: name, market: pool.market }) > 0,
  );
  return (roomy ?? zones[0])?.name ?? world.region;
}

function countOf(
  world: World,
  input: RunInstancesRequest,
  pool: {
    readonly instanceType: string;
    readonly zone: string;
    readonly market: "spot" | "on-demand";
  },
): number {
  const least = required(input.MinCount, "MinCount");
  const most = required(input.MaxCount, "MaxCount");
  if (least < 1 || least > most)
    throw invalidValue(
      `Value (${least}) for parameter minCount is invalid. It must be between 1 and maxCount (${most}).`,
    );
  const count = Math.min(most, room(world, pool));
  if (count < least) throw insufficientCapacity(world, pool);
  return count;
}

function checkAddresses(world: World, network: NetworkPlan, count: number): void {
  const needed = network.interfaces.filter((each) => each.kind === "new").length * count;
  if (needed <= freeIpCount(world, network.subnet)) return;
  throw new Ec2Error(
    "InsufficientFreeAddressesInSubnet",
    "There are not enough free addresses in the subnet to satisfy the requested number of instances.",
  );
}

/** What RunInstances and ModifyInstanceMetadataOptions take of the metadata options. */
export const honouredMetadata = {
  HttpEndpoint: anyOf(InstanceMetadataEndpointState),
  HttpProtocolIpv6: anyOf(InstanceMetadataProtocolState),
  HttpPutResponseHopLimit: true,
  HttpTokens: anyOf(HttpTokensState),
  InstanceMetadataTags: anyOf(InstanceMetadataTagsState),
} as const;

function metadataOf(input: RunInstancesRequest, image: ImageRecord): MetadataOptions {
  const given = input.MetadataOptions ?? {};
  const isV2 = image.imdsSupport === "v2.0";
  return {
    httpTokens: given.HttpTokens ?? (isV2 ? "required" : "optional"),
    httpEndpoint: given.HttpEndpoint ?? "enabled",
    httpPutResponseHopLimit: given.HttpPutResponseHopLimit ?? (isV2 ? 2 : 1),
    httpProtocolIpv6: given.HttpProtocolIpv6 ?? "disabled",
    instanceMetadataTags: given.InstanceMetadataTags ?? "disabled",
  };
}
