/** Elastic IP addresses: allocated, associated with a private address of an interface, released (ec2-facts §4). */
import type {
  Address,
  AllocateAddressRequest,
  AllocateAddressResult,
  AssociateAddressRequest,
  AssociateAddressResult,
  DescribeAddressesAttributeRequest,
  DescribeAddressesAttributeResult,
  DescribeAddressesRequest,
  DescribeAddressesResult,
  DisassociateAddressRequest,
  ReleaseAddressRequest,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { newPublicIp } from "./addressing";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import { interfacesOf } from "./instance-view";
import { associate, disassociate } from "./interface-states";
import type { AddressRecord, InterfaceRecord } from "./records";
import { find, invalidCombination, invalidValue, missingParameter, nouns } from "./refusals";
import { tagList, tagsFor } from "./tag-sets";
import type { World } from "./world";

const listing: Listing<AddressRecord> = {
  table: (world) => world.addresses,
  noun: nouns.address,
  filters: {
    "allocation-id": (row) => row.id,
    "association-id": (row) => row.associationId,
    domain: () => "vpc",
    "instance-id": (row, world) => instanceIdOf(world, row),
    "network-border-group": (_, world) => world.region,
    "network-interface-id": (row) => row.interfaceId,
    "private-ip-address": (row) => row.privateIp,
    "public-ip": (row) => row.publicIp,
  },
};

function instanceIdOf(world: World, row: AddressRecord): string | undefined {
  return world.interfaces.get(row.interfaceId ?? "")?.attachment?.instanceId;
}

function addressView(world: World, row: AddressRecord): Address {
  return {
    AllocationId: row.id,
    AssociationId: row.associationId,
    Domain: "vpc",
    InstanceId: instanceIdOf(world, row),
    NetworkBorderGroup: world.region,
    NetworkInterfaceId: row.interfaceId,
    NetworkInterfaceOwnerId: row.interfaceId === undefined ? undefined : world.account,
    PrivateIpAddress: row.privateIp,
    PublicIp: row.publicIp,
    PublicIpv4Pool: "amazon",
    Tags: tagList(row.tags),
  };
}

function allocateAddress(world: World, input: AllocateAddressRequest): AllocateAddressResult {
  const tags = tagsFor(input.TagSpecifications, "elastic-ip");
  const row = world.addresses.insert({
    id: world.newId("eipalloc"),
    tags,
    createdAt: world.now(),
    publicIp: newPublicIp(world),
  });
  return {
    AllocationId: row.id,
    Domain: "vpc",
    NetworkBorderGroup: world.region,
    PublicIp: row.publicIp,
    PublicIpv4Pool: "amazon",
  };
}

function addressOf(
  world: World,
  input: { AllocationId?: string | undefined; PublicIp?: string | undefined },
): AddressRecord {
  if (input.AllocationId !== undefined)
    return find(world.addresses, nouns.address, input.AllocationId);
  if (input.PublicIp === undefined) throw missingParameter("AllocationId");
  for (const row of world.addresses.all()) if (row.publicIp === input.PublicIp) return row;
  throw new Ec2Error("InvalidAddress.NotFound", `Address '${input.PublicIp}' not found.`);
}

function associateAddress(world: World, input: AssociateAddressRequest): AssociateAddressResult {
  const address = addressOf(world, input);
  const row = targetOf(world, input);
  const privateIp = input.PrivateIpAddress ?? row.privateIps[0] ?? "";
  if (!row.privateIps.includes(privateIp))
    throw invalidValue(
      `The address ${privateIp} is not assigned to network interface '${row.id}'.`,
    );
  const isSame = address.interfaceId === row.id && address.privateIp === privateIp;
  // Naturally idempotent: the same association again answers with itself (ec2-facts §1.1).
  if (isSame) return { AssociationId: address.associationId };
  if (address.associationId !== undefined && input.AllowReassociation === false)
    throw new Ec2Error(
      "Resource.AlreadyAssociated",
      `resource ${address.id} is already associated with associate-id ${address.associationId}`,
    );
  for (const id of [...(world.addressesByInterface.get(row.id) ?? [])])
    if (world.addresses.get(id)?.privateIp === privateIp) disassociate(world, id);
  return { AssociationId: associate(world, address.id, { interfaceId: row.id, privateIp }) };
}

function targetOf(world: World, input: AssociateAddressRequest): InterfaceRecord {
  if (input.NetworkInterfaceId !== undefined && input.InstanceId !== undefined)
    throw invalidCombination(
      "You must specify either an instance ID or a network interface ID, not both.",
    );
  if (input.NetworkInterfaceId !== undefined)
    return find(world.interfaces, nouns.networkInterface, input.NetworkInterfaceId);
  if (input.InstanceId === undefined) throw missingParameter("InstanceId");
  const instance = find(world.instances, nouns.instance, input.InstanceId);
  if (instance.state !== "running" && instance.state !== "stopped")
    throw new Ec2Error(
      "IncorrectInstanceState",
      `The pending instance '${instance.id}' is not in a valid state for this operation.`,
    );
  const primary = interfacesOf(world, instance).find((each) => each.attachment?.deviceIndex === 0);
  if (primary === undefined)
    throw invalidValue(`Instance ${instance.id} has no network interface.`);
  return primary;
}

function disassociateAddress(world: World, input: DisassociateAddressRequest) {
  for (const row of [...world.addresses.all()]) {
    const isMeant =
      (input.AssociationId !== undefined && row.associationId === input.AssociationId) ||
      (input.PublicIp !== undefined && row.publicIp === input.PublicIp);
    if (!isMeant) continue;
    disassociate(world, row.id);
    return {};
  }
  if (input.AssociationId === undefined) throw missingParameter("AssociationId");
  throw new Ec2Error(
    "InvalidAssociationID.NotFound",
    `The association ID '${input.AssociationId}' does not exist`,
  );
}

function releaseAddress(world: World, input: ReleaseAddressRequest) {
  const address = addressOf(world, input);
  if (address.associationId !== undefined)
    throw new Ec2Error(
      "InvalidIPAddress.InUse",
      `Address ${address.publicIp} is in use by ${address.interfaceId}.`,
    );
  world.addresses.remove(address.id);
  return {};
}

function describeAddresses(world: World, input: DescribeAddressesRequest): DescribeAddressesResult {
  const publicIps = input.PublicIps ?? [];
  for (const PublicIp of publicIps) addressOf(world, { PublicIp });
  const isVisible = (row: AddressRecord) =>
    publicIps.length === 0 || publicIps.includes(row.publicIp);
  const page = list(world, { ...listing, isVisible }, { ...input, ids: input.AllocationIds });
  return { Addresses: page.rows.map((row) => addressView(world, row)) };
}

/** No reverse DNS names are simulated; foreign clients ask for them all the same. */
function describeAddressesAttribute(
  world: World,
  input: DescribeAddressesAttributeRequest,
): DescribeAddressesAttributeResult {
  const page = list(world, listing, { ids: input.AllocationIds });
  return {
    Addresses: page.rows.map((row) => ({ AllocationId: row.id, PublicIp: row.publicIp })),
  };
}

export const addressActions = {
  AllocateAddress: action<AllocateAddressRequest, AllocateAddressResult>(
    { Domain: ["vpc"], TagSpecifications: true, PublicIpv4Pool: ["amazon"] },
    allocateAddress,
  ),
  AssociateAddress: action<AssociateAddressRequest, AssociateAddressResult>(
    {
      AllocationId: true,
      AllowReassociation: true,
      InstanceId: true,
      NetworkInterfaceId: true,
      PrivateIpAddress: true,
      PublicIp: true,
    },
    associateAddress,
  ),
  DisassociateAddress: action<DisassociateAddressRequest, object>(
    { AssociationId: true, PublicIp: true },
    disassociateAddress,
  ),
  ReleaseAddress: action<ReleaseAddressRequest, object>(
    { AllocationId: true, PublicIp: true, NetworkBorderGroup: true },
    releaseAddress,
  ),
  DescribeAddresses: action<DescribeAddressesRequest, DescribeAddressesResult>(
    { AllocationIds: true, Filters: true, PublicIps: true },
    describeAddresses,
  ),
  DescribeAddressesAttribute: action<
    DescribeAddressesAttributeRequest,
    DescribeAddressesAttributeResult
  >({ AllocationIds: true, Attribute: ["domain-name"] }, describeAddressesAttribute),
};
