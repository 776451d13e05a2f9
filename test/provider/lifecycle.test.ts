/**
 * The handlers over the production loop on the embedded EC2: what Pulumi is told. That disks and
 * addresses survive everything is proven by the engine's own tests.
 */
import os from "node:os";
import type { Facts } from "../../src/engine/facts";
import type { Context } from "../../src/provider/context";
import { PartialFailure } from "../../src/provider/failure";
import { handlers } from "../../src/provider/handlers";
import { type Account, declared, images, openAccount } from "./account";

type Properties = Record<string, unknown>;

const factsOf = (properties: Properties) => properties.facts as Facts;

async function created(account: Account, inputs: Properties = declared) {
  return handlers.create(account.context(), inputs);
}

/** No process has this number, so to this host it is one that died. */
const deadProcess = { host: os.hostname(), pid: 2 ** 30 };

/** Aborts as soon as a message of progress matches; of a process that is dead afterwards. */
function abortedAt(account: Account, words: RegExp, claimant = deadProcess): Context {
  const controller = new AbortController();
  return account.context({
    connect: async () => account.connectionOf(claimant),
    signal: controller.signal,
    log: (message) => {
      if (words.test(message)) controller.abort(new Error("the update was cancelled"));
    },
  });
}

async function failureOf(call: Promise<unknown>): Promise<PartialFailure> {
  const error = await call.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PartialFailure);
  return error as PartialFailure;
}

test("create ends with a healthy instance and tells its facts beside the declared properties", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  expect(id).toMatch(/^pmi-[0-9a-f]{12}$/);
  expect(outs).toMatchObject({
    imageId: declared.imageId,
    facts: { state: "running", generation: 1, lineage: 1, imageId: declared.imageId },
  });
  expect(JSON.parse(JSON.stringify(outs)).facts.privateIp).toMatch(/^[\d.]+$/);
});

test("a cancelled create keeps what it made, and the next update completes it", async () => {
  const account = openAccount();
  const failure = await failureOf(handlers.create(abortedAt(account, /launching/), declared));
  expect(failure.reasons[0]).toMatch(/^Stopped at a safe point \(the update was cancelled\)/);
  const { outs } = await handlers.update(
    account.context(),
    failure.id,
    failure.properties,
    declared,
  );
  expect(factsOf(outs)).toMatchObject({ state: "running", generation: 1 });
});

test("a create whose state was lost is found by its key and completed under the same id", async () => {
  const account = openAccount();
  const failure = await failureOf(handlers.create(abortedAt(account, /launching/), declared));
  const { id, outs } = await created(account);
  expect(id).toBe(failure.id);
  expect(factsOf(outs)).toMatchObject({ state: "running", generation: 1 });
});

test("a creation of another host is waited for until it has been silent for five minutes", async () => {
  const account = openAccount();
  const elsewhere = { host: "elsewhere", pid: 1 };
  const cut = abortedAt(account, /launching/, elsewhere);
  const failure = await failureOf(handlers.create(cut, declared));
  const silentSince = account.simulator.clock.now();
  const context = account.context();
  const { id } = await handlers.create(context, declared);
  expect(id).toBe(failure.id);
  expect(account.simulator.clock.now() - silentSince).toBeGreaterThan(290_000);
  expect(context.logged.map(({ message }) => message)).toContain(
    `${id} is being created by process 1 on elsewhere; waiting until that ends`,
  );
});

test("a completed one with the same key is never adopted, but named", async () => {
  const account = openAccount();
  const first = await created(account);
  const context = account.context();
  const second = await handlers.create(context, declared);
  expect(second.id).not.toBe(first.id);
  expect(context.logged.filter(({ severity }) => severity === "warning")).toEqual([
    expect.objectContaining({ message: expect.stringContaining(`set adopt: "${first.id}"`) }),
  ]);
  expect(factsOf(second.outs).privateIp).not.toBe(factsOf(first.outs).privateIp);
});

