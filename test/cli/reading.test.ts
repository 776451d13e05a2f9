/**
 * The commands that only read, on an account whose clock stands still, so that their whole output is
 * known: tables are pinned as files, JSON as the shape that docs/cli.md promises.
 */
import { type Account, openStillAccount, type Run } from "./account";
import { pinned } from "./pinned";

const [db, cache, scratch, old] = ["a", "b", "c", "d"].map((last) => `pmi-00000000000${last}`);
let account: Account;

/** db runs, cache is paused, scratch is not in the registry, old is deallocated. */
beforeAll(async () => {
  account = await openStillAccount();
  const { create, destroy, register, registry, settle, simulator } = account;
  await register(await create(`${db}`, "db"));
  await register(await create(`${cache}`, "cache", { desiredState: "paused" }));
  await create(`${scratch}`, "scratch", { lifeCycle: "on_demand" });
  await destroy(await create(`${old}`, "old"));
  await settle(`${db}`, {}, 3600);
  await settle(`${cache}`, { reason: "paused" }, 86_400);
  const at = simulator.clock.now();
  await registry.append(`${db}`, [
    { at, kind: "interrupted", message: "Spot takes i-1 back", generation: 1 },
    { at: at + 61_000, kind: "step", message: "terminating i-1", rule: "why", durationMs: 1500 },
    { at: at + 90_000, kind: "recovered", message: "i-2 runs", generation: 2 },
  ]);
  // So that no relative time is about to change while the tests run.
  simulator.clock.advance(1826);
}, 60_000);

afterAll(() => account.close());

/** Nothing but the result is written, and the result is JSON. */
function jsonOf({ exitCode, stderr, stdout }: Run): unknown {
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
}

