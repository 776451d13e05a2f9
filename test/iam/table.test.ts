/** What the router and the worker do with the table, on the wire, against what they may do. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { registryStatements } from "../../components/controller/roles";
import { createDynamoRegistry } from "../../src/controller/dynamo-registry";
import { createRationing } from "../../src/controller/rationing";
import { createSurveyor } from "../../src/controller/survey";
import { work } from "../../src/controller/worker";
import { openDesk } from "../controller/desk";
import { type DynamoAccount, openDynamoAccount } from "../controller/dynamo-account";
import { carrierOf } from "../simulation/operations";

let account: DynamoAccount;
beforeAll(async () => {
  account = await openDynamoAccount();
});
afterAll(() => account.close());

interface Access {
  action: string;
  leadingKey: string;
}

/** A registry of the account, and what it asks of DynamoDB. */
function open() {
  const accesses: Access[] = [];
  const { requestHandler } = new DynamoDBClient(account.config).config;
  const recording: typeof requestHandler = Object.assign(Object.create(requestHandler), {
    handle: async (...call: Parameters<typeof requestHandler.handle>) => {
      const [{ body, headers }] = call;
      const action = `dynamodb:${String(headers["x-amz-target"]).split(".")[1]}`;
      const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body);
      const [, leadingKey = ""] = /"pk":\{"S":"(\w+)#/.exec(text) ?? [];
      accesses.push({ action, leadingKey });
      return requestHandler.handle(...call);
    },
  });
  const config = { ...account.config, requestHandler: recording };
  return { accesses, registry: createDynamoRegistry({ ...config, table: account.table }) };
}

const actionsIn = (accesses: readonly Access[]) =>
  [...new Set(accesses.map(({ action }) => action))].sort();
const allowed = (part: "router" | "worker") =>
  registryStatements(part, "table")
    .flatMap(({ Action }) => Action)
    .sort();

test("the worker's whole life of a managed instance needs exactly its actions", async () => {
  const desk = openDesk();
  const { initial, spec, specVersion, world } = desk.story;
  const { id, creationKey } = initial;
  const people = createDynamoRegistry({ ...account.config, table: account.table });
  const registration = { id, creationKey, spec, specVersion, deallocate: false };
  await people.register(registration, world.clock.now());
  const { accesses, registry } = open();
  const ec2 = createRationing({ ec2: world.ec2, registry, clock: world.clock }).ec2(() => "upkeep");
  await ec2.call("DescribeSubnets", {});
  expect(await work(id, desk.deps({ registry }), { initial })).toMatchObject({ kind: "worked" });
  const instanceId = await carrierOf(desk.story);
  world.simulator.control.interrupt({ instanceId, noticeSeconds: 0 });
  expect(await work(id, desk.deps({ registry }))).toMatchObject({ kind: "worked" });
  await people.register({ ...registration, deallocate: true }, world.clock.now());
  expect(await work(id, desk.deps({ registry }))).toMatchObject({ kind: "deallocated" });
  expect(actionsIn(accesses)).toEqual(allowed("worker"));
});

test("the router's survey needs exactly its actions, and writes nothing but buckets", async () => {
  const { initial, spec, specVersion, world } = openDesk().story;
  const { id, creationKey } = initial;
  const now = () => world.clock.now();
  const people = createDynamoRegistry({ ...account.config, table: account.table });
  await people.register({ id, creationKey, spec, specVersion, deallocate: false }, now());
  const { accesses, registry } = open();
  const ec2 = createRationing({ ec2: world.ec2, registry, clock: world.clock }).ec2(
    () => "recovery",
  );
  const surveyor = createSurveyor({ ec2, registry, now, thoroughEverySeconds: 600 });
  expect((await surveyor.survey()).wanted.map((each) => each.id)).toEqual([id]);
  expect((await surveyor.survey()).isThorough).toBe(false);
  expect(actionsIn(accesses)).toEqual(allowed("router"));
  const written = accesses.filter(({ action }) => action === "dynamodb:PutItem");
  expect([...new Set(written.map(({ leadingKey }) => leadingKey))]).toEqual(["bucket"]);
});
