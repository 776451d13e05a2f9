/**
 * What people ask for at the command line, against an account whose time passes: with nobody else at
 * work, beside a controller, in the way of somebody else, cut off, and where it makes no sense.
 */
import { IMAGE_IDS } from "../../src/simulator";
import { type Account, openAccount, type Run } from "./account";

const db = "pmi-00000000000a";
let account: Account;

beforeEach(async () => {
  account = await openAccount();
}, 60_000);

afterEach(() => account.close());

async function createRegistered() {
  const registration = await account.create(db, "db");
  await account.register(registration);
  return registration;
}

async function shown(): Promise<{ state: string; generation: number; instanceId?: string }> {
  const { stdout } = await account.managed(["status", "db", "--json"]);
  return JSON.parse(stdout).managedInstance;
}

/** A busy machine lets simulated hours pass. */
const patient = ["--timeout", "900h"];

const aliveInstances = () =>
  (account.simulator.control.state().instances as { state: string }[]).filter(
    ({ state }) => state !== "terminated",
  ).length;

/** Nothing but one JSON document is on standard output, and nothing is on the other. */
function documentOf(run: Run) {
  expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(run.stdout);
}

describe("with nobody else at work the command does it itself", () => {
  test("pause, resume, recycle and snapshot, each until it is done", async () => {
    await createRegistered();
    const paused = await account.managed(["pause", "db", ...patient]);
    expect(paused).toMatchObject({ exitCode: 0 });
    expect(paused.stdout).toMatch(
      /^pmi-00000000000a is paused, after .+\. The program says running: .+\n$/,
    );
    expect(paused.stderr).toMatch(/Z {2}asked: to be paused, at the command line\n/);
    expect(paused.stderr).toMatch(/Z {2}terminating i-\S+ \(pause\)/);
    expect(paused.stderr).toMatch(/Z {2}registering an image of snap-/);
    expect(await shown()).toMatchObject({ state: "paused", generation: 1 });
    expect(aliveInstances()).toBe(0);

    const resumed = documentOf(await account.managed(["resume", "db", "--json", ...patient]));
    expect(resumed).toEqual({
      ...{ id: db, request: "resume", outcome: "fulfilled", seconds: expect.any(Number) },
      managedInstance: expect.objectContaining({ id: db, state: "running", generation: 2 }),
    });

    expect(await account.managed(["recycle", "db", ...patient])).toMatchObject({ exitCode: 0 });
    expect(await shown()).toMatchObject({ state: "running", generation: 3 });
    expect(aliveInstances()).toBe(1);

    const snapshotted = documentOf(await account.managed(["snapshot", "db", "--json", ...patient]));
    expect(snapshotted).toMatchObject({ request: "snapshot", outcome: "fulfilled" });
    const entry = await account.registry.get(db);
    expect(entry?.lease).toBeUndefined();
    expect(Date.parse(snapshotted.managedInstance.lastSnapshotAt)).toBeGreaterThanOrEqual(
      entry?.asked.snapshotAt ?? Number.POSITIVE_INFINITY,
    );
  }, 240_000);

  test("asking again for what is fulfilled changes nothing", async () => {
    await createRegistered();
    expect(await account.managed(["pause", "db", ...patient])).toMatchObject({ exitCode: 0 });
    const { stderr, ...again } = await account.managed(["pause", "db", ...patient]);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(stderr).not.toMatch(/terminating|snapshotting|launching/);
  }, 120_000);
});

describe("beside others", () => {
  test("a lease that somebody left behind is waited out", async () => {
    await createRegistered();
    const { registry, simulator } = account;
    const now = simulator.clock.now();
    await registry.acquire(db, "gone:1:aaaa", { now, untilAt: now + 120_000 });
    expect(await account.managed(["pause", "db", ...patient])).toMatchObject({ exitCode: 0 });
    expect(await shown()).toMatchObject({ state: "paused" });
  }, 120_000);

  test("without waiting the wish stands in the registry, and a controller carries it out", async () => {
    await createRegistered();
    const asked = documentOf(await account.managed(["pause", "db", "--no-wait", "--json"]));
    expect(asked).toMatchObject({ request: "pause", outcome: "requested" });
    expect(await shown()).toMatchObject({ state: "running" });
    const report = await account.managed(["controller", "--once"]);
    expect(report.exitCode).toBe(0);
    expect(await shown()).toMatchObject({ state: "paused" });
    const { stdout } = await account.managed(["history", "db"]);
    expect(stdout).toMatch(/asked: to be paused, at the command line\n.*terminating/);
  }, 120_000);

  test("a controller at work and a person who asks come to the same end", async () => {
    await createRegistered();
    const stop = new AbortController();
    const controller = account.managed(["controller", "--interval", "1"], { signal: stop.signal });
    expect(await account.managed(["recycle", "db", ...patient])).toMatchObject({ exitCode: 0 });
    expect(await shown()).toMatchObject({ state: "running", generation: 2 });
    expect(aliveInstances()).toBe(1);
    stop.abort();
    expect(await controller).toMatchObject({ exitCode: 0 });
    expect((await account.registry.get(db))?.lease).toBeUndefined();
  }, 120_000);
});