test("two programs with different keys do not share an unfinished one", async () => {
  const account = openAccount();
  const failure = await failureOf(handlers.create(abortedAt(account, /launching/), declared));
  const other = await created(account, { ...declared, creationKey: "org/other" });
  expect(other.id).not.toBe(failure.id);
});

test("a create before which nothing could be made leaves no id behind", async () => {
  const account = openAccount();
  const controller = new AbortController();
  controller.abort(new Error("the update was cancelled"));
  const call = handlers.create(account.context({ signal: controller.signal }), declared);
  await expect(call).rejects.not.toBeInstanceOf(PartialFailure);
  const { id } = await created(account);
  expect(id).toMatch(/^pmi-/);
});

test("create gives up at its time-out and says what to raise", async () => {
  const account = openAccount();
  const inputs = { ...declared, timeouts: { create: "5s" } };
  const failure = await failureOf(handlers.create(account.context(), inputs));
  expect(failure.message).toMatch(/^Not finished within the time-out: .*raise timeouts\.create/);
  expect(failure.properties.timeouts).toEqual({ create: "5s" });
});

test("the time-out of customTimeouts counts where the resource has none of its own", async () => {
  const account = openAccount();
  const context = account.context({ timeoutSeconds: 5 });
  const failure = await failureOf(handlers.create(context, declared));
  expect(failure.message).toMatch(/^Not finished within the time-out/);
});

test("another image is carried out under the same identity and address", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const news = { ...declared, imageId: images.amazonLinuxNewer };
  const updated = await handlers.update(account.context(), id, outs, news);
  expect(factsOf(updated.outs)).toMatchObject({
    state: "running",
    lineage: 2,
    generation: 2,
    imageId: images.amazonLinuxNewer,
    privateIp: factsOf(outs).privateIp,
  });
});

test("an update with week-old state does what the ledger says and not what state says", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const swapped = { ...declared, imageId: images.amazonLinuxNewer };
  await handlers.update(account.context(), id, outs, swapped);
  const again = await handlers.update(account.context(), id, outs, swapped);
  expect(factsOf(again.outs)).toMatchObject({ lineage: 2, generation: 2 });
});

test("a failed update keeps the id, the new properties and the facts", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const news = { ...declared, imageId: images.amazonLinuxNewer };
  const context = abortedAt(account, /terminating/);
  const failure = await failureOf(handlers.update(context, id, outs, news));
  expect(failure.id).toBe(id);
  expect(failure.properties).toMatchObject({ imageId: images.amazonLinuxNewer });
  expect(factsOf(failure.properties as Properties).privateIp).toBe(factsOf(outs).privateIp);
  const { outs: done } = await handlers.update(account.context(), id, failure.properties, news);
  expect(factsOf(done)).toMatchObject({ state: "running", lineage: 2 });
});

test("an image that does not exist is a failure with its remedy, and the instance runs on", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const news = { ...declared, imageId: "ami-0000dead" };
  const failure = await failureOf(handlers.update(account.context(), id, outs, news));
  expect(failure.message).toMatch(/^Image ami-0000dead does not exist\. Set imageId/);
  expect(factsOf(failure.properties as Properties)).toMatchObject({
    state: "running",
    instanceId: factsOf(outs).instanceId,
  });
});

test("read tells what is, also when an instance was ended outside", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const instanceId = factsOf(outs).instanceId ?? "";
  await account.ec2.call("TerminateInstances", { InstanceIds: [instanceId] });
  account.simulator.clock.advance(600);
  const answer = await handlers.read(account.context(), id, outs);
  expect(answer.id).toBe(id);
  expect(factsOf(answer.props).state).not.toBe("running");
  expect(answer.inputs).toMatchObject({ imageId: declared.imageId });
  expect(handlers.diff(account.context(), answer.props, declared)).toEqual({ changes: true });
  const { outs: back } = await handlers.update(account.context(), id, answer.props, declared);
  expect(factsOf(back)).toMatchObject({
    state: "running",
    generation: 2,
    privateIp: factsOf(outs).privateIp,
  });
});

