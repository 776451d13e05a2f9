/**
 * What each call of the ControllerRegistry does to an entry, as pure functions: the adapters only
 * keep what these return, and only when nobody else has written since. So there is one place that
 * says what a lease, a wake or a newer specification means.
 */
import { isDeepStrictEqual } from "node:util";
import type { Asked, Ledger } from "../engine/model";
import type { Bucket, Entry, Lease, Registration, Standing } from "./registry";

/** An entry as it is kept: with what only the registry itself needs. */
export interface KeptEntry extends Entry {
  /** The highest fencing token given out so far, also while nobody holds a lease. */
  fencing: number;
  /** The earliest wake that no run has answered yet: the end of a run never puts it off. */
  wokenAt?: number;
}

/** What to keep from now on, unless nothing changes, and what to tell the caller. */
export interface Changed<Kept, Result> {
  next?: Kept;
  result: Result;
}

export type Change<Kept, Result> = (kept: Kept | undefined) => Changed<Kept, Result>;
type EntryChange<Result> = Change<KeptEntry, Result>;

/** Longer ones come from a clock that was wrong, and bind nobody. */
const longestLeaseMs = 3_600_000;

export const asEntry = ({ fencing, wokenAt, ...entry }: KeptEntry): Entry => entry;

const woken = (kept: KeptEntry, at: number): KeptEntry => ({
  ...kept,
  dueAt: Math.min(kept.dueAt, at),
  wokenAt: earliest(kept.wokenAt, at),
});

const earliest = (one: number | undefined, other: number) =>
  one === undefined ? other : Math.min(one, other);

export const registering =
  (registration: Registration, now: number): EntryChange<Entry> =>
  (kept) => {
    if (kept === undefined) {
      const next = { ...registration, asked: {}, dueAt: now, fencing: 0 };
      return { next, result: asEntry(next) };
    }
    if (registration.specVersion < kept.specVersion) return { result: asEntry(kept) };
    const held =
      registration.specVersion > kept.specVersion
        ? renewed(kept, registration)
        : { ...kept, deallocate: kept.deallocate || registration.deallocate };
    const interfaceId = registration.interfaceId ?? kept.interfaceId;
    const next = woken({ ...held, interfaceId }, now);
    return { next, result: asEntry(next) };
  };

/** What somebody asked for in place of the former specification ends with it. */
function renewed(kept: KeptEntry, registration: Registration): KeptEntry {
  const { desiredState, ...asked } = kept.asked;
  return { ...kept, ...registration, asked };
}

export const asking =
  (asked: Asked, now: number): EntryChange<Entry | undefined> =>
  (kept) => {
    if (kept === undefined) return { result: undefined };
    const next = woken({ ...kept, asked: joined(kept.asked, asked) }, now);
    return { next, result: asEntry(next) };
  };

/** The later of two requests includes the earlier one; of two desired states the last one said holds. */
function joined(before: Asked, added: Asked): Asked {
  const desiredState = added.desiredState ?? before.desiredState;
  const recycleGeneration = latest(before.recycleGeneration, added.recycleGeneration);
  const snapshotAt = latest(before.snapshotAt, added.snapshotAt);
  return {
    ...(desiredState === undefined ? {} : { desiredState }),
    ...(recycleGeneration === undefined ? {} : { recycleGeneration }),
    ...(snapshotAt === undefined ? {} : { snapshotAt }),
  };
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}

export const waking =
  (at: number): EntryChange<void> =>
  (kept) =>
    kept === undefined ? { result: undefined } : { next: woken(kept, at), result: undefined };

export interface LeaseSpan {
  now: number;
  untilAt: number;
}

export const acquiring =
  (holder: string, { now, untilAt }: LeaseSpan): EntryChange<Lease | undefined> =>
  (kept) => {
    if (kept === undefined || isBound(kept.lease, now)) return { result: undefined };
    // Not 1, 2, 3…: an id that is forgotten and registered again must not hand out an old token.
    const fencing = Math.max(kept.fencing + 1, now);
    const lease = { id: kept.id, holder, fencing, untilAt };
    const wokenAt = kept.wokenAt !== undefined && kept.wokenAt > now ? kept.wokenAt : undefined;
    const dueAt = earliest(wokenAt, untilAt);
    return { next: { ...kept, lease, fencing, wokenAt, dueAt }, result: lease };
  };

