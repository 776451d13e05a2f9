/** What one piece of work does with the registry, the lease and the history, on virtual time. */
import type { ControllerRegistry } from "../../src/controller/registry";
import { work } from "../../src/controller/worker";
import { CloudError } from "../../src/engine/ports";
import { carrierOf, change, expectBytes, look, secondImage, write } from "../simulation/operations";
import { Crash } from "../simulation/world";
import { openDesk, openRunningDesk } from "./desk";

const minutes = 60_000;

test("a managed instance that nobody registered is absent", async () => {
  const desk = openDesk();
  expect(await desk.work()).toMatchObject({ kind: "absent" });
});

test("a creation is carried out, its steps are in the history, and the entry says when to look again", async () => {
  const desk = await openRunningDesk();
  const entry = await desk.registry.get(desk.story.initial.id);
  expect(entry).toMatchObject({
    standing: { kind: "done", reason: "running", specVersion: 1 },
    ledger: { phase: "active", launch: { generation: 1, healthy: true } },
  });
  expect(entry?.lease).toBeUndefined();
  expect(entry?.dueAt).toBeGreaterThan(desk.story.world.clock.now());
  const launch = (await desk.history()).find(({ message }) => message.startsWith("launching"));
  expect(launch).toMatchObject({
    kind: "step",
    generation: 1,
    rule: expect.stringMatching(/./),
    durationMs: expect.any(Number),
  });
  expect(launch?.durationMs).toBeGreaterThan(0);
  expect(desk.notices).toEqual([]);
  expect(desk.reported).toEqual([]);
});

test("without its maker a creation that has not begun is left alone, and said to be", async () => {
  const desk = openDesk();
  await desk.register();
  expect(await desk.work()).toMatchObject({
    kind: "worked",
    standing: { kind: "waiting", reason: "its creation has not begun" },
  });
  expect((await desk.registry.get(desk.story.initial.id))?.lease).toBeUndefined();
});

test("a creation under way belongs to who makes it: another process stands back", async () => {
  const desk = openDesk();
  await desk.register();
  const { clock } = desk.story.world;
  const deadlineAt = clock.now() + 20_000;
  await desk.work({ deadlineAt }, { initial: desk.story.initial });
  const result = await desk.work({ claimant: { host: "other", pid: 2 } });
  expect(result).toMatchObject({
    kind: "worked",
    standing: { kind: "waiting", reason: "process 1 on test is creating it now" },
  });
});

test("an interruption is told once, and the recovery with its downtime", async () => {
  const desk = await openRunningDesk();
  const { simulator, clock } = desk.story.world;
  await write(desk.story, "/srv/data", "precious");
  const instanceId = await carrierOf(desk.story);
  simulator.control.interrupt({ instanceId });
  const noticedAt = clock.now();
  await desk.work({ deadlineAt: noticedAt + 30_000 });
  expect(await desk.work()).toMatchObject({ kind: "worked", standing: { kind: "done" } });
  await desk.work();
  await expectBytes(desk.story);
  expect(desk.notices.map(({ kind }) => kind)).toEqual(["interrupted", "recovered"]);
  const [interrupted, recovered] = desk.notices;
  expect(interrupted).toMatchObject({ generation: 1, message: `EC2 takes ${instanceId} back` });
  expect(recovered).toMatchObject({ generation: 2 });
  // EC2 lets it run for the two minutes of the notice; then it is down until its successor is healthy.
  const sinceNoticeSeconds = ((recovered?.at ?? 0) - noticedAt) / 1000;
  expect(recovered?.downtimeSeconds).toBeGreaterThan(60);
  expect(recovered?.downtimeSeconds).toBeLessThanOrEqual(sinceNoticeSeconds - 110);
});

test("what was ordered is no outage: a recycle, a pause and a resume tell nobody", async () => {
  const desk = await openRunningDesk();
  for (const input of [
    { recycleToken: "once" },
    { desiredState: "paused" as const },
    { desiredState: "running" as const },
  ]) {
    change(desk.story, input);
    await desk.register();
    expect(await desk.work()).toMatchObject({ kind: "worked", standing: { kind: "done" } });
  }
  expect(desk.notices).toEqual([]);
});

