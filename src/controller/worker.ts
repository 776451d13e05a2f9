/**
 * One piece of work on one managed instance, the same for the daemon, the Lambda, the command line
 * and `pulumi up`: take the lease, carry out what is registered, write down what happened, and say
 * when to look again. The lease saves calls; safety never depends on it (design §5).
 */
import type { Claimant } from "../aws/claimant";
import { messageOf } from "../engine/error-text";
import { describeFacts } from "../engine/facts";
import { newestLedger } from "../engine/ledgers";
import type { Decision, Ledger } from "../engine/model";
import type { Clock, Cloud, Registry } from "../engine/ports";
import { converge, describeStep, type Outcome, type ProgressEvent } from "../engine/reconcile";
import { Holding, isSameOrder, leaseSeconds } from "./holding";
import { Journal, type JournalDeps } from "./journal";
import { LedgerCopies } from "./ledger-copies";
import { OutageWatch } from "./outage";
import type { Entry, Lease, Standing } from "./registry";

export interface WorkDeps extends JournalDeps {
  cloud: Cloud;
  /** The ledger on the anchor's tags: the truth, which the controller's registry copies. */
  anchors: Registry;
  clock: Clock;
  /** This process, as claims of creations name it. */
  claimant: Claimant;
  /** Names the holder of a lease; no two of them are the same. */
  holder: string;
  /** Stops at the next safe point and makes it due at once. */
  signal?: AbortSignal;
  /** Epoch ms by AWS's clock: stops there likewise, as a Lambda must. */
  deadlineAt?: number;
  /** How many times longer upkeep takes, by the last survey; default 1. */
  stretch?: () => number;
}

/** What whoever asks knows beyond the registry: `pulumi up` of what it creates. */
export interface WorkContext {
  initial?: Ledger;
  remembered?: { interfaceId?: string; subnetId?: string; privateIp?: string };
  progress?: (event: ProgressEvent) => void;
  /** Told of each decision before it is carried out. */
  decided?: (decision: Decision) => void;
}

export type WorkResult = { id: string } & (
  | { kind: "worked"; outcome: Outcome; standing: Standing; dueAt: number }
  /** It ended and is deregistered. */
  | { kind: "deallocated"; outcome: Outcome }
  | { kind: "failed"; error: unknown; standing?: Standing }
  /** Somebody else is at work on it. */
  | { kind: "busy" }
  /** Somebody else took it over meanwhile, after this process had stood still for too long. */
  | { kind: "lost" }
  | { kind: "absent" }
);

/** Never throws: what goes wrong with one managed instance must not stop the others. */
export async function work(
  id: string,
  deps: WorkDeps,
  context: WorkContext = {},
): Promise<WorkResult> {
  const journal = new Journal(deps, id);
  try {
    const now = deps.cloud.now();
    const span = { now, untilAt: now + leaseSeconds * 1000 };
    const lease = await deps.registry.acquire(id, deps.holder, span);
    if (lease === undefined) {
      const isKnown = (await deps.registry.get(id)) !== undefined;
      return { id, kind: isKnown ? "busy" : "absent" };
    }
    return await workUnder(lease, deps, context, journal);
  } catch (error) {
    return { id, kind: "failed", error };
  } finally {
    await journal.flush();
  }
}

async function workUnder(
  lease: Lease,
  deps: WorkDeps,
  context: WorkContext,
  journal: Journal,
): Promise<WorkResult> {
  const { clock, cloud, registry } = deps;
  const holding = new Holding({ registry, clock, now: () => cloud.now() }, lease);
  holding.startRenewing();
  try {
    return await new Run(deps, context, journal, holding).whileOrdersCome();
  } finally {
    await holding.end();
  }
}

const seconds = 1000;
const minutes = 60 * seconds;
const pauses = {
  stuck: 5 * minutes,
  superseded: minutes,
  firstFailure: 30 * seconds,
  longestFailure: 15 * minutes,
};

class Run {
  private readonly outages: OutageWatch;
  private readonly id: string;
  private rule: string | undefined;

  constructor(
    private readonly deps: WorkDeps,
    private readonly context: WorkContext,
    private readonly journal: Journal,
    private readonly holding: Holding,
  ) {
    this.id = holding.lease.id;
    this.outages = new OutageWatch((loss) =>
      journal.announceOnce({ kind: "interrupted", ...loss }),
    );
  }

