/**
 * The process dies before and after every changing call of every operation, and the next
 * run completes what was asked, with one writer at all times and every byte intact.
 */
import { isReading } from "../../src/aws/reading";
import { expectNothingLeft, watchWriters } from "./invariants";
import { begin, destroy, type Operation, operations, type Story, writeOn } from "./operations";
import { Crash, createWorld } from "./world";

type Moment = "before" | "after";

/**
 * Counts the changing calls of an operation, and dies at one of them. A death at a describe leaves
 * the same account behind as the one after the change before it.
 */
function armCrash(story: Story, moment: Moment, at: number): { calls: number } {
  const counter = { calls: 0 };
  story.world.hooks[moment].push((action) => {
    if (isReading(action)) return;
    counter.calls += 1;
    if (counter.calls === at) throw new Crash(`died ${moment} ${action}, call ${at}`);
  });
  return counter;
}

/** The guest writes until its operating system is down: these bytes must survive as well. */
function writeWhileShuttingDown(story: Story): void {
  story.world.hooks.after.push((action, input) => {
    if (action !== "TerminateInstances") return;
    const [instanceId] = (input as { InstanceIds: string[] }).InstanceIds;
    if (instanceId === undefined || story.bytes.has("/srv/last")) return;
    writeOn(story, instanceId, "/srv/last", "written while shutting down");
  });
}

async function prepared(operation: Operation): Promise<Story> {
  const story = begin(createWorld({ throttling: false }));
  await operation.prepare(story);
  watchWriters(story.world);
  if (operation.name !== "AMI swap") writeWhileShuttingDown(story);
  await operation.ask(story);
  return story;
}

async function countCalls(operation: Operation): Promise<number> {
  const story = await prepared(operation);
  const counter = armCrash(story, "before", -1);
  const outcome = await operation.carryOut(story);
  expect(outcome.kind).toBe("done");
  return counter.calls;
}

async function crashAndGoOn(operation: Operation, moment: Moment, at: number): Promise<void> {
  const story = await prepared(operation);
  armCrash(story, moment, at);
  await expect(operation.carryOut(story)).rejects.toThrow(Crash);
  const outcome = await operation.carryOut(story);
  if (outcome.kind !== "done") throw new Error(`${outcome.kind}: ${outcome.reason}`);
  await operation.verify(story, outcome);
  story.world.hooks.before.length = 0;
  story.world.hooks.after.length = 0;
  expect((await destroy(story)).kind).toBe("done");
  await expectNothingLeft(story.world);
}

describe.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s",
  (_name, operation) => {
    it.each(["before", "after"] as const)(
      "completes after a crash %s any of its calls",
      async (moment) => {
        const calls = await countCalls(operation);
        expect(calls).toBeGreaterThan(5);
        for (let at = 1; at <= calls; at += 1) {
          try {
            await crashAndGoOn(operation, moment, at);
          } catch (error) {
            throw new Error(`crash ${moment} call ${at} of ${calls} of ${operation.name}`, {
              cause: error,
            });
          }
        }
      },
      120_000,
    );
  },
);
