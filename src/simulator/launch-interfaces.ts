/**
 * Which network interfaces a launch uses: existing ones, which pin subnet and zone and forbid much
 * (ec2-facts §1.3), or new ones from the request's network settings or its subnet.
 */
import type {
  InstanceNetworkInterfaceSpecification,
  RunInstancesRequest,
} from "@aws-sdk/client-ec2";
import { Ec2Error } from "./errors";
import { checkedGroups, planInterface } from "./interface-states";
import type { InterfaceRecord, SubnetRecord } from "./records";
import { find, invalidCombination, invalidValue, missingParameter, nouns } from "./refusals";
import type { Tags } from "./table";
import type { World } from "./world";

export type InterfacePlan =
  | {
      readonly kind: "existing";
      readonly id: string;
      readonly deviceIndex: number;
      readonly deleteOnTermination: false;
    }
  | {
      readonly kind: "new";
      readonly deviceIndex: number;
      readonly deleteOnTermination: boolean;
      readonly plan: () => InterfaceRecord;
    };

export interface NetworkPlan {
  readonly subnet: SubnetRecord;
  readonly interfaces: readonly InterfacePlan[];
}

export function planNetwork(
  world: World,
  input: RunInstancesRequest,
  request: { readonly tags: Tags; readonly pickZone: () => string },
): NetworkPlan {
  const specifications = input.NetworkInterfaces ?? [];
  if (specifications.length > 0) {
    refuseInstanceLevelNetwork(input);
    return planSpecified(world, input, { ...request, specifications });
  }
  const subnet = subnetOf(world, input, request.pickZone);
  const groupIds = groupsOf(world, input, subnet);
  const wish = { subnet, groupIds, privateIp: input.PrivateIpAddress, tags: request.tags };
  const plan = () => planInterface(world, { ...wish, wantsPublicIp: subnet.mapPublicIp });
  plan();
  return { subnet, interfaces: [{ kind: "new", deviceIndex: 0, deleteOnTermination: true, plan }] };
}

/** Measured on the real API (ec2-facts §1.3). */
function refuseInstanceLevelNetwork(input: RunInstancesRequest): void {
  const refuse = (what: string) => {
    throw invalidCombination(
      `Network interfaces and an instance-level ${what} may not be specified on the same request`,
    );
  };
  if (input.SubnetId !== undefined) refuse("subnet ID");
  if ((input.SecurityGroupIds ?? []).length + (input.SecurityGroups ?? []).length > 0)
    refuse("security groups");
  if (input.PrivateIpAddress !== undefined) refuse("private IP address");
}

function planSpecified(
  world: World,
  input: RunInstancesRequest,
  request: {
    readonly tags: Tags;
    readonly pickZone: () => string;
    readonly specifications: readonly InstanceNetworkInterfaceSpecification[];
  },
): NetworkPlan {
  checkDeviceIndexes(request.specifications);
  const isExisting = (each: InstanceNetworkInterfaceSpecification) =>
    each.NetworkInterfaceId !== undefined;
  if (request.tags.size > 0 && request.specifications.every(isExisting))
    throw invalidValue(
      "You cannot specify tags for network interfaces if there are no network interfaces being created by the request.",
    );
  if (request.specifications.some(isExisting) && (input.MaxCount ?? 1) > 1)
    throw invalidCombination(
      "Network interfaces may not be specified when launching more than one instance",
    );
  const interfaces = request.specifications.map((specification) =>
    isExisting(specification)
      ? planExisting(world, specification)
      : planNew(world, specification, request),
  );
  const subnets = interfaces.map((each) => subnetOfPlan(world, each));
  const subnet = subnets[0];
  if (subnet === undefined) throw missingParameter("networkInterface");
  if (subnets.some((each) => each.zone !== subnet.zone))
    throw invalidCombination("All network interfaces must be in the same Availability Zone.");
  checkPlacement(input, subnet);
  return { subnet, interfaces };
}

function checkDeviceIndexes(specifications: readonly InstanceNetworkInterfaceSpecification[]) {
  const indexes = specifications.map((each) => each.DeviceIndex);
  if (indexes.includes(undefined)) throw missingParameter("NetworkInterface.1.DeviceIndex");
  if (new Set(indexes).size < indexes.length)
    throw invalidValue("Each network interface requires a unique device index.");
  if (!indexes.includes(0))
    throw invalidValue("When specifying network interfaces, you must include a device at index 0.");
}

