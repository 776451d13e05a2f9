/**
 * Where the story takes place: an embedded EC2 on a clock that runs faster than yours, and a Pulumi
 * stack with one managed instance in it, carried out by the real Pulumi engine. Everything lies in
 * one temporary folder, and nothing of it is left when the world is closed.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import {
  type EngineEvent,
  LocalWorkspace,
  PulumiCommand,
  type Stack,
} from "@pulumi/pulumi/automation";
import { ManagedInstance } from "pulumi-managed-instance";
import { ensurePulumiCli } from "../../scripts/pulumi-cli.mjs";
import { createEc2, type Ec2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { type SpecInput, specSchema } from "../../src/engine/spec";
import {
  createSimulator,
  DEFAULT_SUBNET_IDS,
  IMAGE_IDS,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";

/** Simulated seconds a second: as many as do not let the real time of a call show in a downtime. */
const speed = 24;
const repository = path.resolve(__dirname, "../..");
const projectName = "quickstart";

/** What `pulumi config set` changes in the course of the story. */
export type Setting = "imageId" | "recycleToken" | "desiredState";

type Settings = Partial<Record<Setting, string>> & { imageId: string };

const firstSettings = { imageId: IMAGE_IDS.amazonLinux };

export interface World {
  simulator: Simulator;
  endpoint: string;
  /** Of the controller's daemon; an absolute path. */
  registryDirectory: string;
  /** A connection of its own, for whoever is not Pulumi. */
  connect(): { ec2: Ec2; clock: AwsClock };
  configure(setting: Setting, value: string): Promise<void>;
  /** The specification that the program declares at present. */
  spec(): ReturnType<typeof specSchema.parse>;
  preview(): Promise<Told>;
  up(): Promise<Told & { outputs: Record<string, unknown> }>;
  destroy(): Promise<Told>;
  close(): Promise<void>;
}

/** What Pulumi told while it worked. */
export interface Told {
  /** Lasting messages on the resource's row. */
  messages: string[];
  /** How many resources it creates, updates, replaces, …, by operation. */
  changes: Record<string, number>;
}

