/**
 * The daemon as a real process that is killed at random moments of a recovery: whoever comes next
 * goes on once the lease has run out, with one instance and every byte. Other moments with
 * DAEMON_SEED=<number>.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createFileControllerRegistry } from "../../src/controller/file-registry";
import { createSimulator } from "../../src/simulator";
import { createRandom } from "../../src/simulator/random";
import { serveSimulator } from "../../src/simulator/server";
import { endPrograms } from "../cli/real-program";
import { type Daemon, startDaemon } from "./real-daemon";
import { create, id, instancesOf, region } from "./served-account";

jest.setTimeout(300_000);

const seed = Number(process.env.DAEMON_SEED ?? 1);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "daemon-test-"));
const directory = path.join(folder, "registry");

afterAll(() => {
  endPrograms();
  fs.rmSync(folder, { recursive: true, force: true });
});

test(`killed at any moment of a recovery, it leaves everything to the next one (seed ${seed})`, async () => {
  const random = createRandom(seed, "kills");
  const simulator = createSimulator({ region, seed, clock: { kind: "real", speed: 60 } });
  const server = await serveSimulator(simulator, { report: (error) => console.error(error) });
  const registry = createFileControllerRegistry(directory);
  await create(server, registry);
  const [first] = instancesOf(simulator);
  const instanceId = first?.id ?? "";
  simulator.guest.write({ instanceId, path: "/srv/data", content: "precious" });

  const until = async (what: string, daemon: Daemon, isTrue: () => boolean | Promise<boolean>) => {
    while (!(await isTrue())) {
      if (daemon.child.exitCode !== null)
        throw new Error(`it ended before ${what}:\n${daemon.text()}`);
      await simulator.clock.sleep(300);
    }
  };
  const calls = () => simulator.control.calls().length;

  let daemon = startDaemon({ endpoint: server.endpoint, directory });
  await until("it had started", daemon, () => daemon.text().includes('"event":"swept"'));
  simulator.control.interrupt({ instanceId, noticeSeconds: 0 });
  simulator.guest.write({ instanceId, path: "/srv/last", content: "words" });
  for (let kills = 0; kills < 4; kills += 1) {
    const fatal = calls() + 1 + random.below(40);
    await until(`call ${fatal}`, daemon, () => calls() >= fatal);
    daemon.child.kill("SIGKILL");
    expect(await daemon.ended).toBe("SIGKILL");
    daemon = startDaemon({ endpoint: server.endpoint, directory });
  }
  await until("it had recovered", daemon, async () => {
    const entry = await registry.get(id);
    const { generation = 0 } = entry?.ledger?.launch ?? {};
    return generation > 1 && entry?.lease === undefined && entry?.standing?.kind === "done";
  });
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toBe(0);

  const [carrier, ...others] = instancesOf(simulator);
  expect({ state: carrier?.state, others }).toEqual({ state: "running", others: [] });
  const read = (file: string) =>
    simulator.guest.read({ instanceId: carrier?.id ?? "", path: file });
  expect([read("/srv/data"), read("/srv/last")]).toEqual(["precious", "words"]);
  // However often a launch was sent again: each generation is one instance.
  const launches = simulator.control
    .calls()
    .filter(({ action, outcome }) => action === "RunInstances" && outcome === "ok");
  const tokens = new Set(launches.map(({ parameters }) => parameters.ClientToken));
  expect(tokens.size).toBe((await registry.get(id))?.ledger?.launch?.generation);
  await server.close();
});
