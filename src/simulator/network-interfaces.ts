/** Creating, changing, deleting and listing network interfaces. */
import type {
  CreateNetworkInterfaceRequest,
  CreateNetworkInterfaceResult,
  DeleteNetworkInterfaceRequest,
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
  ModifyNetworkInterfaceAttributeRequest,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { rememberedIds, rememberIds } from "./client-tokens";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import { checkedGroups, insertInterface, planInterface, removeInterface } from "./interface-states";
import { interfaceView, publicIpOf } from "./interface-view";
import type { InterfaceRecord } from "./records";
import { find, invalidCombination, nouns, required } from "./refusals";
import { tagsFor } from "./tag-sets";
import type { World } from "./world";

const listing: Listing<InterfaceRecord> = {
  table: (world) => world.interfaces,
  noun: nouns.networkInterface,
  pageSize: [5, 1000],
  filters: {
    "network-interface-id": (row) => row.id,
    "subnet-id": (row) => row.subnetId,
    "vpc-id": (row) => row.vpcId,
    "availability-zone": (row) => row.zone,
    description: (row) => row.description,
    status: (row) => row.status,
    "group-id": (row) => row.groupIds,
    "group-name": (row, world) => row.groupIds.map((id) => world.securityGroups.get(id)?.name),
    "mac-address": (row) => row.mac,
    "private-ip-address": (row) => row.privateIps[0],
    "addresses.private-ip-address": (row) => row.privateIps,
    "addresses.primary": (row) => row.privateIps.map((_, index) => index === 0),
    "association.public-ip": (row, world) => publicIpOf(world, row),
    "addresses.association.public-ip": (row, world) => publicIpOf(world, row),
    "association.allocation-id": (row, world) => [
      ...(world.addressesByInterface.get(row.id) ?? []),
    ],
    "attachment.attachment-id": (row) => row.attachment?.id,
    "attachment.instance-id": (row) => row.attachment?.instanceId,
    "attachment.device-index": (row) => row.attachment?.deviceIndex,
    "attachment.status": (row) => row.attachment?.state,
    "attachment.delete-on-termination": (row) => row.attachment?.deleteOnTermination,
    "attachment.instance-owner-id": (row, world) =>
      row.attachment === undefined ? undefined : world.account,
    "interface-type": () => "interface",
    "owner-id": (_, world) => world.account,
    "requester-managed": () => false,
    "source-dest-check": (row) => row.sourceDestCheck,
  },
};

function createNetworkInterface(
  world: World,
  input: CreateNetworkInterfaceRequest,
): CreateNetworkInterfaceResult {
  const remembered = rememberedIds(world, "CreateNetworkInterface", input)?.[0];
  if (remembered !== undefined) {
    const row = find(world.interfaces, nouns.networkInterface, remembered);
    return { NetworkInterface: interfaceView(world, row), ClientToken: input.ClientToken };
  }
  const subnet = find(world.subnets, nouns.subnet, required(input.SubnetId, "subnetId"));
  const tags = tagsFor(input.TagSpecifications, "network-interface");
  const addresses = wantedAddresses(input);
  const row = planInterface(world, {
    subnet,
    tags,
    description: input.Description,
    groupIds: input.Groups,
    ...addresses,
  });
  insertInterface(world, row);
  rememberIds(world, "CreateNetworkInterface", input, [row.id]);
  return { NetworkInterface: interfaceView(world, row), ClientToken: input.ClientToken };
}

function wantedAddresses(input: CreateNetworkInterfaceRequest) {
  const list = input.PrivateIpAddresses ?? [];
  const listedPrimary = list.find((each) => each.Primary === true)?.PrivateIpAddress;
  if (listedPrimary !== undefined && input.PrivateIpAddress !== undefined)
    throw invalidCombination(
      "The parameter privateIpAddress and a primary privateIpAddresses entry may not be specified together",
    );
  return {
    privateIp: input.PrivateIpAddress ?? listedPrimary,
    secondaryIps: list.flatMap((each) =>
      each.Primary === true || each.PrivateIpAddress === undefined ? [] : [each.PrivateIpAddress],
    ),
    secondaryCount: input.SecondaryPrivateIpAddressCount,
  };
}

function deleteNetworkInterface(world: World, input: DeleteNetworkInterfaceRequest) {
  const id = required(input.NetworkInterfaceId, "networkInterfaceId");
  const row = find(world.interfaces, nouns.networkInterface, id);
  if (row.status !== "available")
    throw new Ec2Error("InvalidParameterValue", `Network interface '${id}' is currently in use.`);
  removeInterface(world, id);
  return {};
}

function modifyNetworkInterfaceAttribute(
  world: World,
  input: ModifyNetworkInterfaceAttributeRequest,
) {
  const id = required(input.NetworkInterfaceId, "networkInterfaceId");
  const row = find(world.interfaces, nouns.networkInterface, id);
  world.interfaces.update(id, changeOf(world, row, input));
  return {};
}

function changeOf(
  world: World,
  row: InterfaceRecord,
  input: ModifyNetworkInterfaceAttributeRequest,
): Partial<InterfaceRecord> {
  if (input.Description !== undefined) return { description: input.Description.Value ?? "" };
  if (input.SourceDestCheck !== undefined)
    return { sourceDestCheck: input.SourceDestCheck.Value ?? true };
  if (input.AssociatePublicIpAddress !== undefined)
    return { wantsPublicIp: input.AssociatePublicIpAddress };
  if (input.Groups !== undefined)
    return { groupIds: checkedGroups(world, { id: row.subnetId, vpcId: row.vpcId }, input.Groups) };
  if (input.Attachment === undefined)
    throw new Ec2Error("InvalidParameterCombination", "No attributes specified.");
  const { AttachmentId: attachmentId, DeleteOnTermination: deleteOnTermination = false } =
    input.Attachment;
  if (row.attachment === undefined || row.attachment.id !== attachmentId)
    throw new Ec2Error(
      "InvalidAttachmentID.NotFound",
      `The attachment '${attachmentId}' does not exist.`,
    );
  return { attachment: { ...row.attachment, deleteOnTermination } };
}

export const networkInterfaceActions = {
  CreateNetworkInterface: action<CreateNetworkInterfaceRequest, CreateNetworkInterfaceResult>(
    {
      ClientToken: true,
      SubnetId: true,
      Description: true,
      Groups: true,
      PrivateIpAddress: true,
      PrivateIpAddresses: true,
      SecondaryPrivateIpAddressCount: true,
      TagSpecifications: true,
      InterfaceType: ["interface"],
      Ipv6AddressCount: [0],
    },
    createNetworkInterface,
  ),
  DeleteNetworkInterface: action<DeleteNetworkInterfaceRequest, object>(
    { NetworkInterfaceId: true },
    deleteNetworkInterface,
  ),
  ModifyNetworkInterfaceAttribute: action<ModifyNetworkInterfaceAttributeRequest, object>(
    {
      NetworkInterfaceId: true,
      Description: true,
      SourceDestCheck: true,
      AssociatePublicIpAddress: true,
      Groups: true,
      Attachment: { AttachmentId: true, DeleteOnTermination: true },
    },
    modifyNetworkInterfaceAttribute,
  ),
  DescribeNetworkInterfaces: action<
    DescribeNetworkInterfacesRequest,
    DescribeNetworkInterfacesResult
  >(
    {
      NetworkInterfaceIds: true,
      Filters: true,
      MaxResults: true,
      NextToken: true,
      IncludeManagedResources: [false],
    },
    (world, input) => {
      const page = list(world, listing, { ...input, ids: input.NetworkInterfaceIds });
      return {
        NetworkInterfaces: page.rows.map((row) => interfaceView(world, row)),
        NextToken: page.nextToken,
      };
    },
  ),
};