function planExisting(
  world: World,
  specification: InstanceNetworkInterfaceSpecification,
): InterfacePlan {
  const id = specification.NetworkInterfaceId ?? "";
  const row = find(world.interfaces, nouns.networkInterface, id);
  const forbidden = (
    [
      "SubnetId",
      "Groups",
      "PrivateIpAddress",
      "PrivateIpAddresses",
      "SecondaryPrivateIpAddressCount",
      "Description",
      "AssociatePublicIpAddress",
    ] as const
  ).find((name) => {
    const value = specification[name];
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  });
  if (forbidden !== undefined)
    throw invalidCombination(
      `A network interface may not specify both a network interface ID and ${forbidden}`,
    );
  if (specification.DeleteOnTermination === true)
    throw invalidCombination(
      "A network interface may not specify a network interface ID and delete on termination",
    );
  if (row.status !== "available")
    throw new Ec2Error("InvalidNetworkInterface.InUse", `Interface: [${id}] in use.`);
  return {
    kind: "existing",
    id,
    deviceIndex: specification.DeviceIndex ?? 0,
    deleteOnTermination: false,
  };
}

function planNew(
  world: World,
  specification: InstanceNetworkInterfaceSpecification,
  request: { readonly tags: Tags; readonly pickZone: () => string },
): InterfacePlan {
  const subnet =
    specification.SubnetId === undefined
      ? defaultSubnet(world, request.pickZone())
      : find(world.subnets, nouns.subnet, specification.SubnetId);
  const listed = specification.PrivateIpAddresses ?? [];
  const wish = {
    subnet,
    description: specification.Description,
    groupIds: specification.Groups,
    privateIp:
      specification.PrivateIpAddress ?? listed.find((each) => each.Primary)?.PrivateIpAddress,
    secondaryIps: listed.flatMap((each) => (each.Primary ? [] : (each.PrivateIpAddress ?? []))),
    secondaryCount: specification.SecondaryPrivateIpAddressCount,
    wantsPublicIp: specification.AssociatePublicIpAddress ?? subnet.mapPublicIp,
    tags: request.tags,
  };
  const plan = () => planInterface(world, wish);
  plan();
  return {
    kind: "new",
    deviceIndex: specification.DeviceIndex ?? 0,
    deleteOnTermination: specification.DeleteOnTermination ?? true,
    plan,
  };
}

function subnetOfPlan(world: World, plan: InterfacePlan): SubnetRecord {
  const row = plan.kind === "new" ? plan.plan() : world.interfaces.get(plan.id);
  return find(world.subnets, nouns.subnet, row?.subnetId ?? "");
}

function subnetOf(world: World, input: RunInstancesRequest, pickZone: () => string): SubnetRecord {
  if (input.SubnetId === undefined) return defaultSubnet(world, pickZone());
  const subnet = find(world.subnets, nouns.subnet, input.SubnetId);
  checkPlacement(input, subnet);
  return subnet;
}

function checkPlacement(input: RunInstancesRequest, subnet: SubnetRecord): void {
  const zone = input.Placement?.AvailabilityZone;
  if (zone !== undefined && zone !== subnet.zone)
    throw invalidValue(
      `The specified Availability Zone '${zone}' does not match the Availability Zone '${subnet.zone}' of subnet '${subnet.id}'.`,
    );
}

function defaultSubnet(world: World, zone: string): SubnetRecord {
  for (const subnet of world.subnets.all())
    if (subnet.isDefault && subnet.zone === zone) return subnet;
  throw new Ec2Error(
    "MissingInput",
    `No subnets found for the default VPC in '${zone}'. Please specify a subnet.`,
  );
}

function groupsOf(
  world: World,
  input: RunInstancesRequest,
  subnet: SubnetRecord,
): readonly string[] {
  const named = (input.SecurityGroups ?? []).map((name) => {
    for (const group of world.securityGroups.all())
      if (group.name === name && group.vpcId === subnet.vpcId) return group.id;
    throw new Ec2Error(
      "InvalidGroup.NotFound",
      `The security group '${name}' does not exist in default VPC`,
    );
  });
  return checkedGroups(world, subnet, [...(input.SecurityGroupIds ?? []), ...named]);
}
