/**
 * observe → decide → act, until done, stuck or told to stop. The only impure file of the engine,
 * and it holds no knowledge of EC2: any number of these loops may run at once on one managed
 * instance, and any of them may die between any two calls.
 */
import { isDeepStrictEqual } from "node:util";
import { decide } from "./decide";
import { type Job, Memory, staleAfterMs } from "./memory";
import type { Asked, Decision, Ledger, Observation, Step } from "./model";
import {
  type Clock,
  type Cloud,
  CloudError,
  type CloudStep,
  isFinal,
  type Meaning,
  type Registry,
  watchedState,
} from "./ports";
import { settleSeconds } from "./situation";

export interface ProgressEvent {
  kind: "step" | "wait" | "warning";
  message: string;
}

export interface ConvergeOptions extends Job {
  specVersion: number;
  cloud: Cloud;
  registry: Registry;
  clock: Clock;
  /** Ends the managed instance instead: what `pulumi destroy` asks for. */
  deallocate?: boolean;
  /** What people asked for beside the spec; what is fulfilled may be asked for again without harm. */
  asked?: Asked;
  /** How many times longer upkeep may take because the account carries no more; default 1. */
  stretch?: number;
  claimant?: { host: string; pid: number };
  /** Stops at the next safe point. */
  signal?: AbortSignal;
  /** Epoch ms by AWS's clock. */
  deadlineAt?: number;
  progress?: (event: ProgressEvent) => void;
  /** Told of each decision before it is carried out. */
  decided?: (decision: Decision) => void;
}

interface Seen {
  observation?: Observation;
  ledger?: Ledger;
}

export type Outcome = Seen &
  (
    | { kind: "done"; observation: Observation; ledger: Ledger; wakeAt: number }
    | { kind: "stuck"; reason: string; remedy: string }
    | { kind: "superseded"; reason: string }
    | { kind: "stopped"; why: "aborted" | "timed-out"; reason: string }
  );

const backoffMs = { first: 1000, longest: 15_000 };

export async function converge(options: ConvergeOptions): Promise<Outcome> {
  const memory = new Memory(options);
  for (;;) {
    const stopped = stopOf(options, memory);
    if (stopped !== undefined) return stopped;
    const beganAt = options.cloud.now();
    const looked = await look(options, memory);
    if (looked === undefined || memory.isTorn(options.cloud.now() - beganAt)) continue;
    const { ledger, observation } = looked;
    if (ledger === undefined) return unknownHere(options);
    const { spec, specVersion, deallocate, asked, claimant, cloud } = options;
    const now = cloud.now();
    const { stretch } = options;
    const question = {
      ...{ spec, specVersion, deallocate, asked, stretch },
      ...{ ledger, observation, now, claimant },
    };
    const decision = decide(question);
    options.decided?.(decision);
    memory.lastReason = "reason" in decision ? decision.reason : decision.rule;
    switch (decision.kind) {
      case "act":
        await act(options, memory, decision, now);
        break;
      case "wait":
        await wait(options, memory, decision);
        break;
      case "done":
        return { kind: "done", observation, ledger, wakeAt: decision.wakeAt };
      case "stuck":
        return { ...decision, observation, ledger };
      case "superseded":
        return { ...decision, observation, ledger };
    }
  }
}

const unknownHere = ({ id }: ConvergeOptions): Outcome => ({
  kind: "stuck",
  reason: `${id} is not known in this account and Region`,
  remedy: "check the credentials and the Region",
});

function stopOf(options: ConvergeOptions, memory: Memory): Outcome | undefined {
  const seen = {
    observation: memory.observation,
    ledger: memory.ledger,
    reason: memory.lastReason,
  };
  if (options.signal?.aborted === true) return { kind: "stopped", why: "aborted", ...seen };
  const isLate = options.deadlineAt !== undefined && options.cloud.now() >= options.deadlineAt;
  return isLate ? { kind: "stopped", why: "timed-out", ...seen } : undefined;
}

/** Observes; undefined when EC2 gave no answer, after a pause. Refusals of permission are thrown. */
async function look(options: ConvergeOptions, memory: Memory) {
  const { cloud, registry, id } = options;
  try {
    const facts = await cloud.observe(memory.query(cloud.now()));
    const known = await registry.load(id, facts.anchors);
    const ledger = memory.newestLedger(known);
    const observation = memory.complete(facts, cloud.now());
    memory.failures = 0;
    return { ledger, observation };
  } catch (error) {
    if (!(error instanceof CloudError) || isFinal(error)) throw error;
    await pauseAfterFailure(options, memory, error.message);
    return undefined;
  }
}

