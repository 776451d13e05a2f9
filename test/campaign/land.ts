/**
 * What all of a campaign share: one account, one registry, the managed instances that people have
 * declared, what a bystander knows, and what has been counted. Every changing call is judged by the
 * same invariants as in the simulation.
 */
import { isReading } from "../../src/aws/reading";
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { ControllerRegistry } from "../../src/controller/registry";
import type { Ledger } from "../../src/engine/model";
import { fingerprint, type SpecInput } from "../../src/engine/spec";
import {
  createSimulator,
  DEFAULT_SUBNET_IDS,
  type RowSet,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator";
import { createRandom, type Random } from "../../src/simulator/random";
import { judgeCall } from "../simulation/invariants";
import { type Counts, createCounts } from "../simulation/scene";
import { type Identity, imageIds, newestSpec } from "../simulation/users";
import {
  allIds,
  createWitness,
  type Doomed,
  doomedBy,
  noteDeleted,
  type Witness,
} from "../simulation/witness";
import { type Connection, codeOf, connect, lostReply, parse } from "../simulation/world";

export interface CampaignOptions {
  instances: number;
  days: number;
  seed: number;
  /** Minutes between two snapshots, of which each managed instance draws one. */
  intervals?: readonly number[];
  /** Of the account, where it is not as published. */
  simulated?: Pick<SimulatorOptions, "keptCalls" | "latencies">;
  /** Told now and then how far it is. */
  progress?: (line: string) => void;
}

/** Most of a campaign's processor time is upkeep: rare snapshots let more instances live longer. */
export const defaultIntervals: readonly number[] = [5, 15, 60, 240];

export interface Land {
  options: CampaignOptions;
  simulator: Simulator;
  registry: ControllerRegistry;
  identities: Map<string, Identity>;
  witness: Witness;
  counts: Counts;
  /** When each instance began to end or stop, by EC2's events. */
  downSinceAt: ReadonlyMap<string, number>;
  /** The first invariant that did not hold: it ends the campaign. */
  violation: AbortController;
  random(stream: string): Random;
  now(): number;
  /** Resolves early when the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export function createLand(options: CampaignOptions): Land {
  const { instances, intervals = defaultIntervals, seed, simulated } = options;
  const simulator = createSimulator({
    ...{ seed, keptCalls: 0, ...simulated },
    clock: { kind: "virtual", quietTurns: 0 },
  });
  const now = () => simulator.clock.now();
  const random = (stream: string) => createRandom(seed, stream);
  const witness = createWitness(simulator);
  for (const id of allIds(witness.rows())) witness.foreign.add(id);
  witness.madeByUs = new AllBut(witness.foreign);
  const identities = Array.from({ length: instances }, (_, index) =>
    identityOf(index, drawSpec(random(`spec ${index}`), intervals), now()),
  );
  return {
    ...{ options, simulator, witness, random, now },
    registry: createMemoryControllerRegistry(),
    downSinceAt: noteEndings(simulator),
    identities: new Map(identities.map((identity) => [identity.id, identity])),
    counts: createCounts(),
    violation: new AbortController(),
    sleep: (milliseconds, signal) =>
      simulator.clock.sleep(Math.max(0, milliseconds), signal).catch((error: unknown) => {
        if (signal?.aborted !== true) throw error;
      }),
  };
}

function noteEndings({ control }: Simulator): ReadonlyMap<string, number> {
  const downSinceAt = new Map<string, number>();
  control.events.subscribe(({ "detail-type": type, detail, time }) => {
    const { "instance-id": id, state } = detail;
    if (type !== "EC2 Instance State-change Notification" || typeof id !== "string") return;
    if (state === "pending" || state === "running") downSinceAt.delete(id);
    else if (!downSinceAt.has(id)) downSinceAt.set(id, Date.parse(time));
  });
  return downSinceAt;
}

/** Nobody else makes anything in this account once the campaign has begun. */
class AllBut extends Set<string> {
  constructor(private readonly others: ReadonlySet<string>) {
    super();
  }

  override has(id: string): boolean {
    return !this.others.has(id);
  }
}

/** The process that creates all of them, as `pulumi up` would. */
export const creator = { host: "campaign", pid: 1 };

function identityOf(index: number, drawn: SpecInput, now: number): Identity {
  const id = `pmi-${(index + 1).toString(16).padStart(12, "0")}`;
  const spec = parse(drawn);
  const initial: Ledger = {
    ...{ id, phase: "creating", revision: 0, specVersion: 1 },
    creationKey: fingerprint(id),
    specFingerprint: fingerprint(spec),
    claim: { ...creator, touchedAt: now },
  };
  return { id, specs: [spec], initial };
}

function drawSpec(random: Random, intervals: readonly number[]): SpecInput {
  const types = ["m5.large", "m6i.large", "c5.large", "r5.large", "c6i.xlarge"];
  const first = random.below(types.length);
  const subnets = 1 + random.below(DEFAULT_SUBNET_IDS.length);
  return {
    imageId: imageIds[random.below(imageIds.length)] ?? "",
    instanceTypes: types.slice(first, first + 1 + random.below(types.length)),
    subnetIds: DEFAULT_SUBNET_IDS.slice(0, subnets),
    lifeCycle: random.chance(0.9) ? "spot" : "on_demand",
    fallbackToOnDemand: random.chance(0.8),
    persistPrivateIp: random.chance(0.7),
    snapshots: {
      intervalMinutes: intervals[random.below(intervals.length)],
      keep: 1 + random.below(3),
    },
    retentionHours: random.chance(0.5) ? { images: 0, snapshots: 24, volumes: 1 } : {},
  };
}

/** One way into the account, on which every changing call is judged and counted. */
export function enter(land: Land): Connection {
  const connection = connect(land.simulator);
  const { witness } = land;
  // Several calls are under way on one connection, each with its own input.
  const doomed = new Map<object, Doomed | undefined>();
  connection.hooks.before.push((action, input) => {
    if (/^(Delete|Deregister)/.test(action)) doomed.set(input, doomedBy(witness, action, input));
  });
  connection.hooks.settled.push((action, input, error) => {
    const code = error === undefined ? "ok" : codeOf(error);
    land.counts.add(isReading(action) ? "describes" : "calls", action);
    if (error !== undefined) land.counts.add("refusals", code);
    if (isReading(action)) return;
    const isCarriedOut = error === undefined || code === lostReply;
    const victim = doomed.get(input);
    doomed.delete(input);
    if (isCarriedOut && victim !== undefined) noteDeleted(witness, victim);
    const [anybody] = land.identities.values();
    const identity = land.identities.get(ownerOf(witness, input)) ?? anybody;
    if (identity === undefined) return;
    const spec = newestSpec(identity);
    const identities = [identity];
    try {
      judgeCall({ action, input, spec, witness, identities, doomed: victim, isCarriedOut });
    } catch (violation) {
      land.violation.abort(violation);
      throw violation;
    }
  });
  return connection;
}

/** Whose call it is: by its token or its tags, by what it deletes, or by what it works on. */
function ownerOf(witness: Witness, input: object): string {
  const text = JSON.stringify(input);
  const named = /pmi-[0-9a-f]{12}/.exec(text)?.[0];
  if (named !== undefined) return named;
  const ids = text.match(/\b(i|vol|snap|ami|eni)-[0-9a-f]+/g) ?? [];
  const { images, instances, interfaces, snapshots, volumes } = witness.rows();
  const tables: Record<string, () => RowSet<Row>> = {
    ...{ i: instances, vol: volumes, snap: snapshots, ami: images, eni: interfaces },
  };
  for (const id of ids) {
    const owner = tables[id.split("-")[0] ?? ""]?.().get(id)?.tags.get("pmi:id");
    if (owner !== undefined) return owner;
  }
  return "";
}

interface Row {
  tags: ReadonlyMap<string, string>;
}
