/**
 * One kind of resource, by id, in order of creation. Rows are never changed, only replaced, so a
 * reader that lags behind (ec2-facts §9) can be given the row as it was. Every write first asks the
 * guard, which is what makes DryRun stop before the first change.
 */

export type Tags = ReadonlyMap<string, string>;

export interface Row {
  readonly id: string;
  readonly tags: Tags;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface Entry<R extends Row> {
  /** Position in order of creation; what a NextToken stands for. */
  readonly sequence: number;
  readonly row: R;
}

export interface Table<R extends Row> {
  get(id: string): R | undefined;
  insert(row: R): R;
  update(id: string, change: Partial<R>): R;
  remove(id: string): void;
  all(): IterableIterator<R>;
  /** The rows as they were some time ago, in order of creation. */
  entriesSeen(lagMilliseconds: number, ids?: Iterable<string>): IterableIterator<Entry<R>>;
  getSeen(id: string, lagMilliseconds: number): R | undefined;
  idsWithTag(key: string, value: string): ReadonlySet<string>;
  /** What was changed or removed so lately that a reader that lags behind may see it as it was. */
  idsChangedLately(): readonly string[];
  /** By what `indexBy` said of a row when it was made; it must not change afterwards. */
  idsIndexed(key: string): ReadonlySet<string>;
}

export interface TableHost {
  now(): number;
  /** Called before every write; throws when nothing may be written. */
  beforeWrite(): void;
  /** The oldest view that any reader may be given, in milliseconds; 0 keeps no history. */
  longestLagMilliseconds(): number;
  after(seconds: number, happen: () => void): void;
}

interface Version<R> {
  readonly row: R | undefined;
  readonly since: number;
}

interface Slot<R> {
  readonly sequence: number;
  current: Version<R>;
  past: readonly Version<R>[];
}

/** What names and descriptions that begin with an owner's id are indexed by. */
export const firstWordOf = (text: string | undefined) => text?.split(/[^\w-]/, 1)[0];

const NO_IDS: ReadonlySet<string> = new Set();

export function createTable<R extends Row>(
  host: TableHost,
  indexBy?: (row: R) => string | undefined,
): Table<R> {
  const slots = new Map<string, Slot<R>>();
  let sequence = 0;
  function* all() {
    for (const { current } of slots.values()) if (current.row !== undefined) yield current.row;
  }
  const byTag = createTagIndex(all);
  const byKey = createKeyIndex(indexBy);
  const lately = rememberLately(host);

  const replace = (id: string, slot: Slot<R>, row: R | undefined) => {
    const before = slot.current.row;
    if (before?.tags !== row?.tags) byTag.replace(id, before?.tags, row?.tags);
    slot.past = remembered(slot, host);
    lately.add(id);
    slot.current = { row, since: host.now() };
  };
  return {
    ...readingUnderLag(slots, host),
    get: (id) => slots.get(id)?.current.row,
    insert: (row) => {
      host.beforeWrite();
      sequence += 1;
      slots.set(row.id, { sequence, current: { row, since: host.now() }, past: [] });
      byTag.replace(row.id, undefined, row.tags);
      byKey.add(row);
      return row;
    },
    update: (id, change) => {
      host.beforeWrite();
      const slot = slots.get(id);
      const before = slot?.current.row;
      if (slot === undefined || before === undefined)
        throw new Error(`There is no ${id} to change.`);
      const row = { ...before, ...change };
      replace(id, slot, row);
      return row;
    },
    remove: (id) => {
      host.beforeWrite();
      const slot = slots.get(id);
      const row = slot?.current.row;
      if (slot === undefined || row === undefined) return;
      replace(id, slot, undefined);
      const forget = () => {
        slots.delete(id);
        byKey.remove(row);
      };
      const lag = host.longestLagMilliseconds();
      if (lag === 0) forget();
      else host.after(lag / 1000, forget);
    },
    all,
    idsWithTag: (key, value) => byTag.ids(key, value),
    idsChangedLately: lately.ids,
    idsIndexed: byKey.ids,
  };
}

/** What a reader sees to whom EC2 shows an older state than there is. */
function readingUnderLag<R extends Row>(
  slots: Map<string, Slot<R>>,
  host: TableHost,
): Pick<Table<R>, "entriesSeen" | "getSeen"> {
  return {
    *entriesSeen(lagMilliseconds, ids) {
      for (const slot of ids === undefined ? slots.values() : slotsOf(slots, ids)) {
        const row = rowSeen(slot, host.now(), lagMilliseconds);
        if (row !== undefined) yield { sequence: slot.sequence, row };
      }
    },
    getSeen(id, lagMilliseconds) {
      const slot = slots.get(id);
      return slot === undefined ? undefined : rowSeen(slot, host.now(), lagMilliseconds);
    },
  };
}

/** The ids of what was changed within the longest lag. */
function rememberLately(host: TableHost) {
  let lately: { readonly id: string; readonly at: number }[] = [];
  return {
    add(id: string): void {
      if (host.longestLagMilliseconds() > 0) lately.push({ id, at: host.now() });
    },
    ids(): readonly string[] {
      const cutoff = host.now() - host.longestLagMilliseconds();
      if (lately[0] !== undefined && lately[0].at < cutoff)
        lately = lately.filter(({ at }) => at >= cutoff);
      return lately.map(({ id }) => id);
    },
  };
}

function* slotsOf<R>(slots: Map<string, Slot<R>>, ids: Iterable<string>) {
  const found = [...new Set(ids)].flatMap((id) => slots.get(id) ?? []);
  yield* found.sort((one, other) => one.sequence - other.sequence);
}

function remembered<R>(slot: Slot<R>, host: TableHost): readonly Version<R>[] {
  const lag = host.longestLagMilliseconds();
  if (lag === 0) return [];
  const versions = [...slot.past, slot.current];
  const cutoff = host.now() - lag;
  // The newest version that is older than the cutoff is still what the laziest reader sees.
  const first = versions.findLastIndex((version) => version.since <= cutoff);
  return versions.slice(Math.max(0, first));
}

function rowSeen<R extends Row>(slot: Slot<R>, now: number, lag: number): R | undefined {
  if (lag === 0 || slot.current.since <= now - lag) return slot.current.row;
  const seen = slot.past.findLast((version) => version.since <= now - lag);
  if (seen !== undefined) return seen.row;
  // Without history (the lag began later) a row counts from its creation.
  const oldest = slot.past[0]?.row ?? slot.current.row;
  return oldest !== undefined && oldest.createdAt <= now - lag ? oldest : undefined;
}

function createKeyIndex<R extends Row>(indexBy: (row: R) => string | undefined = () => undefined) {
  const keys = new Map<string, Set<string>>();
  return {
    ids: (key: string): ReadonlySet<string> => keys.get(key) ?? NO_IDS,
    add: (row: R) => {
      const key = indexBy(row);
      if (key !== undefined) keys.set(key, (keys.get(key) ?? new Set()).add(row.id));
    },
    remove: (row: R) => {
      const key = indexBy(row);
      if (key === undefined) return;
      keys.get(key)?.delete(row.id);
      if (keys.get(key)?.size === 0) keys.delete(key);
    },
  };
}

/** Indexes only the keys that somebody has asked for: most tags are never filtered by. */
function createTagIndex(rows: () => IterableIterator<Row>) {
  const keys = new Map<string, Map<string, Set<string>>>();
  const forget = (id: string, key: string, value: string) => {
    const ids = keys.get(key)?.get(value);
    ids?.delete(id);
    if (ids?.size === 0) keys.get(key)?.delete(value);
  };
  const learn = (id: string, key: string, value: string) => {
    const values = keys.get(key);
    const ids = values?.get(value);
    if (ids === undefined) values?.set(value, new Set([id]));
    else ids.add(id);
  };
  const indexed = (key: string) => {
    const known = keys.get(key);
    if (known !== undefined) return known;
    const values = new Map<string, Set<string>>();
    keys.set(key, values);
    for (const { id, tags } of rows()) {
      const value = tags.get(key);
      if (value !== undefined) learn(id, key, value);
    }
    return values;
  };
  return {
    replace: (id: string, before: Tags | undefined, after: Tags | undefined) => {
      for (const key of keys.keys()) {
        const old = before?.get(key);
        const next = after?.get(key);
        if (old !== undefined) forget(id, key, old);
        if (next !== undefined) learn(id, key, next);
      }
    },
    ids: (key: string, value: string) => indexed(key).get(value) ?? NO_IDS,
  };
}
