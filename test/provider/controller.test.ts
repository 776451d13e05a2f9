/** `pulumi up` and `destroy` of a managed instance that a controller keeps, on the embedded EC2. */
import { createCloud } from "../../src/aws/cloud";
import { createAnchorRegistry } from "../../src/aws/registry";
import type { ControllerRegistry } from "../../src/controller/registry";
import { type WorkResult, work } from "../../src/controller/worker";
import type { Facts } from "../../src/engine/facts";
import type { PartialFailure } from "../../src/provider/failure";
import { handlers } from "../../src/provider/handlers";
import { type Account, declared, images, openAccount, table } from "./account";

type Properties = Record<string, unknown>;

const kept = { ...declared, controller: { table } };
const factsOf = (properties: Properties) => properties.facts as Facts;

/** A controller at work in another process, until it comes to rest. */
function controllerWorks(account: Account, id: string): Promise<WorkResult> {
  const { connection, ec2, registry } = account;
  return work(id, {
    registry,
    cloud: createCloud(ec2, connection),
    anchors: createAnchorRegistry(ec2),
    clock: connection,
    claimant: { host: "controller", pid: 7 },
    holder: "controller:7:a",
  });
}

const created = (account: Account, inputs: Properties = kept) =>
  handlers.create(account.context(), inputs);

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => new Error("it did not fail"),
    (error: Error | PartialFailure) => error,
  );

test("create registers it and carries it out itself, with its history", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  expect(factsOf(outs)).toMatchObject({ state: "running", generation: 1 });
  const entry = await account.registry.get(id);
  expect(entry).toMatchObject({
    creationKey: kept.creationKey,
    specVersion: 1,
    standing: { kind: "done" },
  });
  expect(entry?.lease).toBeUndefined();
  const history = await account.registry.history(id, { limit: 100 });
  expect(history.map(({ message }) => message).join("\n")).toMatch(/launching generation 1/);
  expect(outs.controller).toEqual({ table });
});

test("what a controller does between two updates changes nothing for the next one", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  account.simulator.control.interrupt({
    instanceId: factsOf(outs).instanceId ?? "",
    noticeSeconds: 0,
  });
  expect(await controllerWorks(account, id)).toMatchObject({ standing: { kind: "done" } });
  const news = { ...kept, tags: { team: "a" } };
  const updated = await handlers.update(account.context(), id, outs, news);
  expect(factsOf(updated.outs)).toMatchObject({ state: "running", generation: 2, lineage: 1 });
  expect(await account.registry.get(id)).toMatchObject({
    specVersion: 2,
    spec: { tags: { team: "a" } },
  });
});

test("while a controller is at work its progress is shown, and what it did is the result", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const news = { ...kept, recycleToken: "once" };
  let isTaken = false;
  const context = account.context();
  // The controller is always faster: it takes the lease as soon as the order is registered.
  let controller: Promise<WorkResult> | undefined;
  const registry: ControllerRegistry = {
    ...account.registry,
    acquire: async (...call) => {
      if (!isTaken) {
        isTaken = true;
        controller = controllerWorks(account, id);
        await account.connection.sleep(1000, context.signal);
      }
      return account.registry.acquire(...call);
    },
  };
  const connection = { ...account.connection, registryAt: () => registry };
  const updated = await handlers.update(
    { ...context, connect: async () => connection },
    id,
    outs,
    news,
  );
  expect(await controller).toMatchObject({
    kind: "worked",
    standing: { kind: "done", specVersion: 2 },
  });
  expect(factsOf(updated.outs)).toMatchObject({ state: "running", generation: 2 });
  const shown = context.logged.filter(({ ephemeral }) => ephemeral).map(({ message }) => message);
  expect(shown).toContain("controller:7:a is at work on it");
  expect(shown.some((message) => message.startsWith("launching generation 2"))).toBe(true);
});

test("a controller that holds it longer than the time-out is named in the failure", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const now = account.connection.now();
  await account.registry.acquire(id, "controller:7:a", { now, untilAt: now + 3_600_000 });
  const news = { ...kept, recycleToken: "once", timeouts: { update: "30s" } };
  const failure = await failureOf(handlers.update(account.context(), id, outs, news));
  expect(failure.message).toMatch(
    /^Not finished within the time-out: controller:7:a is at work on it\./,
  );
});

