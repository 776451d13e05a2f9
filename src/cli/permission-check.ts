/**
 * Which calls EC2 permits, asked with DryRun. Every call that would change something names ids that
 * do not exist, so that nothing is made or lost even where DryRun is not honoured. EC2 judges
 * permission before existence (inferred): what it does not find it has not refused.
 */
import { type Action, actions, type Ec2, type Input } from "../aws/client";
import { codeOf } from "../aws/preflight";
import { isReading } from "../aws/reading";
import { CloudError } from "../engine/ports";
import type { Account } from "./account";
import { type Finding, some } from "./finding";

const nowhere = {
  image: "ami-00000000000000000",
  instance: "i-00000000000000000",
  interface: "eni-00000000000000000",
  snapshot: "snap-00000000000000000",
  subnet: "subnet-00000000000000000",
  volume: "vol-00000000000000000",
} as const;

const none = (name: string) => ({ Filters: [{ Name: name, Values: ["none"] }] });

/** As each is called, apart from the ids. */
const inputs: { [A in Action]: Input<A> } = {
  CreateNetworkInterface: { SubnetId: nowhere.subnet },
  CreateSnapshot: { VolumeId: nowhere.volume },
  CreateTags: { Resources: [nowhere.interface], Tags: [{ Key: "pmi:doctor", Value: "" }] },
  DeleteNetworkInterface: { NetworkInterfaceId: nowhere.interface },
  DeleteSnapshot: { SnapshotId: nowhere.snapshot },
  DeleteTags: { Resources: [nowhere.interface], Tags: [{ Key: "pmi:doctor" }] },
  DeleteVolume: { VolumeId: nowhere.volume },
  DeregisterImage: { ImageId: nowhere.image },
  DescribeImages: { Owners: ["self"], ...none("name") },
  DescribeInstanceStatus: none("instance-status.status"),
  DescribeInstanceTypeOfferings: none("instance-type"),
  DescribeInstanceTypes: none("instance-type"),
  DescribeInstances: none("client-token"),
  DescribeKeyPairs: none("key-name"),
  DescribeNetworkInterfaces: none("network-interface-id"),
  DescribeSecurityGroups: none("group-name"),
  DescribeSnapshots: { OwnerIds: ["self"], ...none("snapshot-id") },
  DescribeSpotInstanceRequests: none("spot-instance-request-id"),
  DescribeSpotPriceHistory: none("instance-type"),
  DescribeSubnets: none("subnet-id"),
  DescribeVolumes: none("volume-id"),
  GetSpotPlacementScores: {
    InstanceTypes: ["m5.large", "m6i.large", "r5.large"],
    TargetCapacity: 1,
    SingleAvailabilityZone: true,
  },
  ModifyInstanceAttribute: { InstanceId: nowhere.instance, EbsOptimized: { Value: true } },
  ModifyNetworkInterfaceAttribute: {
    NetworkInterfaceId: nowhere.interface,
    Description: { Value: "" },
  },
  RegisterImage: {
    Name: "pmi-doctor",
    Architecture: "x86_64",
    RootDeviceName: "/dev/xvda",
    VirtualizationType: "hvm",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: nowhere.snapshot } }],
  },
  RunInstances: {
    ImageId: nowhere.image,
    InstanceType: "m5.large",
    MinCount: 1,
    MaxCount: 1,
  },
  TerminateInstances: { InstanceIds: [nowhere.instance] },
};

type Answer = "permitted" | "refused" | "unclear";

async function ask<A extends Action>(ec2: Ec2, action: A): Promise<Answer> {
  try {
    await ec2.call(action, { ...inputs[action], DryRun: true });
    return "permitted";
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    const code = codeOf(error);
    if (code === "DryRunOperation" || error.meaning === "not-found") return "permitted";
    return error.meaning === "denied" ? "refused" : "unclear";
  }
}

/** One after the other: doctor is in no hurry, and the account's buckets are for the controller. */
export async function checkPermissions({ ec2 }: Pick<Account, "ec2">): Promise<Finding[]> {
  const answers = new Map<Action, Answer>();
  for (const action of actions) answers.set(action, await ask(ec2, action));
  const those = (answer: Answer, reading: boolean) =>
    actions.filter((action) => answers.get(action) === answer && isReading(action) === reading);
  const findings: Finding[] = [];
  const add = (finding: Omit<Finding, "check">) =>
    findings.push({ check: "permissions", ...finding });
  const blind = those("refused", true);
  if (blind.length > 0)
    add({
      status: "problem",
      message: `EC2 refuses ${some(blind, 30)}.`,
      next: `Allow ${blind.map((action) => `ec2:${action}`).join(", ")}.`,
    });
  const bound = those("refused", false);
  if (bound.length > 0)
    add({
      status: "warning",
      message: `EC2 refuses ${some(bound, 30)} for ids that do not exist; a policy that is bound to tags does so, too.`,
      next: "Compare the policy with docs/permissions.md.",
    });
  const unclear = actions.filter((action) => answers.get(action) === "unclear");
  if (unclear.length > 0)
    add({ status: "note", message: `EC2 does not say whether it permits ${some(unclear, 30)}.` });
  const permitted = actions.filter((action) => answers.get(action) === "permitted");
  if (permitted.length > 0)
    add({
      status: "ok",
      message: `EC2 permits ${permitted.length} of our ${actions.length} calls.`,
    });
  return findings;
}
