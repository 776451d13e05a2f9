/**
 * The account and Region that a command works on. Loaded only by the commands that call EC2: the SDK
 * takes a noticeable part of a second.
 */
import { EC2Client } from "@aws-sdk/client-ec2";
import { accessTo } from "../aws/access";
import { createEc2, type Ec2 } from "../aws/client";
import { AwsClock } from "../aws/clock";
import { createCloud } from "../aws/cloud";
import { createAnchorRegistry } from "../aws/registry";
import type { Cloud, Registry } from "../engine/ports";
import { Failure } from "./failure";
import type { AccountFlags } from "./flags";
import type { Invocation } from "./invocation";

export interface Account {
  region: string;
  profile?: string;
  endpoint?: string;
  ec2: Ec2;
  clock: AwsClock;
  cloud: Cloud;
  /** The ledgers on the anchors' tags. */
  anchors: Registry;
}

export async function openAccount(
  { environment }: Pick<Invocation, "environment">,
  flags: AccountFlags,
): Promise<Account> {
  const { profile } = flags;
  const endpoint =
    flags.endpoint ?? set(environment.AWS_ENDPOINT_URL_EC2) ?? set(environment.AWS_ENDPOINT_URL);
  const region =
    flags.region ??
    set(environment.AWS_REGION) ??
    set(environment.AWS_DEFAULT_REGION) ??
    (await configuredRegion(profile));
  const clock = new AwsClock();
  const ec2 = createEc2(accessTo({ region, endpoint, profile }, environment), clock);
  const cloud = createCloud(ec2, clock);
  return { region, profile, endpoint, ec2, clock, cloud, anchors: createAnchorRegistry(ec2) };
}

const set = (value: string | undefined) => (value === "" ? undefined : value);

/** What AWS's configuration files say of the profile. */
async function configuredRegion(profile: string | undefined): Promise<string> {
  try {
    return await new EC2Client({ profile }).config.region();
  } catch (error) {
    const next = "Give it with --region, or set AWS_REGION.";
    throw new Failure("usage", "No AWS Region is chosen.", next, { cause: error });
  }
}

/** The account's number, as its default security groups tell: they cannot be another account's. */
export async function accountNumber(ec2: Ec2): Promise<string> {
  const Filters = [{ Name: "group-name", Values: ["default"] }];
  const { SecurityGroups } = await ec2.call("DescribeSecurityGroups", { Filters });
  const owner = SecurityGroups?.find((group) => group.OwnerId !== undefined)?.OwnerId;
  if (owner !== undefined) return owner;
  const next = "Name the registry with --directory or --table.";
  throw new Failure("failed", "This account has no VPC in this Region, so nothing of ours.", next);
}
