/**
 * What the controller keeps of all managed instances between two looks: their specifications, who is
 * at work on which, what was asked for, when to look again, and what happened. Saving calls and
 * answering people is what it is for; safety never depends on it, because the anchor is the lock and
 * carries the ledger (design §5). All instants are epoch milliseconds by AWS's clock.
 */
import type { Asked, Ledger } from "../engine/model";
import type { Spec } from "../engine/spec";

/** What `pulumi up` hands over; the one with the higher version holds. */
export interface Registration {
  id: string;
  /** As people know it: organization/project/stack/name. */
  creationKey: string;
  spec: Spec;
  specVersion: number;
  interfaceId?: string;
  /** `pulumi destroy`: the managed instance is to be ended, with what the spec retains. */
  deallocate: boolean;
}

/** The right to work on one managed instance; its fencing token grows with every holder. */
export interface Lease {
  id: string;
  holder: string;
  fencing: number;
  untilAt: number;
}

/** How the last run ended. */
export interface Standing {
  kind: "done" | "waiting" | "stuck" | "failed";
  reason: string;
  remedy?: string;
  at: number;
  /** Since when every run has ended like this. */
  sinceAt?: number;
  /** The specification that it was about. */
  specVersion: number;
}

export interface Entry extends Registration {
  asked: Asked;
  /** When to look at it next. */
  dueAt: number;
  /** The newest that a lease holder saved; the anchor's own is the truth. */
  ledger?: Ledger;
  lease?: Lease;
  standing?: Standing;
}

/** One thing that happened: a step, or the end of a run. */
export interface HistoryEvent {
  at: number;
  kind:
    | "step"
    | "interrupted"
    | "recovered"
    | "deallocated"
    | "expired"
    | "stuck"
    | "failed"
    | "asked";
  /** A sentence, without anything that could be secret. */
  message: string;
  /** The sentence of the rule that decided. */
  rule?: string;
  generation?: number;
  durationMs?: number;
}

export interface ListOptions {
  /**
   * Told of each entry that cannot be read. Default: they are thrown together, as an AggregateError,
   * once all others have been given.
   */
  damaged?: (error: Error) => void;
}

/** A call that comes upon an entry which cannot be read throws a DamagedEntryError that names it. */
export interface ControllerRegistry {
  /**
   * Creates or renews an entry and makes it due. A newer version ends what was asked for in place of
   * the former one's desired state. The same version again changes neither spec nor requests, so
   * that it can be repeated; it may add the interface and the order to deallocate. An older version
   * changes nothing. The answer is what holds now: whoever finds another spec in it was outrun.
   */
  register(registration: Registration, now: number): Promise<Entry>;
  get(id: string): Promise<Entry | undefined>;
  /** All entries, page by page. */
  list(options?: ListOptions): AsyncIterable<Entry>;
  /**
   * The ids whose time has come, longest overdue first, page by page. One that somebody works on is
   * due again when the lease runs out, or when it is woken. May lag a second behind a write.
   */
  due(now: number): AsyncIterable<string>;
  /** Forgets a managed instance, and keeps its history; who works on it finds the lease lost. */
  deregister(id: string): Promise<void>;
  /**
   * Adds to what is asked for and makes it due; undefined when the id is not known. The later of two
   * recycles or snapshots includes the earlier; of two desired states the one said last holds.
   */
  ask(id: string, asked: Asked, now: number): Promise<Entry | undefined>;
  /**
   * Makes it due at that instant, unless it is due earlier. The end of a run that began before that
   * instant, or before the wake, does not put it off. Of several wakes the earliest counts.
   */
  wake(id: string, at: number): Promise<void>;
  /**
   * Undefined when the id is not known, and while a lease has not run out, whoever holds it. A lease
   * lasts an hour at most (RangeError): renew it.
   */
  acquire(
    id: string,
    holder: string,
    span: { now: number; untilAt: number },
  ): Promise<Lease | undefined>;
  /** False when somebody else has taken it over: then nothing more may be written under it. */
  renew(lease: Lease, untilAt: number): Promise<boolean>;
  /** Refused, as false, when the lease is lost or the revision is older than the one kept. */
  saveLedger(lease: Lease, ledger: Ledger): Promise<boolean>;
  /** Ends the lease with what came of it; false when it was lost. */
  release(lease: Lease, result: { dueAt: number; standing: Standing }): Promise<boolean>;
  append(id: string, events: readonly HistoryEvent[]): Promise<void>;
  /**
   * Newest first, and `before` that instant. Events of one instant stay together, so that a page may
   * be longer than its limit and the next one begins before the last instant of this one.
   */
  history(id: string, page: { limit: number; before?: number }): Promise<HistoryEvent[]>;
  /**
   * Takes up to `wanted` tokens from a bucket that all controllers of the account share, and returns
   * how many it got; never below `floor`, which is what upkeep leaves for recovery.
   */
  take(bucket: Bucket, request: { wanted: number; floor: number; now: number }): Promise<number>;
}

/** One of EC2's request buckets, or our share of it (ec2-facts §7). */
export interface Bucket {
  name: string;
  capacity: number;
  refillPerSecond: number;
}
