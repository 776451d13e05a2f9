/**
 * What all actors of one simulation share: the account, the program, the trace, what a bystander
 * knows, and what has been counted.
 */
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { ControllerRegistry } from "../../src/controller/registry";
import {
  createSimulator,
  DEFAULT_SECURITY_GROUP_ID,
  DEFAULT_VPC_ID,
  type Simulator,
} from "../../src/simulator";
import type { Plan } from "./plan";
import { createTrace, type Trace } from "./trace";
import type { Program } from "./users";
import { createWitness, type Witness } from "./witness";
import { Violation } from "./world";

/** How often each thing of each kind happened. */
export interface Counts {
  add(kind: string, name: string, times?: number): void;
  of(kind: string): ReadonlyMap<string, number>;
}

export interface Scene {
  plan: Plan;
  simulator: Simulator;
  program: Program;
  trace: Trace;
  witness: Witness;
  counts: Counts;
  /** What all controlled processes share. */
  registry: ControllerRegistry;
  /** Identities whose end has been carried out. */
  ended: Set<string>;
  now(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  countCall(limit: number): void;
  isHealed(): boolean;
  isOver(): boolean;
  heal(): void;
  finish(): void;
}

export function createScene(plan: Plan): Scene {
  const { latencies, seed } = plan;
  const simulator = createSimulator({
    seed,
    latencies,
    keptCalls: 0,
    clock: { kind: "virtual", quietTurns: plan.isWire ? 1 : 0 },
  });
  const now = () => simulator.clock.now();
  let calls = 0;
  let stage: "phase 1" | "healed" | "over" = "phase 1";
  return {
    plan,
    simulator,
    program: { identities: [], securityGroupIds: groupsIn(simulator), now },
    trace: createTrace(now),
    witness: createWitness(simulator),
    counts: createCounts(),
    registry: createMemoryControllerRegistry(),
    ended: new Set(),
    now,
    sleep: (milliseconds, signal) =>
      simulator.clock.sleep(milliseconds, signal).catch((error: unknown) => {
        if (signal?.aborted !== true) throw error;
      }),
    countCall(limit) {
      calls += 1;
      if (calls > limit) throw new Violation(`(f) progress: more than ${limit} calls`);
    },
    isHealed: () => stage !== "phase 1",
    isOver: () => stage === "over",
    heal() {
      stage = "healed";
    },
    finish() {
      stage = "over";
    },
  };
}

/** The default one and one more. */
function groupsIn(simulator: Simulator): readonly string[] {
  const made = simulator.call("CreateSecurityGroup", {
    GroupName: "simulation",
    Description: "one more",
    VpcId: DEFAULT_VPC_ID,
  }) as { GroupId: string };
  return [DEFAULT_SECURITY_GROUP_ID, made.GroupId];
}

export function createCounts(): Counts {
  const kinds = new Map<string, Map<string, number>>();
  return {
    add(kind, name, times = 1) {
      const names = kinds.get(kind) ?? new Map<string, number>();
      kinds.set(kind, names.set(name, (names.get(name) ?? 0) + times));
    },
    of: (kind) => kinds.get(kind) ?? new Map(),
  };
}