export interface WorldOptions {
  /** Another EC2 than the embedded one: how a test shows that the story can fail. */
  makeSimulator?: (options: SimulatorOptions) => Simulator;
  /** Passing messages on the resource's row. */
  progress: (message: string) => void;
  signal: AbortSignal;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const makeSimulator = options.makeSimulator ?? createSimulator;
  Object.assign(process.env, quietSdk);
  const simulator = makeSimulator({ clock: { kind: "real", speed } });
  const server = await serveSimulator(simulator);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "managed-instance-quickstart-"));
  const settings: Settings = { ...firstSettings };
  const stopSkipping = skipIdleTime(simulator);
  const close = async () => {
    stopSkipping();
    await server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    const stack = await createStack(folder, server, simulator);
    const configure = async (setting: Setting, value: string) => {
      options.signal.throwIfAborted();
      await stack.setConfig(setting, { value });
      settings[setting] = value;
    };
    const { endpoint } = server;
    return {
      simulator,
      endpoint,
      registryDirectory: path.join(folder, "registry"),
      close,
      configure,
      connect: () => connect(simulator, endpoint),
      spec: () => specSchema.parse({ ...declaration(settings), region: simulator.region }),
      ...operations(stack, options),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Some states last long with nothing to do for anybody: most of each is skipped. No state gets shorter
 * by that: in simulated time everything takes as long as the latency table says.
 */
function skipIdleTime({ clock, control, latencies }: Simulator): () => void {
  const lengths: Record<string, number> = {
    running: latencies.bootToStatusOk,
    "shutting-down": latencies.osShutdown + latencies.shuttingDownToTerminated,
  };
  return control.events.subscribe(({ detail }) => {
    const skippedSeconds = (lengths[String(detail.state)] ?? 0) - 2 * unskippedSeconds;
    if (skippedSeconds <= 0) return;
    setTimeout(() => clock.advance(skippedSeconds), (unskippedSeconds * 1000) / speed).unref();
  });
}

/** At both ends of a state, for what follows from its change. */
const unskippedSeconds = 5;

function connect({ region }: Simulator, endpoint: string) {
  const clock = new AwsClock();
  const credentials = { accessKeyId: "embedded", secretAccessKey: "embedded" };
  return { ec2: createEc2({ region, endpoint, credentials }, clock), clock };
}

/** The properties that the program gives the managed instance. */
function declaration(settings: Settings): SpecInput {
  return {
    imageId: settings.imageId,
    instanceTypes: ["m6i.large", "m5.large"],
    subnetIds: [...DEFAULT_SUBNET_IDS],
    recycleToken: settings.recycleToken,
    desiredState: settings.desiredState as SpecInput["desiredState"],
  };
}

/** The Pulumi program, as a user would write it. */
async function program() {
  const config = new pulumi.Config(projectName);
  const { id, instanceId, generation, lineage, privateIp, state, market } = new ManagedInstance(
    "db",
    {
      ...declaration({
        imageId: config.require("imageId"),
        recycleToken: config.get("recycleToken"),
        desiredState: config.get("desiredState"),
      }),
      controller: { directory: config.require("registryDirectory") },
    },
  );
  return { id, instanceId, generation, lineage, privateIp, state, market };
}

/** The SDK's note on future versions of Node is not part of the story. */
const quietSdk = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

async function createStack(
  folder: string,
  { endpoint }: SimulatorServer,
  { region }: Simulator,
): Promise<Stack> {
  const { root } = await ensurePulumiCli();
  const backend = path.join(folder, "backend");
  const workDir = path.join(folder, "project");
  for (const each of [backend, workDir]) fs.mkdirSync(each);
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "dev", projectName, program },
    {
      workDir,
      pulumiCommand: await PulumiCommand.get({ root, skipVersionCheck: true }),
      projectSettings: {
        name: projectName,
        runtime: "nodejs",
        // Where the dynamic provider looks for this package.
        main: repository,
        backend: { url: `file://${backend}` },
      },
      envVars: {
        PULUMI_CONFIG_PASSPHRASE: "quickstart",
        PULUMI_HOME: path.join(folder, "home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // Neither your account nor your profile has a part in this.
        AWS_ACCESS_KEY_ID: "embedded",
        AWS_SECRET_ACCESS_KEY: "embedded",
        AWS_SESSION_TOKEN: "",
        AWS_PROFILE: "",
        AWS_EC2_METADATA_DISABLED: "true",
        ...quietSdk,
      },
    },
  );
  await stack.setAllConfig({
    "aws:region": { value: region },
    "managed-instance:endpoint": { value: endpoint },
    registryDirectory: { value: path.join(folder, "registry") },
    imageId: { value: firstSettings.imageId },
  });
  return stack;
}

function operations(stack: Stack, { progress, signal }: WorldOptions) {
  return {
    async preview(): Promise<Told> {
      signal.throwIfAborted();
      const recording = record(progress);
      const { changeSummary } = await stack.preview({ onEvent: recording.onEvent, signal });
      return { messages: recording.messages, changes: { ...changeSummary } };
    },
    async up() {
      signal.throwIfAborted();
      const recording = record(progress);
      const { outputs, summary } = await stack.up({ onEvent: recording.onEvent, signal });
      const values = Object.entries(outputs).map(([name, { value }]) => [name, value]);
      return {
        messages: recording.messages,
        changes: { ...summary.resourceChanges },
        outputs: Object.fromEntries(values),
      };
    },
    async destroy(): Promise<Told> {
      signal.throwIfAborted();
      const recording = record(progress);
      const { summary } = await stack.destroy({ onEvent: recording.onEvent, signal });
      return { messages: recording.messages, changes: { ...summary.resourceChanges } };
    },
  };
}

/** What appears on the rows of Pulumi's display. */
function record(progress: (message: string) => void) {
  const messages: string[] = [];
  const onEvent = ({ diagnosticEvent }: EngineEvent) => {
    if (diagnosticEvent === undefined) return;
    const message = diagnosticEvent.message.replace(/<\{%.*?%\}>/g, "").trim();
    if (message === "") return;
    if (diagnosticEvent.ephemeral) progress(message);
    else messages.push(message);
  };
  return { messages, onEvent };
}