/** Told from the third on: of looks that fail in a row, or of one decision that is not carried out. */
async function pauseAfterFailure(options: ConvergeOptions, memory: Memory, message: string) {
  const pauseMs = Math.min(backoffMs.first * 2 ** memory.failures, backoffMs.longest);
  memory.failures += 1;
  const isTold = memory.failures > 2 || memory.repeats > 1;
  if (isTold) options.progress?.({ kind: "wait", message });
  await options.clock.sleep(pauseMs, options.signal);
}

type Act = Extract<Decision, { kind: "act" }>;
type Wait = Extract<Decision, { kind: "wait" }>;

/** Performs the steps in order and stops at the first that EC2 does not confirm. */
async function act(options: ConvergeOptions, memory: Memory, decision: Act, decidedAt: number) {
  const { cloud, signal } = options;
  await pauseBeforeRepeat(options, memory, decision);
  for (const step of decision.steps) {
    if (signal?.aborted === true) return;
    if (cloud.now() - decidedAt > staleAfterMs) return;
    options.progress?.({ kind: "step", message: describeStep(step) });
    if (!(await perform(options, memory, step))) return;
  }
}

/** EC2 may not show yet what the same decision did a moment ago (ec2-facts §9). */
async function pauseBeforeRepeat(options: ConvergeOptions, memory: Memory, decision: Act) {
  const isRepeat = isDeepStrictEqual(memory.lastSteps, essentials(decision.steps));
  memory.lastSteps = essentials(decision.steps);
  memory.repeats = isRepeat ? memory.repeats + 1 : 0;
  if (memory.repeats === 0) return;
  const pauseMs = Math.min(backoffMs.first * 2 ** (memory.repeats - 1), backoffMs.longest);
  await options.clock.sleep(pauseMs, options.signal);
}

/** What makes two steps the same; a ledger's revision and a tag's instant do not. */
const essentials = (steps: readonly Step[]): unknown[] =>
  steps.map((step) => {
    if (step.kind === "record") return step.kind;
    if (step.kind === "tag") return [step.kind, step.resourceIds];
    if (step.kind === "create-anchor") return [step.kind, step.subnetId, step.privateIp];
    return step;
  });

async function perform(options: ConvergeOptions, memory: Memory, step: Step): Promise<boolean> {
  const { cloud, registry } = options;
  try {
    if (step.kind === "record") {
      await registry.save(step.ledger, step.interfaceId);
      memory.remember(step.ledger);
      return true;
    }
    const outcome = await cloud.perform(step);
    if (outcome.kind === "done") {
      memory.forgetRefusal(keyOf(step));
      memory.rememberCreated(step, outcome.created?.id, cloud.now());
      memory.rememberDeleted(deletedBy(step));
      return true;
    }
    return await meetRefusal(options, memory, step, outcome);
  } catch (error) {
    if (!(error instanceof CloudError) || isFinal(error)) throw error;
    await pauseAfterFailure(options, memory, error.message);
    return false;
  }
}

type Refused = Extract<Awaited<ReturnType<Cloud["perform"]>>, { kind: "refused" }>;

async function meetRefusal(
  options: ConvergeOptions,
  memory: Memory,
  step: CloudStep,
  refused: Refused,
): Promise<boolean> {
  const { cloud } = options;
  if (step.kind === "launch" && memory.rememberRefusal(step, refused, cloud.now())) {
    options.progress?.({ kind: "wait", message: refused.message });
    return false;
  }
  if (step.kind === "create-anchor" && refused.meaning === "no-capacity") {
    memory.rememberFullSubnet(step.subnetId, cloud.now());
    options.progress?.({ kind: "wait", message: refused.message });
    return false;
  }
  const doomedId = deletedBy(step);
  if (doomedId !== undefined && cannotBeDeleted(refused.meaning)) {
    memory.rememberUndeletable(doomedId);
    options.progress?.({ kind: "warning", message: `${describeStep(step)}: ${refused.message}` });
    return true;
  }
  switch (refused.meaning) {
    case "denied":
      throw refusedFor(step, refused);
    case "invalid":
      // What was right when it was looked at may be wrong by now: believed of a decision made twice.
      if (memory.repeats > 0) throw refusedFor(step, refused);
      await pauseAfterFailure(options, memory, refused.message);
      return false;
    case "not-found":
    case "in-use":
    case "duplicate":
    case "token-mismatch":
      // EC2's lag is over by then: somebody must do something, and must be told.
      if (memory.isRefusedForGood(keyOf(step), cloud.now()))
        throw refusedFor(step, { ...refused, meaning: "invalid" });
      // What was to be deleted or tagged is gone already, or not to be seen yet: look again.
      await pauseAfterFailure(options, memory, refused.message);
      return step.kind.startsWith("delete") || step.kind.startsWith("deregister");
    default:
      await pauseAfterFailure(options, memory, `${describeStep(step)}: ${refused.message}`);
      return false;
  }
}

