/** What the registry's items are called and hold: one place for the keys of dynamo-table.ts. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { dueShardOf } from "./dynamo-table";
import type { KeptEntry } from "./entry-changes";
import { encodeEntry, encodeEvent } from "./kept-text";
import type { HistoryEvent } from "./registry";

export type Item = Record<string, AttributeValue>;
export type Key = { pk: { S: string }; sk: { S: string } };

export const entryKey = (id: string): Key => ({ pk: { S: `pmi#${id}` }, sk: { S: "entry" } });
export const bucketKey = (name: string): Key => ({
  pk: { S: `bucket#${name}` },
  sk: { S: "level" },
});

/** The id in an item's key; undefined where somebody else has put an item of another kind. */
export const idOf = (item: Item): string | undefined => /^pmi#(.+)$/.exec(item.pk?.S ?? "")?.[1];

export const entryAttributes = (kept: KeptEntry): Item => ({
  entry: { S: encodeEntry(kept) },
  dueShard: { S: dueShardOf(kept.id) },
  dueAt: { N: String(kept.dueAt) },
});

/** Wide enough for every instant that a Date can hold, so that texts sort as numbers do. */
const instantText = (at: number) => String(Math.max(0, Math.floor(at))).padStart(16, "0");

export const eventPrefix = "event#";
/** Every event before that instant sorts before it. */
export const eventsBefore = (at: number) => `${eventPrefix}${instantText(at)}`;
/** After every event's. */
export const eventsEnd = "event$";

export interface EventOrder {
  /** Of two events of one instant the one with the higher number was written down later. */
  number: number;
  /** No two writers have the same. */
  writer: string;
}

export const eventItem = (
  id: string,
  event: HistoryEvent,
  { number, writer }: EventOrder,
  expiresAtMs: number,
): Item => ({
  pk: { S: `pmi#${id}` },
  sk: { S: `${eventsBefore(event.at)}#${String(number).padStart(9, "0")}#${writer}` },
  event: { S: encodeEvent(event) },
  expiresAt: { N: String(Math.ceil(expiresAtMs / 1000)) },
});
