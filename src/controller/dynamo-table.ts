/**
 * The shape of the registry's table, as data for who creates it and who works on it. Without the SDK,
 * because the component that declares the table must not load it.
 *
 *   pk            sk                    what
 *   pmi#<id>      entry                 one managed instance: entry, rev, dueShard, dueAt
 *   pmi#<id>      event#<at>#<n>        one event of its history: event, expiresAt
 *   bucket#<name> level                 how full a shared bucket was: level, rev
 *
 * `entry`, `event` and `level` are JSON texts. `rev` is another random text after every write, so that
 * a conditional write finds out whether anybody has written since it read.
 */
export const dynamoTable = {
  hashKey: "pk",
  rangeKey: "sk",
  /** Only those of keys: everything else has no type of its own. */
  attributes: [
    { name: "pk", type: "S" },
    { name: "sk", type: "S" },
    { name: "dueShard", type: "S" },
    { name: "dueAt", type: "N" },
  ],
  /** Holds entries only, since only they have its keys. */
  dueIndex: { name: "due", hashKey: "dueShard", rangeKey: "dueAt", projectionType: "KEYS_ONLY" },
  /** Epoch seconds: time to live. */
  expiryAttribute: "expiresAt",
  billingMode: "PAY_PER_REQUEST",
} as const;

/** So many partitions of the index share the writes; each read by due time asks all of them. */
const shards = 4;

export const dueShards: readonly string[] = Array.from({ length: shards }, (_, at) => String(at));

export function dueShardOf(id: string): string {
  const sum = [...id].reduce((total, character) => total + (character.codePointAt(0) ?? 0), 0);
  return String(sum % shards);
}
