/**
 * Waits until an order is fulfilled, and tells what happens meanwhile. Where nobody else is at work
 * the command does the work itself, under the same lease as a controller; so it never just hangs.
 */
import { holderOf } from "../aws/claimant";
import type { ControllerRegistry, Entry, HistoryEvent } from "../controller/registry";
import { type WorkResult, work } from "../controller/worker";
import { messageOf } from "../engine/error-text";
import type { Account } from "./account";
import type { Invocation } from "./invocation";
import { lookWith, type Seen } from "./look";
import type { Order } from "./orders";

export type Followed =
  | { kind: "fulfilled"; seen: Seen }
  | { kind: "stuck"; reason: string; remedy?: string }
  | { kind: "failed"; error: unknown }
  | { kind: "gone" }
  | { kind: "timed-out"; reason: string }
  | { kind: "interrupted" };

export interface FollowOptions {
  invocation: Pick<Invocation, "claimant" | "signal" | "terminal">;
  account: Account;
  registry: ControllerRegistry;
  id: string;
  order: Order;
  /** Epoch ms by AWS's clock: when it was asked for. */
  askedAt: number;
  deadlineAt: number;
  /** Told of everything that is written down meanwhile, once. */
  tell(event: HistoryEvent): void;
}

const pollMs = 1000;
/** Between two looks at EC2 when only EC2 can tell. */
const lookEveryMs = 5000;

export async function follow(options: FollowOptions): Promise<Followed> {
  const hands = new Hands(options);
  const tail = new Tail(options);
  const eyes = new Eyes(options);
  try {
    for (;;) {
      const entry = await options.registry.get(options.id);
      await tail.tellNews();
      // What this process works on has not ended before its work has.
      const told = hands.isBusy() ? undefined : await eyes.verdictOn(entry);
      const verdict = hands.failure() ?? told ?? over(options, entry);
      if (verdict !== undefined) return verdict;
      if (entry !== undefined) hands.takeUp(entry);
      await options.account.clock.sleep(pollMs, options.invocation.signal);
    }
  } finally {
    await hands.letGo();
    await tail.tellNews();
  }
}

function over({ account, deadlineAt, invocation }: FollowOptions, entry: Entry | undefined) {
  if (invocation.signal.aborted) return { kind: "interrupted" as const };
  if (account.clock.now() < deadlineAt) return undefined;
  const reason = entry?.standing?.reason ?? "nobody has looked at it yet";
  return { kind: "timed-out" as const, reason };
}

/** Does the work where nobody else does. */
class Hands {
  private working: Promise<void> | undefined;
  private failed: Extract<Followed, { kind: "failed" }> | undefined;
  private readonly stop = new AbortController();
  private readonly holder: string;

  constructor(private readonly options: FollowOptions) {
    this.holder = holderOf(options.invocation.claimant);
  }

  isBusy(): boolean {
    return this.working !== undefined;
  }

  failure(): Followed | undefined {
    return this.failed;
  }

  /** Only what is due and free: a refusal of EC2's has its pause, and another holder its turn. */
  takeUp(entry: Entry): void {
    const { account, invocation } = this.options;
    const now = account.clock.now();
    const isFree = entry.lease === undefined || entry.lease.untilAt <= now;
    if (this.working !== undefined) return;
    if (!isFree) invocation.terminal.pass(`${entry.lease?.holder} is at work on it`);
    else if (entry.dueAt <= now)
      this.working = this.work().then((result) => {
        this.working = undefined;
        if (result.kind === "failed") this.failed = { kind: "failed", error: result.error };
      });
  }

  private work(): Promise<WorkResult> {
    const { account, deadlineAt, id, invocation, registry } = this.options;
    const { anchors, clock, cloud } = account;
    const { claimant, terminal } = invocation;
    const signal = AbortSignal.any([invocation.signal, this.stop.signal]);
    const deps = { anchors, claimant, clock, cloud, deadlineAt, registry, signal };
    const report = (_id: string, what: string, error: unknown) =>
      terminal.note(`${what}: ${messageOf(error)}`);
    const progress = ({ message }: { message: string }) => terminal.pass(message);
    return work(id, { ...deps, holder: this.holder, report }, { progress });
  }

  /** At the next safe point, and with the lease given back. */
  async letGo(): Promise<void> {
    this.stop.abort();
    await this.working;
    this.options.invocation.terminal.clear();
  }
}

/** Judges by EC2 itself, where the registry says that it may be so far. */
class Eyes {
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: FollowOptions) {}

  async verdictOn(entry: Entry | undefined): Promise<Followed | undefined> {
    const { account, askedAt, id, order } = this.options;
    if (entry === undefined) return { kind: "gone" };
    const { standing } = entry;
    // What was stuck before may have been asked out of it.
    if (standing?.kind === "stuck" && standing.at >= askedAt)
      return { kind: "stuck", reason: standing.reason, remedy: standing.remedy };
    const now = account.clock.now();
    if (!order.mayBeFulfilled(entry) || now - this.lookedAt < lookEveryMs) return undefined;
    this.lookedAt = now;
    const seen = await lookWith(account, id, entry);
    if (seen === undefined || !order.isFulfilled(seen, entry, now)) return undefined;
    return { kind: "fulfilled", seen };
  }
}

/** The history since the order, each event once. */
class Tail {
  private readonly told = new Set<string>();

  constructor(private readonly options: FollowOptions) {}

  async tellNews(): Promise<void> {
    const { askedAt, id, registry, tell } = this.options;
    const newestFirst = await registry.history(id, { limit: 50 });
    for (const event of newestFirst.reverse()) {
      const key = JSON.stringify(event);
      if (event.at < askedAt || this.told.has(key)) continue;
      this.told.add(key);
      tell(event);
    }
  }
}
