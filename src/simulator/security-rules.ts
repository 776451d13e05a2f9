/** Rules as requests group them (by protocol and ports) and as they are kept (one peer each). */
import type { IpPermission } from "@aws-sdk/client-ec2";
import type { SecurityGroupRecord, SecurityRule } from "./records";
import { find, nouns, required } from "./refusals";
import type { World } from "./world";

export function rulesOf(
  world: World,
  permissions: readonly IpPermission[],
  isEgress: boolean,
): SecurityRule[] {
  return permissions.flatMap((permission) => {
    const protocol = required(permission.IpProtocol, "IpProtocol");
    const { FromPort: fromPort, ToPort: toPort } = permission;
    const base = () => ({ id: world.newId("sgr"), isEgress, protocol, fromPort, toPort });
    return [
      ...(permission.IpRanges ?? []).map((range) => ({
        ...base(),
        cidr: range.CidrIp,
        description: range.Description,
      })),
      ...(permission.Ipv6Ranges ?? []).map((range) => ({
        ...base(),
        cidr6: range.CidrIpv6,
        description: range.Description,
      })),
      ...(permission.UserIdGroupPairs ?? []).map((pair) => ({
        ...base(),
        groupId: find(world.securityGroups, nouns.securityGroup, pair.GroupId ?? "").id,
        description: pair.Description,
      })),
      ...(permission.PrefixListIds ?? []).map((list) => ({
        ...base(),
        prefixListId: list.PrefixListId,
        description: list.Description,
      })),
    ];
  });
}

export function isSameRule(one: SecurityRule, other: SecurityRule): boolean {
  const names = ["isEgress", "protocol", "cidr", "cidr6", "groupId", "prefixListId"] as const;
  const hasPorts = one.protocol !== "-1";
  return (
    names.every((name) => one[name] === other[name]) &&
    (!hasPorts || (one.fromPort === other.fromPort && one.toPort === other.toPort))
  );
}

/** One permission for each protocol and port range. */
export function permissionsOf(
  world: World,
  group: SecurityGroupRecord,
  isEgress: boolean,
): IpPermission[] {
  const byRange = new Map<string, SecurityRule[]>();
  for (const rule of group.rules) {
    if (rule.isEgress !== isEgress) continue;
    const range = `${rule.protocol}/${rule.fromPort}/${rule.toPort}`;
    byRange.set(range, [...(byRange.get(range) ?? []), rule]);
  }
  return [...byRange.values()].map((rules) => permissionOf(world, rules));
}

function permissionOf(world: World, rules: readonly SecurityRule[]): IpPermission {
  const isAll = rules[0]?.protocol === "-1";
  return {
    FromPort: isAll ? undefined : rules[0]?.fromPort,
    IpProtocol: rules[0]?.protocol,
    IpRanges: rules.flatMap(({ cidr, description }) =>
      cidr === undefined ? [] : { CidrIp: cidr, Description: description },
    ),
    Ipv6Ranges: rules.flatMap(({ cidr6, description }) =>
      cidr6 === undefined ? [] : { CidrIpv6: cidr6, Description: description },
    ),
    PrefixListIds: rules.flatMap(({ prefixListId, description }) =>
      prefixListId === undefined ? [] : { PrefixListId: prefixListId, Description: description },
    ),
    ToPort: isAll ? undefined : rules[0]?.toPort,
    UserIdGroupPairs: rules.flatMap(({ groupId, description }) =>
      groupId === undefined
        ? []
        : { GroupId: groupId, UserId: world.account, Description: description },
    ),
  };
}
