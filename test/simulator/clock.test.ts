import { createSimulator, START_AT } from "../../src/simulator";

describe("virtual time", () => {
  test("starts at a fixed instant and stands still while nobody sleeps", async () => {
    const { clock } = createSimulator();
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.now()).toBe(START_AT);
    expect(new Date(START_AT).toISOString()).toBe("2026-01-01T00:00:00.000Z");
  });

  test("jumps to the earliest sleeper, so that a virtual day takes no time", async () => {
    const { clock } = createSimulator();
    const startedAt = performance.now();
    await clock.sleep(24 * 3600 * 1000);
    expect(clock.now()).toBe(START_AT + 24 * 3600 * 1000);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test("wakes concurrent tasks in order of their instants, and of their sleeping at equal ones", async () => {
    const { clock } = createSimulator();
    const woken: string[] = [];
    const task = async (name: string, ...naps: number[]) => {
      for (const nap of naps) {
        await clock.sleep(nap);
        woken.push(`${name}@${clock.now() - START_AT}`);
      }
    };
    await Promise.all([task("a", 10, 20), task("b", 5, 5, 20), task("c", 30)]);
    expect(woken).toEqual(["b@5", "a@10", "b@10", "c@30", "a@30", "b@30"]);
  });

  test("does not pass while a task is still at work between macrotasks", async () => {
    const sim = createSimulator();
    const { clock } = sim;
    const seen: number[] = [];
    const worker = async () => {
      for (let step = 0; step < 3; step += 1) {
        sim.call("DescribeRegions", {});
        seen.push(clock.now() - START_AT);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([clock.sleep(1000), worker()]);
    expect(seen).toEqual([0, 0, 0]);
    expect(clock.now()).toBe(START_AT + 1000);
  });

  test("is moved by advance, which wakes those whose time has come", async () => {
    const { clock } = createSimulator();
    const sleeping = clock.sleep(5000);
    clock.advance(60);
    await sleeping;
    expect(clock.now()).toBe(START_AT + 60_000);
  });

  test("lets a sleep be aborted with the signal's reason", async () => {
    const { clock } = createSimulator();
    const controller = new AbortController();
    const sleeping = clock.sleep(5000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow("enough");
    expect(clock.now()).toBe(START_AT);
  });

  test("carries state changes out at their own instants on the way", () => {
    const sim = createSimulator();
    const stateTimes: string[] = [];
    sim.control.events.subscribe((event) => stateTimes.push(event.time));
    sim.call("RunInstances", {
      ImageId: "ami-0a12023000000001a",
      InstanceType: "t3.micro",
      MinCount: 1,
      MaxCount: 1,
    });
    sim.clock.advance(3600);
    expect(stateTimes).toEqual(["2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z"]);
  });
});

describe("real time", () => {
  test("runs faster by its factor and can be advanced", async () => {
    const { clock } = createSimulator({ clock: { kind: "real", speed: 1000 } });
    const startedAt = clock.now();
    expect(startedAt - START_AT).toBeLessThan(60_000);
    await clock.sleep(20_000);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(20_000);
    clock.advance(3600);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(3_620_000);
    expect(clock.speed).toBe(1000);
  });

  test("publishes events without anybody calling", async () => {
    const sim = createSimulator({ clock: { kind: "real", speed: 1000 } });
    const running = new Promise<void>((resolve) => {
      sim.control.events.subscribe(({ detail }) => {
        if (detail.state === "running") resolve();
      });
    });
    // Keeps the program alive: the simulator's own timers do not.
    const alive = setTimeout(() => undefined, 5000);
    sim.call("RunInstances", {
      ImageId: "ami-0a12023000000001a",
      InstanceType: "t3.micro",
      MinCount: 1,
      MaxCount: 1,
    });
    await running;
    clearTimeout(alive);
  });

  test("shortens a sleep under way when it is advanced", async () => {
    const { clock } = createSimulator({ clock: { kind: "real" } });
    const startedAt = performance.now();
    const sleeping = clock.sleep(60_000);
    clock.advance(61);
    await sleeping;
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});
