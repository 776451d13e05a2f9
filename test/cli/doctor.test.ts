/** `managed-instance doctor`: one thing wrong at a time, and what it says of it. */
import type { Action, Ec2 } from "../../src/aws/client";
import { isReading } from "../../src/aws/reading";
import { checkPermissions } from "../../src/cli/permission-check";
import { CloudError } from "../../src/engine/ports";
import { type Account, openStillAccount } from "./account";
import { pinned } from "./pinned";

const db = "pmi-00000000000a";
let account: Account;

beforeEach(async () => {
  account = await openStillAccount();
}, 60_000);

afterEach(() => account.close());

async function createSettled() {
  const registration = await account.create(db, "db");
  await account.register(registration);
  await account.settle(db, {}, 600);
  return registration;
}

interface Finding {
  check: string;
  status: string;
  message: string;
  next?: string;
}

async function findings(): Promise<{ exitCode: number; all: Finding[] }> {
  const { exitCode, stderr, stdout } = await account.managed(["doctor", "--json"]);
  expect(stderr).toBe("");
  const { findings: all, problems, warnings } = JSON.parse(stdout);
  const count = (status: string) => all.filter((each: Finding) => each.status === status).length;
  expect({ problems, warnings }).toEqual({
    problems: count("problem"),
    warnings: count("warning"),
  });
  return { exitCode, all };
}

const worst = (all: readonly Finding[]) =>
  all.filter(({ status }) => status === "problem" || status === "warning");

