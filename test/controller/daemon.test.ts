/** The daemon as one process: what it does between two `pulumi up`s, seen from outside. */
import { type DaemonOptions, runDaemon } from "../../src/controller/daemon";
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { ControllerRegistry } from "../../src/controller/registry";
import { createSimulator, type Simulator } from "../../src/simulator";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";
import { create, id, instancesOf, region } from "./served-account";

jest.setTimeout(120_000);

let simulator: Simulator;
let server: SimulatorServer;
let registry: ControllerRegistry;
const running: Running[] = [];

beforeEach(async () => {
  simulator = createSimulator({ region, clock: { kind: "real", speed: 60 } });
  server = await serveSimulator(simulator, { report: (error) => console.error(error) });
  registry = createMemoryControllerRegistry();
});
afterEach(async () => {
  for (const { stop } of running.splice(0)) await stop().catch(() => undefined);
  await server.close();
});

interface Running {
  lines: { event: string; message: string; [key: string]: unknown }[];
  stop(): Promise<Awaited<ReturnType<typeof runDaemon>>>;
  ended: ReturnType<typeof runDaemon>;
  /** The first line of the log that says so, as soon as it is there. */
  heard(event: string, details?: object): Promise<Running["lines"][number]>;
}

function start(options: Partial<DaemonOptions> = {}): Running {
  const abort = new AbortController();
  const lines: Running["lines"] = [];
  const listeners = new Set<() => void>();
  const ended = runDaemon({
    ...{ registry, region, endpoint: server.endpoint, environment: {}, signal: abort.signal },
    claimant: { host: "test", pid: 2 },
    write: (line) => {
      lines.push(JSON.parse(line));
      for (const each of listeners) each();
    },
    ...options,
  });
  const heard = (event: string, details: object = {}) =>
    new Promise<Running["lines"][number]>((resolve, reject) => {
      const look = () => {
        const found = lines.find(
          (line) =>
            line.event === event &&
            Object.entries(details).every(([key, value]) => line[key] === value),
        );
        if (found === undefined) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      ended.then(
        () => reject(new Error(`it ended and never said ${event}`)),
        (error: unknown) => reject(error),
      );
      look();
    });
  const stop = () => {
    abort.abort();
    return ended;
  };
  const daemon = { lines, ended, heard, stop };
  running.push(daemon);
  return daemon;
}

/** Asks until there is an answer; jest's time-out is the limit. */
async function until<Answer>(ask: () => Promise<Answer | undefined>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await simulator.clock.sleep(1000);
  }
}

const instancesNow = () => instancesOf(simulator);

test("an interruption is answered without anybody's order, told, and counted", async () => {
  await create(server, registry);
  const [first] = instancesNow();
  const instanceId = first?.id ?? "";
  simulator.guest.write({ instanceId, path: "/srv/data", content: "precious" });
  const daemon = start({ listen: { host: "127.0.0.1", port: 0 } });
  const { port } = await daemon.heard("started");
  await daemon.heard("swept");
  simulator.control.interrupt({ instanceId });
  const recovered = await daemon.heard("notice", { notice: "recovered" });
  expect(recovered).toMatchObject({ id, generation: 2, downtimeSeconds: expect.any(Number) });
  const [second] = instancesNow();
  expect(second?.id).not.toBe(instanceId);
  expect(simulator.guest.read({ instanceId: second?.id ?? "", path: "/srv/data" })).toBe(
    "precious",
  );
  const health = await fetch(`http://127.0.0.1:${port}/healthz`);
  expect([health.status, await health.text()]).toEqual([200, "ok\n"]);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/^managed_instance_recoveries_total 1$/m);
  expect(metrics).toMatch(/^managed_instance_interruptions_total 1$/m);
  expect(metrics).toMatch(/^managed_instance_downtime_seconds_count 1$/m);
  expect(metrics).toMatch(/^managed_instance_shown 1$/m);
  expect(metrics).toMatch(
    /^managed_instance_ec2_calls_total\{action="RunInstances",outcome="ok"\} 1$/m,
  );
  expect(await daemon.stop()).toMatchObject({ failed: 0, stuck: 0 });
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});

test("told to end in the middle of a recovery it stops at a safe point and gives its lease back", async () => {
  await create(server, registry);
  const [first] = instancesNow();
  simulator.control.interrupt({ instanceId: first?.id ?? "", noticeSeconds: 0 });
  const daemon = start();
  await daemon.heard("step");
  await daemon.stop();
  const entry = await registry.get(id);
  expect(entry?.lease).toBeUndefined();
  expect(entry?.standing).toMatchObject({ kind: "waiting" });
  expect(entry?.dueAt).toBeLessThanOrEqual(simulator.clock.now());
  const next = start({ once: true });
  expect(await next.ended).toEqual({ worked: 1, stuck: 0, failed: 0 });
  expect(instancesNow()).toHaveLength(1);
});

test("once means one round: what is due is done, and then it ends", async () => {
  await create(server, registry);
  await registry.wake(id, simulator.clock.now() - 1000);
  expect(await start({ once: true }).ended).toEqual({ worked: 1, stuck: 0, failed: 0 });
});

test("an EC2 that does not answer is told, makes it unhealthy, and is asked again", async () => {
  await create(server, registry);
  const daemon = start({ listen: { host: "127.0.0.1", port: 0 }, intervalSeconds: 1 });
  const { port } = await daemon.heard("started");
  await daemon.heard("swept");
  simulator.control.setFaults({ throttle: { probability: 1 } });
  const failed = await daemon.heard("failed", { what: "survey" });
  expect(failed.message).toBe("the survey failed");
  const complaint = await until(async () => {
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    return health.status === 503 ? health.text() : undefined;
  });
  expect(complaint).toMatch(/^the last survey was \d+ s ago, and there should be one every 1 s\n$/);
  simulator.control.setFaults({});
  await registry.wake(id, simulator.clock.now() - 1000);
  await daemon.heard("looked", { id });
  await daemon.stop();
});

test("a damaged entry stops nobody else's work", async () => {
  await create(server, registry);
  const other = "pmi-00000000000b";
  const entry = await registry.get(id);
  if (entry === undefined) throw new Error("it was not created");
  await registry.register({ ...entry, id: other }, simulator.clock.now());
  const damaged: ControllerRegistry = {
    ...registry,
    get: async (asked) => {
      if (asked === other) throw new Error(`the entry of ${other} is damaged`);
      return registry.get(asked);
    },
    acquire: async (asked, ...rest) => {
      if (asked === other) throw new Error(`the entry of ${other} is damaged`);
      return registry.acquire(asked, ...rest);
    },
  };
  await registry.wake(id, simulator.clock.now() - 1000);
  const daemon = start({ registry: damaged, once: true });
  expect(await daemon.ended).toEqual({ worked: 1, stuck: 0, failed: 1 });
  expect(daemon.lines.find(({ event }) => event === "failed")).toMatchObject({
    id: other,
    error: `the entry of ${other} is damaged`,
  });
});

test.each([
  [{ intervalSeconds: 0 }, "intervalSeconds is 0 and must be a whole number from 1 to 300"],
  [{ atOnce: 1.5 }, "atOnce is 1.5 and must be a whole number from 2 to 5000"],
])("%j is refused with the rule", async (options, sentence) => {
  await expect(start(options).ended).rejects.toThrow(sentence);
});

test("a port that is taken is named", async () => {
  const listen = { host: "127.0.0.1", port: server.port };
  await expect(start({ listen }).ended).rejects.toThrow(
    `port ${server.port} on 127.0.0.1 is taken by another program. Choose another`,
  );
});
