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
import type { ControllerRegistry } from "../../src/controller/registry";
import type { Ledger } from "../../src/engine/model";
import { converge } from "../../src/engine/reconcile";
import { fingerprint, type Spec, type SpecInput, specSchema } from "../../src/engine/spec";
import {
  createSimulator,
  DEFAULT_SUBNET_IDS,
  IMAGE_IDS,
  type Simulator,
  type SimulatorServer,
  serveSimulator,
} from "../../src/simulator";

export interface Run {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  signal?: AbortSignal;
  environment?: Record<string, string>;
  answer?: string;
  /** Told of each text that is written to standard error. */
  onError?: (text: string) => void;
}

export interface Account {
  simulator: Simulator;
  server: SimulatorServer;
  registry: ControllerRegistry;
  directory: string;
  home: string;
  cli(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** With the endpoint and the registry that the options above name. */
  managed(args: readonly string[], options?: RunOptions): Promise<Run>;
  create(id: string, input?: Partial<SpecInput>): Promise<Spec>;
  close(): Promise<void>;
}

/** Time runs this many times as fast as ours; what is asserted never depends on how fast. */
const speed = 200;

export async function openAccount(): Promise<Account> {
  const simulator = createSimulator({ clock: { kind: "real", speed } });
  const server = await serveSimulator(simulator);
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "managed-instance-cli-"));
  const directory = path.join(home, "registry");
  const registry = createFileControllerRegistry(directory);
  const { endpoint } = server;
  const cli: Account["cli"] = (args, options = {}) => runIn(home, args, options);
  return {
    ...{ simulator, server, registry, directory, home, cli },
    managed: (args, options) =>
      cli(
        [...args, "--endpoint", endpoint, "--region", simulator.region, "--directory", directory],
        options,
      ),
    create: (id, input = {}) => create({ endpoint, region: simulator.region, registry }, id, input),
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
  const { answer, environment = {}, onError, signal = new AbortController().signal } = options;
  let stdout = "";
  let stderr = "";
  const exitCode = await runCommandLine({
    args,
    streams: {
      stdout: { write: (text) => (stdout += text) },
      stderr: {
        write(text) {
          stderr += text;
          onError?.(stderr);
        },
      },
    },
    environment,
    home,
    claimant: { host: "test", pid: 1 },
    signal,
    ask: answer === undefined ? undefined : async () => answer,
    version: "1.2.3",
  });
  return { exitCode, stdout, stderr };
}

interface Place {
  endpoint: string;
  region: string;
  registry: ControllerRegistry;
}

/** As `pulumi up` leaves it: converged, and registered. */
async function create(
  { endpoint, region, registry }: Place,
  id: string,
  input: Partial<SpecInput>,
) {
  const spec = specSchema.parse({
    imageId: IMAGE_IDS.amazonLinux,
    instanceTypes: ["m5.large"],
    subnetIds: [DEFAULT_SUBNET_IDS[0]],
    ...input,
  });
  const clock = new AwsClock();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const ec2 = createEc2({ region, endpoint, credentials }, clock);
  await ec2.call("DescribeSubnets", {});
  const creationKey = `acme/urn:pulumi:dev::shop::pulumi-managed-instance:index:ManagedInstance::${id.slice(4)}`;
  const initial: Ledger = {
    ...{ id, creationKey, phase: "creating", revision: 0, specVersion: 1 },
    specFingerprint: fingerprint(spec),
    claim: { host: "test", pid: 1, touchedAt: clock.now() },
  };
  const outcome = await converge({
    ...{ id, spec, specVersion: 1, initial, clock },
    claimant: { host: "test", pid: 1 },
    cloud: createCloud(ec2, clock),
    registry: createAnchorRegistry(ec2),
  });
  if (outcome.kind !== "done") throw new Error(`it is not created but ${outcome.kind}`);
  const [anchor] = outcome.observation.anchors;
  const registration = { id, creationKey, spec, specVersion: 1, interfaceId: anchor?.interfaceId };
  await registry.register({ ...registration, deallocate: false }, clock.now());
  return spec;
}