test("read by id alone finds an existing one, and says so when there is none", async () => {
  const account = openAccount();
  const { id } = await created(account);
  const { props } = await handlers.read(account.context(), id, {});
  expect(factsOf(props)).toMatchObject({ state: "running", generation: 1 });
  await expect(handlers.read(account.context(), "pmi-ffffffffffff", {})).rejects.toThrow(
    /^There is no managed instance pmi-ffffffffffff in us-east-1/,
  );
});

test("delete deallocates, can be repeated, and then the resource reads as gone", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  await handlers.deallocate(account.context(), id, outs);
  await handlers.deallocate(account.context(), id, outs);
  expect(await handlers.read(account.context(), id, outs)).toEqual({ id: "", props: {} });
});

test("a creation that was cut off can be destroyed by the next process", async () => {
  const account = openAccount();
  const failure = await failureOf(handlers.create(abortedAt(account, /launching/), declared));
  await handlers.deallocate(account.context(), failure.id, failure.properties);
  expect((await handlers.read(account.context(), failure.id, failure.properties)).id).toBe("");
  const alive = account.simulator.call("DescribeInstances", {
    Filters: [{ Name: "instance-state-name", Values: ["pending", "running"] }],
  });
  expect(alive.Reservations ?? []).toEqual([]);
});

test("delete tells what is kept and until when", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const context = account.context();
  await handlers.deallocate(context, id, outs);
  const kept = context.logged.map(({ message }) => message).find((each) => /^kept: /.test(each));
  expect(kept).toMatch(/snap-\w+ until \d{4}-/);
  expect(kept).toMatch(/eni-\w+ until \d{4}-/);
});

test("delete needs no more of state than an older version may have written", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const older = { ...outs, snapshots: { cadence: "hourly" }, lifeCycle: "cheap" };
  await handlers.deallocate(account.context(), id, older);
  expect((await handlers.read(account.context(), id, outs)).id).toBe("");
});

test("delete of what nothing is left of succeeds with a warning", async () => {
  const account = openAccount();
  const context = account.context();
  await handlers.deallocate(context, "pmi-ffffffffffff", { ...declared });
  expect(context.logged).toEqual([
    expect.objectContaining({
      severity: "warning",
      message: expect.stringMatching(/^nothing of pmi-/),
    }),
  ]);
});

test("creating again under one name after a destroy makes a new machine", async () => {
  const account = openAccount();
  const first = await created(account);
  await handlers.deallocate(account.context(), first.id, first.outs);
  const context = account.context();
  const second = await handlers.create(context, declared);
  expect(second.id).not.toBe(first.id);
  expect(context.logged.filter(({ severity }) => severity === "warning")).toEqual([]);
  expect(factsOf(second.outs)).toMatchObject({ generation: 1, lineage: 1 });
});

test("an update of what somebody deallocated says so and does not bring it back", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  await handlers.deallocate(account.context(), id, outs);
  await expect(handlers.update(account.context(), id, outs, declared)).rejects.toThrow(
    /is deallocated: somebody ended it outside this program/,
  );
});

test("an update after a destroy that was cut off says how to complete that, and it can be", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const cut = handlers.deallocate(abortedAt(account, /terminating/), id, outs);
  await expect(cut).rejects.toThrow(/^Stopped at a safe point/);
  await expect(handlers.update(account.context(), id, outs, declared)).rejects.toThrow(
    /is deallocating: a `pulumi destroy` of it was cut off.*complete it with `pulumi destroy`/,
  );
  await handlers.deallocate(account.context(), id, outs);
  expect((await created(account)).id).not.toBe(id);
});

test("adopt takes a completed one over under another name, and its instance runs on", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const inputs = { ...declared, creationKey: "org/another", adopt: id };
  const adopted = await created(account, inputs);
  expect(adopted.id).toBe(id);
  expect(factsOf(adopted.outs).instanceId).toBe(factsOf(outs).instanceId);
});

