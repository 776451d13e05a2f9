/**
 * The ControllerRegistry in one DynamoDB table (dynamo-table.ts), for controllers that run in AWS.
 * Every write is conditional on what was read. Load this file only where a table is given: it brings
 * the SDK's client with it.
 */
import { randomBytes } from "node:crypto";
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { connections } from "../aws/connections";
import {
  bucketKey,
  entryAttributes,
  entryKey,
  eventItem,
  eventPrefix,
  eventsBefore,
  eventsEnd,
  type Item,
  idOf,
  type Key,
} from "./dynamo-items";
import { dueShards, dynamoTable } from "./dynamo-table";
import type { BucketLevel, KeptEntry } from "./entry-changes";
import { pageOf } from "./history-page";
import { decodeEntry, decodeEvent, decodeLevel, encodeLevel } from "./kept-text";
import type { ControllerRegistry, HistoryEvent } from "./registry";
import {
  type Cell,
  createStoredRegistry,
  type HistoryPage,
  type Store,
  type Versioned,
} from "./stored-registry";

export interface DynamoOptions
  extends Pick<
    DynamoDBClientConfig,
    "region" | "endpoint" | "profile" | "credentials" | "requestHandler"
  > {
  /** The table's name or ARN. */
  table: string;
  /** Days that an event of the history is kept; default 30. */
  historyDays?: number;
}

/** Throttling is met by the SDK with growing pauses: all our calls may be repeated. */
const maxAttempts = 6;
const dayMs = 86_400_000;

export function createDynamoRegistry(options: DynamoOptions): ControllerRegistry {
  const { table, historyDays = 30, ...config } = options;
  const requestHandler = config.requestHandler ?? connections;
  const client = new DynamoDBClient({ ...config, requestHandler, maxAttempts });
  return createStoredRegistry(new DynamoStore(client, table, historyDays * dayMs));
}

/** BatchGetItem takes no more (DynamoDB's limit). */
const batchSize = 100;
const appendsAtOnce = 10;

