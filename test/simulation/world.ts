/**
 * A simulated account with the production loop over it: what every simulation and story test
 * starts from. Time is virtual, calls go straight to the simulator's core.
 */
import type { EC2ClientConfig } from "@aws-sdk/client-ec2";
import { createEc2, type Ec2, withPatience } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { createCloud } from "../../src/aws/cloud";
import { cloudErrorOf } from "../../src/aws/errors";
import { createInventory } from "../../src/aws/inventory";
import { createAnchorRegistry } from "../../src/aws/registry";
import { sweep } from "../../src/controller/sweep";
import type { Ledger } from "../../src/engine/model";
import { type Clock, type Cloud, CloudError, type Registry } from "../../src/engine/ports";
import { type ConvergeOptions, converge, type Outcome } from "../../src/engine/reconcile";
import { fingerprint, type Spec, type SpecInput, specSchema } from "../../src/engine/spec";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
  simulatorRequestHandler,
} from "../../src/simulator";
import { Ec2Error, LostReplyError } from "../../src/simulator/errors";

/** What may happen around a call: a crash, a delay, a look at what the loop does. */
export type CallHook = (action: string, input: object) => void | Promise<void>;

/** Told of every call once it has ended, also of one whose answer was lost. */
export type SettledHook = (action: string, input: object, error?: unknown) => void;

/** What one process has of the account: its own ways there, and what may happen to it on them. */
export interface Connection {
  ec2: Ec2;
  cloud: Cloud;
  registry: Registry;
  clock: Clock & { now(): number };
  /** Sets its own clock ahead, which it believes until EC2's next answer tells it better. */
  jump(aheadMs: number): void;
  hooks: { before: CallHook[]; settled: SettledHook[]; after: CallHook[] };
}

export interface World extends Connection {
  simulator: Simulator;
}

export const lostReply = "lost reply";

/** The code that EC2 answered with; through the wire a lost reply is a connection that broke. */
export function codeOf(error: unknown): string {
  const cause = error instanceof CloudError ? error.cause : error;
  if (cause instanceof LostReplyError) return lostReply;
  if (typeof cause !== "object" || cause === null || !("name" in cause)) return "unknown";
  return "code" in cause && cause.code === "ECONNRESET" ? lostReply : String(cause.name);
}

/** Stands for the death of the process: nothing catches it. */
export class Crash extends Error {}

/** An invariant does not hold. Never taken for an answer of EC2, so that nothing goes on after it. */
export class Violation extends Error {}

export function createWorld(options: SimulatorOptions = {}): World {
  const simulator = createSimulator(options);
  return { simulator, ...connect(simulator) };
}

let loading: Promise<unknown> | undefined;

/**
 * The SDK reads configuration files with the first request of a program. That takes real time, in
 * which virtual time would leap for everybody who sleeps, so it is done before anybody does.
 */
export function sdkIsLoaded(): Promise<unknown> {
  loading ??= connect(createSimulator(), { wire: true }).ec2.call("DescribeSubnets", {});
  return loading;
}

/** `wire`: through the SDK's own serialisation and EC2's wire protocol, without a socket. */
export function connect(simulator: Simulator, { wire = false } = {}): Connection {
  const hooks: Connection["hooks"] = { before: [], settled: [], after: [] };
  let aheadMs = 0;
  const clock = {
    now: () => simulator.clock.now() + aheadMs,
    sleep: (milliseconds: number, signal?: AbortSignal) =>
      simulator.clock.sleep(milliseconds, signal).catch((error: unknown) => {
        if (signal?.aborted !== true) throw error;
      }),
  };
  hooks.settled.push((_action, _input, error) => {
    if (error === undefined) aheadMs = 0;
  });
  const ec2 = wire
    ? hooked(wireEc2(simulator, clock), hooks)
    : withPatience(hooked(portEc2(simulator), hooks), clock);
  return {
    ...{ ec2, clock, hooks },
    cloud: createCloud(ec2, clock),
    registry: createAnchorRegistry(ec2),
    jump: (milliseconds) => {
      aheadMs = milliseconds;
    },
  };
}

function hooked(ec2: Ec2, hooks: Connection["hooks"]): Ec2 {
  return {
    async call(action, input) {
      for (const hook of hooks.before) await hook(action, input ?? {});
      const output = await settle(ec2.call(action, input), (error) => {
        for (const hook of hooks.settled) hook(action, input ?? {}, error);
      });
      try {
        for (const hook of hooks.after) await hook(action, input ?? {});
      } catch (error) {
        const isFinal = error instanceof Crash || error instanceof Violation;
        throw isFinal ? error : cloudErrorOf(action, error);
      }
      return output;
    },
  };
}

async function settle<T>(call: Promise<T>, tell: (error?: unknown) => void): Promise<T> {
  const output = await call.catch((error: unknown) => {
    tell(error);
    throw error;
  });
  tell();
  return output;
}

function portEc2(simulator: Simulator): Ec2 {
  const call = async (action: string, input: object) => {
    try {
      return await simulator.request(action, { ...input });
    } catch (error) {
      throw cloudErrorOf(action, asSdkError(error));
    }
  };
  return { call: call as Ec2["call"] };
}

const wireEc2 = (simulator: Simulator, clock: Connection["clock"]): Ec2 =>
  createEc2(
    {
      region: simulator.region,
      requestHandler: simulatorRequestHandler(simulator),
      credentials: { accessKeyId: "simulated", secretAccessKey: "simulated" },
      signer: unsigned,
    },
    new VirtualAwsClock(clock),
  );

const day = "20260101/eu-central-1/ec2/aws4_request";
const authorization = `AWS4-HMAC-SHA256 Credential=simulated/${day}, SignedHeaders=host, Signature=${"0".repeat(64)}`;

/** In the form of a signature: a true one takes an eighth of such a story's time, and is the SDK's matter. */
const unsigned: EC2ClientConfig["signer"] = {
  sign: async (request) => ({ ...request, headers: { ...request.headers, authorization } }),
};

/** The patience of the real client waits in virtual time here. */
class VirtualAwsClock extends AwsClock {
  constructor(private readonly virtual: Connection["clock"]) {
    super();
  }

  override now(): number {
    return this.virtual.now();
  }

  override sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return this.virtual.sleep(milliseconds, signal);
  }
}

function asSdkError(error: unknown): unknown {
  if (!(error instanceof Ec2Error)) return error;
  const { name, message, statusCode } = error;
  return { name, message, $metadata: { httpStatusCode: statusCode } };
}

export const parse = (input: SpecInput): Spec => specSchema.parse(input);

let made = 0;

/** The ledger of a managed instance that is to be created. */
export function firstLedger(
  world: World,
  spec: Spec,
  id = `pmi-${(++made).toString(16).padStart(12, "0")}`,
): Ledger {
  return {
    id,
    creationKey: fingerprint(id),
    phase: "creating",
    revision: 0,
    specVersion: 1,
    specFingerprint: fingerprint(spec),
    claim: { host: "test", pid: 1, touchedAt: world.simulator.clock.now() },
  };
}

export type RunOptions = Pick<ConvergeOptions, "id" | "spec" | "specVersion"> &
  Partial<ConvergeOptions>;

export function run(world: World, options: RunOptions): Promise<Outcome> {
  const { cloud, registry, clock } = world;
  return converge({ cloud, registry, clock, claimant: { host: "test", pid: 1 }, ...options });
}

export function sweepAll(world: World) {
  return sweep({ ...world, inventory: createInventory(world.ec2) });
}