test("adopt refuses what does not exist and what is deallocated", async () => {
  const account = openAccount();
  await expect(created(account, { ...declared, adopt: "pmi-ffffffffffff" })).rejects.toThrow(
    /^There is no managed instance pmi-ffffffffffff/,
  );
  const { id, outs } = await created(account);
  await handlers.deallocate(account.context(), id, outs);
  await expect(created(account, { ...declared, adopt: id })).rejects.toThrow(
    /is deallocated and only a completed one can be adopted/,
  );
});

test("adopt refuses another image than the disk descends from, and changes nothing", async () => {
  const account = openAccount();
  const { id } = await created(account);
  const { now: _now, ...before } = account.simulator.control.state();
  const newest = { ...declared, imageId: images.amazonLinuxNewer, adopt: id };
  await expect(created(account, newest)).rejects.toThrow(
    `imageId is ${images.amazonLinuxNewer}, and the root disk of ${id} descends from ${images.amazonLinux}: adopting would swap that disk away at once. Set imageId to ${images.amazonLinux}, adopt, and change it in a later \`pulumi up\`.`,
  );
  expect(account.simulator.control.state()).toMatchObject(before);
  const { outs } = await created(account, { ...newest, imageId: images.amazonLinux });
  const { outs: swapped } = await handlers.update(account.context(), id, outs, newest);
  expect(factsOf(swapped)).toMatchObject({ lineage: 2, imageId: images.amazonLinuxNewer });
});

test("after a swap adopt takes the image that was swapped to, and refuses the one before", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const swap = { ...declared, imageId: images.amazonLinuxNewer };
  await handlers.update(account.context(), id, outs, swap);
  await expect(created(account, { ...declared, adopt: id })).rejects.toThrow(
    `the root disk of ${id} descends from ${images.amazonLinuxNewer}`,
  );
  const adopted = await created(account, { ...swap, adopt: id });
  expect(factsOf(adopted.outs)).toMatchObject({ lineage: 2, generation: 2 });
});

test.each([
  ["before its launch", /^terminating/, images.amazonLinux, images.amazonLinuxNewer, 1],
  ["at its launch", /^launching/, images.amazonLinuxNewer, images.amazonLinux, 2],
] as const)(
  "a swap that was cut off %s is adopted with the image of the disk that there is",
  async (_when, words, imageId, other, lineage) => {
    const account = openAccount();
    const { id, outs } = await created(account);
    const swap = { ...declared, imageId: images.amazonLinuxNewer };
    const cut = handlers.update(abortedAt(account, words), id, outs, swap);
    await expect(cut).rejects.toThrow(/^Stopped at a safe point/);
    await expect(created(account, { ...declared, imageId: other, adopt: id })).rejects.toThrow(
      `imageId is ${other}, and the root disk of ${id} descends from ${imageId}`,
    );
    const adopted = await created(account, { ...declared, imageId, adopt: id });
    expect(factsOf(adopted.outs)).toMatchObject({ imageId, lineage });
  },
);

test("a paused one that never ran can be adopted with any image", async () => {
  const account = openAccount();
  const { id } = await created(account, { ...declared, desiredState: "paused" });
  const inputs = { ...declared, imageId: images.amazonLinuxNewer, adopt: id };
  expect(factsOf((await created(account, inputs)).outs)).toMatchObject({ lineage: 1 });
});

test("a lost network interface is made again from what state remembers", async () => {
  const account = openAccount();
  const { id, outs } = await created(account);
  const { instanceId = "", networkInterfaceId = "", privateIp } = factsOf(outs);
  await account.ec2.call("TerminateInstances", { InstanceIds: [instanceId] });
  account.simulator.clock.advance(600);
  await account.ec2.call("DeleteNetworkInterface", { NetworkInterfaceId: networkInterfaceId });
  const read = await handlers.read(account.context(), id, outs);
  expect(read.id).toBe(id);
  const { outs: back } = await handlers.update(account.context(), id, read.props, declared);
  expect(factsOf(back)).toMatchObject({ state: "running", generation: 2, lineage: 1, privateIp });
});
