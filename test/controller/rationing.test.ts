import type { Ec2 } from "../../src/aws/client";
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { Urgency } from "../../src/controller/news";
import { createRationing, type RationingOptions } from "../../src/controller/rationing";
import type { ControllerRegistry } from "../../src/controller/registry";
import { CloudError } from "../../src/engine/ports";
import { createWorld, type World } from "../simulation/world";

interface Desk {
  world: World;
  registry: ControllerRegistry;
  /** EC2 for one process, which shares the registry with all others. */
  controller(urgency: Urgency, options?: Partial<RationingOptions>): Ec2;
  /** How many calls EC2 refused as too many. */
  throttled(): number;
}

function openDesk(): Desk {
  const world = createWorld({ latencies: { call: 0 } });
  const registry = createMemoryControllerRegistry();
  let throttled = 0;
  world.hooks.settled.push((_action, _input, error) => {
    if (error instanceof CloudError && error.meaning === "throttled") throttled += 1;
  });
  return {
    world,
    registry,
    controller: (urgency, options) =>
      createRationing({ ec2: world.ec2, registry, clock: world.clock, ...options }).ec2(
        () => urgency,
      ),
    throttled: () => throttled,
  };
}

const describeOnce = (ec2: Ec2) => ec2.call("DescribeVolumes", { MaxResults: 5 });

const tagOnce = (ec2: Ec2, world: World) => {
  const [volume] = world.simulator.control.rows().interfaces();
  return ec2
    .call("CreateTags", { Resources: [volume?.id ?? "eni-00000000000000000"], Tags: [] })
    .catch((error: unknown) => error);
};

const seconds = ({ world }: Desk, since: number) => (world.clock.now() - since) / 1000;

test("three controllers together stay below EC2's limits, where without rations they do not", async () => {
  const desk = openDesk();
  const everywhere = (controllers: readonly Ec2[]) =>
    Promise.all(controllers.flatMap((ec2) => Array.from({ length: 80 }, () => describeOnce(ec2))));
  await everywhere([desk.world.ec2, desk.world.ec2, desk.world.ec2]);
  expect(desk.throttled()).toBeGreaterThan(50);
  desk.world.simulator.clock.advance(60);
  const before = desk.throttled();
  const startedAt = desk.world.clock.now();
  await everywhere([1, 2, 3].map(() => desk.controller("recovery")));
  expect(desk.throttled()).toBe(before);
  // 240 calls, of which 80 pass at once and 16 more each second.
  expect(seconds(desk, startedAt)).toBeGreaterThanOrEqual(9);
  expect(seconds(desk, startedAt)).toBeLessThanOrEqual(13);
});

test("upkeep leaves half of each bucket to recovery, which does not wait for it", async () => {
  const desk = openDesk();
  const upkeep = desk.controller("upkeep");
  const startedAt = desk.world.clock.now();
  const kept = Promise.all(Array.from({ length: 100 }, () => describeOnce(upkeep)));
  await desk.world.clock.sleep(10);
  const recovery = desk.controller("recovery");
  await Promise.all(Array.from({ length: 30 }, () => describeOnce(recovery)));
  expect(seconds(desk, startedAt)).toBeLessThan(0.1);
  await kept;
  expect(seconds(desk, startedAt)).toBeGreaterThan(3);
});

test("what begins as upkeep may become a recovery between two calls", async () => {
  const desk = openDesk();
  const { clock, ec2 } = desk.world;
  let urgency: Urgency = "upkeep";
  const rationed = createRationing({ ec2, registry: desk.registry, clock }).ec2(() => urgency);
  await Promise.all(Array.from({ length: 40 }, () => describeOnce(rationed)));
  const startedAt = clock.now();
  urgency = "recovery";
  await describeOnce(rationed);
  expect(clock.now()).toBe(startedAt);
});

test("the registry is asked for a batch of tokens, not for each call", async () => {
  const desk = openDesk();
  const take = jest.spyOn(desk.registry, "take");
  const ec2 = desk.controller("recovery");
  for (let call = 0; call < 64; call += 1) await describeOnce(ec2);
  expect(take).toHaveBeenCalledTimes(8);
});

test("tokens that were not used within five seconds are lost", async () => {
  const desk = openDesk();
  const take = jest.spyOn(desk.registry, "take");
  const ec2 = desk.controller("recovery");
  await describeOnce(ec2);
  desk.world.simulator.clock.advance(6);
  await describeOnce(ec2);
  expect(take).toHaveBeenCalledTimes(2);
});

test("a call that gets no token within twenty seconds is refused as throttled", async () => {
  const desk = openDesk();
  const greedy = { name: "DescribeVolumes", capacity: 80, refillPerSecond: 16 };
  const emptied = async () => {
    for (;;) {
      const now = desk.world.clock.now();
      await desk.registry.take(greedy, { wanted: 80, floor: 0, now });
      await desk.world.clock.sleep(100);
      if (seconds(desk, startedAt) > 30) return;
    }
  };
  const startedAt = desk.world.clock.now();
  const done = emptied();
  const error = await describeOnce(desk.controller("upkeep")).catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    meaning: "throttled",
    message:
      "DescribeVolumes: our share of what EC2 takes from this account, 16 a second, is used up; it is tried again",
  });
  expect(seconds(desk, startedAt)).toBeGreaterThanOrEqual(20);
  expect(seconds(desk, startedAt)).toBeLessThan(23);
  await done;
});

test("what EC2 refuses as too much empties the bucket for everybody", async () => {
  const desk = openDesk();
  desk.world.simulator.control.setFaults({ throttle: { action: "CreateTags", next: 1 } });
  const error = await tagOnce(desk.controller("recovery"), desk.world);
  expect(error).toMatchObject({ meaning: "throttled" });
  const startedAt = desk.world.clock.now();
  await tagOnce(desk.controller("upkeep"), desk.world);
  // Half of 80 tokens, at 8 a second, are left to recovery.
  expect(seconds(desk, startedAt)).toBeGreaterThanOrEqual(5);
});

test("a registry that does not answer stops nobody, and is reported", async () => {
  const desk = openDesk();
  const told: unknown[] = [];
  const down = new Error("the table does not answer");
  const ec2 = desk.controller("upkeep", {
    registry: { take: () => Promise.reject(down) },
    unrationed: (error) => told.push(error),
  });
  await describeOnce(ec2);
  expect(told).toEqual([down]);
});
