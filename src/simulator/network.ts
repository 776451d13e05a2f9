/** VPCs and subnets, as far as launches and foreign clients need them. */

import {
  type CreateDefaultSubnetRequest,
  type CreateSubnetRequest,
  type CreateSubnetResult,
  type CreateVpcRequest,
  type CreateVpcResult,
  type DeleteSubnetRequest,
  type DeleteVpcRequest,
  type DescribeRouteTablesRequest,
  type DescribeRouteTablesResult,
  type DescribeSubnetsRequest,
  type DescribeSubnetsResult,
  type DescribeVpcAttributeRequest,
  type DescribeVpcAttributeResult,
  type DescribeVpcsRequest,
  type DescribeVpcsResult,
  type ModifySubnetAttributeRequest,
  type ModifyVpcAttributeRequest,
  type Subnet,
  type Vpc,
  VpcAttributeName,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { type Cidr, freeIpCount, isWithin, overlaps, parseCidr } from "./addressing";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import type { SubnetRecord, VpcRecord } from "./records";
import { find, invalidCombination, invalidValue, nouns, required } from "./refusals";
import { tagList, tagsFor } from "./tag-sets";
import { type World, zoneId } from "./world";

const vpcListing: Listing<VpcRecord> = {
  table: (world) => world.vpcs,
  noun: nouns.vpc,
  pageSize: [5, 1000],
  filters: {
    cidr: (row) => row.cidr,
    "cidr-block-association.cidr-block": (row) => row.cidr,
    "dhcp-options-id": () => DHCP_OPTIONS_ID,
    "is-default": (row) => row.isDefault,
    isDefault: (row) => row.isDefault,
    "owner-id": (_, world) => world.account,
    state: () => "available",
    "vpc-id": (row) => row.id,
  },
};

const subnetListing: Listing<SubnetRecord> = {
  table: (world) => world.subnets,
  noun: nouns.subnet,
  pageSize: [5, 1000],
  filters: {
    "availability-zone": (row) => row.zone,
    availabilityZone: (row) => row.zone,
    "availability-zone-id": (row, world) => zoneId(world, row.zone),
    "available-ip-address-count": (row, world) => freeIpCount(world, row),
    "cidr-block": (row) => row.cidr,
    cidr: (row) => row.cidr,
    "default-for-az": (row) => row.isDefault,
    defaultForAz: (row) => row.isDefault,
    "map-public-ip-on-launch": (row) => row.mapPublicIp,
    "owner-id": (_, world) => world.account,
    state: () => "available",
    "subnet-id": (row) => row.id,
    "vpc-id": (row) => row.vpcId,
  },
};

const DHCP_OPTIONS_ID = "dopt-0d5c0000000000001";

function vpcView(world: World, row: VpcRecord): Vpc {
  return {
    CidrBlock: row.cidr,
    CidrBlockAssociationSet: [
      {
        AssociationId: row.id.replace("vpc-", "vpc-cidr-assoc-"),
        CidrBlock: row.cidr,
        CidrBlockState: { State: "associated" },
      },
    ],
    DhcpOptionsId: DHCP_OPTIONS_ID,
    InstanceTenancy: "default",
    IsDefault: row.isDefault,
    OwnerId: world.account,
    State: "available",
    Tags: tagList(row.tags),
    VpcId: row.id,
  };
}

function subnetView(world: World, row: SubnetRecord): Subnet {
  return {
    AssignIpv6AddressOnCreation: false,
    AvailabilityZone: row.zone,
    AvailabilityZoneId: zoneId(world, row.zone),
    AvailableIpAddressCount: freeIpCount(world, row),
    CidrBlock: row.cidr,
    DefaultForAz: row.isDefault,
    EnableDns64: false,
    Ipv6CidrBlockAssociationSet: [],
    Ipv6Native: false,
    MapCustomerOwnedIpOnLaunch: false,
    MapPublicIpOnLaunch: row.mapPublicIp,
    OwnerId: world.account,
    PrivateDnsNameOptionsOnLaunch: {
      EnableResourceNameDnsAAAARecord: false,
      EnableResourceNameDnsARecord: false,
      HostnameType: "ip-name",
    },
    State: "available",
    SubnetArn: `arn:aws:ec2:${world.region}:${world.account}:subnet/${row.id}`,
    SubnetId: row.id,
    Tags: tagList(row.tags),
    VpcId: row.vpcId,
  };
}

function checkedCidr(text: string, name: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined)
    throw invalidValue(
      `Value (${text}) for parameter ${name} is invalid. This is not a valid CIDR block.`,
    );
  if (cidr.prefix < 16 || cidr.prefix > 28)
    throw new Ec2Error(
      name === "vpcCidrBlock" ? "InvalidVpc.Range" : "InvalidSubnet.Range",
      `The CIDR '${text}' is invalid.`,
    );
  return cidr;
}

