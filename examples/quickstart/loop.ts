/**
 * A plain loop over `converge` in the background: it answers interruptions and takes the periodic
 * snapshots while no `pulumi up` runs. Like `pulumi up` it keeps its ledger on the network
 * interface's tags, so each knows what the other did. While a newer specification than the one it
 * was told is being carried out, it stands back.
 */
import type { Ec2 } from "../../src/aws/client";
import type { AwsClock } from "../../src/aws/clock";
import { createCloud } from "../../src/aws/cloud";
import { createAnchorRegistry } from "../../src/aws/registry";
import { describeFacts, type Facts } from "../../src/engine/facts";
import type { Ledger } from "../../src/engine/model";
import { converge, type Outcome, type ProgressEvent } from "../../src/engine/reconcile";
import { fingerprint, type Spec } from "../../src/engine/spec";

export interface Loop {
  /** What to carry out from now on, as the last `pulumi up` left it. */
  follow(spec: Spec): void;
  /** Looks as soon as it can. */
  wake(): void;
  /** Looks as soon as it can; resolves when all is as it should be. */
  look(): Promise<Facts>;
  /** Ends at the next safe point. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  id: string;
  ec2: Ec2;
  clock: AwsClock;
  progress: (event: ProgressEvent) => void;
}

/** Events are hints and may be lost (ec2-facts §8): it looks this often without any. */
const longestSleepMs = 60_000;

export function startLoop(options: LoopOptions, first: Spec): Loop {
  const stop = new AbortController();
  const pass = createPass(options, stop.signal);
  let spec = first;
  let waiters: Waiter[] = [];
  let nap = new AbortController();

  const run = async () => {
    while (!stop.signal.aborted) {
      const asked = waiters;
      waiters = [];
      // Whoever asks from now on cuts the nap after this pass short, and gets the next one.
      nap = new AbortController();
      const outcome = await pass(spec);
      if (outcome?.kind === "done") answer(asked, outcome);
      else if (outcome?.kind === "stuck") refuse(asked, new Error(outcome.reason));
      else waiters.push(...asked);
      if (!stop.signal.aborted)
        await options.clock.sleep(pauseMs(outcome, options.clock.now()), nap.signal);
    }
  };
  const running = run();
  // Told to whoever waits, or by stop().
  running.catch((error: unknown) => refuse(waiters, error));
  return {
    follow(newest) {
      spec = newest;
      nap.abort();
    },
    wake: () => nap.abort(),
    look: () =>
      new Promise((resolve, reject) => {
        if (stop.signal.aborted) throw new Error("the loop was stopped");
        waiters.push({ resolve, reject });
        running.catch(reject);
        nap.abort();
      }),
    async stop() {
      stop.abort();
      nap.abort();
      await running;
      refuse(waiters, new Error("the loop was stopped"));
    },
  };
}

interface Waiter {
  resolve: (facts: Facts) => void;
  reject: (error: unknown) => void;
}

type Done = Extract<Outcome, { kind: "done" }>;

function answer(asked: readonly Waiter[], { ledger, observation }: Done): void {
  const facts = describeFacts(observation, ledger);
  for (const { resolve } of asked) resolve(facts);
}

function refuse(asked: readonly Waiter[], error: unknown): void {
  for (const { reject } of asked) reject(error);
}

/** One run of the production loop, under the version that the ledger has for the specification. */
function createPass({ clock, ec2, id, progress }: LoopOptions, signal: AbortSignal) {
  const cloud = createCloud(ec2, clock);
  const registry = createAnchorRegistry(ec2);
  return async (spec: Spec): Promise<Outcome | undefined> => {
    const { anchors } = await cloud.observe({ ...spec, id, wantsSpotMarket: false });
    const ledger = await registry.load(id, anchors);
    if (ledger === undefined || !isInForce(ledger, spec)) return undefined;
    const { specVersion } = ledger;
    return converge({ id, spec, specVersion, cloud, registry, clock, signal, progress });
  };
}

/** Otherwise somebody carries something newer out, or ends it. */
const isInForce = ({ phase, specFingerprint }: Ledger, spec: Spec) =>
  phase === "active" && specFingerprint === fingerprint(spec);

function pauseMs(outcome: Outcome | undefined, now: number): number {
  const wakeAt = outcome?.kind === "done" ? outcome.wakeAt : now + longestSleepMs;
  return Math.min(Math.max(1000, wakeAt - now), longestSleepMs);
}
