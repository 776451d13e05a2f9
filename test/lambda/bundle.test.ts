/**
 * The functions as they are deployed: each one file in an empty folder, run as a process of its own
 * against real wire protocols, with nothing but the environment that the component gives it.
 */
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { createEc2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { createCloud } from "../../src/aws/cloud";
import { createAnchorRegistry } from "../../src/aws/registry";
import { createDynamoRegistry } from "../../src/controller/dynamo-registry";
import { work } from "../../src/controller/worker";
import type { Ledger } from "../../src/engine/model";
import { fingerprint } from "../../src/engine/spec";
import { createSimulator, type Simulator, serveSimulator } from "../../src/simulator";
import { type DynamoAccount, openDynamoAccount } from "../controller/dynamo-account";
import { base } from "../simulation/operations";
import { parse } from "../simulation/world";
import { recordOf } from "./fifo-queue";

jest.setTimeout(180_000);

const id = "pmi-0123456789ab";
const functions = ["router", "worker", "sweep"] as const;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "managed-instance-lambda-"));
const closing: (() => unknown)[] = [];

beforeAll(() => {
  execFileSync(process.execPath, [path.join(__dirname, "../../scripts/bundle.mjs"), folder]);
});
afterAll(async () => {
  for (const close of closing) await close();
  fs.rmSync(folder, { recursive: true, force: true });
});

test.each(functions)("the %s is one file of at most 3 MB that needs nothing beside it", (name) => {
  const file = path.join(folder, name, "index.js");
  expect(fs.statSync(file).size).toBeLessThanOrEqual(3_000_000);
  const script = `console.log(typeof require(${JSON.stringify(file)}).handler)`;
  const options = { cwd: folder, encoding: "utf8" } as const;
  expect(execFileSync(process.execPath, ["-e", script], options)).toBe("function\n");
});