function createVpc(world: World, input: CreateVpcRequest): CreateVpcResult {
  const cidr = required(input.CidrBlock, "CidrBlock");
  checkedCidr(cidr, "vpcCidrBlock");
  const tags = tagsFor(input.TagSpecifications, "vpc");
  const base = { createdAt: world.now(), tags };
  const vpc = world.vpcs.insert({
    ...base,
    id: world.newId("vpc"),
    cidr,
    isDefault: false,
    enableDnsSupport: true,
    enableDnsHostnames: false,
  });
  world.securityGroups.insert({
    id: world.newId("sg"),
    tags: new Map(),
    createdAt: world.now(),
    name: "default",
    description: "default VPC security group",
    vpcId: vpc.id,
    rules: [{ id: world.newId("sgr"), isEgress: true, protocol: "-1", cidr: "0.0.0.0/0" }],
  });
  return { Vpc: vpcView(world, vpc) };
}

function deleteVpc(world: World, input: DeleteVpcRequest) {
  const vpc = find(world.vpcs, nouns.vpc, required(input.VpcId, "VpcId"));
  const groups = [...world.securityGroups.all()].filter((group) => group.vpcId === vpc.id);
  const hasSubnets = [...world.subnets.all()].some((subnet) => subnet.vpcId === vpc.id);
  if (hasSubnets || groups.some((group) => group.name !== "default"))
    throw dependency("vpc", vpc.id);
  world.vpcs.remove(vpc.id);
  for (const group of groups) world.securityGroups.remove(group.id);
  return {};
}

function dependency(what: string, id: string): Ec2Error {
  return new Ec2Error(
    "DependencyViolation",
    `The ${what} '${id}' has dependencies and cannot be deleted.`,
  );
}

function createSubnet(world: World, input: CreateSubnetRequest): CreateSubnetResult {
  const vpc = find(world.vpcs, nouns.vpc, required(input.VpcId, "VpcId"));
  const text = required(input.CidrBlock, "CidrBlock");
  const cidr = checkedCidr(text, "cidrBlock");
  const tags = tagsFor(input.TagSpecifications, "subnet");
  const outer = parseCidr(vpc.cidr);
  if (outer === undefined || !isWithin(cidr, outer))
    throw new Ec2Error("InvalidSubnet.Range", `The CIDR '${text}' is invalid.`);
  for (const other of world.subnets.all()) {
    const taken = other.vpcId === vpc.id ? parseCidr(other.cidr) : undefined;
    if (taken !== undefined && overlaps(cidr, taken))
      throw new Ec2Error(
        "InvalidSubnet.Conflict",
        `The CIDR '${text}' conflicts with another subnet`,
      );
  }
  const subnet = world.subnets.insert({
    id: world.newId("subnet"),
    tags,
    createdAt: world.now(),
    vpcId: vpc.id,
    zone: subnetZone(world, input),
    cidr: text,
    isDefault: false,
    mapPublicIp: false,
  });
  return { Subnet: subnetView(world, subnet) };
}

function subnetZone(
  world: World,
  input: { AvailabilityZone?: string | undefined; AvailabilityZoneId?: string | undefined },
): string {
  const { AvailabilityZone: name, AvailabilityZoneId: id } = input;
  if (name === undefined && id === undefined) return world.zones[0]?.name ?? world.region;
  const zone = world.zones.find((each) => each.name === name || each.id === id);
  if (zone === undefined)
    throw invalidValue(
      `Value (${name ?? id}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${world.zones.map((each) => each.name).join(", ")}.`,
    );
  return zone.name;
}

function createDefaultSubnet(world: World, input: CreateDefaultSubnetRequest): CreateSubnetResult {
  const zone = subnetZone(world, input);
  for (const subnet of world.subnets.all())
    if (subnet.isDefault && subnet.zone === zone)
      throw new Ec2Error(
        "DefaultSubnetAlreadyExistsInAvailabilityZone",
        `'${subnet.id}' is already the default subnet in ${zone}.`,
      );
  throw invalidCombination("The simulator creates no default subnets.");
}

function deleteSubnet(world: World, input: DeleteSubnetRequest) {
  const subnet = find(world.subnets, nouns.subnet, required(input.SubnetId, "SubnetId"));
  if ((world.usedIps.get(subnet.id)?.size ?? 0) > 0) throw dependency("subnet", subnet.id);
  world.subnets.remove(subnet.id);
  return {};
}

function modifySubnet(world: World, input: ModifySubnetAttributeRequest) {
  const subnet = find(world.subnets, nouns.subnet, required(input.SubnetId, "SubnetId"));
  if (input.MapPublicIpOnLaunch?.Value !== undefined)
    world.subnets.update(subnet.id, { mapPublicIp: input.MapPublicIpOnLaunch.Value });
  return {};
}

