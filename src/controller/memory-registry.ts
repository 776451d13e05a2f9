/**
 * A ControllerRegistry that lives as long as its process: for tests and simulations, where any number
 * of workers share it. It keeps what it is given by reference; nobody changes an entry in place.
 */
import type { BucketLevel, KeptEntry } from "./entry-changes";
import { pageOf } from "./history-page";
import type { ControllerRegistry, HistoryEvent } from "./registry";
import { type Cell, createStoredRegistry, type Store, type Versioned } from "./stored-registry";

/** Events of one managed instance that are kept at least, newest last; never twice as many. */
const historyBound = 1000;

type Versions<Kept> = Map<string, Required<Versioned<Kept>>>;

export function createMemoryControllerRegistry(): ControllerRegistry {
  return createStoredRegistry(new MemoryStore());
}

class MemoryStore implements Store {
  private readonly entries: Versions<KeptEntry> = new Map();
  private readonly buckets: Versions<BucketLevel> = new Map();
  private readonly events = new Map<string, HistoryEvent[]>();
  private versions = 0;

  entry = (id: string) => this.cell(this.entries, id);
  bucket = (name: string) => this.cell(this.buckets, name);

  private cell<Kept>(kept: Versions<Kept>, key: string): Cell<Kept> {
    return {
      read: () => Promise.resolve(kept.get(key) ?? {}),
      replace: (from, value) => {
        if (kept.get(key)?.version !== from) return Promise.resolve(false);
        this.versions += 1;
        kept.set(key, { value, version: String(this.versions) });
        return Promise.resolve(true);
      },
    };
  }

  remove(id: string): Promise<void> {
    this.entries.delete(id);
    return Promise.resolve();
  }

  async *list(): AsyncGenerator<KeptEntry> {
    for (const { value } of [...this.entries.values()]) yield value;
  }

  async *due(now: number): AsyncGenerator<string> {
    const entries = [...this.entries.values()].map(({ value }) => value);
    const due = entries.filter(({ dueAt }) => dueAt <= now);
    yield* due.sort((a, b) => a.dueAt - b.dueAt).map(({ id }) => id);
  }

  append(id: string, events: readonly HistoryEvent[]): Promise<void> {
    const all = this.events.get(id) ?? [];
    all.push(...events);
    if (all.length >= 2 * historyBound) all.splice(0, all.length - historyBound);
    this.events.set(id, all);
    return Promise.resolve();
  }

  history = (id: string, page: { limit: number; before?: number }) =>
    Promise.resolve(pageOf(this.events.get(id) ?? [], page));
}