/** Throws a RangeError when the span is none. */
export function checkSpan({ now, untilAt }: LeaseSpan): void {
  if (untilAt > now && untilAt <= now + longestLeaseMs) return;
  throw new RangeError(
    `untilAt is ${untilAt}, which is not between now (${now}) and ${longestLeaseMs / 60_000} minutes from now: take a shorter lease and renew it`,
  );
}

function isBound(lease: Lease | undefined, now: number): boolean {
  if (lease === undefined) return false;
  return now < lease.untilAt && lease.untilAt <= now + longestLeaseMs;
}

const holds = ({ lease }: KeptEntry, claimed: Lease) =>
  lease !== undefined && lease.holder === claimed.holder && lease.fencing === claimed.fencing;

/** What a lease holder may do; anybody else gets false and changes nothing. */
const underLease =
  (
    lease: Lease,
    change: (kept: KeptEntry, own: Lease) => KeptEntry | undefined,
  ): EntryChange<boolean> =>
  (kept) => {
    if (kept?.lease === undefined || !holds(kept, lease)) return { result: false };
    const next = change(kept, kept.lease);
    return next === undefined ? { result: false } : { next, result: true };
  };

export const renewing = (lease: Lease, untilAt: number): EntryChange<boolean> =>
  underLease(lease, (kept, own) => ({
    ...kept,
    lease: { ...own, untilAt },
    dueAt: earliest(kept.wokenAt, untilAt),
  }));

export const savingLedger = (lease: Lease, ledger: Ledger): EntryChange<boolean> =>
  underLease(lease, (kept) =>
    kept.ledger !== undefined && ledger.revision < kept.ledger.revision
      ? undefined
      : { ...kept, ledger },
  );

export const releasing = (
  lease: Lease,
  { dueAt, standing }: { dueAt: number; standing: Standing },
): EntryChange<boolean> =>
  underLease(lease, ({ lease: _ended, ...kept }) => ({
    ...kept,
    standing,
    dueAt: earliest(kept.wokenAt, dueAt),
  }));

/** How full a bucket was when somebody last took from it. */
export interface BucketLevel {
  tokens: number;
  at: number;
}

export interface Draw {
  wanted: number;
  floor: number;
  now: number;
}

/** Controllers' clocks may differ by this much before one of them counts as wrong. */
const clockToleranceMs = 60_000;

export const drawing =
  (bucket: Bucket, { wanted, floor, now }: Draw): Change<BucketLevel, number> =>
  (kept) => {
    const level = refilled(bucket, kept, now);
    const granted = Math.max(0, Math.floor(Math.min(wanted, level.tokens - floor)));
    // Nothing to write, unless it is to end that a clock which was ahead keeps the bucket empty.
    const isSetBack = kept !== undefined && level.at < kept.at;
    if (granted === 0 && !isSetBack) return { result: 0 };
    return { next: { ...level, tokens: level.tokens - granted }, result: granted };
  };

/** A clock behind another's refills nothing, or the two in turn would refill the same second twice. */
function refilled(bucket: Bucket, kept: BucketLevel | undefined, now: number): BucketLevel {
  const { capacity, refillPerSecond } = bucket;
  if (kept === undefined) return { tokens: capacity, at: now };
  if (now < kept.at - clockToleranceMs) return { tokens: Math.min(capacity, kept.tokens), at: now };
  const elapsedMs = Math.max(0, now - kept.at);
  const tokens = Math.min(capacity, kept.tokens + (elapsedMs / 1000) * refillPerSecond);
  return { tokens, at: Math.max(kept.at, now) };
}

/** Throws a RangeError: what is no number would be written as nothing, and be read by nobody. */
export function checkInstant(name: string, at: number): void {
  if (Number.isFinite(at)) return;
  throw new RangeError(`${name} is ${at}: it must be epoch milliseconds`);
}

/** Whether there is anything to write at all. */
export const differs = <Kept>(kept: Kept | undefined, next: Kept | undefined): next is Kept =>
  next !== undefined && !isDeepStrictEqual(kept, next);
