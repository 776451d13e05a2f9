/** The router by itself: how little it asks of EC2, whom it wakes, and what happens when EC2 fails. */
import { createRouter } from "../../src/controller/lambda/router";
import type { WakeMessage } from "../../src/controller/lambda/wakes";
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import { createSurveyor } from "../../src/controller/survey";
import { CloudError } from "../../src/engine/ports";
import { openRunningDesk } from "../controller/desk";
import { carrierOf, look } from "../simulation/operations";
import { createWorld } from "../simulation/world";
import { contextFor, rememberTelemetry } from "./invocation";

const instanceEvent = (instanceId: string, id = `event-${instanceId}`) => ({
  id,
  source: "aws.ec2",
  "detail-type": "EC2 Instance State-change Notification",
  detail: { "instance-id": instanceId, state: "terminated" },
});
const batch = (...events: readonly unknown[]) => ({
  Records: events.map((event) => ({ body: JSON.stringify(event) })),
});

function open(world = createWorld(), registry = createMemoryControllerRegistry()) {
  const sent: WakeMessage[] = [];
  const calls: string[] = [];
  const now = () => world.clock.now();
  const telemetry = rememberTelemetry();
  world.hooks.before.push((action) => {
    calls.push(action);
  });
  const router = createRouter({
    ec2: world.ec2,
    surveyor: createSurveyor({ ec2: world.ec2, registry, now }),
    queue: {
      async send(messages) {
        sent.push(...messages);
      },
    },
    telemetry,
  });
  const handle = (event: unknown) => router(event, contextFor({ now, timeoutSeconds: 60 }));
  return { world, sent, calls, telemetry, handle };
}

test("a hundred events of other people's instances cost one describe and wake nobody", async () => {
  const { calls, sent, telemetry, handle } = open();
  const others = Array.from({ length: 100 }, (_, index) =>
    instanceEvent(`i-${String(index).padStart(17, "0")}`),
  );
  expect(await handle(batch(...others))).toEqual({ batchItemFailures: [] });
  expect(calls).toEqual(["DescribeInstances"]);
  expect(sent).toEqual([]);
  expect(telemetry.total("ForeignEvents")).toBe(100);
});

test("an event of ours wakes its managed instance, with the event's id against repetition", async () => {
  const { story } = await openRunningDesk();
  const { sent, handle } = open(story.world);
  const instanceId = await carrierOf(story);
  await handle(batch(instanceEvent("i-00000000000000000"), instanceEvent(instanceId, "event-1")));
  expect(sent).toEqual([
    {
      body: {
        id: story.initial.id,
        urgency: "recovery",
        reason: "EC2 Instance State-change Notification",
      },
      groupId: story.initial.id,
      deduplicationId: "event-1",
    },
  ]);
});

test("an instance that has lost its tags is found by its client token", async () => {
  const { story } = await openRunningDesk();
  const { sent, handle } = open(story.world);
  const instanceId = await carrierOf(story);
  story.world.simulator.control.dropTags(instanceId);
  await handle(batch(instanceEvent(instanceId)));
  expect(sent.map(({ groupId }) => groupId)).toEqual([story.initial.id]);
});

test("the end of a periodic snapshot wakes nobody", async () => {
  const desk = await openRunningDesk();
  const { story } = desk;
  story.world.simulator.clock.advance(600);
  await desk.work();
  const [snapshot] = (await look(story)).snapshots;
  expect(snapshot?.operation).toMatch(/^periodic:/);
  const { sent, handle } = open(story.world);
  const arn = `arn:aws:ec2::us-east-1:snapshot/${snapshot?.snapshotId}`;
  await handle(
    batch({
      id: "event-2",
      source: "aws.ec2",
      "detail-type": "EBS Snapshot Notification",
      detail: { event: "createSnapshot", snapshot_id: arn },
    }),
  );
  expect(sent).toEqual([]);
});

test("what is no JSON is said and not delivered again", async () => {
  const { handle, telemetry } = open();
  const outcome = await handle({ Records: [{ body: "{" }] });
  expect(outcome).toEqual({ batchItemFailures: [] });
  expect(telemetry.lines.map(({ level, message }) => [level, message])).toEqual([
    ["warn", "events that name nothing we know"],
  ]);
});

test("when EC2 does not answer, the whole batch is delivered again", async () => {
  const { handle, sent, world } = open();
  world.hooks.before.push(() => {
    throw new CloudError("denied", "UnauthorizedOperation: not you");
  });
  await expect(handle(batch(instanceEvent("i-00000000000000000")))).rejects.toThrow("not you");
  expect(sent).toEqual([]);
});

test("an event that is neither a batch nor the schedule is refused", async () => {
  await expect(open().handle({ hello: "world" })).rejects.toThrow();
});

describe("the schedule", () => {
  const schedule = { source: "aws.events", time: "2026-01-01T00:07:12Z" };

  test("wakes who is due, once in its minute however often it is delivered", async () => {
    const desk = await openRunningDesk();
    desk.story.world.simulator.clock.advance(600);
    const { sent, handle, telemetry } = open(desk.story.world, desk.registry);
    await handle(schedule);
    await handle(schedule);
    const ids = new Set(sent.map(({ deduplicationId }) => deduplicationId));
    expect([...ids]).toEqual([`${desk.story.initial.id}:2026-01-01T00:07`]);
    expect(telemetry.total("Instances")).toBe(2);
  });

  test("names managed instances that the table does not know, and leaves them alone", async () => {
    const desk = await openRunningDesk();
    const { sent, handle, telemetry } = open(desk.story.world);
    await handle(schedule);
    expect(sent).toEqual([]);
    expect(telemetry.total("Strangers")).toBe(1);
    expect(telemetry.lines.find(({ level }) => level === "warn")?.details).toMatchObject({
      strangers: [{ id: desk.story.initial.id }],
    });
  });

  test("names entries of the table that cannot be read, and wakes who is due beside them", async () => {
    const desk = await openRunningDesk();
    desk.story.world.simulator.clock.advance(600);
    const list = desk.registry.list.bind(desk.registry);
    jest.spyOn(desk.registry, "list").mockImplementation(async function* (options = {}) {
      options.damaged?.(new Error("the entry of pmi-00000000000b cannot be read"));
      yield* list(options);
    });
    const { sent, handle, telemetry } = open(desk.story.world, desk.registry);
    await handle(schedule);
    expect(sent.map(({ groupId }) => groupId)).toEqual([desk.story.initial.id]);
    expect(telemetry.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        message: "entries of the table cannot be read",
        details: { damaged: ["the entry of pmi-00000000000b cannot be read"] },
      },
    ]);
  });
});
