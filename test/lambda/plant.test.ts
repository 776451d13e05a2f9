/**
 * The functions together: whatever is lost, repeated, reordered or cut off on the way, what comes of
 * it is the same as when everything arrives once and in order.
 */
import { type Desk, openRunningDesk } from "../controller/desk";
import { watchWriters } from "../simulation/invariants";
import { carrierOf, expectBytes, write } from "../simulation/operations";
import { openPlant, type Plant, type Troubles } from "./plant";

async function interrupted(troubles: Troubles): Promise<{ desk: Desk; plant: Plant }> {
  const desk = await openRunningDesk();
  const { story } = desk;
  watchWriters(story.world);
  const plant = openPlant(desk, troubles);
  await plant.run(12);
  await write(story, "/srv/data", "written before the notice");
  const instanceId = await carrierOf(story);
  story.world.simulator.control.interrupt({ instanceId, noticeSeconds: 120 });
  await write(story, "/srv/last", "written after the notice");
  await plant.run(20);
  return { desk, plant };
}

async function expectRecovered({ story, registry }: Desk): Promise<void> {
  const entry = await registry.get(story.initial.id);
  expect(entry?.standing).toMatchObject({ kind: "done", reason: "running" });
  expect(entry?.ledger?.launch).toMatchObject({ generation: 2, lineage: 1, healthy: true });
  expect(entry?.ledger?.gap).toBeUndefined();
  await expectBytes(story);
}

const stories: readonly [sentence: string, troubles: Troubles][] = [
  ["when everything arrives once", {}],
  ["when no event arrives", { loseEvents: true }],
  ["when the schedule never runs", { skipSchedule: true }],
  ["when each event arrives three times, newest first", { deliverEvents: 3, reverse: true }],
  ["when each batch is given to two workers at once", { deliverBatchesTwice: true }],
  [
    "when all of that happens together",
    { deliverEvents: 2, reverse: true, deliverBatchesTwice: true },
  ],
];

test.each(stories)("an interruption is recovered from %s", async (_sentence, troubles) => {
  const { desk } = await interrupted(troubles);
  await expectRecovered(desk);
});

test.each([[[40]], [[75]], [[100, 101]], [[60, 90, 130, 175]]])(
  "an interruption is recovered from when workers die after their calls %j",
  async (dieAtCalls) => {
    const { desk, plant } = await interrupted({ dieAtCalls });
    expect(plant.deaths()).toBe(dieAtCalls.length);
    await expectRecovered(desk);
  },
);

test("people are told once of the interruption and once of the recovery, with its downtime", async () => {
  const { desk } = await interrupted({ deliverEvents: 2, deliverBatchesTwice: true });
  expect(desk.notices.map(({ kind }) => kind)).toEqual(["interrupted", "recovered"]);
  const [, recovered] = desk.notices;
  expect(recovered?.downtimeSeconds).toBeGreaterThan(0);
  expect(desk.reported).toEqual([]);
});

test("an event is answered before the next survey", async () => {
  const { plant } = await interrupted({});
  const [first] = plant.queue.taken.filter(({ body }) => body.urgency === "recovery");
  expect(first?.body.reason).toBe("EC2 Instance Rebalance Recommendation");
});

test("nothing is left in the queues, nothing is a dead letter, and the queue is quiet afterwards", async () => {
  const { plant } = await interrupted({});
  expect(plant.queue.size).toBe(0);
  expect(plant.queue.dead).toEqual([]);
  const before = plant.queue.taken.length;
  await plant.run(10);
  // A look for each snapshot that is due, and nothing else.
  expect(plant.queue.taken.length - before).toBeLessThanOrEqual(3);
});
