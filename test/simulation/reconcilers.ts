/**
 * The processes that carry the program out: the production loop, again and again, each with the
 * specification that it happens to know, dying and standing still where the plan says so.
 */
import type { Decision } from "../../src/engine/model";
import { CloudError } from "../../src/engine/ports";
import { converge, describeStep, type Outcome } from "../../src/engine/reconcile";
import type { Spec } from "../../src/engine/spec";
import type { Random } from "../../src/simulator/random";
import { judgeCall } from "./invariants";
import type { Scene } from "./scene";
import { type Identity, newestSpec } from "./users";
import { allIds, find } from "./witness";
import { type Connection, Crash, connect, Violation } from "./world";

export interface Process {
  name: string;
  random: Random;
  /** What is to happen to it, by its number of calls from when it was told. */
  dooms: Doom[];
  /** Until then it knows nothing newer. */
  staleUntil: number;
  known?: Order;
  /** Its ways to the account, with what they remember, until it dies. */
  connection?: Connection;
  abort: AbortController;
  /** What it last ended with. */
  last?: { order: Order; outcome: Outcome; beganAt: number };
}

export interface Order {
  identity: Identity;
  specVersion: number;
  deallocate: boolean;
}

export interface Doom {
  kind: "die-before" | "die-after" | "freeze";
  call: number;
  forSeconds: number;
}

const callLimit = 40_000;

export function newestOrder(identity: Identity): Order {
  const deallocate = identity.destroyedAt !== undefined;
  return { identity, specVersion: identity.specs.length, deallocate };
}

/** Runs until the scene is over. A violation ends it at once. */
export async function runProcess(scene: Scene, process: Process): Promise<void> {
  while (!scene.isOver()) {
    const order = orderOf(scene, process);
    const beganAt = scene.now();
    try {
      const outcome = await carryOut(scene, process, order);
      process.last = { order, outcome, beganAt };
      scene.trace.add(process.name, `ends ${endText(outcome)}`);
      await scene.sleep(pauseMs(scene, process, outcome), process.abort.signal);
    } catch (error) {
      if (error instanceof CloudError)
        throw new Violation(`(f) progress: the loop gave up: ${error.message}`, { cause: error });
      if (!(error instanceof Crash)) throw error;
      process.connection = undefined;
      scene.trace.add(process.name, error.message);
      await scene.sleep(scene.isHealed() ? 1000 : Number(error.cause));
    }
  }
}

/** Now and then it goes on with an identity that is not the newest, until that has ended. */
function orderOf(scene: Scene, process: Process): Order {
  const { identities } = scene.program;
  const newest = identities.at(-1);
  const unended = identities.filter(({ id }) => !scene.ended.has(id));
  const mayBeStale = process.known !== undefined && scene.now() < process.staleUntil;
  if (mayBeStale && !scene.isHealed()) return process.known as Order;
  const identity = unended[process.random.below(unended.length)] ?? newest;
  if (identity === undefined) throw new Error("the program has said nothing yet");
  process.known = newestOrder(identity);
  return process.known;
}

function specOf(order: Order | undefined): Spec {
  if (order === undefined) throw new Error("nothing is being carried out");
  const { identity, specVersion } = order;
  return identity.specs[specVersion - 1] ?? newestSpec(identity);
}

async function carryOut(scene: Scene, process: Process, order: Order): Promise<Outcome> {
  const { deallocate, identity, specVersion } = order;
  process.connection ??= connectProcess(scene, process);
  process.abort = new AbortController();
  scene.trace.add(
    process.name,
    `carries out ${identity.id} version ${specVersion}${deallocate ? ", deallocating" : ""}`,
  );
  const { cloud, clock, registry } = process.connection;
  return converge({
    id: identity.id,
    spec: specOf(order),
    specVersion,
    deallocate,
    initial: identity.initial,
    cloud,
    clock,
    registry,
    claimant: { host: "test", pid: 1 },
    deadlineAt: scene.now() + (5 + process.random.below(20)) * 60_000,
    signal: process.abort.signal,
    decided: (decision) => noteDecision(scene, process, decision),
  });
}

function noteDecision(scene: Scene, process: Process, decision: Decision): void {
  const { counts, trace } = scene;
  counts.add("rule", decision.rule);
  const what =
    decision.kind === "act"
      ? decision.steps.map(describeStep).join("; ")
      : "reason" in decision
        ? decision.reason
        : "";
  trace.add(process.name, `${decision.kind}: ${decision.rule}${what && ` (${what})`}`);
  if (decision.kind === "act") for (const step of decision.steps) counts.add("step", step.kind);
}

