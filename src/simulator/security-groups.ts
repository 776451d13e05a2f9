/** Security groups and their rules. They are kept and listed; no traffic is simulated. */
import type {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupIngressRequest,
  CreateSecurityGroupRequest,
  CreateSecurityGroupResult,
  DeleteSecurityGroupRequest,
  DeleteSecurityGroupResult,
  DescribeSecurityGroupRulesRequest,
  DescribeSecurityGroupRulesResult,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  IpPermission,
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupIngressRequest,
  SecurityGroup,
  SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import type { SecurityGroupRecord, SecurityRule } from "./records";
import { find, invalidCombination, missingParameter, nouns, required } from "./refusals";
import { isSameRule, permissionsOf, rulesOf } from "./security-rules";
import { tagList, tagsFor } from "./tag-sets";
import type { World } from "./world";

const listing: Listing<SecurityGroupRecord> = {
  table: (world) => world.securityGroups,
  noun: nouns.securityGroup,
  pageSize: [5, 1000],
  filters: {
    description: (row) => row.description,
    "egress.ip-permission.cidr": (row) => cidrs(row, true),
    "group-id": (row) => row.id,
    "group-name": (row) => row.name,
    "ip-permission.cidr": (row) => cidrs(row, false),
    "ip-permission.group-id": (row) => row.rules.map((rule) => rule.groupId),
    "owner-id": (_, world) => world.account,
    "vpc-id": (row) => row.vpcId,
  },
};

function cidrs(row: SecurityGroupRecord, isEgress: boolean) {
  return row.rules.filter((rule) => rule.isEgress === isEgress).map((rule) => rule.cidr);
}

function groupView(world: World, row: SecurityGroupRecord): SecurityGroup {
  return {
    Description: row.description,
    GroupId: row.id,
    GroupName: row.name,
    IpPermissions: permissionsOf(world, row, false),
    IpPermissionsEgress: permissionsOf(world, row, true),
    OwnerId: world.account,
    SecurityGroupArn: `arn:aws:ec2:${world.region}:${world.account}:security-group/${row.id}`,
    Tags: tagList(row.tags),
    VpcId: row.vpcId,
  };
}

function ruleView(world: World, row: SecurityGroupRecord, rule: SecurityRule): SecurityGroupRule {
  return {
    CidrIpv4: rule.cidr,
    CidrIpv6: rule.cidr6,
    Description: rule.description,
    FromPort: rule.fromPort ?? -1,
    GroupId: row.id,
    GroupOwnerId: world.account,
    IpProtocol: rule.protocol,
    IsEgress: rule.isEgress,
    PrefixListId: rule.prefixListId,
    ReferencedGroupInfo:
      rule.groupId === undefined ? undefined : { GroupId: rule.groupId, UserId: world.account },
    SecurityGroupRuleId: rule.id,
    SecurityGroupRuleArn: `arn:aws:ec2:${world.region}:${world.account}:security-group-rule/${rule.id}`,
    Tags: [],
    ToPort: rule.toPort ?? -1,
  };
}

function createGroup(world: World, input: CreateSecurityGroupRequest): CreateSecurityGroupResult {
  const name = required(input.GroupName, "GroupName");
  const description = required(input.Description, "GroupDescription");
  const vpcId = input.VpcId ?? defaultVpcId(world);
  find(world.vpcs, nouns.vpc, vpcId);
  for (const group of world.securityGroups.all())
    if (group.vpcId === vpcId && group.name === name)
      throw new Ec2Error(
        "InvalidGroup.Duplicate",
        `The security group '${name}' already exists for VPC '${vpcId}'`,
      );
  const group = world.securityGroups.insert({
    id: world.newId("sg"),
    tags: tagsFor(input.TagSpecifications, "security-group"),
    createdAt: world.now(),
    name,
    description,
    vpcId,
    rules: [{ id: world.newId("sgr"), isEgress: true, protocol: "-1", cidr: "0.0.0.0/0" }],
  });
  return {
    GroupId: group.id,
    Tags: tagList(group.tags),
    SecurityGroupArn: groupView(world, group).SecurityGroupArn,
  };
}

function defaultVpcId(world: World): string {
  for (const vpc of world.vpcs.all()) if (vpc.isDefault) return vpc.id;
  throw new Ec2Error("VPCIdNotSpecified", "No default VPC for this user");
}

interface NamesGroup {
  GroupId?: string | undefined;
  GroupName?: string | undefined;
}

function groupOf(world: World, input: NamesGroup): SecurityGroupRecord {
  if (input.GroupId !== undefined)
    return find(world.securityGroups, nouns.securityGroup, input.GroupId);
  if (input.GroupName === undefined) throw missingParameter("GroupId");
  const vpcId = defaultVpcId(world);
  for (const group of world.securityGroups.all())
    if (group.vpcId === vpcId && group.name === input.GroupName) return group;
  throw new Ec2Error(
    "InvalidGroup.NotFound",
    `The security group '${input.GroupName}' does not exist in default VPC '${vpcId}'`,
  );
}

function deleteGroup(world: World, input: DeleteSecurityGroupRequest): DeleteSecurityGroupResult {
  const group = groupOf(world, input);
  if (group.name === "default")
    throw new Ec2Error(
      "CannotDelete",
      `the specified group: "${group.id}" name: "default" cannot be deleted by a user`,
    );
  for (const row of world.interfaces.all())
    if (row.groupIds.includes(group.id))
      throw new Ec2Error("DependencyViolation", `resource ${group.id} has a dependent object`);
  world.securityGroups.remove(group.id);
  return { Return: true, GroupId: group.id };
}

interface NamesRules extends NamesGroup {
  IpPermissions?: IpPermission[] | undefined;
  CidrIp?: string | undefined;
  FromPort?: number | undefined;
  ToPort?: number | undefined;
  IpProtocol?: string | undefined;
}

/** The old form gives one rule in the request itself. */
function givenPermissions(input: NamesRules): readonly IpPermission[] {
  if (input.IpPermissions !== undefined && input.IpPermissions.length > 0)
    return input.IpPermissions;
  if (input.IpProtocol === undefined) throw missingParameter("IpPermissions");
  return [
    {
      IpProtocol: input.IpProtocol,
      FromPort: input.FromPort,
      ToPort: input.ToPort,
      IpRanges: input.CidrIp === undefined ? [] : [{ CidrIp: input.CidrIp }],
    },
  ];
}

function authorize(world: World, input: NamesRules, isEgress: boolean) {
  const group = groupOf(world, input);
  const added = rulesOf(world, givenPermissions(input), isEgress);
  for (const rule of added)
    if (group.rules.some((each) => isSameRule(each, rule)))
      throw new Ec2Error(
        "InvalidPermission.Duplicate",
        `the specified rule "peer: ${rule.cidr ?? rule.cidr6 ?? rule.groupId ?? rule.prefixListId}, ${rule.protocol}, from port: ${rule.fromPort}, to port: ${rule.toPort}, ALLOW" already exists`,
      );
  const changed = world.securityGroups.update(group.id, { rules: [...group.rules, ...added] });
  return {
    Return: true,
    SecurityGroupRules: added.map((rule) => ruleView(world, changed, rule)),
  };
}

function revoke(
  world: World,
  input: NamesRules & { SecurityGroupRuleIds?: string[] | undefined },
  isEgress: boolean,
) {
  const group = groupOf(world, input);
  const ids = input.SecurityGroupRuleIds ?? [];
  const unwanted = ids.length > 0 ? [] : rulesOf(world, givenPermissions(input), isEgress);
  const goes = (rule: SecurityRule) =>
    ids.includes(rule.id) || unwanted.some((each) => isSameRule(each, rule));
  const unknown = unwanted.some((rule) => !group.rules.some((each) => isSameRule(each, rule)));
  if (unknown || ids.some((id) => !group.rules.some((rule) => rule.id === id)))
    throw new Ec2Error(
      "InvalidPermission.NotFound",
      "The specified rule does not exist in this security group.",
    );
  const rules = group.rules.filter((rule) => rule.isEgress !== isEgress || !goes(rule));
  world.securityGroups.update(group.id, { rules });
  return { Return: true };
}

function describeGroups(
  world: World,
  input: DescribeSecurityGroupsRequest,
): DescribeSecurityGroupsResult {
  const names = input.GroupNames ?? [];
  for (const GroupName of names) groupOf(world, { GroupName });
  if (names.length > 0 && input.MaxResults !== undefined)
    throw invalidCombination(
      "The parameter groupNames and the parameter maxResults cannot be used together",
    );
  const isVisible = (row: SecurityGroupRecord) => names.length === 0 || names.includes(row.name);
  const page = list(world, { ...listing, isVisible }, { ...input, ids: input.GroupIds });
  return {
    SecurityGroups: page.rows.map((row) => groupView(world, row)),
    NextToken: page.nextToken,
  };
}

function describeRules(
  world: World,
  input: DescribeSecurityGroupRulesRequest,
): DescribeSecurityGroupRulesResult {
  const wanted = input.SecurityGroupRuleIds ?? [];
  const filters = (input.Filters ?? []).filter(
    ({ Name: name }) => name !== "security-group-rule-id",
  );
  const ids = [
    ...wanted,
    ...(input.Filters ?? []).flatMap((each) =>
      each.Name === "security-group-rule-id" ? (each.Values ?? []) : [],
    ),
  ];
  const page = list(world, listing, { Filters: filters });
  const rules = page.rows.flatMap((row) => row.rules.map((rule) => ruleView(world, row, rule)));
  const found = rules.filter(
    (rule) => ids.length === 0 || ids.includes(rule.SecurityGroupRuleId ?? ""),
  );
  return { SecurityGroupRules: found };
}

const permissions = {
  CidrIp: true,
  FromPort: true,
  GroupId: true,
  IpPermissions: true,
  IpProtocol: true,
  ToPort: true,
} as const;

export const securityGroupActions = {
  CreateSecurityGroup: action<CreateSecurityGroupRequest, CreateSecurityGroupResult>(
    { Description: true, GroupName: true, TagSpecifications: true, VpcId: true },
    createGroup,
  ),
  DeleteSecurityGroup: action<DeleteSecurityGroupRequest, DeleteSecurityGroupResult>(
    { GroupId: true, GroupName: true },
    deleteGroup,
  ),
  AuthorizeSecurityGroupIngress: action<AuthorizeSecurityGroupIngressRequest, object>(
    { ...permissions, GroupName: true },
    (world, input) => authorize(world, input, false),
  ),
  AuthorizeSecurityGroupEgress: action<AuthorizeSecurityGroupEgressRequest, object>(
    permissions,
    (world, input) => authorize(world, input, true),
  ),
  RevokeSecurityGroupIngress: action<RevokeSecurityGroupIngressRequest, object>(
    { ...permissions, GroupName: true, SecurityGroupRuleIds: true },
    (world, input) => revoke(world, input, false),
  ),
  RevokeSecurityGroupEgress: action<RevokeSecurityGroupEgressRequest, object>(
    { ...permissions, SecurityGroupRuleIds: true },
    (world, input) => revoke(world, input, true),
  ),
  DescribeSecurityGroups: action<DescribeSecurityGroupsRequest, DescribeSecurityGroupsResult>(
    { Filters: true, GroupIds: true, GroupNames: true, MaxResults: true, NextToken: true },
    describeGroups,
  ),
  DescribeSecurityGroupRules: action<
    DescribeSecurityGroupRulesRequest,
    DescribeSecurityGroupRulesResult
  >({ Filters: true, MaxResults: true, SecurityGroupRuleIds: true }, describeRules),
};
