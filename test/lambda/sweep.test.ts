/** The sweep as a function: what it deletes it tells, and when its time is over the next one goes on. */
import { createInventory } from "../../src/aws/inventory";
import { createSweeper } from "../../src/controller/lambda/sweep";
import type { Notice } from "../../src/controller/notifications";
import { begin, destroy, upDone } from "../simulation/operations";
import { createWorld } from "../simulation/world";
import { contextFor, rememberTelemetry } from "./invocation";

const day = 24 * 3600;

async function withExpired() {
  const world = createWorld();
  const story = begin(world);
  await upDone(story);
  await destroy(story);
  world.simulator.clock.advance(5 * day);
  const notices: Notice[] = [];
  const telemetry = rememberTelemetry();
  const sweep = async (
    timeoutSeconds: number,
    notify = async (notice: Notice) => void notices.push(notice),
  ) => {
    const { clock, cloud, ec2 } = world;
    const deps = { sweep: { clock, cloud, inventory: createInventory(ec2) }, telemetry };
    const context = contextFor({ now: () => clock.now(), timeoutSeconds });
    await createSweeper({ ...deps, notifier: { notify } })({}, context);
  };
  return { notices, telemetry, sweep };
}

test("what is past its retention is deleted, and people are told of it once", async () => {
  const { notices, sweep, telemetry } = await withExpired();
  await sweep(300);
  await sweep(300);
  expect(notices.map(({ kind }) => kind)).toEqual(["expired"]);
  expect(notices[0]?.resourceIds).toHaveLength(telemetry.total("Deleted"));
  expect(telemetry.total("Deleted")).toBeGreaterThan(0);
  expect(telemetry.total("Blocked")).toBe(0);
});

test("a sweep that runs out of time condemns, and the next one deletes", async () => {
  const { notices, sweep, telemetry } = await withExpired();
  await sweep(20);
  expect(telemetry.total("Deleted")).toBe(0);
  await sweep(300);
  expect(telemetry.total("Deleted")).toBeGreaterThan(0);
  expect(notices).toHaveLength(1);
});

test("that nobody could be told is said in the log, and the sweep has done its work", async () => {
  const { sweep, telemetry } = await withExpired();
  await sweep(300, async () => {
    throw new Error("SNS does not answer");
  });
  expect(telemetry.total("Deleted")).toBeGreaterThan(0);
  expect(telemetry.lines.filter(({ level }) => level === "error")).toEqual([
    {
      level: "error",
      message: "nobody was told",
      details: { error: "Error: SNS does not answer" },
    },
  ]);
});
