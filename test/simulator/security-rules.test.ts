import { DEFAULT_SECURITY_GROUP_ID } from "../../src/simulator";
import { createTester, only } from "./tester";

const PORT = { IpProtocol: "tcp", FromPort: 443, ToPort: 443 };

function group(tester: ReturnType<typeof createTester>): string {
  return tester.call("CreateSecurityGroup", { GroupName: "web", Description: "w" }).GroupId ?? "";
}

describe("security group rules", () => {
  test("name addresses of both families, groups and prefix lists as peers", () => {
    const tester = createTester();
    const GroupId = group(tester);
    const permission = {
      ...PORT,
      IpRanges: [{ CidrIp: "10.0.0.0/8", Description: "inside" }],
      Ipv6Ranges: [{ CidrIpv6: "::/0" }],
      UserIdGroupPairs: [{ GroupId: DEFAULT_SECURITY_GROUP_ID }],
      PrefixListIds: [{ PrefixListId: "pl-1" }],
    };
    const { SecurityGroupRules } = tester.call("AuthorizeSecurityGroupIngress", {
      GroupId,
      IpPermissions: [permission],
    });
    expect(SecurityGroupRules).toHaveLength(4);
    const found = only(
      tester.call("DescribeSecurityGroups", { GroupIds: [GroupId] }).SecurityGroups,
    );
    expect(only(found.IpPermissions)).toMatchObject({
      ...permission,
      UserIdGroupPairs: [{ GroupId: DEFAULT_SECURITY_GROUP_ID, UserId: "123456789012" }],
    });
  });

  test("are revoked by their own ids", () => {
    const tester = createTester();
    const GroupId = group(tester);
    const [rule] =
      tester.call("AuthorizeSecurityGroupEgress", {
        GroupId,
        IpPermissions: [{ ...PORT, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
      }).SecurityGroupRules ?? [];
    const SecurityGroupRuleIds = [rule?.SecurityGroupRuleId ?? ""];
    tester.call("RevokeSecurityGroupEgress", { GroupId, SecurityGroupRuleIds });
    expect(tester.error("RevokeSecurityGroupEgress", { GroupId, SecurityGroupRuleIds }).code).toBe(
      "InvalidPermission.NotFound",
    );
  });

  test("are given in the old form too, one in the request itself", () => {
    const tester = createTester();
    group(tester);
    const rule = { GroupName: "web", CidrIp: "0.0.0.0/0", ...PORT };
    tester.call("AuthorizeSecurityGroupIngress", rule);
    const { SecurityGroups } = tester.call("DescribeSecurityGroups", { GroupNames: ["web"] });
    expect(only(only(SecurityGroups).IpPermissions).FromPort).toBe(443);
    expect(tester.error("AuthorizeSecurityGroupIngress", { GroupName: "web" }).code).toBe(
      "MissingParameter",
    );
  });

  test("of the default group cannot be deleted with it", () => {
    const { error } = createTester();
    expect(error("DeleteSecurityGroup", { GroupId: DEFAULT_SECURITY_GROUP_ID }).code).toBe(
      "CannotDelete",
    );
  });
});