describe("cut off", () => {
  test("Ctrl-C stops at a safe point, gives the lease back, and the same command goes on", async () => {
    await createRegistered();
    const stop = new AbortController();
    const run = await account.managed(["pause", "db", ...patient], {
      signal: stop.signal,
      onNote: (text) => {
        if (text.includes("terminating")) stop.abort();
      },
    });
    expect(run).toMatchObject({ exitCode: 130, stdout: "" });
    expect(run.stderr).toContain(
      "Stopped at a safe point.\nThe request stands: a controller goes on with it, and so does `managed-instance pause pmi-00000000000a`.\n",
    );
    expect((await account.registry.get(db))?.lease).toBeUndefined();
    expect(await account.managed(["pause", "db", ...patient])).toMatchObject({ exitCode: 0 });
    expect(await shown()).toMatchObject({ state: "paused" });
    expect(aliveInstances()).toBe(0);
  }, 120_000);

  test("a recycle that is cut off after the launch and asked for again is one recycle", async () => {
    await createRegistered();
    const stop = new AbortController();
    const cutOff = await account.managed(["recycle", "db", ...patient], {
      signal: stop.signal,
      onNote(text) {
        if (text.includes("launching generation 2")) stop.abort();
      },
    });
    expect(cutOff.exitCode).toBe(130);
    expect(await shown()).toMatchObject({ generation: 2 });
    const again = await account.managed(["recycle", "db", ...patient]);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stderr).toContain("asked: generation 1 to be replaced");
    expect(await shown()).toMatchObject({ state: "running", generation: 2 });
  }, 120_000);

  test("Ctrl-C before anything is asked for ends it at once", async () => {
    await createRegistered();
    const run = await account.managed(["pause", "db"], { signal: AbortSignal.abort() });
    expect(run).toEqual({ exitCode: 130, stdout: "", stderr: "Interrupted.\n" });
  }, 120_000);

  test("a time that is too short: exit code 5, and the request stands", async () => {
    await createRegistered();
    const run = await account.managed(["pause", "db", "--timeout", "1s", "--json"]);
    expect(run.exitCode).toBe(5);
    expect(JSON.parse(run.stdout)).toEqual({
      error: {
        ...{ ending: "timedOut", exitCode: 5 },
        message: expect.stringMatching(/^Not finished within 1 s: .+\.$/),
        next: expect.stringContaining("The request stands"),
      },
    });
    expect((await account.registry.get(db))?.asked).toEqual({ desiredState: "paused" });
    expect((await account.registry.get(db))?.lease).toBeUndefined();
  }, 120_000);
});

describe("where it cannot be done", () => {
  test("stuck: exit code 3 with the reason and what to do", async () => {
    const registration = await createRegistered();
    const spec = { ...registration.spec, imageId: "ami-0123456789abcdef0" };
    await account.register({ ...registration, spec, specVersion: 2 });
    const { exitCode, stderr } = await account.managed(["recycle", "db", ...patient]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`${db} is stuck: image ami-0123456789abcdef0 does not exist`);
    expect(stderr).toMatch(/imageId.*\n$/);
    expect(await shown()).toMatchObject({ state: "running", generation: 1 });
  }, 120_000);

  test("paused: there is nothing to recycle or to snapshot", async () => {
    const registration = await account.create(db, "db", { desiredState: "paused" });
    await account.register(registration);
    for (const verb of ["recycle", "snapshot"])
      expect(await account.managed([verb, "db"])).toEqual({
        exitCode: 3,
        stdout: "",
        stderr: `${db} is paused: there is nothing to ${verb}.\nResume it with \`managed-instance resume\`.\n`,
      });
  }, 120_000);

  test("without a persisted root disk there is nothing to snapshot", async () => {
    await account.register(await account.create(db, "db", { persistRootDevice: false }));
    const { exitCode, stderr } = await account.managed(["snapshot", "db", ...patient]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("Set `persistRootDevice: true` in the program.");
  }, 120_000);

  test("ended: nothing more can be asked for", async () => {
    const registration = await createRegistered();
    await account.destroy(registration);
    const { exitCode, stderr } = await account.managed(["resume", db]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`${db} is being ended, or has ended.`);
  }, 120_000);

  test("not registered: says how it gets into the registry", async () => {
    await account.create(db, "db");
    const { exitCode, stderr } = await account.managed(["pause", "db", ...patient]);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`${db} exists, but directory ${account.directory} does not know it.`);
    expect(stderr).toContain("`controller: { directory: … }` in the program");
  }, 120_000);

  test("without a registry: says where it is named, and how to do without", async () => {
    await account.create(db, "db");
    const { exitCode, stderr } = await account.cli(["pause", "db", ...account.place]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Name it with --table or --directory. Without a controller change");
  }, 120_000);
});

test("the registry in the usual place of the home is found without being named", async () => {
  const started = await account.cli(["controller", "--once", ...account.place]);
  expect(started.exitCode).toBe(0);
  const { host } = new URL(account.endpoint);
  const usual = `123456789012-us-east-1-${host.replace(":", "-")}`;
  expect(started.stderr).toContain(
    `directory ${account.home}/.managed-instance/${usual} in us-east-1`,
  );
}, 60_000);

test("another image in the specification and a recycle is an AMI swap, as the program says", async () => {
  const registration = await createRegistered();
  const spec = { ...registration.spec, imageId: IMAGE_IDS.amazonLinuxNewer };
  await account.register({ ...registration, spec, specVersion: 2 });
  expect(await account.managed(["recycle", "db", ...patient])).toMatchObject({ exitCode: 0 });
  const { stdout } = await account.managed(["status", "db", "--json"]);
  expect(JSON.parse(stdout).managedInstance).toMatchObject({ lineage: 2, generation: 2 });
}, 120_000);
