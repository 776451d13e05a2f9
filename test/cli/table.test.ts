/** The controller's registry in a DynamoDB table, as `--table` names it. */
import { createDynamoRegistry } from "../../src/controller/dynamo-registry";
import { type DynamoAccount, openDynamoAccount } from "../controller/dynamo-account";
import { type Account, openStillAccount } from "./account";

const db = "pmi-00000000000a";
const variables = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
let saved: (string | undefined)[];
let account: Account;
let dynamo: DynamoAccount;

/** The SDK itself reads where DynamoDB is, and whose credentials count. */
beforeAll(async () => {
  dynamo = await openDynamoAccount();
  account = await openStillAccount();
  saved = variables.map((name) => process.env[name]);
  process.env.AWS_ENDPOINT_URL_DYNAMODB = String(dynamo.config.endpoint);
  if (!dynamo.isRemote) {
    process.env.AWS_ACCESS_KEY_ID = "nobody";
    process.env.AWS_SECRET_ACCESS_KEY = "nothing";
  }
  const registry = createDynamoRegistry({ ...dynamo.config, table: dynamo.table });
  await registry.register(await account.create(db, "db"), account.simulator.clock.now());
}, 60_000);

afterAll(async () => {
  for (const [index, name] of variables.entries()) {
    const value = saved[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await account.close();
  await dynamo.close();
}, 60_000);

test("what is asked for is written to the table and told from it", async () => {
  const withTable = [...account.place, "--table", dynamo.table];
  const asked = await account.cli(["pause", "db", "--no-wait", ...withTable]);
  expect(asked).toMatchObject({ exitCode: 0, stderr: "" });
  const { stdout } = await account.cli(["status", "db", "--json", ...withTable]);
  expect(JSON.parse(stdout).managedInstance).toMatchObject({
    ...{ id: db, state: "running" },
    controller: { desiredState: "paused", asked: { desiredState: "paused" } },
  });
  const history = await account.cli(["history", "db", ...withTable]);
  expect(history.stdout).toMatch(/asked: to be paused, at the command line\n$/);
}, 60_000);

test("a table that does not exist: exit code 1, with what to check", async () => {
  const { exitCode, stderr } = await account.cli(["list", ...account.place, "--table", "nowhere"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("DynamoDB table nowhere does not exist in us-east-1: deploy");
  expect(stderr).toMatch(/\nTables are named with --table, and the Region with --region\.\n$/);
}, 60_000);
