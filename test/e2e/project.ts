/**
 * A Pulumi project of its own for each test file: a temporary folder with this package compiled into
 * its node_modules, a file backend, and the real Pulumi engine through the Automation API. What the
 * engine loads is what a user's engine would load. Every managed instance in it has secret user data,
 * and after every operation it is made sure that nothing shows it.
 */
import { execFileSync, execSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import {
  type EngineEvent,
  LocalWorkspace,
  type LocalWorkspaceOptions,
  PulumiCommand,
  type Stack,
} from "@pulumi/pulumi/automation";
import { transformFileSync } from "@swc/core";
import { RESOURCE_TYPE } from "../../src/provider/stub";
import { secretUserData } from "./secrets";
import { watchStack } from "./watched-stack";

const repository = path.resolve(__dirname, "../..");

export type Program = () => Promise<Record<string, unknown> | undefined>;

export interface Project {
  folder: string;
  stack(name: string, program: Program, config?: Record<string, string>): Promise<Stack>;
  /** The stack's state as it lies on disk: what a thief of it would read. */
  stateText(stackName: string): string;
  remove(): void;
}

export async function createProject(name: string): Promise<Project> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  installPackage(folder);
  return openProject(name, folder, { projectSettings: { name, runtime: "nodejs", main: folder } });
}

/** A project of the repository with its own Pulumi.yaml, copied to where its package can be installed. */
export async function copyProject(source: string, name: string): Promise<Project> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  installPackage(folder);
  for (const file of ["Pulumi.yaml", "index.ts", "package.json"]) {
    fs.copyFileSync(path.join(repository, source, file), path.join(folder, file));
  }
  return openProject(name, folder, { workDir: folder });
}

async function openProject(
  name: string,
  folder: string,
  options: LocalWorkspaceOptions,
): Promise<Project> {
  const backend = path.join(folder, "backend");
  fs.mkdirSync(backend);
  const pulumiCommand = await PulumiCommand.get({ root: pulumiRoot(), skipVersionCheck: true });
  return {
    folder,
    async stack(stackName, program, config = {}) {
      const envVars = {
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_CONFIG_PASSPHRASE: "for tests",
        PULUMI_HOME: path.join(folder, "home"),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        AWS_EC2_METADATA_DISABLED: "true",
      };
      const stack = await LocalWorkspace.createOrSelectStack(
        { stackName, projectName: name, program: withSecret(program) },
        { ...options, pulumiCommand, envVars },
      );
      for (const [key, value] of Object.entries(config)) {
        await stack.setConfig(key, { value }, key.includes("["));
      }
      return watchStack(stack, [backend, envVars.PULUMI_HOME]);
    },
    stateText: (stackName) =>
      fs.readFileSync(path.join(backend, ".pulumi", "stacks", name, `${stackName}.json`), "utf8"),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/** The program, with secret user data for each managed instance that has none. */
function withSecret(program: Program): Program {
  return async () => {
    pulumi.runtime.registerStackTransformation(({ type, props, opts }) => {
      const isDeclared = type === RESOURCE_TYPE && props.imageId !== undefined;
      if (!isDeclared || props.userData !== undefined) return undefined;
      return { props: { ...props, userData: pulumi.secret(secretUserData) }, opts };
    });
    return program();
  };
}

function pulumiRoot(): string | undefined {
  const script = path.join(repository, "scripts", "pulumi-cli.mjs");
  const answer = execFileSync(process.execPath, [script, "--json"], { encoding: "utf8" });
  return (JSON.parse(answer) as { root?: string }).root;
}

/** Compiles file by file, so that what a test runs does not depend on the shared dist/ of another build. */
export function installPackage(folder: string): void {
  const target = path.join(folder, "node_modules", "pulumi-managed-instance");
  fs.mkdirSync(target, { recursive: true });
  fs.copyFileSync(path.join(repository, "package.json"), path.join(target, "package.json"));
  for (const part of ["src", "components", "test/e2e/fixtures"])
    compile(part, path.join(target, "dist"));
  for (const entry of fs.readdirSync(path.join(repository, "node_modules"))) {
    const link = path.join(folder, "node_modules", entry);
    if (!fs.existsSync(link)) fs.symlinkSync(path.join(repository, "node_modules", entry), link);
  }
}

function compile(part: string, target: string): void {
  for (const relative of fs.readdirSync(path.join(repository, part), {
    recursive: true,
    encoding: "utf8",
  })) {
    if (!relative.endsWith(".ts")) continue;
    const output = path.join(target, part, relative.replace(/\.ts$/, ".js"));
    fs.mkdirSync(path.dirname(output), { recursive: true });
    fs.writeFileSync(
      output,
      transformFileSync(path.join(repository, part, relative), compiler).code,
    );
  }
}

const compiler = {
  swcrc: false,
  jsc: {
    parser: { syntax: "typescript" },
    target: "es2022",
    transform: { useDefineForClassFields: false },
  },
  module: { type: "commonjs" },
} as const;

/** The engine's events, which hold each row of the display, in order. */
export class Recording {
  readonly events: EngineEvent[] = [];
  readonly onEvent = (event: EngineEvent) => {
    this.events.push(event);
  };
  get diagnostics() {
    return this.events.flatMap(({ diagnosticEvent }) => (diagnosticEvent ? [diagnosticEvent] : []));
  }
  get messages(): string[] {
    return this.diagnostics.map(({ message }) => message.replace(/<\{%.*?%\}>/g, "").trim());
  }
}

/** The engine's process id: the child of ours that runs `pulumi`. */
export function enginePid(): number {
  const children = execSync(`ps -o pid=,args= --ppid ${process.pid}`, { encoding: "utf8" });
  const line = children.split("\n").find((each) => / (up|destroy|refresh|preview) /.test(each));
  if (line === undefined) throw new Error(`no Pulumi engine among:\n${children}`);
  return Number(line.trim().split(/\s+/)[0]);
}
