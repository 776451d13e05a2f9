import { type Action, actions } from "../../src/aws/client";
import { requestBucket } from "../../src/aws/request-buckets";
import type { Entry } from "../../src/controller/registry";
import {
  callsPerSecond,
  demandOf,
  describeStretch,
  noDemand,
  stretchOf,
} from "../../src/controller/stretch";
import type { SpecInput } from "../../src/engine/spec";
import { base } from "../simulation/operations";
import { parse } from "../simulation/world";
import { openRunningDesk } from "./desk";

const entry = (input: Partial<SpecInput> = {}): Entry => ({
  ...{ id: "pmi-000000000001", creationKey: "o/p/s/n", specVersion: 1, deallocate: false },
  spec: parse({ ...base, ...input }),
  ...{ asked: {}, dueAt: 0 },
});

function stretchOfMany(count: number, each: Entry): number {
  const demand = Array.from({ length: count }).reduce<typeof noDemand>(
    (sum) => demandOf(each, sum),
    noDemand,
  );
  return stretchOf(demand);
}

test("an account carries a thousand managed instances with a snapshot every five minutes", () => {
  expect(stretchOfMany(1000, entry())).toBe(1);
});

test("of ten thousand each waits eight times as long", () => {
  const stretch = stretchOfMany(10_000, entry());
  expect(stretch).toBeCloseTo(10_000 / 300 / (0.8 * 5), 5);
  expect(describeStretch(stretch)).toMatch(
    /^this account carries less than is specified, so that all intervals take 8\.33 times/,
  );
});

test("ten thousand that are paused ask for nothing", () => {
  expect(stretchOfMany(10_000, entry({ desiredState: "paused" }))).toBe(1);
  expect(describeStretch(1)).toBeUndefined();
});

test("rare snapshots leave the looks every half hour", () => {
  const rare = entry({ snapshots: { intervalMinutes: 240 } });
  expect(stretchOfMany(10_000, rare)).toBe(1);
  expect(stretchOfMany(50_000, rare)).toBeGreaterThan(1);
});

test.each([5, 15])(
  "with a snapshot every %d minutes upkeep makes no more calls than are planned for",
  async (intervalMinutes) => {
    const desk = await openRunningDesk({ snapshots: { intervalMinutes } });
    const { world } = desk.story;
    const live = async (hours: number) => {
      const untilAt = world.clock.now() + hours * 3_600_000;
      while (world.clock.now() < untilAt) {
        const dueAt = (await desk.registry.get(desk.story.initial.id))?.dueAt ?? 0;
        await world.clock.sleep(Math.max(0, dueAt - world.clock.now()));
        await desk.work();
      }
    };
    await live(1);
    const calls = new Map<Action, number>();
    world.hooks.before.push((name) => {
      const action = actions.find((each) => each === name);
      if (action !== undefined) calls.set(action, (calls.get(action) ?? 0) + 1);
    });
    const startedAt = world.clock.now();
    await live(10);
    const seconds = (world.clock.now() - startedAt) / 1000;
    const demand = demandOf(entry({ snapshots: { intervalMinutes } }), noDemand);
    const exceeding = [...calls].filter(
      ([action, count]) => count > 1.05 * seconds * callsPerSecond(action, demand) + 3,
    );
    expect(exceeding).toEqual([]);
    expect(calls.get("CreateSnapshot")).toBeGreaterThan(30);
  },
);

test("the buckets are those that EC2 publishes", () => {
  expect(requestBucket("RunInstances")).toEqual({ capacity: 5, refillPerSecond: 2 });
  expect(requestBucket("DescribeSnapshots")).toEqual({ capacity: 100, refillPerSecond: 20 });
  expect(requestBucket("RegisterImage")).toEqual({ capacity: 50, refillPerSecond: 5 });
});
