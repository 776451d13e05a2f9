/**
 * Every operation under every kind of fault that EC2 is known for: it completes, with one writer at
 * all times, every byte intact and nothing left behind.
 */
import { isReading } from "../../src/aws/reading";
import type { Faults } from "../../src/simulator";
import { expectNothingLeft, watchWriters } from "./invariants";
import {
  begin,
  change,
  destroy,
  type Operation,
  operations,
  type Story,
  upDone,
} from "./operations";
import { createWorld } from "./world";

async function prepared(operation: Operation, seed: number): Promise<Story> {
  const story = begin(createWorld({ seed }));
  await operation.prepare(story);
  watchWriters(story.world);
  await operation.ask(story);
  return story;
}

async function finish(story: Story, operation: Operation): Promise<void> {
  const outcome = await operation.carryOut(story);
  if (outcome.kind !== "done") throw new Error(`${outcome.kind}: ${outcome.reason}`);
  story.world.simulator.control.setFaults({});
  await operation.verify(story, outcome);
  story.world.hooks.before.length = 0;
  story.world.hooks.after.length = 0;
  expect((await destroy(story)).kind).toBe("done");
  await expectNothingLeft(story.world);
}

const faults: Record<string, Faults> = {
  "a third of all calls throttled": { throttle: { probability: 0.33 } },
  "every fifth reply lost": { lostReply: { probability: 0.2 } },
  "describes up to 20 s and tag filters up to 40 s late": {
    lag: { seconds: 20, tagSeconds: 40, varies: true },
  },
  "empty pages": { emptyPages: { probability: 0.3 } },
  "slow detaching": { slowDetach: { seconds: 240 } },
  "the next two snapshots failing": { failSnapshots: { next: 2 } },
  "the next image failing": { failImages: { next: 1 } },
  "all of it at once": {
    throttle: { probability: 0.1 },
    lostReply: { probability: 0.1 },
    lag: { seconds: 10, tagSeconds: 20, varies: true },
    emptyPages: { probability: 0.1 },
    slowDetach: { seconds: 60 },
    failImages: { next: 1 },
  },
};

const cases = operations.flatMap((operation) =>
  Object.entries(faults).map(
    ([fault, given]) => [operation.name, fault, operation, given] as const,
  ),
);

it.each(cases)(
  "%s completes with %s",
  async (_name, _fault, operation, given) => {
    for (const seed of [1, 2, 3]) {
      const story = await prepared(operation, seed);
      story.world.simulator.control.setFaults(given);
      await finish(story, operation);
    }
  },
  60_000,
);

it.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s completes when the reply to any of its changing calls is lost",
  async (_name, operation) => {
    const lose = (story: Story, at: number) => {
      const counter = { calls: 0 };
      story.world.hooks.after.push((action) => {
        if (isReading(action)) return;
        counter.calls += 1;
        if (counter.calls === at) throw new Error("socket hang up");
      });
      return counter;
    };
    const rehearsal = await prepared(operation, 1);
    const counter = lose(rehearsal, -1);
    await finish(rehearsal, operation);
    for (let at = 1; at <= counter.calls; at += 1) {
      const story = await prepared(operation, 1);
      lose(story, at);
      await finish(story, operation);
    }
  },
  60_000,
);

it.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s is the same with three loops at once as with one",
  async (_name, operation) => {
    for (const seed of [1, 2, 3]) {
      const story = await prepared(operation, seed);
      const outcomes = await Promise.all([1, 2, 3].map(() => operation.carryOut(story)));
      expect(outcomes.map((outcome) => outcome.kind)).toContain("done");
      await finish(story, operation);
    }
  },
  60_000,
);

const keepsFor = (hours: number) => ({
  images: hours,
  snapshots: hours,
  volumes: hours,
  networkInterfaces: hours,
});

it.each([[0], [1], [96]])(
  "nothing that EC2's tag index does not show yet is left behind by a deallocation that keeps all for %i hours",
  async (hours) => {
    const story = begin(createWorld(), { retentionHours: keepsFor(hours) });
    await upDone(story);
    story.world.simulator.clock.advance(900);
    story.world.simulator.control.setFaults({ lag: { tagSeconds: 900 } });
    for (const recycleToken of ["once", "twice"]) {
      change(story, { recycleToken });
      await upDone(story);
    }
    expect((await destroy(story)).kind).toBe("done");
    await expectNothingLeft(story.world);
  },
);