class DynamoStore implements Store {
  private readonly writer = randomBytes(4).toString("hex");
  private events = 0;

  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: string,
    private readonly historyMs: number,
  ) {}

  entry(id: string): Cell<KeptEntry> {
    const decode = (item: Item) => this.entryIn(id, item);
    return this.cell(entryKey(id), decode, entryAttributes);
  }

  bucket(name: string): Cell<BucketLevel> {
    const decode = (item: Item) => decodeLevel(item.level?.S ?? "");
    return this.cell(bucketKey(name), decode, (level) => ({ level: { S: encodeLevel(level) } }));
  }

  /** Also one that cannot be read. */
  async remove(id: string): Promise<void> {
    await this.call(
      this.client.send(new DeleteItemCommand({ TableName: this.table, Key: entryKey(id) })),
    );
  }

  async *list(damaged: (error: Error) => void): AsyncGenerator<KeptEntry> {
    let ids: string[] = [];
    for await (const { id } of this.scheduled()) {
      ids.push(id);
      if (ids.length < batchSize) continue;
      yield* await this.readAll(ids, damaged);
      ids = [];
    }
    if (ids.length > 0) yield* await this.readAll(ids, damaged);
  }

  async *due(now: number): AsyncGenerator<string> {
    for await (const { id } of this.scheduled(now)) yield id;
  }

  async append(id: string, events: readonly HistoryEvent[]): Promise<void> {
    const items = events.map((event) => {
      this.events += 1;
      const order = { number: this.events, writer: this.writer };
      return eventItem(id, event, order, event.at + this.historyMs);
    });
    for (let at = 0; at < items.length; at += appendsAtOnce) {
      const some = items.slice(at, at + appendsAtOnce);
      await Promise.all(some.map((item) => this.put(item)));
    }
  }

  async history(id: string, page: HistoryPage): Promise<HistoryEvent[]> {
    const query: QueryCommandInput = {
      TableName: this.table,
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
      ExpressionAttributeValues: {
        ":pk": entryKey(id).pk,
        ":from": { S: eventPrefix },
        ":to": { S: page.before === undefined ? eventsEnd : eventsBefore(page.before) },
      },
      ScanIndexForward: false,
      Limit: page.limit + 1,
    };
    const newestFirst: HistoryEvent[] = [];
    for await (const item of this.query(query)) {
      const event = decodeEvent(item.event?.S ?? "");
      if (event === undefined) continue;
      const last = newestFirst.at(page.limit - 1);
      if (last !== undefined && event.at < last.at) break;
      newestFirst.push(event);
    }
    return pageOf(newestFirst.reverse(), page);
  }

  private cell<Kept>(
    key: Key,
    decode: (item: Item) => Kept | undefined,
    encode: (kept: Kept) => Item,
  ): Cell<Kept> {
    return {
      read: async (): Promise<Versioned<Kept>> => {
        const item = await this.get(key);
        return item === undefined ? {} : { version: item.rev?.S, value: decode(item) };
      },
      replace: (from, next) => this.replace(key, from, encode(next)),
    };
  }

  private async get(key: Key): Promise<Item | undefined> {
    const request = { TableName: this.table, Key: key, ConsistentRead: true };
    const { Item } = await this.call(this.client.send(new GetItemCommand(request)));
    return Item;
  }

  private async replace(key: Key, from: string | undefined, attributes: Item): Promise<boolean> {
    const rev = randomBytes(9).toString("base64url");
    const item = { ...key, ...attributes, rev: { S: rev } };
    try {
      await this.put(item, unlessChangedSince(from));
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // A request whose reply was lost was sent again by the SDK, and then meets its own write.
      const wasRepeated = (error.$metadata.attempts ?? 1) > 1;
      return wasRepeated && (await this.get(key))?.rev?.S === rev;
    }
  }

  private async put(item: Item, condition: Partial<PutItemCommandInput> = {}): Promise<void> {
    const request = { TableName: this.table, Item: item, ...condition };
    await this.call(this.client.send(new PutItemCommand(request)));
  }

  /** All entries' ids, longest overdue first: the shards' rows, merged. */
  private async *scheduled(until = Number.MAX_SAFE_INTEGER): AsyncGenerator<Scheduled> {
    const rows = dueShards.map((shard) => this.scheduledIn(shard, until));
    const heads = await Promise.all(rows.map((row) => row.next()));
    for (;;) {
      const at = earliestOf(heads);
      const head = heads[at];
      const row = rows[at];
      if (head === undefined || row === undefined || head.done === true) return;
      yield head.value;
      heads[at] = await row.next();
    }
  }

  private async *scheduledIn(shard: string, until: number): AsyncGenerator<Scheduled> {
    const { dueIndex } = dynamoTable;
    const query = {
      TableName: this.table,
      IndexName: dueIndex.name,
      KeyConditionExpression: "dueShard = :shard AND dueAt <= :until",
      ExpressionAttributeValues: { ":shard": { S: shard }, ":until": { N: String(until) } },
    };
    for await (const item of this.query(query)) {
      const id = idOf(item);
      if (id !== undefined) yield { id, dueAt: Number(item.dueAt?.N) };
    }
  }

  private async *query(query: QueryCommandInput): AsyncGenerator<Item> {
    let from: Item | undefined;
    do {
      const request: QueryCommandInput = { ...query, ExclusiveStartKey: from };
      const { Items = [], LastEvaluatedKey } = await this.call(
        this.client.send(new QueryCommand(request)),
      );
      yield* Items;
      from = LastEvaluatedKey;
    } while (from !== undefined);
  }

  private async readAll(
    ids: readonly string[],
    damaged: (error: Error) => void,
  ): Promise<KeptEntry[]> {
    const { table } = this;
    const request = { RequestItems: { [table]: { Keys: ids.map(entryKey) } } };
    const { Responses, UnprocessedKeys } = await this.call(
      this.client.send(new BatchGetItemCommand(request)),
    );
    // One by one the SDK repeats them with growing pauses, which it does not do for a batch.
    const left = (UnprocessedKeys?.[table]?.Keys ?? []).map(idOf).filter((id) => id !== undefined);
    const read = await Promise.all(left.map((id) => this.get(entryKey(id))));
    const items = [...(Responses?.[table] ?? []), ...read.filter((item) => item !== undefined)];
    return items.flatMap((item) => {
      try {
        return [this.entryIn(idOf(item) ?? "", item)];
      } catch (error) {
        damaged(error instanceof Error ? error : new Error(String(error)));
        return [];
      }
    });
  }

  private entryIn(id: string, item: Item): KeptEntry {
    const place = {
      what: `The entry of ${id} in DynamoDB table ${this.table}`,
      removal: `delete the item "pmi#${id}", "entry"`,
    };
    return decodeEntry(item.entry?.S ?? "", place);
  }

  private async call<Output>(answer: Promise<Output>): Promise<Output> {
    try {
      return await answer;
    } catch (error) {
      throw await this.explained(error);
    }
  }

  /** What a user can do about, in words; everything else as the SDK says it. */
  private async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof Error)) return error;
    const region = await this.client.config.region();
    if (error.name === "ResourceNotFoundException")
      return new Error(
        `DynamoDB table ${this.table} does not exist in ${region}: deploy ManagedInstanceController there first, or correct the table's name`,
        { cause: error },
      );
    if (error.name === "ValidationException")
      return new Error(
        `DynamoDB table ${this.table} in ${region} refused a request (${error.message}): is it the table of a ManagedInstanceController?`,
        { cause: error },
      );
    return error;
  }
}

function unlessChangedSince(from: string | undefined): Partial<PutItemCommandInput> {
  if (from === undefined) return { ConditionExpression: "attribute_not_exists(rev)" };
  return {
    ConditionExpression: "rev = :from",
    ExpressionAttributeValues: { ":from": { S: from } },
  };
}

interface Scheduled {
  id: string;
  dueAt: number;
}

function earliestOf(heads: readonly IteratorResult<Scheduled>[]): number {
  const dueAts = heads.map((head) => (head.done ? Number.POSITIVE_INFINITY : head.value.dueAt));
  return dueAts.indexOf(Math.min(...dueAts));
}