  /** Under one lease, until what was carried out is still what is asked for. */
  async whileOrdersCome(): Promise<WorkResult> {
    let entry: Entry | undefined;
    for (;;) {
      let result: Ending;
      try {
        entry = await this.deps.registry.get(this.id);
        if (entry === undefined) return { id: this.id, kind: "absent" };
        this.journal.creationKey = entry.creationKey;
        result = this.endingOf(entry, await this.carryOut(entry));
        if (await this.isOutdated(entry, result)) continue;
      } catch (error) {
        result = this.failureOf(entry, error);
      }
      if (this.holding.isLost) return { id: this.id, kind: "lost" };
      return await this.end(entry, result);
    }
  }

  private async isOutdated(entry: Entry, { outcome }: Ending): Promise<boolean> {
    const mustStop = this.deps.signal?.aborted === true || this.holding.isLost;
    if (mustStop || (outcome?.kind === "stopped" && outcome.why === "timed-out")) return false;
    return !isSameOrder(entry, await this.deps.registry.get(this.id));
  }

  private async carryOut(entry: Entry): Promise<Outcome> {
    const { claimant, clock, deadlineAt, signal, stretch } = this.deps;
    const { decided, progress, remembered = { interfaceId: entry.interfaceId } } = this.context;
    const stop = this.holding.begin(entry);
    const { id, asked, deallocate, spec, specVersion } = entry;
    const initial = newestLedger([this.context.initial, entry.ledger]);
    return converge({
      ...{ id, asked, deallocate, spec, specVersion, initial, remembered },
      ...{ claimant, clock, deadlineAt, progress, stretch: stretch?.() },
      cloud: this.watchedCloud(initial),
      registry: this.ledgerPort(entry, initial),
      signal: signal === undefined ? stop : AbortSignal.any([signal, stop]),
      decided: (decision) => {
        this.rule = decision.rule;
        decided?.(decision);
      },
    });
  }

  private facts: Parameters<OutageWatch["saw"]>[0] | undefined;
  private ledger: Ledger | undefined;

  /** Every step is written down with its rule and how long it took. */
  private watchedCloud(initial: Ledger | undefined): Cloud {
    const { cloud } = this.deps;
    this.ledger = initial;
    return {
      now: () => cloud.now(),
      observe: async (query) => {
        this.facts = await cloud.observe(query);
        return this.facts;
      },
      glance: async (watch) => {
        const state = await cloud.glance(watch);
        this.outages.glanced(watch, state, cloud.now());
        return state;
      },
      perform: async (step) => {
        const at = cloud.now();
        const note = (message: string) => {
          const { rule } = this;
          const generation =
            step.kind === "launch" ? step.generation : this.ledger?.launch?.generation;
          const durationMs = cloud.now() - at;
          this.journal.add({ at, kind: "step", message, rule, generation, durationMs });
        };
        const words = describeStep(step);
        const outcome = await cloud.perform(step).catch((error: unknown) => {
          note(`${words}: no answer (${messageOf(error)})`);
          throw error;
        });
        note(outcome.kind === "done" ? words : `${words}: refused (${outcome.message})`);
        return outcome;
      },
    };
  }

  /** What is read and written is known here too, for the history and for what people are told. */
  private ledgerPort(entry: Entry, initial: Ledger | undefined): Registry {
    const { anchors, cloud, registry } = this.deps;
    const { holding } = this;
    const copies = new LedgerCopies({ anchors, registry, holding, now: () => cloud.now() }, entry);
    return {
      load: async (id, seen) => {
        const ledger = newestLedger([await copies.load(id, seen), this.ledger ?? initial]);
        if (ledger !== undefined && this.facts !== undefined)
          this.outages.saw(this.facts, ledger, cloud.now());
        this.ledger = ledger;
        return ledger;
      },
      save: async (ledger, interfaceId) => {
        await copies.save(ledger, interfaceId);
        this.ledger = ledger;
      },
    };
  }