/** Everything that we do to the account passes here, and what must hold is asked at once. */
function connectProcess(scene: Scene, process: Process): Connection {
  const connection = connect(scene.simulator, { wire: scene.plan.isWire });
  const { hooks } = connection;
  const life = { isDead: false };
  const die = (doom: Doom, text: string) => {
    life.isDead = true;
    throw new Crash(text, { cause: doom.forSeconds * 1000 });
  };
  let doomed: ReturnType<typeof doomedOf>;
  hooks.before.push(async (action, input) => {
    if (life.isDead) throw new Crash("dead already", { cause: 1000 });
    scene.countCall(callLimit);
    const doom = takeDoom(process, "before");
    if (doom?.kind === "freeze") {
      scene.counts.add("fault", "process stands still");
      scene.trace.add(process.name, `stands still ${doom.forSeconds} s before ${action}`);
      await scene.sleep(doom.forSeconds * 1000);
    } else if (doom !== undefined) {
      scene.counts.add("fault", "process dies");
      die(doom, `dies before ${action}`);
    }
    if (isChange(action)) doomed = doomedOf(scene, input);
  });
  hooks.settled.push((action, input, error) => {
    const code = error === undefined ? "ok" : codeOf(error);
    if (error !== undefined) scene.counts.add("answer", code);
    if (!isChange(action)) return;
    scene.counts.add("call", action);
    scene.trace.add(process.name, `${action} ${briefly(input)} → ${code}`);
    noteMade(scene, doomed);
    const isCarriedOut = error === undefined || code === "LostReplyError";
    const { identities } = scene.program;
    const { witness } = scene;
    const spec = specOf(process.known);
    judgeCall({ action, input, spec, witness, identities, doomed, isCarriedOut });
    doomed = undefined;
  });
  hooks.after.push((action) => {
    const doom = takeDoom(process, "after");
    if (doom === undefined) return;
    scene.counts.add("fault", "process dies");
    die(doom, `dies after ${action}`);
  });
  return connection;
}

const isChange = (action: string) => !/^(Describe|Get)/.test(action);

/** Counted down at each call, before it; a death after a call is met once it has its answer. */
function takeDoom(process: Process, moment: "before" | "after"): Doom | undefined {
  if (moment === "before") for (const doom of process.dooms) doom.call -= 1;
  const wanted = (doom: Doom) => (doom.kind === "die-after" ? "after" : "before") === moment;
  const index = process.dooms.findIndex((doom) => doom.call <= 0 && wanted(doom));
  return index < 0 ? undefined : process.dooms.splice(index, 1)[0];
}

function doomedOf({ witness }: Scene, input: object) {
  const { SnapshotId, VolumeId, Description } = input as Record<string, string | undefined>;
  if (Description !== undefined) return undefined;
  if (SnapshotId !== undefined) return find(witness.rows().snapshots(), SnapshotId);
  return VolumeId === undefined ? undefined : find(witness.rows().volumes(), VolumeId);
}

function noteMade({ witness }: Scene, doomed: ReturnType<typeof doomedOf>): void {
  const { deletedByUs, foreign, madeByUs, rows, unfinished } = witness;
  for (const id of allIds(rows())) if (!foreign.has(id)) madeByUs.add(id);
  if (doomed === undefined) return;
  deletedByUs.add(doomed.id);
  if ("volumeId" in doomed && doomed.state !== "completed") unfinished.add(doomed.volumeId);
}

function codeOf(error: unknown): string {
  const cause = error instanceof CloudError ? error.cause : error;
  if (typeof cause !== "object" || cause === null || !("name" in cause)) return "unknown";
  return "code" in cause && cause.code === "ECONNRESET" ? "LostReplyError" : String(cause.name);
}

/** Ids and tag keys: enough to follow, short enough to read. */
function briefly(input: object): string {
  const { ClientToken, ImageId, Tags, ...rest } = input as Record<string, unknown>;
  const keys = Array.isArray(Tags) ? Tags.map((tag: { Key: string }) => tag.Key).join(",") : "";
  const ids = JSON.stringify(rest).match(/\b(i|vol|snap|ami|eni)-[0-9a-f]+/g) ?? [];
  return [ClientToken, ImageId, ...ids, keys].filter(Boolean).join(" ");
}

function endText(outcome: Outcome): string {
  if (outcome.kind === "done") return "done";
  const text = `${outcome.kind}: ${outcome.reason}`;
  if (outcome.reason === "") throw new Violation("(f) progress: it ended without a reason");
  return text;
}

/** Short enough to meet what others do, long enough that most looks find something to do. */
const longestPauseMs = 600_000;

function pauseMs(scene: Scene, process: Process, outcome: Outcome): number {
  const drawnMs = 1000 + process.random.below(longestPauseMs);
  if (outcome.kind !== "done") return Math.min(drawnMs, 30_000);
  return Math.max(1000, Math.min(outcome.wakeAt - scene.now(), drawnMs));
}