test("a lease is held by one: who comes meanwhile finds it busy", async () => {
  const desk = await openRunningDesk();
  change(desk.story, { recycleToken: "once" });
  await desk.register();
  const first = desk.work();
  await desk.story.world.clock.sleep(5000);
  expect(await desk.work({ holder: "test:2:b" })).toMatchObject({ kind: "busy" });
  expect(await first).toMatchObject({ kind: "worked", standing: { kind: "done" } });
});

test("what somebody wrote on the anchor and not in the registry, the next one writes there", async () => {
  const desk = await openRunningDesk();
  const { registry } = desk;
  const { id } = desk.story.initial;
  const dying: ControllerRegistry = {
    ...registry,
    saveLedger: async (lease, ledger) => {
      const { generation, healthy } = ledger.launch ?? {};
      if (generation === 2 && healthy) throw new Crash("killed between the two");
      return registry.saveLedger(lease, ledger);
    },
  };
  change(desk.story, { recycleToken: "once" });
  await desk.register();
  expect(await desk.work({ registry: dying })).toMatchObject({ kind: "failed" });
  expect((await registry.get(id))?.ledger?.launch).toMatchObject({ generation: 2, healthy: false });
  expect(await desk.work()).toMatchObject({ kind: "worked", standing: { kind: "done" } });
  expect((await registry.get(id))?.ledger?.launch).toMatchObject({ generation: 2, healthy: true });
});

test("an older ledger that somebody wrote over a newer one on the anchor is put right by the next look", async () => {
  const desk = await openRunningDesk();
  const { initial, world } = desk.story;
  const ledgers = async () => {
    const { anchors } = await look(desk.story);
    const known = (await desk.registry.get(initial.id))?.ledger;
    return { anchors, known, onAnchor: await world.registry.load(initial.id, anchors) };
  };
  const before = await ledgers();
  change(desk.story, { recycleToken: "once" });
  await desk.register();
  await desk.work();
  const late = before.onAnchor ?? initial;
  await world.registry.save(late, before.anchors[0]?.interfaceId ?? "");
  expect((await ledgers()).onAnchor?.launch?.generation).toBe(1);
  await world.clock.sleep(5 * minutes);
  expect(await desk.work()).toMatchObject({ kind: "worked", standing: { kind: "done" } });
  const { known, onAnchor } = await ledgers();
  expect(onAnchor).toEqual(known);
  expect(onAnchor?.launch).toMatchObject({ generation: 2, healthy: true });
});

test("who works longer than a lease lasts renews it", async () => {
  const desk = await openRunningDesk({ snapshots: { finalDeadlineMinutes: 60 } });
  const { clock, simulator } = desk.story.world;
  simulator.control.setFaults({ hangSnapshots: { next: 1 } });
  change(desk.story, { desiredState: "paused" });
  await desk.register();
  const first = desk.work({ deadlineAt: clock.now() + 20 * minutes });
  for (let passed = 0; passed < 10; passed += 1) {
    await clock.sleep(minutes);
    expect(await desk.work({ holder: "test:2:b" })).toMatchObject({ kind: "busy" });
  }
  expect(await first).toMatchObject({ kind: "worked", outcome: { why: "timed-out" } });
});

test("who stood still and lost the lease writes nothing more under it and says so", async () => {
  const desk = await openRunningDesk();
  const { clock, cloud } = desk.story.world;
  change(desk.story, { recycleToken: "once" });
  await desk.register();
  let isFrozen = false;
  const frozen: ControllerRegistry = {
    ...desk.registry,
    renew: async (lease, untilAt) => {
      if (isFrozen) throw new Error("the registry cannot be reached");
      return desk.registry.renew(lease, untilAt);
    },
  };
  const slow = {
    ...cloud,
    observe: async (query: Parameters<typeof cloud.observe>[0]) => {
      if (isFrozen) await clock.sleep(10 * minutes);
      return cloud.observe(query);
    },
  };
  const first = desk.work({ registry: frozen, cloud: slow });
  await clock.sleep(10_000);
  isFrozen = true;
  await clock.sleep(4 * minutes);
  const second = await desk.work({ holder: "test:2:b" });
  expect(second).toMatchObject({ kind: "worked", standing: { kind: "done" } });
  expect(await first).toMatchObject({ kind: "lost" });
  const entry = await desk.registry.get(desk.story.initial.id);
  expect(entry?.standing).toEqual(second.kind === "worked" ? second.standing : undefined);
});

