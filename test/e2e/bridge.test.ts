/**
 * The smoke test of the bridge to Pulumi's internals, against the real engine: it says which facility
 * a new Pulumi has broken. It does not prove anything about managed instances.
 */
import fs from "node:fs";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createProject, type Project, Recording } from "./project";
import { until } from "./until";

jest.setTimeout(120_000);

interface Entry {
  event: string;
  pid?: number;
  engine?: number;
  urn?: string;
  timeoutSeconds?: number;
  stopped?: boolean;
  gone?: boolean;
}

class BridgeResource extends pulumi.CustomResource {}

let project: Project;
let journal: string;
let stacks = 0;

beforeAll(async () => {
  project = await createProject("bridge");
});
afterAll(() => project.remove());

const entries = (): Entry[] =>
  fs.existsSync(journal)
    ? fs
        .readFileSync(journal, "utf8")
        .split("\n")
        // What follows the last line break is still being written.
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Entry)
    : [];
const entry = (event: string) => entries().find((each) => each.event === event);

async function stackWith(names: readonly string[], milliseconds: number) {
  const name = `s${++stacks}`;
  journal = path.join(project.folder, `${name}.journal`);
  const compiled = "node_modules/pulumi-managed-instance/dist/test/e2e/fixtures/bridge-provider.js";
  const stub = `exports.handler=()=>require(${JSON.stringify(path.join(project.folder, compiled))}).provider;`;
  return project.stack(name, async () => {
    for (const each of names) {
      new BridgeResource(
        "pulumi-nodejs:dynamic/test:Bridge",
        each,
        { journal, milliseconds, __provider: stub },
        { customTimeouts: { create: "17m" } },
      );
    }
    return undefined;
  });
}

test("each of two concurrent calls knows its own URN and time-out, also after waiting", async () => {
  const stack = await stackWith(["one", "two"], 300);
  await stack.up();
  const ends = entries().filter((each) => each.event === "end");
  expect(ends.map(({ urn }) => urn?.split("::").at(-1)).sort()).toEqual(["one", "two"]);
  expect(ends.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([1020, 1020]);
  await stack.destroy();
});

test("messages stand on the row of the resource, and passing ones are marked as passing", async () => {
  const stack = await stackWith(["row"], 10);
  const recording = new Recording();
  await stack.up({ onEvent: recording.onEvent });
  const words = recording.diagnostics.filter(({ message }) => message.includes("word"));
  expect(words.map(({ urn, ephemeral }) => [urn?.split("::").at(-1), ephemeral === true])).toEqual([
    ["row", true],
    ["row", false],
  ]);
  await stack.destroy();
});

test("the first Ctrl-C reaches the call in flight at once", async () => {
  const stack = await stackWith(["long"], 60_000);
  const controller = new AbortController();
  const up = stack.up({ signal: controller.signal });
  const failure = up.then(
    () => undefined,
    (error: Error) => error,
  );
  await until("the create has begun", () => entry("create") !== undefined);
  controller.abort();
  expect(await failure).toBeDefined();
  expect(entry("end")).toMatchObject({ stopped: true, gone: false });
});

test("a killed engine stops the call in flight, and its orphan ends", async () => {
  const stack = await stackWith(["orphan"], 60_000);
  const failure = stack.up().then(
    () => undefined,
    (error: Error) => error,
  );
  await until("the create has begun", () => entry("create") !== undefined);
  const { pid, engine } = entry("create") ?? {};
  process.kill(engine ?? 0, "SIGKILL");
  expect(await failure).toBeDefined();
  await until("the call has come to its end", () => entry("end") !== undefined);
  expect(entry("end")).toMatchObject({ stopped: true, gone: true });
  await until("the orphan has ended", () => !isRunning(pid ?? 0));
});

test("an operation without work to cut off is not made longer", async () => {
  const stack = await stackWith(["quick"], 1);
  await stack.up();
  const startedAt = Date.now();
  await stack.destroy();
  expect(Date.now() - startedAt).toBeLessThan(6_500);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
