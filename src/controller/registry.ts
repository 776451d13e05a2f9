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

export interface ControllerRegistry {
  /** Creates or renews an entry and makes it due; an older version changes nothing. */
  register(registration: Registration, now: number): Promise<Entry>;
  get(id: string): Promise<Entry | undefined>;
  /** All entries, page by page. */
  list(): AsyncIterable<Entry>;
  /** The ids whose time has come, longest overdue first, page by page. */
  due(now: number): AsyncIterable<string>;
  /** Forgets a managed instance, and keeps its history. */
  deregister(id: string): Promise<void>;
  /** Adds to what is asked for and makes it due; undefined when the id is not known. */
  ask(id: string, asked: Asked, now: number): Promise<Entry | undefined>;
  /** Makes it due at that instant, unless it is due earlier. */
  wake(id: string, at: number): Promise<void>;
  /** Undefined while somebody else holds a lease that has not run out. */
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
  /** Newest first. */
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
