/** How a network interface looks in answers, by itself and inside its instance. */
import type {
  GroupIdentifier,
  InstanceNetworkInterface,
  NetworkInterface,
  NetworkInterfaceAssociation,
} from "@aws-sdk/client-ec2";
import { keptWithSurroundings } from "./kept-views";
import type { InterfaceRecord } from "./records";
import { tagList } from "./tag-sets";
import { type World, zoneId } from "./world";

export const interfaceView = keptWithSurroundings(writeInterface);

function writeInterface(world: World, row: InterfaceRecord): NetworkInterface {
  return {
    Association: associationOf(world, row, row.privateIps[0]),
    Attachment: attachmentView(world, row),
    AvailabilityZone: row.zone,
    AvailabilityZoneId: zoneId(world, row.zone),
    Description: row.description,
    Groups: groupList(world, row.groupIds),
    InterfaceType: "interface",
    Ipv6Addresses: [],
    MacAddress: row.mac,
    NetworkInterfaceId: row.id,
    OwnerId: world.account,
    PrivateDnsName: privateDnsName(world, row.privateIps[0]),
    PrivateIpAddress: row.privateIps[0],
    PrivateIpAddresses: privateIpList(world, row),
    RequesterManaged: false,
    SourceDestCheck: row.sourceDestCheck,
    Status: row.status,
    SubnetId: row.subnetId,
    TagSet: tagList(row.tags),
    VpcId: row.vpcId,
  };
}

function attachmentView(world: World, { attachment }: InterfaceRecord) {
  if (attachment === undefined) return undefined;
  return {
    AttachTime: new Date(attachment.attachedAt),
    AttachmentId: attachment.id,
    DeleteOnTermination: attachment.deleteOnTermination,
    DeviceIndex: attachment.deviceIndex,
    NetworkCardIndex: 0,
    InstanceId: attachment.instanceId,
    InstanceOwnerId: world.account,
    Status: attachment.state,
  } satisfies NetworkInterface["Attachment"];
}

/** Instances show the same thing under other names, and less of an Elastic IP. */
export function instanceInterfaceView(
  world: World,
  row: InterfaceRecord,
): InstanceNetworkInterface {
  const { InstanceId, InstanceOwnerId, ...shortAttachment } = attachmentView(world, row) ?? {};
  const shortAssociation = (ip: string | undefined) => {
    const found = associationOf(world, row, ip);
    if (found === undefined) return undefined;
    const { IpOwnerId, PublicDnsName, PublicIp } = found;
    return { IpOwnerId, PublicDnsName, PublicIp };
  };
  return {
    Association: shortAssociation(row.privateIps[0]),
    Attachment: shortAttachment,
    Description: row.description,
    Groups: groupList(world, row.groupIds),
    InterfaceType: "interface",
    Ipv6Addresses: [],
    MacAddress: row.mac,
    NetworkInterfaceId: row.id,
    OwnerId: world.account,
    PrivateDnsName: privateDnsName(world, row.privateIps[0]),
    PrivateIpAddress: row.privateIps[0],
    PrivateIpAddresses: privateIpList(world, row).map((each) => ({
      ...each,
      Association: shortAssociation(each.PrivateIpAddress),
    })),
    SourceDestCheck: row.sourceDestCheck,
    Status: row.status,
    SubnetId: row.subnetId,
    VpcId: row.vpcId,
  };
}

function privateIpList(world: World, row: InterfaceRecord) {
  return row.privateIps.map((ip, index) => ({
    Association: associationOf(world, row, ip),
    Primary: index === 0,
    PrivateDnsName: privateDnsName(world, ip),
    PrivateIpAddress: ip,
  }));
}

function associationOf(
  world: World,
  row: InterfaceRecord,
  ip: string | undefined,
): NetworkInterfaceAssociation | undefined {
  for (const id of world.addressesByInterface.get(row.id) ?? []) {
    const address = world.addresses.get(id);
    if (address?.privateIp !== ip || address === undefined) continue;
    return {
      AllocationId: address.id,
      AssociationId: address.associationId,
      IpOwnerId: world.account,
      PublicDnsName: publicDnsName(world, address.publicIp),
      PublicIp: address.publicIp,
    };
  }
  if (row.publicIp === undefined || ip !== row.privateIps[0]) return undefined;
  return {
    IpOwnerId: "amazon",
    PublicDnsName: publicDnsName(world, row.publicIp),
    PublicIp: row.publicIp,
  };
}

/** The public address of an interface's primary private one. */
export function publicIpOf(world: World, row: InterfaceRecord): string | undefined {
  return associationOf(world, row, row.privateIps[0])?.PublicIp;
}

export function groupList(world: World, groupIds: readonly string[]): GroupIdentifier[] {
  return groupIds.map((id) => ({
    GroupId: id,
    GroupName: world.securityGroups.get(id)?.name ?? "",
  }));
}

export function privateDnsName(world: World, ip: string | undefined): string {
  if (ip === undefined) return "";
  const domain = world.region === "us-east-1" ? "ec2.internal" : `${world.region}.compute.internal`;
  return `ip-${ip.replaceAll(".", "-")}.${domain}`;
}

export function publicDnsName(world: World, ip: string | undefined): string {
  if (ip === undefined) return "";
  const host = world.region === "us-east-1" ? "compute-1" : `${world.region}.compute`;
  return `ec2-${ip.replaceAll(".", "-")}.${host}.amazonaws.com`;
}