  private endingOf(entry: Entry, outcome: Outcome): Ending {
    const now = this.deps.cloud.now();
    const standing = (kind: Standing["kind"], reason: string, remedy?: string) =>
      standingOf(entry, { kind, reason, remedy, at: now });
    switch (outcome.kind) {
      case "done": {
        const { state } = describeFacts(outcome.observation, outcome.ledger);
        return { outcome, standing: standing("done", state), dueAt: outcome.wakeAt };
      }
      case "stuck": {
        const { reason, remedy } = outcome;
        if (outcome.ledger === undefined)
          return {
            outcome,
            standing: standing("waiting", "its creation has not begun", "run `pulumi up`"),
            dueAt: now + pauses.stuck,
          };
        const dueAt = now + pauses.stuck;
        return { outcome, standing: standing("stuck", reason, remedy), dueAt };
      }
      case "superseded":
        return {
          outcome,
          standing: standing("waiting", outcome.reason, "if that has ended, run `pulumi up`"),
          dueAt: now + pauses.superseded,
        };
      case "stopped":
        return { outcome, standing: standing("waiting", outcome.reason), dueAt: now };
    }
  }

  /** As long again as it has been failing, so that the pauses double. */
  private failureOf(entry: Entry | undefined, error: unknown): Ending {
    const now = this.deps.cloud.now();
    const standing = standingOf(entry, { kind: "failed", reason: messageOf(error), at: now });
    const failingMs = now - (standing.sinceAt ?? now);
    const pauseMs = Math.max(pauses.firstFailure, Math.min(failingMs, pauses.longestFailure));
    return { error, standing, dueAt: now + pauseMs };
  }

  private async end(entry: Entry | undefined, ending: Ending): Promise<WorkResult> {
    const { id } = this;
    const { dueAt, error, outcome, standing } = ending;
    if (entry !== undefined) this.tell(entry, ending);
    if (entry !== undefined && outcome?.kind === "done" && isEnded(entry, outcome.ledger)) {
      const message = "the managed instance has ended; what is kept says until when";
      this.journal.announce({ kind: "deallocated", at: standing.at, message });
      await this.deps.registry.deregister(id);
      return { id, kind: "deallocated", outcome };
    }
    await this.holding.end();
    const isReleased = await this.deps.registry
      .release(this.holding.lease, { dueAt, standing })
      .catch((unreleased: unknown) => {
        // Its end is reported all the same; the lease runs out by itself.
        this.deps.report?.(id, "lease", unreleased);
        return true;
      });
    if (!isReleased) return { id, kind: "lost" };
    if (outcome === undefined) return { id, kind: "failed", error, standing };
    return { id, kind: "worked", outcome, standing, dueAt };
  }

  /** What needs somebody is told when it begins, and not at each look. */
  private tell(entry: Entry, { outcome, standing }: Ending): void {
    const { at, kind, reason, remedy } = standing;
    const isNew = entry.standing?.kind !== kind;
    if (isNew && (kind === "stuck" || kind === "failed"))
      this.journal.announce({ kind, at, message: reason }, { remedy });
    if (outcome?.kind !== "done") return;
    const facts = describeFacts(outcome.observation, outcome.ledger);
    const recovery = this.outages.recovery(facts, outcome.ledger, at);
    if (recovery === undefined) return;
    const { upUntilAt, ...event } = recovery;
    this.journal.announceOnce({ kind: "recovered", ...event }, (history) => {
      const noticedAt = history.find((each) => each.kind === "interrupted")?.at;
      const downSinceAt = upUntilAt ?? noticedAt ?? at;
      return { downtimeSeconds: Math.round((at - downSinceAt) / seconds) };
    });
  }
}

interface Ending {
  /** Absent when an error ended it. */
  outcome?: Outcome;
  error?: unknown;
  standing: Standing;
  dueAt: number;
}

function standingOf(
  entry: Entry | undefined,
  said: Pick<Standing, "kind" | "reason" | "remedy" | "at">,
): Standing {
  const before = entry?.standing;
  const sinceAt = before?.kind === said.kind ? (before.sinceAt ?? before.at) : said.at;
  return { ...said, sinceAt, specVersion: entry?.specVersion ?? 0 };
}

const isEnded = ({ deallocate }: Entry, { phase }: Ledger) =>
  deallocate || phase === "deallocating" || phase === "deallocated";