const isoInstant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe("list", () => {
  test("shows each managed instance in a line", async () => {
    const { exitCode, stderr, stdout } = await account.managed(["list"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    pinned("list.txt", stdout);
  });

  test("--all shows what is deallocated, too", async () => {
    const { stdout } = await account.managed(["list", "--all"]);
    expect(stdout).toMatch(/^pmi-00000000000d +shop\/dev\/old +deallocated/m);
    expect(stdout).not.toContain("--all shows them");
  });

  test("needs no registry", async () => {
    const { exitCode, stdout } = await account.cli(["list", ...account.place]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^pmi-00000000000a +shop\/dev\/db +running/m);
  });

  test("--json tells each with its facts and what the controller knows", async () => {
    const told = jsonOf(await account.managed(["list", "--json"]));
    expect(told).toEqual({
      region: "us-east-1",
      managedInstances: [
        expect.objectContaining({
          ...{ id: db, name: "db", project: "shop", stack: "dev", state: "running" },
          ...{ generation: 1, lineage: 1, market: "spot", lastSnapshotAt: isoInstant },
          controller: {
            ...{ standing: "done", reason: "running", at: isoInstant, dueAt: isoInstant },
            ...{ desiredState: "running", specVersion: 1, asked: {} },
          },
        }),
        expect.objectContaining({ id: cache, state: "paused" }),
        expect.objectContaining({ id: scratch, state: "running", market: "on-demand" }),
      ],
    });
    expect(JSON.stringify(told)).not.toContain("userData");
  });

  test("takes place and registry from the environment, too", async () => {
    const environment = {
      AWS_ENDPOINT_URL: account.endpoint,
      AWS_REGION: "us-east-1",
      MANAGED_INSTANCE_DIRECTORY: account.directory,
    };
    const told = jsonOf(await account.cli(["list", "--json"], { environment }));
    expect(told).toEqual(jsonOf(await account.managed(["list", "--json"])));
  });

  test("says so where there is nothing", async () => {
    const empty = await openStillAccount();
    const { exitCode, stdout } = await empty.managed(["list"]);
    await empty.close();
    expect(exitCode).toBe(0);
    expect(stdout).toBe("No managed instances in us-east-1.\n");
  });
});

describe("status", () => {
  test("shows all of one managed instance, found by its name", async () => {
    const { exitCode, stderr, stdout } = await account.managed(["status", "db"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    pinned("status.txt", stdout);
    expect(await account.managed(["status", `${db}`])).toEqual({ exitCode, stderr, stdout });
    expect(await account.managed(["status", "shop/dev/db"])).toEqual({ exitCode, stderr, stdout });
  });

  test("--json tells what holds the state and what comes next", async () => {
    const told = jsonOf(await account.managed(["status", "cache", "--json"]));
    expect(told).toEqual({
      region: "us-east-1",
      managedInstance: expect.objectContaining({ id: cache, state: "paused" }),
      next: { kind: "done", rule: expect.any(String) },
      resources: [],
    });
    const { resources } = jsonOf(await account.managed(["status", "db", "--json"])) as {
      resources: unknown[];
    };
    expect(resources).toContainEqual({
      ...{ kind: "snapshot", id: expect.stringMatching(/^snap-/), state: "completed" },
      ...{ generation: 1, lineage: 1, sizeGiB: 8, at: isoInstant },
    });
  });

  test("of what is deallocated shows until when each resource is kept", async () => {
    const { stdout } = await account.managed(["status", `${old}`]);
    expect(stdout).toMatch(/^snapshot .* expires in 3 d 23 h$/m);
  });

  test.each([`pmi-0123456789ab`, "nobody"])("there is no %s: exit code 4", async (which) => {
    const { exitCode, stderr, stdout } = await account.managed(["status", which]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(stderr).toBe(
      `There is no managed instance ${which} in us-east-1.\n\`managed-instance list --all\` shows all of them; another Region is chosen with --region.\n`,
    );
  });

  test("a name that two bear is refused with their ids", async () => {
    const twins = await openStillAccount();
    await twins.create("pmi-000000000001", "web");
    await twins.create("pmi-000000000002", "web");
    const { exitCode, stderr } = await twins.managed(["status", "web"]);
    await twins.close();
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Give one of their ids: pmi-000000000001, pmi-000000000002.");
  });
});

describe("history", () => {
  test("shows what happened, oldest first", async () => {
    const { exitCode, stdout } = await account.managed(["history", "db"]);
    expect(exitCode).toBe(0);
    pinned("history.txt", stdout);
  });

  test("--json tells instants, rules and durations; --limit takes the newest", async () => {
    const told = jsonOf(await account.managed(["history", "db", "--json", "--limit", "2"]));
    expect(told).toEqual({
      id: db,
      events: [
        {
          ...{ at: isoInstant, kind: "step", message: "terminating i-1" },
          ...{ rule: "why", durationMs: 1500 },
        },
        { at: isoInstant, kind: "recovered", message: "i-2 runs", generation: 2 },
      ],
    });
  });

  test("outlives its managed instance", async () => {
    await account.registry.append("pmi-0000000000ff", [
      { at: 0, kind: "deallocated", message: "it ended" },
    ]);
    const { exitCode, stdout } = await account.managed(["history", "pmi-0000000000ff"]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe("1970-01-01 00:00:00Z  deallocated: it ended\n");
  });

  test("needs a registry and says where to look without one", async () => {
    const { exitCode, stderr } = await account.cli(["history", "db", ...account.place]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("Name it with --table or --directory; AWS CloudTrail has the calls");
  });
});

describe("colours", () => {
  const start = "\u001b[";

  test("are shown on a terminal, and leave the columns where they are", async () => {
    const { stdout } = await account.managed(["list"], { isTerminal: true });
    expect(stdout).toContain(`${start}32mrunning${start}39m`);
    const plain = stdout
      .split(start)
      .map((text, index) => (index === 0 ? text : text.replace(/^\d+m/, "")));
    expect(plain.join("")).toBe((await account.managed(["list"])).stdout);
  });

  test.each([
    ["--no-color", ["list", "--no-color"], {}],
    ["NO_COLOR", ["list"], { NO_COLOR: "1" }],
    ["a dumb terminal", ["list"], { TERM: "dumb" }],
    ["--json", ["list", "--json"], {}],
  ])("are off with %s", async (_why, args, environment) => {
    const { stdout } = await account.managed(args, { isTerminal: true, environment });
    expect(stdout).not.toContain(start);
  });
});