test("an order that was registered by an update that died is outrun by the next one", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const entry = await account.registry.get(id);
  if (entry === undefined) throw new Error("it is not registered");
  const { lease, ledger, standing, ...registration } = entry;
  const spec = { ...entry.spec, imageId: images.ubuntu };
  await account.registry.register(
    { ...registration, spec, specVersion: 2 },
    account.connection.now(),
  );
  const news = { ...kept, imageId: images.amazonLinuxNewer };
  const updated = await handlers.update(account.context(), id, outs, news);
  expect(factsOf(updated.outs).imageId).toBe(images.amazonLinuxNewer);
  expect(await account.registry.get(id)).toMatchObject({ specVersion: 3 });
});

test("destroy ends it and takes it out of the registry, and its history stays", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  await handlers.deallocate(account.context(), id, outs);
  expect(await account.registry.get(id)).toBeUndefined();
  const [newest] = await account.registry.history(id, { limit: 1 });
  expect(newest).toMatchObject({ kind: "deallocated" });
  const instances = account.simulator.control.state().instances as { state: string }[];
  expect(instances.map(({ state }) => state)).toEqual(["terminated"]);
});

test("a destroy that a controller carries out succeeds, too", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const now = account.connection.now();
  const lease = await account.registry.acquire(id, "controller:7:a", {
    now,
    untilAt: now + 60_000,
  });
  const destroyed = handlers.deallocate(account.context(), id, outs);
  await account.connection.sleep(10_000, new AbortController().signal);
  if (lease === undefined) throw new Error("the lease was not free");
  const standing = { kind: "done" as const, reason: "running", at: now, specVersion: 1 };
  await account.registry.release(lease, { dueAt: now, standing });
  const ended = await controllerWorks(account, id);
  expect(["deallocated", "busy"]).toContain(ended.kind);
  await destroyed;
  expect(await account.registry.get(id)).toBeUndefined();
});

test("a table that cannot be read fails the check by its name, before anything is made", async () => {
  const account = openAccount();
  const inputs = { ...kept, controller: { table: "another" } };
  const { failures } = await handlers.check(account.context(), {}, inputs);
  expect(failures).toEqual([
    {
      property: "controller.table",
      reason: expect.stringMatching(
        /^controller\.table is "another" and must be .*there is no table another/,
      ),
    },
  ]);
});

test("a table that is not known yet in a preview is not asked for", async () => {
  const account = openAccount();
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  for (const controller of [{ table: unknown }, unknown]) {
    const { failures } = await handlers.check(account.context(), {}, { ...kept, controller });
    expect(failures).toEqual([]);
  }
});

test.each([
  [{}, "controller is {} and must have either table or directory"],
  [{ table, directory: "/srv/registry" }, "must have either table or directory"],
  [{ directory: "registry" }, 'controller.directory is "registry" and must be an absolute path'],
  [{ table: "?" }, 'controller.table is "?" and must be the name of a DynamoDB table'],
  [{ tabel: table }, "There is no property controller.tabel. Did you mean table?"],
])("controller %j is refused with the rule", async (controller, sentence) => {
  const account = openAccount();
  const { failures } = await handlers.check(account.context(), {}, { ...kept, controller });
  expect(failures.map(({ reason }) => reason).join("\n")).toContain(sentence);
});

test("another controller is an update in place: the former one forgets it", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const { controller: _former, ...news } = kept;
  expect(handlers.diff(account.context(), outs, news)).toEqual({});
  const updated = await handlers.update(account.context(), id, outs, news);
  expect(factsOf(updated.outs)).toMatchObject({ state: "running", generation: 1 });
  expect(updated.outs.controller).toBeUndefined();
  expect(await account.registry.get(id)).toBeUndefined();
  const again = await handlers.update(account.context(), id, updated.outs, kept);
  expect(await account.registry.get(id)).toMatchObject({ standing: { kind: "done" } });
  expect(handlers.diff(account.context(), again.outs, kept)).toEqual({ changes: false });
});

test("destroying works without the controller, when that was destroyed first", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const gone = async () => Promise.reject(new Error("there is no such table"));
  const registry = { ...account.registry, get: gone };
  const connection = { ...account.connection, registryAt: () => registry };
  const context = account.context({ connect: async () => connection });
  await handlers.deallocate(context, id, outs);
  const warnings = context.logged.filter(({ severity }) => severity === "warning");
  expect(warnings.map(({ message }) => message).join()).toMatch(/ending pmi-\w+ without it/);
});

test("a creation that was cancelled before it began leaves nothing in the registry", async () => {
  const account = openAccount();
  const signal = AbortSignal.abort(new Error("the update was cancelled"));
  const failure = await failureOf(handlers.create(account.context({ signal }), kept));
  expect(failure.message).toMatch(/^Stopped at a safe point/);
  const entries = [];
  for await (const entry of account.registry.list()) entries.push(entry);
  expect(entries).toEqual([]);
});
