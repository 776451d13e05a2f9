/**
 * A simulated account with the production loop over it: what every simulation and story test
 * starts from. Time is virtual, calls go straight to the simulator's core.
 */
import { type Ec2, withPatience } from "../../src/aws/client";
import { createCloud } from "../../src/aws/cloud";
import { cloudErrorOf } from "../../src/aws/errors";
import { createInventory } from "../../src/aws/inventory";
import { createAnchorRegistry } from "../../src/aws/registry";
import { sweep } from "../../src/controller/sweep";
import type { Ledger } from "../../src/engine/model";
import type { Clock, Cloud, Registry } from "../../src/engine/ports";
import { type ConvergeOptions, converge, type Outcome } from "../../src/engine/reconcile";
import { fingerprint, type Spec, type SpecInput, specSchema } from "../../src/engine/spec";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/simulator";
import { Ec2Error } from "../../src/simulator/errors";

/** What may happen around a call: a crash, a look at what the loop does. */
export type CallHook = (action: string, input: object) => void;

export interface World {
  simulator: Simulator;
  ec2: Ec2;
  cloud: Cloud;
  registry: Registry;
  clock: Clock;
  hooks: { before: CallHook[]; after: CallHook[] };
}

/** Stands for the death of the process: nothing catches it. */
export class Crash extends Error {}

export function createWorld(options: SimulatorOptions = {}): World {
  const simulator = createSimulator(options);
  const hooks: World["hooks"] = { before: [], after: [] };
  const clock = {
    now: () => simulator.clock.now(),
    sleep: (milliseconds: number, signal?: AbortSignal) =>
      simulator.clock.sleep(milliseconds, signal).catch((error: unknown) => {
        if (signal?.aborted !== true) throw error;
      }),
  };
  const ec2 = withPatience(simulatedEc2(simulator, hooks), clock);
  return {
    simulator,
    ec2,
    cloud: createCloud(ec2, clock),
    registry: createAnchorRegistry(ec2),
    clock,
    hooks,
  };
}

function simulatedEc2(simulator: Simulator, hooks: World["hooks"]): Ec2 {
  const call = async (action: string, input: object) => {
    for (const hook of hooks.before) hook(action, input);
    try {
      const output = await simulator.request(action, { ...input });
      for (const hook of hooks.after) hook(action, input);
      return output;
    } catch (error) {
      if (error instanceof Crash) throw error;
      throw cloudErrorOf(action, asSdkError(error));
    }
  };
  return { call: call as Ec2["call"] };
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
