/**
 * The calls of EC2 that we make, all of them: the list is also what our IAM policy must allow. The
 * SDK never repeats a call here. Reading calls are repeated with patience; changing ones only by the
 * engine, after looking again, because EC2 answers "no capacity" with a status that the SDK would
 * retry, and some creations have no token (ec2-facts §1.1, §1.2).
 */
import * as sdk from "@aws-sdk/client-ec2";
import { type Clock, CloudError, type Meaning } from "../engine/ports";
import type { AwsClock } from "./clock";
import { connections } from "./connections";
import { cloudErrorOf } from "./errors";
import { isReading } from "./reading";

const commands = {
  CreateNetworkInterface: sdk.CreateNetworkInterfaceCommand,
  CreateSnapshot: sdk.CreateSnapshotCommand,
  CreateTags: sdk.CreateTagsCommand,
  DeleteNetworkInterface: sdk.DeleteNetworkInterfaceCommand,
  DeleteSnapshot: sdk.DeleteSnapshotCommand,
  DeleteTags: sdk.DeleteTagsCommand,
  DeleteVolume: sdk.DeleteVolumeCommand,
  DeregisterImage: sdk.DeregisterImageCommand,
  DescribeImages: sdk.DescribeImagesCommand,
  DescribeInstanceStatus: sdk.DescribeInstanceStatusCommand,
  DescribeInstanceTypeOfferings: sdk.DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypes: sdk.DescribeInstanceTypesCommand,
  DescribeInstances: sdk.DescribeInstancesCommand,
  DescribeKeyPairs: sdk.DescribeKeyPairsCommand,
  DescribeNetworkInterfaces: sdk.DescribeNetworkInterfacesCommand,
  DescribeSecurityGroups: sdk.DescribeSecurityGroupsCommand,
  DescribeSnapshots: sdk.DescribeSnapshotsCommand,
  DescribeSpotInstanceRequests: sdk.DescribeSpotInstanceRequestsCommand,
  DescribeSpotPriceHistory: sdk.DescribeSpotPriceHistoryCommand,
  DescribeSubnets: sdk.DescribeSubnetsCommand,
  DescribeVolumes: sdk.DescribeVolumesCommand,
  GetSpotPlacementScores: sdk.GetSpotPlacementScoresCommand,
  ModifyInstanceAttribute: sdk.ModifyInstanceAttributeCommand,
  ModifyNetworkInterfaceAttribute: sdk.ModifyNetworkInterfaceAttributeCommand,
  RegisterImage: sdk.RegisterImageCommand,
  RunInstances: sdk.RunInstancesCommand,
  TerminateInstances: sdk.TerminateInstancesCommand,
} as const;

export type Action = keyof typeof commands;
export const actions = Object.keys(commands) as readonly Action[];

export type Input<A extends Action> = ConstructorParameters<(typeof commands)[A]>[0];
type CommandOf<A extends Action> = InstanceType<(typeof commands)[A]>;
type HandlerOf<C> = C extends { resolveMiddleware: (...args: never[]) => infer H } ? H : never;
export type Output<A extends Action> =
  HandlerOf<CommandOf<A>> extends (...args: never[]) => Promise<{ output: infer O }> ? O : never;

/** EC2 as the adapters see it; failures are CloudErrors with a meaning. */
export interface Ec2 {
  call<A extends Action>(action: A, input: Input<A>): Promise<Output<A>>;
}

export interface Ec2Options {
  region: string;
  /** The embedded EC2 or a VPC endpoint; default: AWS's own. */
  endpoint?: string;
  profile?: string;
  /** Used in place of sockets, by tests. */
  requestHandler?: sdk.EC2ClientConfig["requestHandler"];
  credentials?: sdk.EC2ClientConfig["credentials"];
  /** Signs in place of the SDK, in tests. */
  signer?: sdk.EC2ClientConfig["signer"];
  /** Told of every request and its answer, also of those that are repeated: for metrics. */
  answered?: (action: Action, answer: "ok" | Meaning) => void;
}

