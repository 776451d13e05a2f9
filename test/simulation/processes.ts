/**
 * A process of ours as a simulation has it: its ways to the account, on which it dies and stands
 * still where the plan says so, and on which everything that it does is judged at once.
 */
import type { Claimant } from "../../src/aws/claimant";
import { isReading } from "../../src/aws/reading";
import type { Decision } from "../../src/engine/model";
import { describeStep } from "../../src/engine/reconcile";
import type { Spec } from "../../src/engine/spec";
import type { Random } from "../../src/simulator/random";
import { judgeCall } from "./invariants";
import type { Scene } from "./scene";
import { type Identity, newestSpec } from "./users";
import { allIds, type Doomed, doomedBy, noteDeleted, type Witness } from "./witness";
import { type Connection, Crash, codeOf, connect, lostReply } from "./world";

export interface Process {
  name: string;
  claimant: Claimant;
  random: Random;
  /** What is to happen to it, by its number of calls from when it was told. */
  dooms: Doom[];
  /** Until then it knows nothing newer. */
  staleUntil: number;
  /** How wrong its host's clock is, which it goes by until EC2's first answer. */
  hostAheadMs: number;
  known?: Order;
  /** Its ways to the account, with what they remember, until it dies. */
  connection?: Connection & { life: Life };
  abort: AbortController;
  /** What it last ended with. */
  last?: Ran & { beganAt: number };
}

/** What a run came to. */
export type Ending =
  | { kind: "done"; wakeAt: number }
  | { kind: "stuck" | "stopped" | "superseded"; reason: string };

export interface Ran {
  order: Order;
  ending: Ending;
}

export interface Order {
  identity: Identity;
  specVersion: number;
  deallocate: boolean;
}

/** From one start to the next: a dead process does nothing any more, a frozen one nothing yet. */
export interface Life {
  isDead: boolean;
  frozenUntil: number;
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

export function specOf(order: Order | undefined): Spec {
  if (order === undefined) throw new Error("nothing is being carried out");
  const { identity, specVersion } = order;
  return identity.specs[specVersion - 1] ?? newestSpec(identity);
}

export function noteDecision(scene: Scene, process: Process, decision: Decision): void {
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
export function connectProcess(scene: Scene, process: Process): Connection & { life: Life } {
  const connection = connect(scene.simulator, { wire: scene.plan.isWire });
  const { hooks } = connection;
  connection.jump(process.hostAheadMs);
  const life: Life = { isDead: false, frozenUntil: 0 };
  const die = (doom: Doom, text: string) => {
    life.isDead = true;
    throw new Crash(text, { cause: doom.forSeconds * 1000 });
  };
  let change: { doomed: Doomed | undefined; spec: Spec } | undefined;
  hooks.before.push(async (action, input) => {
    if (life.isDead) throw new Crash("dead already", { cause: 1000 });
    scene.countCall(callLimit);
    const doom = takeDoom(process, "before");
    if (doom?.kind === "freeze") {
      scene.counts.add("fault", "process stands still");
      scene.trace.add(process.name, `stands still ${doom.forSeconds} s before ${action}`);
      life.frozenUntil = scene.now() + doom.forSeconds * 1000;
      await scene.sleep(doom.forSeconds * 1000);
    } else if (doom !== undefined) {
      scene.counts.add("fault", "process dies");
      die(doom, `dies before ${action}`);
    }
    if (isReading(action)) return;
    const doomed = doomedBy(scene.witness, action, input);
    change = { doomed, spec: specOf(process.known) };
  });
  hooks.settled.push((action, input, error) => {
    const code = error === undefined ? "ok" : codeOf(error);
    if (error !== undefined) scene.counts.add("answer", code);
    if (change === undefined || isReading(action)) return;
    // The order that it was decided on: a newer one may have come in while the call was under way.
    const { doomed, spec } = change;
    change = undefined;
    scene.counts.add("call", action);
    scene.trace.add(process.name, `${action} ${briefly(input)} → ${code}`);
    const isCarriedOut = error === undefined || code === lostReply;
    const { identities } = scene.program;
    const { witness } = scene;
    if (isCreation(action)) noteMade(witness);
    if (isCarriedOut && doomed !== undefined) noteDeleted(witness, doomed);
    judgeCall({ action, input, spec, witness, identities, doomed, isCarriedOut });
  });
  hooks.after.push((action) => {
    const doom = takeDoom(process, "after");
    if (doom === undefined) return;
    scene.counts.add("fault", "process dies");
    die(doom, `dies after ${action}`);
  });
  return { ...connection, life };
}

/** Counted down at each call, before it; a death after a call is met once it has its answer. */
function takeDoom(process: Process, moment: "before" | "after"): Doom | undefined {
  if (moment === "before") for (const doom of process.dooms) doom.call -= 1;
  const wanted = (doom: Doom) => (doom.kind === "die-after" ? "after" : "before") === moment;
  const index = process.dooms.findIndex((doom) => doom.call <= 0 && wanted(doom));
  return index < 0 ? undefined : process.dooms.splice(index, 1)[0];
}

const isCreation = (action: string) => /^(Run|Register|Create(?!Tags))/.test(action);

function noteMade({ foreign, madeByUs, rows }: Witness): void {
  for (const id of allIds(rows())) if (!foreign.has(id)) madeByUs.add(id);
}

/** Ids and tag keys: enough to follow, short enough to read. */
function briefly(input: object): string {
  const { ClientToken, ImageId, Tags, ...rest } = input as Record<string, unknown>;
  const keys = Array.isArray(Tags) ? Tags.map((tag: { Key: string }) => tag.Key).join(",") : "";
  const ids = JSON.stringify(rest).match(/\b(i|vol|snap|ami|eni)-[0-9a-f]+/g) ?? [];
  return [ClientToken, ImageId, ...ids, keys].filter(Boolean).join(" ");
}