function describeVpcAttribute(
  world: World,
  input: DescribeVpcAttributeRequest,
): DescribeVpcAttributeResult {
  const vpc = find(world.vpcs, nouns.vpc, required(input.VpcId, "VpcId"));
  if (input.Attribute === "enableDnsSupport")
    return { VpcId: vpc.id, EnableDnsSupport: { Value: vpc.enableDnsSupport } };
  if (input.Attribute === "enableDnsHostnames")
    return { VpcId: vpc.id, EnableDnsHostnames: { Value: vpc.enableDnsHostnames } };
  return { VpcId: vpc.id, EnableNetworkAddressUsageMetrics: { Value: false } };
}

function modifyVpc(world: World, input: ModifyVpcAttributeRequest) {
  const vpc = find(world.vpcs, nouns.vpc, required(input.VpcId, "VpcId"));
  world.vpcs.update(vpc.id, {
    enableDnsSupport: input.EnableDnsSupport?.Value ?? vpc.enableDnsSupport,
    enableDnsHostnames: input.EnableDnsHostnames?.Value ?? vpc.enableDnsHostnames,
  });
  return {};
}

/** Each VPC's main table with its local route; Terraform asks for it when it looks up a VPC. */
function describeRouteTables(
  world: World,
  input: DescribeRouteTablesRequest,
): DescribeRouteTablesResult {
  const id = (row: VpcRecord) => row.id.replace("vpc-", "rtb-");
  const listing: Listing<VpcRecord> = {
    ...vpcListing,
    filters: {
      "association.main": () => true,
      "association.route-table-id": id,
      "route-table-id": id,
      "vpc-id": (row) => row.id,
      "association.subnet-id": () => undefined,
    },
  };
  const ids = input.RouteTableIds?.map((each) => each.replace("rtb-", "vpc-"));
  const page = list(world, listing, { ...input, ids });
  return {
    RouteTables: page.rows.map((row) => ({
      Associations: [
        {
          AssociationState: { State: "associated" },
          Main: true,
          RouteTableAssociationId: row.id.replace("vpc-", "rtbassoc-"),
          RouteTableId: id(row),
        },
      ],
      OwnerId: world.account,
      PropagatingVgws: [],
      RouteTableId: id(row),
      Routes: [
        {
          DestinationCidrBlock: row.cidr,
          GatewayId: "local",
          Origin: "CreateRouteTable",
          State: "active",
        },
      ],
      Tags: [],
      VpcId: row.id,
    })),
    NextToken: page.nextToken,
  };
}

export const networkActions = {
  CreateVpc: action<CreateVpcRequest, CreateVpcResult>(
    {
      CidrBlock: true,
      InstanceTenancy: ["default"],
      TagSpecifications: true,
      AmazonProvidedIpv6CidrBlock: [false],
    },
    createVpc,
  ),
  DeleteVpc: action<DeleteVpcRequest, object>({ VpcId: true }, deleteVpc),
  DescribeVpcs: action<DescribeVpcsRequest, DescribeVpcsResult>(
    { Filters: true, MaxResults: true, NextToken: true, VpcIds: true },
    (world, input) => {
      const page = list(world, vpcListing, { ...input, ids: input.VpcIds });
      return { Vpcs: page.rows.map((row) => vpcView(world, row)), NextToken: page.nextToken };
    },
  ),
  DescribeVpcAttribute: action<DescribeVpcAttributeRequest, DescribeVpcAttributeResult>(
    { Attribute: anyOf(VpcAttributeName), VpcId: true },
    describeVpcAttribute,
  ),
  ModifyVpcAttribute: action<ModifyVpcAttributeRequest, object>(
    { EnableDnsHostnames: true, EnableDnsSupport: true, VpcId: true },
    modifyVpc,
    "no dry run",
  ),
  CreateSubnet: action<CreateSubnetRequest, CreateSubnetResult>(
    {
      AvailabilityZone: true,
      AvailabilityZoneId: true,
      CidrBlock: true,
      TagSpecifications: true,
      VpcId: true,
    },
    createSubnet,
  ),
  CreateDefaultSubnet: action<CreateDefaultSubnetRequest, CreateSubnetResult>(
    { AvailabilityZone: true, AvailabilityZoneId: true, Ipv6Native: [false] },
    createDefaultSubnet,
  ),
  DeleteSubnet: action<DeleteSubnetRequest, object>({ SubnetId: true }, deleteSubnet),
  ModifySubnetAttribute: action<ModifySubnetAttributeRequest, object>(
    { MapPublicIpOnLaunch: true, SubnetId: true },
    modifySubnet,
    "no dry run",
  ),
  DescribeSubnets: action<DescribeSubnetsRequest, DescribeSubnetsResult>(
    { Filters: true, MaxResults: true, NextToken: true, SubnetIds: true },
    (world, input) => {
      const page = list(world, subnetListing, { ...input, ids: input.SubnetIds });
      return { Subnets: page.rows.map((row) => subnetView(world, row)), NextToken: page.nextToken };
    },
  ),
  DescribeRouteTables: action<DescribeRouteTablesRequest, DescribeRouteTablesResult>(
    { Filters: true, MaxResults: true, NextToken: true, RouteTableIds: true },
    describeRouteTables,
  ),
};
