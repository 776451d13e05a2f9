/** The worker by itself: what it reports as failed, what it deletes, and how it goes on. */

import {
  type Wake,
  type WakeMessage,
  wakeByEvent,
  wakeBySurvey,
} from "../../src/controller/lambda/wakes";
import { createWorker } from "../../src/controller/lambda/worker";
import type { ControllerRegistry } from "../../src/controller/registry";
import { type Desk, openDesk, openRunningDesk } from "../controller/desk";
import { carrierOf } from "../simulation/operations";
import { recordOf } from "./fifo-queue";
import { contextFor, rememberTelemetry } from "./invocation";

interface Bench {
  sent: WakeMessage[];
  deleted: string[];
  telemetry: ReturnType<typeof rememberTelemetry>;
  handle(records: ReturnType<typeof recordOf>[], timeoutSeconds?: number): Promise<string[]>;
}

function open(desk: Desk, registry: ControllerRegistry = desk.registry): Bench {
  const sent: WakeMessage[] = [];
  const deleted: string[] = [];
  const telemetry = rememberTelemetry();
  const settings = desk.deps({ registry });
  const worker = createWorker({
    work: { recovery: settings, upkeep: settings },
    queue: {
      async send(messages) {
        sent.push(...messages);
      },
      async delete(receiptHandle) {
        deleted.push(receiptHandle);
      },
    },
    telemetry,
  });
  const now = () => desk.story.world.clock.now();
  return {
    sent,
    deleted,
    telemetry,
    async handle(Records, timeoutSeconds = 180) {
      const answer = await worker({ Records }, contextFor({ now, timeoutSeconds }));
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
  };
}

const record = (id: string, messageId: string) =>
  recordOf({ message: wakeByEvent(id, { eventId: messageId, what: "a test" }), messageId });

/** A registry that does not answer for some. */
const silentFor = (registry: ControllerRegistry, id: string): ControllerRegistry => ({
  ...registry,
  acquire: async (asked, holder, span) => {
    if (asked === id) throw new Error("DynamoDB does not answer");
    return registry.acquire(asked, holder, span);
  },
});

test("five messages of one managed instance are one look, and all are deleted", async () => {
  const desk = await openRunningDesk();
  const { id } = desk.story.initial;
  const { deleted, handle, sent, telemetry } = open(desk);
  const messages = ["a", "b", "c", "d", "e"];
  expect(await handle(messages.map((messageId) => record(id, messageId)))).toEqual([]);
  expect(deleted.sort()).toEqual(messages);
  expect(telemetry.lines.filter(({ message }) => message === "looking")).toHaveLength(1);
  expect(sent).toEqual([]);
});

test("what the survey found to be stretched is due that much later", async () => {
  const desk = await openRunningDesk({ snapshots: { intervalMinutes: 60 } });
  const { id } = desk.story.initial;
  const { handle } = open(desk);
  const lookSeconds = async (stretch?: number) => {
    const wake: Wake = { id, urgency: "upkeep", reason: "it is due", stretch };
    const messageId = `stretched by ${stretch}`;
    await handle([recordOf({ message: wakeBySurvey(wake, messageId), messageId })]);
    const { dueAt = 0, standing } = (await desk.registry.get(id)) ?? {};
    return Math.round((dueAt - (standing?.at ?? 0)) / 1000);
  };
  await lookSeconds();
  desk.story.world.simulator.clock.advance(600);
  expect([await lookSeconds(), await lookSeconds(2.5)]).toEqual([1800, 4500]);
});

test("one that the registry does not answer for is delivered again, and the others are done", async () => {
  const desk = await openRunningDesk();
  const { id } = desk.story.initial;
  const bench = open(desk, silentFor(desk.registry, "pmi-bad"));
  expect(await bench.handle([record("pmi-bad", "bad"), record(id, "good")])).toEqual(["bad"]);
  expect(bench.deleted).toEqual(["good"]);
  expect(bench.telemetry.total("Failed")).toBe(1);
});

test("all messages of a managed instance fail together, so that their order stays", async () => {
  const desk = await openRunningDesk();
  const bench = open(desk, silentFor(desk.registry, "pmi-bad"));
  const failed = await bench.handle([record("pmi-bad", "first"), record("pmi-bad", "second")]);
  expect(failed).toEqual(["first", "second"]);
  expect(bench.deleted).toEqual([]);
});

test.each([
  ["no JSON", "{"],
  ["another's message", JSON.stringify({ hello: "world" })],
  [
    "an id that is none",
    JSON.stringify({ id: "i-1", urgency: "upkeep", reason: "" } satisfies Wake),
  ],
])("%s is not deleted, so that it becomes a dead letter", async (_sentence, body) => {
  const bench = open(await openRunningDesk());
  expect(await bench.handle([{ ...record("pmi-0", "odd"), body }])).toEqual(["odd"]);
  expect(bench.deleted).toEqual([]);
});

test("a managed instance that is not known is no failure: it may have ended meanwhile", async () => {
  const bench = open(await openRunningDesk());
  expect(await bench.handle([record("pmi-0", "gone")])).toEqual([]);
  expect(bench.deleted).toEqual(["gone"]);
});

test("when the time is over before the work, exactly one message goes on with it", async () => {
  const desk = await openRunningDesk();
  const { id } = desk.story.initial;
  const { simulator } = desk.story.world;
  simulator.control.interrupt({ instanceId: await carrierOf(desk.story), noticeSeconds: 0 });
  const bench = open(desk);
  const startedAt = simulator.clock.now();
  expect(await bench.handle([record(id, "first"), record(id, "second")], 30)).toEqual([]);
  expect(simulator.clock.now() - startedAt).toBeLessThan(30_000);
  expect(bench.sent).toEqual([
    {
      body: { id, urgency: "recovery", reason: "goes on where the time was over" },
      groupId: id,
      deduplicationId: "again:first",
    },
  ]);
  expect(bench.telemetry.total("Unfinished")).toBe(1);
  const entry = await desk.registry.get(id);
  expect(entry?.standing?.kind).toBe("waiting");
  expect(entry?.lease === undefined || entry.lease.untilAt <= simulator.clock.now()).toBe(true);
});

test("somebody else at work is no failure", async () => {
  const desk = await openRunningDesk();
  const { id } = desk.story.initial;
  const now = desk.story.world.clock.now();
  await desk.registry.acquire(id, "somebody", { now, untilAt: now + 60_000 });
  const bench = open(desk);
  expect(await bench.handle([record(id, "late")])).toEqual([]);
  expect(bench.telemetry.total("Busy")).toBe(1);
});

test("one that needs people is counted at each look, which keeps the alarm ringing", async () => {
  const desk = openDesk({ imageId: "ami-0123456789abcdef0" });
  await desk.register();
  await desk.work({}, { initial: desk.story.initial });
  const bench = open(desk);
  await bench.handle([record(desk.story.initial.id, "first")]);
  await bench.handle([record(desk.story.initial.id, "second")]);
  expect(bench.telemetry.total("Stuck")).toBe(2);
});
