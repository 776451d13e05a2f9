/** Attaching and detaching further network interfaces, their attributes and secondary addresses (ec2-facts §4). */
import type {
  AssignPrivateIpAddressesRequest,
  AssignPrivateIpAddressesResult,
  AttachNetworkInterfaceRequest,
  AttachNetworkInterfaceResult,
  DescribeNetworkInterfaceAttributeRequest,
  DescribeNetworkInterfaceAttributeResult,
  DetachNetworkInterfaceRequest,
  UnassignPrivateIpAddressesRequest,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { chooseIp, releaseIps, takeIps } from "./addressing";
import { Ec2Error } from "./errors";
import { slowDetach } from "./instance-states";
import { interfacesOf } from "./instance-view";
import { beginInterfaceRelease, confirmInterface, holdInterface } from "./interface-states";
import { interfaceView } from "./interface-view";
import type { InterfaceRecord } from "./records";
import { find, invalidValue, nouns, required, requiredList } from "./refusals";
import type { World } from "./world";

function interfaceOf(world: World, id: string | undefined): InterfaceRecord {
  return find(world.interfaces, nouns.networkInterface, required(id, "networkInterfaceId"));
}

function attachNetworkInterface(
  world: World,
  input: AttachNetworkInterfaceRequest,
): AttachNetworkInterfaceResult {
  const row = interfaceOf(world, input.NetworkInterfaceId);
  const instance = find(world.instances, nouns.instance, required(input.InstanceId, "instanceId"));
  const deviceIndex = required(input.DeviceIndex, "deviceIndex");
  if (row.status !== "available")
    throw new Ec2Error("InvalidNetworkInterface.InUse", `Interface: [${row.id}] in use.`);
  if (instance.state !== "running" && instance.state !== "stopped")
    throw new Ec2Error(
      "IncorrectState",
      `Instance '${instance.id}' is not in a state from which an interface can be attached.`,
    );
  if (row.zone !== instance.zone)
    throw invalidValue(
      `You may not attach a network interface to an instance if they are not in the same availability zone`,
    );
  if (interfacesOf(world, instance).some((each) => each.attachment?.deviceIndex === deviceIndex))
    throw invalidValue(
      `Instance '${instance.id}' already has an interface attached at device index '${deviceIndex}'.`,
    );
  const hold = { instanceId: instance.id, deviceIndex, deleteOnTermination: false };
  const held = holdInterface(world, row.id, hold);
  const interfaceIds = [...instance.interfaceIds.filter((id) => id !== row.id), row.id];
  world.instances.update(instance.id, { interfaceIds });
  world.after(world.latencies.attach, () => confirmInterface(world, row.id, instance.id));
  return { AttachmentId: held.attachment?.id, NetworkCardIndex: 0 };
}

function detachNetworkInterface(world: World, input: DetachNetworkInterfaceRequest) {
  const attachmentId = required(input.AttachmentId, "attachmentId");
  const row = attachedBy(world, attachmentId);
  const { attachment } = row;
  if (attachment === undefined) return {};
  if (attachment.deviceIndex === 0)
    throw new Ec2Error(
      "OperationNotPermitted",
      "The network interface at device index 0 cannot be detached.",
    );
  beginInterfaceRelease(world, row.id);
  world.after(world.latencies.detach + slowDetach(world), () => {
    if (world.interfaces.get(row.id)?.attachment?.id !== attachmentId) return;
    world.interfaces.update(row.id, { status: "available", attachment: undefined });
    const instance = world.instances.get(attachment.instanceId);
    if (instance !== undefined)
      world.instances.update(instance.id, {
        interfaceIds: instance.interfaceIds.filter((id) => id !== row.id),
      });
  });
  return {};
}

function attachedBy(world: World, attachmentId: string): InterfaceRecord {
  for (const row of world.interfaces.all()) if (row.attachment?.id === attachmentId) return row;
  throw new Ec2Error(
    "InvalidAttachmentID.NotFound",
    `The attachment '${attachmentId}' does not exist.`,
  );
}

function describeAttribute(
  world: World,
  input: DescribeNetworkInterfaceAttributeRequest,
): DescribeNetworkInterfaceAttributeResult {
  const row = interfaceOf(world, input.NetworkInterfaceId);
  const view = interfaceView(world, row);
  const base = { NetworkInterfaceId: row.id };
  switch (input.Attribute) {
    case "description":
      return { ...base, Description: { Value: row.description } };
    case "groupSet":
      return { ...base, Groups: view.Groups };
    case "sourceDestCheck":
      return { ...base, SourceDestCheck: { Value: row.sourceDestCheck } };
    case "attachment":
      return { ...base, Attachment: view.Attachment };
    case "associatePublicIpAddress":
      return { ...base, AssociatePublicIpAddress: row.wantsPublicIp };
    default:
      throw invalidValue(`Invalid value '${input.Attribute ?? ""}' for attribute`);
  }
}

function assignAddresses(
  world: World,
  input: AssignPrivateIpAddressesRequest,
): AssignPrivateIpAddressesResult {
  const row = interfaceOf(world, input.NetworkInterfaceId);
  const subnet = find(world.subnets, nouns.subnet, row.subnetId);
  const wanted: (string | undefined)[] =
    input.PrivateIpAddresses ?? Array(input.SecondaryPrivateIpAddressCount ?? 0).fill(undefined);
  const chosen: string[] = [];
  for (const ip of wanted) chosen.push(chooseIp(world, subnet, ip, chosen));
  if (chosen.length === 0)
    throw new Ec2Error(
      "MissingParameter",
      "Either 'privateIpAddresses' or 'secondaryPrivateIpAddressCount' should be provided.",
    );
  world.interfaces.update(row.id, { privateIps: [...row.privateIps, ...chosen] });
  takeIps(world, subnet.id, chosen);
  return {
    NetworkInterfaceId: row.id,
    AssignedPrivateIpAddresses: chosen.map((PrivateIpAddress) => ({ PrivateIpAddress })),
  };
}

function unassignAddresses(world: World, input: UnassignPrivateIpAddressesRequest) {
  const row = interfaceOf(world, input.NetworkInterfaceId);
  const ips = requiredList(input.PrivateIpAddresses, "privateIpAddresses");
  const [primary, ...secondary] = row.privateIps;
  const unknown = ips.find((ip) => !secondary.includes(ip));
  if (primary === undefined || unknown !== undefined)
    throw invalidValue(
      `Some of the specified addresses are not assigned to interface ${row.id} or are its primary address: ${unknown}`,
    );
  const privateIps = [primary, ...secondary.filter((ip) => !ips.includes(ip))];
  world.interfaces.update(row.id, { privateIps });
  releaseIps(world, row.subnetId, ips);
  return {};
}

export const interfaceAttachmentActions = {
  AttachNetworkInterface: action<AttachNetworkInterfaceRequest, AttachNetworkInterfaceResult>(
    { DeviceIndex: true, InstanceId: true, NetworkCardIndex: [0], NetworkInterfaceId: true },
    attachNetworkInterface,
  ),
  DetachNetworkInterface: action<DetachNetworkInterfaceRequest, object>(
    { AttachmentId: true, Force: true },
    detachNetworkInterface,
  ),
  DescribeNetworkInterfaceAttribute: action<
    DescribeNetworkInterfaceAttributeRequest,
    DescribeNetworkInterfaceAttributeResult
  >({ Attribute: true, NetworkInterfaceId: true }, describeAttribute),
  AssignPrivateIpAddresses: action<AssignPrivateIpAddressesRequest, AssignPrivateIpAddressesResult>(
    {
      AllowReassignment: [false],
      NetworkInterfaceId: true,
      PrivateIpAddresses: true,
      SecondaryPrivateIpAddressCount: true,
    },
    assignAddresses,
    "no dry run",
  ),
  UnassignPrivateIpAddresses: action<UnassignPrivateIpAddressesRequest, object>(
    { NetworkInterfaceId: true, PrivateIpAddresses: true },
    unassignAddresses,
    "no dry run",
  ),
};