export function createEc2({ answered, ...options }: Ec2Options, clock: AwsClock): Ec2 {
  // The SDK otherwise puts its middleware together anew for each call: a tenth of a call's processor time.
  const client = new sdk.EC2Client({
    ...options,
    requestHandler: options.requestHandler ?? connections,
    maxAttempts: 1,
    cacheMiddleware: true,
  });
  // It writes every request and answer out for a logger that is not there: a twentieth of that time.
  client.middlewareStack.removeByTag("LOGGER");
  client.middlewareStack.add(
    (next) => async (request) => {
      const answer = await next(request);
      clock.learn(headersOf(answer.response));
      return answer;
    },
    { step: "deserialize", priority: "low", name: "learnAwsTime" },
  );
  const ec2: Ec2 = {
    async call<A extends Action>(action: A, input: Input<A>): Promise<Output<A>> {
      const Command = commands[action] as unknown as new (input: Input<A>) => CommandOf<A>;
      try {
        const command = new Command(input) as unknown as Parameters<typeof client.send>[0];
        const output = (await client.send(command)) as Output<A>;
        answered?.(action, "ok");
        return output;
      } catch (error) {
        const translated = cloudErrorOf(action, error);
        answered?.(action, translated.meaning);
        throw translated;
      }
    },
  };
  return withPatience(signedInTime(ec2), clock);
}

/**
 * A request that was signed by a host's wrong clock is refused before anything is carried out. The SDK
 * has learnt the difference from that answer, and would repeat it, if it repeated anything here.
 */
function signedInTime(ec2: Ec2): Ec2 {
  return {
    call: (action, input) =>
      ec2.call(action, input).catch((error: unknown) => {
        if (!wasSignedOutOfTime(error)) throw error;
        return ec2.call(action, input);
      }),
  };
}

function wasSignedOutOfTime(error: unknown): boolean {
  if (!(error instanceof CloudError) || error.meaning !== "denied") return false;
  const { $metadata } = error.cause as { $metadata?: { clockSkewCorrected?: boolean } };
  return $metadata?.clockSkewCorrected === true;
}

function headersOf(response: unknown): Record<string, string> {
  if (typeof response !== "object" || response === null || !("headers" in response)) return {};
  return response.headers as Record<string, string>;
}

const patience = { attempts: 6, firstPauseMs: 500 };

/** Repeats a reading call that was throttled or got no answer, with doubling pauses. */
export function withPatience(ec2: Ec2, clock: Clock): Ec2 {
  return {
    async call(action, input) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await ec2.call(action, input);
        } catch (error) {
          if (!mayRepeat(action, error) || attempt === patience.attempts) throw error;
          await clock.sleep(patience.firstPauseMs * 2 ** (attempt - 1));
        }
      }
    },
  };
}

const mayRepeat = (action: Action, error: unknown) =>
  isReading(action) &&
  error instanceof CloudError &&
  (error.meaning === "throttled" || error.meaning === "unknown");

/** The pages of a describe, one by one; a page may be empty although more follow (ec2-facts §9). */
export async function* eachPage<A extends Action>(
  ec2: Ec2,
  action: A,
  input: Input<A>,
): AsyncGenerator<Output<A>> {
  let token: string | undefined;
  do {
    const page: Output<A> = await ec2.call(action, { ...input, NextToken: token });
    yield page;
    token = (page as { NextToken?: string }).NextToken;
  } while (token !== undefined && token !== "");
}

/** What all pages of a describe hold. */
export async function allPages<A extends Action, Item>(
  ec2: Ec2,
  action: A,
  input: Input<A>,
  items: (page: Output<A>) => readonly Item[] | undefined,
): Promise<Item[]> {
  const found: Item[] = [];
  for await (const page of eachPage(ec2, action, input)) found.push(...(items(page) ?? []));
  return found;
}

/** Of an account's instances those that pass the filters. */
export const allInstances = (ec2: Ec2, Filters: sdk.Filter[]): Promise<sdk.Instance[]> =>
  allPages(ec2, "DescribeInstances", { Filters }, ({ Reservations = [] }) =>
    Reservations.flatMap(({ Instances = [] }) => Instances),
  );
