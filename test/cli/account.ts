/**
 * An embedded EC2 behind its real server, and the command line run against it in this process: SDK,
 * sockets and wire protocol are the real ones.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createEc2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { createCloud } from "../../src/aws/cloud";
import { createAnchorRegistry } from "../../src/aws/registry";
import { runCommandLine } from "../../src/cli/command-line";
import { createFileControllerRegistry } from "../../src/controller/file-registry";
import type { ControllerRegistry, Registration, Standing } from "../../src/controller/registry";
import type { Ledger } from "../../src/engine/model";
import { converge } from "../../src/engine/reconcile";
import { fingerprint, type SpecInput, specSchema } from "../../src/engine/spec";
import {
  createSimulator,
  DEFAULT_SUBNET_IDS,
  IMAGE_IDS,
  type Simulator,
  serveSimulator,
} from "../../src/simulator";
import { type Connection, connect } from "../simulation/world";

export interface Run {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  signal?: AbortSignal;
  environment?: Record<string, string>;
  /** What a person answers to any question; without it nobody can be asked. */
  answer?: string;
  /** Both streams are a terminal. */
  isTerminal?: boolean;
  /** Told of all that was written to standard error so far, each time that there is more. */
  onNote?: (text: string) => void;
}

export interface Account {
  simulator: Simulator;
  endpoint: string;
  registry: ControllerRegistry;
  directory: string;
  home: string;
  /** Options that name the endpoint and the Region. */
  place: readonly string[];
  cli(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** With the endpoint, the Region and the registry named. */
  managed(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** As `pulumi up` leaves it: converged. */
  create(id: string, name: string, input?: Partial<SpecInput>): Promise<Registration>;
  /** As `pulumi destroy` leaves it. */
  destroy(registration: Registration): Promise<void>;
  register(registration: Registration): Promise<void>;
  /** As a controller leaves its entry. */
  settle(id: string, standing: Partial<Standing>, dueInSeconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Time runs this many times as fast as ours; what is asserted never depends on how fast. */
const speed = 100;

/** Whose time passes, as for those who wait. */
export async function openAccount(): Promise<Account> {
  const simulator = createSimulator({ clock: { kind: "real", speed } });
  return serve(simulator, ({ endpoint }) => {
    const clock = new AwsClock();
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const ec2 = createEc2({ region: simulator.region, endpoint, credentials }, clock);
    const [cloud, registry] = [createCloud(ec2, clock), createAnchorRegistry(ec2)];
    return { ec2, cloud, registry, clock };
  });
}

/** Whose time stands still once it is set up, so that everything in it is known to the second. */
export async function openStillAccount(): Promise<Account> {
  const simulator = createSimulator({ latencies: { call: 0, runInstancesCall: 0 } });
  return serve(simulator, () => connect(simulator));
}

type Maker = Pick<Connection, "clock" | "cloud" | "ec2" | "registry">;

async function serve(
  simulator: Simulator,
  makerAt: (server: { endpoint: string }) => Maker,
): Promise<Account> {
  const server = await serveSimulator(simulator);
  const { endpoint } = server;
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "managed-instance-cli-"));
  const directory = path.join(home, "registry");
  const registry = createFileControllerRegistry(directory);
  const maker = makerAt(server);
  // The clock is learnt from EC2's answers.
  await maker.ec2.call("DescribeSubnets", {});
  const now = () => maker.clock.now();
  const place = ["--endpoint", endpoint, "--region", simulator.region];
  const cli: Account["cli"] = (args, options) => runIn(home, args, options);
  return {
    ...{ simulator, endpoint, registry, directory, home, place, cli },
    managed: (args, options) => cli([...args, ...place, "--directory", directory], options),
    create: (id, name, input = {}) => create(maker, id, name, input),
    async destroy(registration) {
      const specVersion = registration.specVersion + 1;
      await carryOut(maker, { ...registration, specVersion, deallocate: true });
    },
    register: async (registration) => {
      await registry.register(registration, now());
    },
    async settle(id, standing, dueInSeconds) {
      const span = { now: now(), untilAt: now() + 60_000 };
      const lease = await registry.acquire(id, "test:1:aaaa", span);
      if (lease === undefined) throw new Error(`${id} cannot be leased`);
      await registry.release(lease, {
        dueAt: now() + dueInSeconds * 1000,
        standing: { kind: "done", reason: "running", at: now(), specVersion: 1, ...standing },
      });
    },
    async close() {
      await server.close();
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function runIn(
  home: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const { answer, environment = {}, isTTY = false, onNote, signal } = withTerminal(options);
  let stdout = "";
  let stderr = "";
  const exitCode = await runCommandLine({
    args,
    streams: {
      stdout: {
        isTTY,
        write(text) {
          stdout += text;
        },
      },
      stderr: {
        isTTY,
        write(text) {
          stderr += text;
          onNote?.(stderr);
        },
      },
    },
    environment,
    home,
    claimant: { host: "test", pid: 1 },
    signal: signal ?? new AbortController().signal,
    ask: answer === undefined ? undefined : async () => answer,
    version: "1.2.3",
  });
  return { exitCode, stdout, stderr };
}

const withTerminal = ({ isTerminal, ...options }: RunOptions) => ({
  ...options,
  isTTY: isTerminal,
});

async function create(
  maker: Maker,
  id: string,
  name: string,
  input: Partial<SpecInput>,
): Promise<Registration> {
  const spec = specSchema.parse({
    imageId: IMAGE_IDS.amazonLinux,
    instanceTypes: ["m5.large"],
    subnetIds: [DEFAULT_SUBNET_IDS[0]],
    ...input,
  });
  const creationKey = `acme/urn:pulumi:dev::shop::pulumi-managed-instance:index:ManagedInstance::${name}`;
  const registration = { id, creationKey, spec, specVersion: 1, deallocate: false };
  const interfaceId = await carryOut(maker, registration, {
    ...{ id, creationKey, phase: "creating", revision: 0, specVersion: 1 },
    specFingerprint: fingerprint(spec),
    claim: { host: "test", pid: 1, touchedAt: maker.clock.now() },
  });
  return { ...registration, interfaceId };
}

async function carryOut(maker: Maker, registration: Registration, initial?: Ledger) {
  const { deallocate, id, spec, specVersion } = registration;
  const claimant = { host: "test", pid: 1 };
  const outcome = await converge({
    ...maker,
    ...{ id, spec, specVersion, deallocate, initial, claimant },
  });
  if (outcome.kind !== "done") throw new Error(`${id} is not done but ${outcome.kind}`);
  return outcome.observation.anchors[0]?.interfaceId;
}