/** Stands for SQS and SNS: takes everything and remembers it. */
async function openMailbox() {
  const received: { target: string; body: string }[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const target = String(request.headers["x-amz-target"] ?? "sns");
      received.push({ target, body: Buffer.concat(chunks).toString() });
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end(JSON.stringify({ Successful: [], Failed: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return { received, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Site {
  simulator: Simulator;
  account: DynamoAccount;
  mailbox: Awaited<ReturnType<typeof openMailbox>>;
  environment: Record<string, string>;
}

/** An account with one managed instance that runs and is due. */
async function openSite(): Promise<Site> {
  const simulator = createSimulator({ clock: { kind: "real", speed: 120 } });
  const server = await serveSimulator(simulator);
  const account = await openDynamoAccount();
  const mailbox = await openMailbox();
  closing.push(
    () => server.close(),
    () => account.close(),
  );
  await createManagedInstance(server.endpoint, account);
  const environment = {
    AWS_REGION: account.config.region,
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "nothing",
    AWS_ENDPOINT_URL_EC2: server.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: String(account.config.endpoint),
    AWS_ENDPOINT_URL_SQS: mailbox.endpoint,
    AWS_ENDPOINT_URL_SNS: mailbox.endpoint,
    TABLE_NAME: account.table,
    QUEUE_URL: `${mailbox.endpoint}/managed-instances-work.fifo`,
    TOPIC_ARN: `arn:aws:sns:${account.config.region}:123456789012:managed-instances-notifications`,
  };
  return { simulator, account, mailbox, environment };
}

async function createManagedInstance(endpoint: string, account: DynamoAccount): Promise<void> {
  const clock = new AwsClock();
  const credentials = { accessKeyId: "nobody", secretAccessKey: "nothing" };
  const ec2 = createEc2({ region: account.config.region, endpoint, credentials }, clock);
  await ec2.call("DescribeSubnets", {});
  const registry = createDynamoRegistry({ ...account.config, table: account.table });
  const spec = parse(base);
  const registration = { id, creationKey: "test", spec, specVersion: 1, deallocate: false };
  await registry.register(registration, clock.now());
  const initial: Ledger = {
    id,
    creationKey: "test",
    phase: "creating",
    revision: 0,
    specVersion: 1,
    specFingerprint: fingerprint(spec),
    claim: { host: "test", pid: 1, touchedAt: clock.now() },
  };
  const deps = {
    cloud: createCloud(ec2, clock),
    anchors: createAnchorRegistry(ec2),
    registry,
    clock,
    claimant: { host: "test", pid: 1 },
    holder: "test",
  };
  const result = await work(id, deps, { initial });
  expect(result).toMatchObject({ kind: "worked", outcome: { kind: "done" } });
  await registry.wake(id, clock.now());
}

/** As Lambda calls it; what it prints is its log. */
async function invoke(
  name: (typeof functions)[number],
  event: unknown,
  { environment }: Pick<Site, "environment">,
) {
  const script = `
    const { handler } = require(${JSON.stringify(path.join(folder, name, "index.js"))});
    const context = { awsRequestId: "request-1", functionName: "x", getRemainingTimeInMillis: () => 180000 };
    handler(${JSON.stringify(event)}, context).then(
      (answer) => { process.stdout.write("ANSWER " + JSON.stringify(answer) + "\\n"); process.exit(0); },
      (error) => { process.stdout.write("ANSWER " + JSON.stringify(String(error)) + "\\n"); process.exit(0); },
    );`;
  const run = promisify(execFile);
  const { PATH = "" } = process.env;
  const { stdout } = await run(process.execPath, ["-e", script], {
    cwd: folder,
    env: { PATH, ...environment },
  });
  const lines = stdout.trimEnd().split("\n");
  const answer = lines.find((line) => line.startsWith("ANSWER "))?.slice("ANSWER ".length);
  const log = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return { answer: answer === "undefined" ? undefined : JSON.parse(answer ?? ""), log };
}

test("as they are deployed, the router wakes who is due, the worker looks and says so, the sweep sweeps", async () => {
  const site = await openSite();
  const schedule = { source: "aws.events", time: "2026-01-01T00:07:00Z" };
  const routed = await invoke("router", schedule, site);
  expect(routed.log).toContainEqual(
    expect.objectContaining({ message: "surveyed", shown: 1, wakes: 1 }),
  );
  const [sent] = site.mailbox.received;
  expect(sent?.target).toBe("AmazonSQS.SendMessageBatch");
  const [entry] = JSON.parse(sent?.body ?? "{}").Entries;
  expect(entry).toMatchObject({
    MessageGroupId: id,
    MessageDeduplicationId: `${id}:2026-01-01T00:07`,
  });

  const message = {
    body: JSON.parse(entry.MessageBody),
    groupId: id,
    deduplicationId: entry.MessageDeduplicationId,
  };
  const worked = await invoke(
    "worker",
    { Records: [recordOf({ message, messageId: "one" })] },
    site,
  );
  expect(worked.answer).toEqual({ batchItemFailures: [] });
  expect(worked.log).toContainEqual(
    expect.objectContaining({
      level: "INFO",
      service: "worker",
      message: "done",
      id,
      standing: "done",
    }),
  );
  expect(site.mailbox.received.at(-1)).toMatchObject({ target: "AmazonSQS.DeleteMessage" });
  const metrics = worked.log.filter((line) => "_aws" in line);
  expect(metrics).toContainEqual(expect.objectContaining({ service: "controller" }));
  expect(Object.keys(metrics[0] ?? {})).toContain("Calls");

  const swept = await invoke("sweep", {}, site);
  expect(swept.log).toContainEqual(
    expect.objectContaining({ message: "swept", deleted: [], blocked: [] }),
  );
});

test("a function without its environment says what is missing, and how it gets there", async () => {
  const environment = { AWS_REGION: "us-east-1" };
  const { answer } = await invoke("router", {}, { environment });
  expect(answer).toContain("TABLE_NAME is missing: deploy it with ManagedInstanceController");
});