const keyOf = (step: Step) => JSON.stringify(essentials([step]));

const refusedFor = (step: Step, { meaning, message }: Refused) =>
  new CloudError(meaning, `${describeStep(step)}: ${message}`);

/**
 * Between two polls a twentieth of the time waited so far passes, within these limits: a short wait
 * loses little and a long one costs few calls, of which an account has 20 a second (ec2-facts §7).
 */
const pollMs = { share: 1 / 20, shortest: 500, longest: 5000, whileUp: 10_000 };

/** Somebody's image of our snapshot, or a lock: the sweep tries again later (ec2-facts §3, §6). */
export const cannotBeDeleted = (meaning: Meaning) => meaning === "in-use" || meaning === "invalid";

/** The image, snapshot or volume that a step deletes. */
export function deletedBy(step: Step): string | undefined {
  switch (step.kind) {
    case "deregister-image":
      return step.imageId;
    case "delete-snapshot":
      return step.snapshotId;
    case "delete-volume":
      return step.volumeId;
    default:
      return undefined;
  }
}

/** Polls the one watched resource until its state changes, or until it has not been shown for a while. */
async function wait(options: ConvergeOptions, memory: Memory, decision: Wait): Promise<void> {
  const { cloud, clock, signal, deadlineAt } = options;
  options.progress?.({ kind: "wait", message: decision.reason });
  const { watch } = decision;
  const untilAt = Math.min(decision.untilAt, deadlineAt ?? decision.untilAt);
  const leftMs = () => Math.max(0, untilAt - cloud.now());
  if (watch.kind === "time") return clock.sleep(leftMs(), signal);
  const seen = memory.observation && watchedState(memory.observation, watch);
  const sinceAt = memory.waitsSince(watch, cloud.now());
  let shownAt = cloud.now();
  while (leftMs() > 0 && signal?.aborted !== true) {
    const pauseMs = pollPauseMs(watch, cloud.now() - sinceAt);
    await clock.sleep(Math.min(pauseMs, leftMs()), signal);
    const state = await glance(options, memory, decision);
    if (state !== undefined && state !== seen) return;
    if (state !== undefined) shownAt = cloud.now();
    if (cloud.now() - shownAt > settleSeconds * 1000) return;
  }
}

/** Nobody is down while the status checks of a running instance are awaited. */
function pollPauseMs(watch: Wait["watch"], elapsedMs: number): number {
  if (watch.kind === "instance" && watch.until === "health-change") return pollMs.whileUp;
  return Math.min(Math.max(pollMs.shortest, elapsedMs * pollMs.share), pollMs.longest);
}

async function glance(options: ConvergeOptions, memory: Memory, decision: Wait) {
  try {
    return await options.cloud.glance(decision.watch);
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    await pauseAfterFailure(options, memory, error.message);
    return undefined;
  }
}

/** A step in words, without anything that could be secret. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "record":
      return "recording in the ledger";
    case "create-anchor":
      return `creating the network interface in ${step.subnetId}`;
    case "delete-anchor":
      return `deleting network interface ${step.interfaceId}`;
    case "set-security-groups":
      return `setting the security groups of ${step.interfaceId}`;
    case "launch":
      return `launching generation ${step.generation} from ${step.imageId} as ${step.pool.market} ${step.pool.instanceType}`;
    case "terminate":
      return `terminating ${step.instanceId} (${step.reason})`;
    case "keep-root":
      return `keeping the root volume of ${step.instanceId} past its termination`;
    case "create-snapshot":
      return `snapshotting ${step.volumeId} (${step.provenance.operation.split(":")[0]})`;
    case "register-image":
      return `registering an image of ${step.snapshotId}`;
    case "tag":
      return `tagging ${step.resourceIds.join(", ")}`;
    case "untag":
      return `untagging ${step.resourceIds.join(", ")}`;
    case "deregister-image":
      return `deregistering ${step.imageId}`;
    case "delete-snapshot":
      return `deleting ${step.snapshotId}`;
    case "delete-volume":
      return `deleting ${step.volumeId}`;
  }
}
