/**
 * The ControllerRegistry over any store that can replace a value only if nobody else has since it was
 * read. Each call reads, changes and replaces, and does so again when it lost the race; every lost
 * race is somebody else's success, so some call always gets on.
 */
import {
  acquiring,
  asEntry,
  asking,
  type BucketLevel,
  type Change,
  checkInstant,
  checkSpan,
  differs,
  drawing,
  type KeptEntry,
  registering,
  releasing,
  renewing,
  savingLedger,
  waking,
} from "./entry-changes";
import type { ControllerRegistry, Entry, HistoryEvent, ListOptions } from "./registry";

/** A value and the version of it that a later replace must still find; absent before the first. */
export interface Versioned<Kept> {
  value?: Kept;
  version?: string;
}

/** One value that several processes read and replace. */
export interface Cell<Kept> {
  read(): Promise<Versioned<Kept>>;
  /** False, and nothing written, when the version is not the present one any more. */
  replace(from: string | undefined, next: Kept): Promise<boolean>;
}

export interface HistoryPage {
  limit: number;
  before?: number;
}

export interface Store {
  entry(id: string): Cell<KeptEntry>;
  bucket(name: string): Cell<BucketLevel>;
  remove(id: string): Promise<void>;
  list(damaged: (error: Error) => void): AsyncIterable<KeptEntry>;
  due(now: number): AsyncIterable<string>;
  append(id: string, events: readonly HistoryEvent[]): Promise<void>;
  history(id: string, page: HistoryPage): Promise<HistoryEvent[]>;
}

/** So many lost races in a row are no accident any more. */
const longestRun = 500;

async function change<Kept, Result>(
  what: string,
  cell: Cell<Kept>,
  apply: Change<Kept, Result>,
): Promise<Result> {
  for (let attempt = 0; attempt < longestRun; attempt++) {
    const { value, version } = await cell.read();
    const { next, result } = apply(value);
    if (!differs(value, next) || (await cell.replace(version, next))) return result;
  }
  throw new Error(
    `${what} was changed by others ${longestRun} times in a row while it was to be written: too many processes work on it at once`,
  );
}

export function createStoredRegistry(store: Store): ControllerRegistry {
  const changed = async <Result>(id: string, apply: Change<KeptEntry, Result>) =>
    change(`the entry of ${id}`, store.entry(id), apply);
  return {
    register: (registration, now) => changed(registration.id, registering(registration, now)),
    async get(id) {
      const { value } = await store.entry(id).read();
      return value && asEntry(value);
    },
    list: (options) => listed(store, options),
    due: (now) => store.due(now),
    deregister: async (id) => store.remove(id),
    ask: (id, asked, now) => changed(id, asking(asked, now)),
    async wake(id, at) {
      checkInstant("at", at);
      return changed(id, waking(at));
    },
    async acquire(id, holder, span) {
      checkSpan(span);
      return changed(id, acquiring(holder, span));
    },
    renew: (lease, untilAt) => changed(lease.id, renewing(lease, untilAt)),
    saveLedger: (lease, ledger) => changed(lease.id, savingLedger(lease, ledger)),
    async release(lease, result) {
      checkInstant("dueAt", result.dueAt);
      return changed(lease.id, releasing(lease, result));
    },
    async append(id, events) {
      if (events.length > 0) await store.append(id, events);
    },
    history: async (id, page) => store.history(id, page),
    take: async (bucket, draw) =>
      change(`bucket ${bucket.name}`, store.bucket(bucket.name), drawing(bucket, draw)),
  };
}

/** All that can be read first, so that one damaged entry keeps nobody from the others. */
async function* listed(store: Store, options: ListOptions = {}): AsyncGenerator<Entry> {
  const errors: Error[] = [];
  const damaged = options.damaged ?? ((error: Error) => errors.push(error));
  for await (const kept of store.list(damaged)) yield asEntry(kept);
  if (errors.length > 0)
    throw new AggregateError(errors, errors.map(({ message }) => message).join("\n"));
}
