// The registry in DynamoDB keeps what every registry promises, and holds where replies are lost,
// pages end early and items are damaged.

import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { createDynamoRegistry } from "../../src/controller/dynamo-registry";
import { dynamoTable } from "../../src/controller/dynamo-table";
import { hours, minutes, now, seconds, spec } from "../engine/builders";
import { type DynamoAccount, openDynamoAccount } from "./dynamo-account";
import {
  collect,
  controllerRegistrySuite,
  event,
  id,
  leased,
  registration,
} from "./registry-suite";

/** Of a busy machine: no test here waits for time to pass. */
jest.setTimeout(60_000);

let account: DynamoAccount;
beforeAll(async () => {
  account = await openDynamoAccount();
}, 150_000);
afterAll(() => account.close());
beforeEach(() => account.empty());

type Handler = Pick<DynamoDBClient["config"]["requestHandler"], "handle">;
const connect = (requestHandler?: Handler) =>
  createDynamoRegistry({ ...account.config, table: account.table, requestHandler });

controllerRegistrySuite("DynamoDB", async () => ({
  registry: connect(),
  another: () => connect(),
  patience: account.isRemote ? 50 : 1,
}));

/** Carries requests out and, for those that it is told to, loses the reply once. */
function losingReplies(isLost: (target: string) => boolean): Handler & { lost: number } {
  const real = account.client.config.requestHandler;
  const handler = {
    lost: 0,
    async handle(...[request, options]: Parameters<Handler["handle"]>) {
      const answer = await real.handle(request, options);
      const target = request.headers["x-amz-target"] ?? "";
      if (handler.lost > 0 || !isLost(target)) return answer;
      handler.lost += 1;
      throw Object.assign(new Error("socket hang up"), {
        code: "ECONNRESET",
        name: "TimeoutError",
      });
    },
  };
  return handler;
}

const items = async () => {
  const { client, table } = account;
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
  return Items;
};

async function damage(of: string, entry: string): Promise<void> {
  const found = (await items()).find((item) => item.pk?.S === `pmi#${of}`);
  const Item = { ...found, entry: { S: entry } };
  await account.client.send(new PutItemCommand({ TableName: account.table, Item }));
}

