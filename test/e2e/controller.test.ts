/**
 * `pulumi up` with the real Pulumi engine beside a daemon in a process of its own: what either does
 * the other knows, and an interruption between two updates is answered.
 */
import path from "node:path";
import type { Stack, UpResult } from "@pulumi/pulumi/automation";
import { ManagedInstance } from "../../components";
import { createFileControllerRegistry } from "../../src/controller/file-registry";
import { createSimulator, type Simulator } from "../../src/simulator";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import { endPrograms } from "../cli/real-program";
import { type Daemon, startDaemon } from "../controller/real-daemon";
import { instancesOf } from "../controller/served-account";
import { createProject, type Project } from "./project";

jest.setTimeout(300_000);

let project: Project;
let simulator: Simulator;
let server: SimulatorServer;
let daemon: Daemon;
let stack: Stack;
let directory: string;
let first: Record<string, unknown>;

beforeAll(async () => {
  simulator = createSimulator({ clock: { kind: "real", speed: 60 } });
  server = await serveSimulator(simulator, { report: (error) => console.error(error) });
  project = await createProject("controlled");
  directory = path.join(project.folder, "registry");
  daemon = startDaemon({ directory, endpoint: server.endpoint });
  stack = await project.stack(
    "dev",
    async () => {
      const db = new ManagedInstance("db", {
        imageId: IMAGE_IDS.amazonLinux,
        instanceTypes: ["m5.large"],
        subnetIds: [DEFAULT_SUBNET_IDS[0]],
        controller: { directory },
      });
      return { ...db };
    },
    { "aws:region": "us-east-1", "managed-instance:endpoint": server.endpoint },
  );
});
afterAll(async () => {
  endPrograms();
  await server.close();
  project.remove();
});

const outputsOf = ({ outputs }: UpResult) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));

const entryNow = () => createFileControllerRegistry(directory).get(String(first.id));

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) {
    if (daemon.child.exitCode !== null)
      throw new Error(`the daemon ended before ${what}:\n${daemon.text()}`);
    await simulator.clock.sleep(1000);
  }
}

test("up registers it, and the daemon finds it in order", async () => {
  first = outputsOf(await stack.up());
  expect(first).toMatchObject({ state: "running", generation: 1 });
  expect(await entryNow()).toMatchObject({ specVersion: 1, deallocate: false });
});

test("an interruption between two updates is answered by the daemon, with every byte", async () => {
  const instanceId = String(first.instanceId);
  simulator.guest.write({ instanceId, path: "/srv/data", content: "precious" });
  simulator.control.interrupt({ instanceId });
  await until("it had recovered", async () => {
    const entry = await entryNow();
    const { generation = 0 } = entry?.ledger?.launch ?? {};
    return generation === 2 && entry?.lease === undefined && entry?.standing?.kind === "done";
  });
  const [carrier, ...others] = instancesOf(simulator);
  expect(others).toEqual([]);
  const place = { instanceId: carrier?.id ?? "", path: "/srv/data" };
  expect(simulator.guest.read(place)).toBe("precious");
});

test("the next refresh shows what the daemon did, and the next up finds nothing to do", async () => {
  await stack.refresh();
  const again = await stack.up();
  expect(again.summary.resourceChanges).toEqual({ same: 3 });
  expect(outputsOf(again)).toMatchObject({
    id: first.id,
    privateIp: first.privateIp,
    generation: 2,
    state: "running",
  });
});

test("destroy ends it, and the daemon has nothing left to keep", async () => {
  await stack.destroy();
  expect(instancesOf(simulator)).toEqual([]);
  expect(await entryNow()).toBeUndefined();
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toBe(0);
});