test("all is well, and it says what it looked at", async () => {
  await createSettled();
  const { exitCode, stderr, stdout } = await account.managed(["doctor"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  pinned("doctor.txt", stdout.replaceAll(account.directory, "<registry>"));
});

test("nothing is made, changed or deleted by asking for permissions", async () => {
  await createSettled();
  account.simulator.control.clearCalls();
  const before = JSON.stringify(account.simulator.control.state());
  await findings();
  expect(JSON.stringify(account.simulator.control.state())).toBe(before);
  const asked = account.simulator.control.calls().filter(({ action }) => !isReading(action));
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter(({ parameters }) => parameters.DryRun !== true)).toEqual([]);
});

describe("permissions", () => {
  const refusing = (refused: readonly Action[]): Ec2 => ({
    call: (action) => {
      const code = refused.includes(action) ? "UnauthorizedOperation" : "DryRunOperation";
      const meaning = refused.includes(action) ? "denied" : "invalid";
      const cause = Object.assign(new Error(code), { name: code });
      return Promise.reject(new CloudError(meaning, code, { cause }));
    },
  });

  test("a reading call that is refused is a problem, with the action to allow", async () => {
    const found = await checkPermissions({ ec2: refusing(["DescribeVolumes"]) });
    expect(worst(found)).toEqual([
      {
        ...{ check: "permissions", status: "problem", message: "EC2 refuses DescribeVolumes." },
        next: "Allow ec2:DescribeVolumes.",
      },
    ]);
  });

  test("a changing call that is refused may be a policy bound to tags", async () => {
    const found = await checkPermissions({ ec2: refusing(["DeleteVolume", "RunInstances"]) });
    expect(worst(found)).toMatchObject([{ check: "permissions", status: "warning" }]);
    expect(found[0]?.message).toContain("EC2 refuses DeleteVolume, RunInstances for ids that do");
  });
});

test("nobody at work: overdue, exit code 3", async () => {
  await account.register(await account.create(db, "db"));
  account.simulator.clock.advance(900);
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(3);
  expect(worst(all)).toEqual([
    {
      ...{ check: "controller", status: "problem" },
      message: expect.stringMatching(/^No controller is at work: 1 managed instance waited up to/),
      next: expect.stringContaining("managed-instance controller"),
    },
  ]);
});

test("what is not registered is told, because nobody answers its interruptions", async () => {
  await createSettled();
  await account.create("pmi-00000000000b", "web");
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(0);
  expect(worst(all)).toMatchObject([
    {
      check: "controller",
      status: "warning",
      message: expect.stringContaining("pmi-00000000000b"),
    },
  ]);
});

test("what EC2 has otherwise than specified is drift, with the engine's reason", async () => {
  const registration = await createSettled();
  const spec = { ...registration.spec, instanceTypes: ["r5.large"] };
  // Its first snapshot is completed by then: what is under way would be a note.
  account.simulator.clock.advance(240);
  await account.register({ ...registration, spec, specVersion: 2 });
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(0);
  expect(worst(all)).toMatchObject([{ check: "drift", status: "warning" }]);
  expect(worst(all)[0]?.message).toMatch(/^pmi-00000000000a: .+ Because: .+\.$/);
});

test("what waits for the next recycle, as specified, is a note", async () => {
  const registration = await createSettled();
  const { spec } = registration;
  const later = { ...spec, monitoring: true, applyChanges: "at-next-recycle" as const };
  await account.register({ ...registration, spec: later, specVersion: 2 });
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(0);
  expect(all).toContainEqual({
    ...{ check: "drift", status: "note", next: `\`managed-instance recycle ${db}\` does it now.` },
    message: `${db} waits for its next recycle with: launch properties.`,
  });
});

test("stuck is a problem, with what to do", async () => {
  const registration = await createSettled();
  const spec = { ...registration.spec, imageId: "ami-0123456789abcdef0" };
  await account.register({ ...registration, spec, specVersion: 2 });
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(3);
  expect(worst(all)).toMatchObject([
    {
      check: "drift",
      status: "problem",
      message: expect.stringContaining(`${db} is stuck: image`),
    },
  ]);
});

test("tags that somebody broke are a problem here, and no reason for list to fail", async () => {
  await createSettled();
  const { interfaceId = "" } = (await account.registry.get(db)) ?? {};
  const Tags = [{ Key: "pmi:phase", Value: "happy" }];
  account.simulator.call("CreateTags", { Resources: [interfaceId], Tags });
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(3);
  expect(worst(all)).toMatchObject([
    { check: "drift", message: expect.stringContaining("pmi:phase cannot be read") },
  ]);
  const listed = await account.managed(["list"]);
  expect(listed.exitCode).toBe(0);
  expect(listed.stdout).toMatch(/^pmi-00000000000a +shop\/dev\/db +damaged/m);
  expect(await account.managed(["status", db])).toMatchObject({ exitCode: 3, stdout: "" });
});

test("orphans are told, copies of our tags are left alone, and neither is touched", async () => {
  await createSettled();
  const { call } = account.simulator;
  const tagsOf = (id: string, operation: string) =>
    Object.entries({
      "pmi:id": id,
      ...{ "pmi:lineage": "1", "pmi:generation": "1", "pmi:base-image": "ami-1" },
      "pmi:operation": operation,
    }).map(([Key, Value]) => ({ Key, Value }));
  const make = (id: string, operation: string) =>
    String(
      call("CreateVolume", {
        ...{ AvailabilityZone: "us-east-1a", Size: 1 },
        TagSpecifications: [{ ResourceType: "volume", Tags: tagsOf(id, operation) }],
      }).VolumeId,
    );
  const orphan = make("pmi-0000000000ee", "launch:1");
  const copy = make(db, "backup");
  const before = JSON.stringify(account.simulator.control.state());
  const { exitCode, all } = await findings();
  expect(exitCode).toBe(0);
  expect(worst(all)).toMatchObject([
    {
      ...{ check: "leftovers", status: "warning" },
      message: `${orphan} are tagged with pmi-0000000000ee, of which there is neither a network interface nor an entry.`,
    },
  ]);
  expect(all).toContainEqual({
    ...{ check: "leftovers", status: "note" },
    message: `${copy} wear our tags and are not ours: backups or copies. They are left alone.`,
  });
  expect(JSON.stringify(account.simulator.control.state())).toBe(before);
});

test("what should have been deleted long ago is told", async () => {
  await account.destroy(await account.create(db, "db"));
  account.simulator.clock.advance(100 * 3600);
  const { all } = await findings();
  expect(worst(all)).toMatchObject([
    { check: "leftovers", status: "warning", next: expect.stringContaining("managed-instance gc") },
  ]);
});

test("an EC2 that does not answer: exit code 1, with what to check", async () => {
  const place = ["--region", "us-east-1", "--endpoint", "http://127.0.0.1:9"];
  const { exitCode, stderr } = await account.cli(["list", ...place]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/\nEC2 gave no answer\. Check the network, --region and --endpoint.+\n$/);
}, 60_000);