describe("a registry in DynamoDB", () => {
  it("has its lease although the reply to taking it was lost", async () => {
    await connect().register(registration(), now);
    const handler = losingReplies((target) => target.endsWith(".PutItem"));
    const registry = connect(handler);
    const lease = await leased(registry);
    expect(handler.lost).toBe(1);
    expect(await registry.renew(lease, now + 3 * minutes)).toBe(true);
  });

  it("has no lease when another took it between the lost reply's two sendings", async () => {
    await connect().register(registration(), now);
    const real = account.client.config.requestHandler;
    let failed = false;
    const registry = connect({
      async handle(...[request, options]: Parameters<Handler["handle"]>) {
        if (failed || !(request.headers["x-amz-target"] ?? "").endsWith(".PutItem"))
          return real.handle(request, options);
        failed = true;
        await leased(connect(), "another");
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
      },
    });
    expect(await registry.acquire(id, "one", { now, untilAt: now + minutes })).toBeUndefined();
    expect((await connect().get(id))?.lease?.holder).toBe("another");
  });

  it("takes no token twice although the reply was lost", async () => {
    const bucket = { name: "RunInstances", capacity: 10, refillPerSecond: 2 };
    const handler = losingReplies((target) => target.endsWith(".PutItem"));
    expect(await connect(handler).take(bucket, { wanted: 4, floor: 0, now })).toBe(4);
    expect(await connect().take(bucket, { wanted: 10, floor: 0, now })).toBe(6);
  });

  it("keeps user data of the size that EC2 allows, far below the 400 KB of an item", async () => {
    const userData = "ü".repeat(8192);
    await connect().register(registration({ spec: spec({ userData }) }), now);
    expect((await connect().get(id))?.spec.userData).toBe(userData);
    expect(JSON.stringify(await items()).length).toBeLessThan(40_000);
  });

  it("lets history expire after its days, and nothing else", async () => {
    const registry = createDynamoRegistry({
      ...account.config,
      table: account.table,
      historyDays: 2,
    });
    await registry.register(registration(), now);
    await registry.append(id, [event()]);
    await registry.take(
      { name: "a", capacity: 1, refillPerSecond: 1 },
      { wanted: 1, floor: 0, now },
    );
    const expiries = (await items()).map((item) => [
      item.sk?.S?.split("#")[0],
      item[dynamoTable.expiryAttribute]?.N,
    ]);
    expect(expiries.sort()).toEqual([
      ["entry", undefined],
      ["event", String((now + 48 * hours) / seconds)],
      ["level", undefined],
    ]);
  });

  it("reads many pages, longest overdue first, whatever shard they are in", async () => {
    const registry = connect();
    const ids = Array.from({ length: 230 }, (_, at) => `pmi-${String(at).padStart(12, "0")}`);
    const dueAts = new Map(ids.map((each, at) => [each, now + ((at * 7919) % 230) * seconds]));
    for (const each of ids)
      await registry.register(registration({ id: each }), dueAts.get(each) ?? now);
    const due = await collect(registry.due(now + 199 * seconds));
    const expected = ids.filter((each) => (dueAts.get(each) ?? 0) <= now + 199 * seconds);
    expect(due).toEqual(expected.sort((a, b) => (dueAts.get(a) ?? 0) - (dueAts.get(b) ?? 0)));
    const listed = await collect(registry.list());
    expect(listed.map((entry) => entry.id).sort()).toEqual(ids);
  }, 60_000);

  it("reads the rest of a batch that is more than DynamoDB answers at once", async () => {
    const registry = connect();
    const ids = Array.from({ length: 100 }, (_, at) => `pmi-${String(at).padStart(12, "0")}`);
    const creationKey = "x".repeat(180_000);
    for (const each of ids) await registry.register(registration({ id: each, creationKey }), now);
    const listed = await collect(registry.list());
    expect(listed.map((entry) => entry.id).sort()).toEqual(ids);
  }, 60_000);

  it("reads a long history page by page without losing or repeating any", async () => {
    const registry = connect();
    const events = Array.from({ length: 90 }, (_, at) =>
      event({ at: now + Math.floor(at / 3) * seconds, message: `step ${at}` }),
    );
    await registry.append(id, events);
    const told: string[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await registry.history(id, { limit: 7, before });
      if (page.length === 0) break;
      told.push(...page.map(({ message }) => message));
      before = page.at(-1)?.at;
    }
    expect(told).toEqual(events.map(({ message }) => message).reverse());
  });

  it("names an entry that cannot be read, and says nothing of what is in it", async () => {
    const registry = connect();
    await registry.register(registration(), now);
    await damage(id, "#!/bin/sh\nhunter2");
    const failure = registry.get(id);
    await expect(failure).rejects.toThrow(
      `The entry of ${id} in DynamoDB table ${account.table} cannot be read: it is no JSON.`,
    );
    await expect(failure).rejects.toThrow(`delete the item "pmi#${id}", "entry"`);
    await expect(failure).rejects.not.toThrow(/hunter2/);
    await expect(leased(registry)).rejects.toThrow(id);
  });

  it("gives all other entries although one cannot be read, which stays due", async () => {
    const registry = connect();
    const other = "pmi-00000000000b";
    await registry.register(registration(), now);
    await registry.register(registration({ id: other }), now + seconds);
    await damage(id, "{}");
    const told: string[] = [];
    const listed = await collect(registry.list({ damaged: (error) => told.push(error.message) }));
    expect(listed.map((entry) => entry.id)).toEqual([other]);
    expect(told).toEqual([expect.stringContaining(`The entry of ${id}`)]);
    await expect(collect(registry.list())).rejects.toThrow(`The entry of ${id}`);
    expect(await collect(registry.due(now + seconds))).toEqual([id, other]);
  });

  it("an entry that was deleted by hand is none, and can be registered again", async () => {
    const registry = connect();
    await registry.register(registration(), now);
    const Key = { pk: { S: `pmi#${id}` }, sk: { S: "entry" } };
    await account.client.send(new DeleteItemCommand({ TableName: account.table, Key }));
    expect(await registry.get(id)).toBeUndefined();
    expect(await registry.register(registration(), now)).toMatchObject({ id });
  });

  it("says which table is missing, where, and what to do", async () => {
    const registry = createDynamoRegistry({ ...account.config, table: "no-such-table" });
    await expect(registry.get(id)).rejects.toThrow(
      `DynamoDB table no-such-table does not exist in ${account.config.region}: deploy ManagedInstanceController there first, or correct the table's name`,
    );
    await expect(collect(registry.due(now))).rejects.toThrow("no-such-table");
  });
});