test("a newer specification that is registered meanwhile is carried out under the same lease", async () => {
  const desk = await openRunningDesk();
  const { clock } = desk.story.world;
  change(desk.story, { recycleToken: "once" });
  await desk.register();
  const running = desk.work();
  await clock.sleep(10_000);
  change(desk.story, { imageId: secondImage });
  await desk.register();
  expect(await running).toMatchObject({
    kind: "worked",
    standing: { kind: "done", specVersion: 3 },
    outcome: { ledger: { launch: { imageId: secondImage } } },
  });
});

test("a time budget ends at a safe point, and the rest is due at once", async () => {
  const desk = await openRunningDesk();
  const { clock } = desk.story.world;
  change(desk.story, { recycleToken: "once" });
  await desk.register();
  const result = await desk.work({ deadlineAt: clock.now() + 15_000 });
  expect(result).toMatchObject({ kind: "worked", standing: { kind: "waiting" } });
  const entry = await desk.registry.get(desk.story.initial.id);
  expect(entry?.dueAt).toBeLessThanOrEqual(clock.now());
  expect(await desk.work()).toMatchObject({ kind: "worked", standing: { kind: "done" } });
});

test("stuck is told when it begins and not at each look", async () => {
  const desk = await openRunningDesk();
  change(desk.story, { imageId: "ami-0000dead" });
  await desk.register();
  const first = await desk.work();
  expect(first).toMatchObject({
    kind: "worked",
    standing: { kind: "stuck", reason: "image ami-0000dead does not exist" },
  });
  await desk.work();
  expect(desk.notices.map(({ kind }) => kind)).toEqual(["stuck"]);
  expect(desk.notices[0]?.remedy).toMatch(/set imageId/);
});

test("failures are waited out longer and longer, told once, and forgotten after a success", async () => {
  const desk = await openRunningDesk();
  const { clock, cloud } = desk.story.world;
  const denied = {
    ...cloud,
    observe: async () => {
      throw new CloudError("denied", "you are not authorized to perform DescribeInstances");
    },
  };
  const pauses: number[] = [];
  for (let run = 0; run < 8; run += 1) {
    const result = await desk.work({ cloud: denied });
    expect(result).toMatchObject({ kind: "failed", standing: { kind: "failed" } });
    const dueAt = (await desk.registry.get(desk.story.initial.id))?.dueAt ?? 0;
    pauses.push((dueAt - clock.now()) / 1000);
    await clock.sleep(dueAt - clock.now());
  }
  expect(pauses).toEqual([30, 30, 60, 120, 240, 480, 900, 900]);
  expect(desk.notices.map(({ kind }) => kind)).toEqual(["failed"]);
  expect(await desk.work()).toMatchObject({ kind: "worked", standing: { kind: "done" } });
});

test("deallocation ends with the entry forgotten and its history kept", async () => {
  const desk = await openRunningDesk();
  change(desk.story, {});
  await desk.register({ deallocate: true });
  expect(await desk.work()).toMatchObject({
    kind: "deallocated",
    outcome: { ledger: { phase: "deallocated" } },
  });
  expect(await desk.registry.get(desk.story.initial.id)).toBeUndefined();
  expect((await desk.history()).at(-1)).toMatchObject({ kind: "deallocated" });
  expect(desk.notices.map(({ kind }) => kind)).toEqual(["deallocated"]);
});

test("a registry that fails fails the work on one managed instance, and nothing is thrown", async () => {
  const desk = await openRunningDesk();
  const broken = { ...desk.registry, get: async () => Promise.reject(new Error("damaged")) };
  const result = await work(desk.story.initial.id, desk.deps({ registry: broken }));
  expect(result).toMatchObject({ kind: "failed", error: new Error("damaged") });
});

test("history and notifications that cannot be delivered are reported and fail nothing", async () => {
  const desk = await openRunningDesk();
  const fail = async () => Promise.reject(new Error("unreachable"));
  change(desk.story, { imageId: "ami-0000dead" });
  await desk.register();
  await desk.work({ notifier: { notify: fail } });
  expect(desk.reported).toEqual([expect.stringMatching(/notification: Error: unreachable/)]);
  const mute = { ...desk.registry, append: fail };
  change(desk.story, { desiredState: "paused" });
  await desk.register();
  expect(await desk.work({ registry: mute })).toMatchObject({ standing: { kind: "done" } });
});
