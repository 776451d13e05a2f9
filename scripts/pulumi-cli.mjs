#!/usr/bin/env node
// Makes sure that a Pulumi CLI able to run dynamic providers is on this computer, and says where it is.
// In order: the one on PATH; one already in Pulumi's own folders; the official download; a build from
// Pulumi's public Go module, for networks that cannot reach the download. A finished CLI appears in
// ~/.pulumi/versions/<version> by one rename, so nobody ever runs half of one.
//
//   node scripts/pulumi-cli.mjs          prints the folder that holds bin/pulumi, or the executable
//   node scripts/pulumi-cli.mjs --json   prints {"root", "executable", "version", "how"}
//
// Progress goes to stderr. In a program: PulumiCommand.get({ root: (await ensurePulumiCli()).root }).

import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

/** The version that is downloaded or built. Not the newest: it is the newest Go module that can be built by itself. */
const CLI_VERSION = "3.250.0";
/** An older CLI is passed over: this is the lower end of our peer range of @pulumi/pulumi. */
const OLDEST_USABLE = [3, 229];
const GO_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const VERSION_SYMBOL = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const PROGRESS_EVERY_MS = 10_000;
/** The holder touches its lock as often as it shows progress, so one this old has no living holder. */
const LOCK_STALE_MS = 30_000;

const EXECUTABLE = process.platform === "win32" ? "pulumi.exe" : "pulumi";
const LAUNCHERS = ["pulumi-resource-pulumi-nodejs", "pulumi-resource-pulumi-nodejs.cmd"];

/** What `pulumi` starts for a dynamic provider: Node on the SDK of the project, as the official file does. */
const LAUNCHER_SCRIPT = `#!/bin/sh
entry=$(node -e 'process.stdout.write(require.resolve("@pulumi/pulumi/cmd/dynamic-provider"))') || exit 1
exec node "$entry" "$@"
`;

/** Its types stand in pulumi-cli.d.mts. */
export async function ensurePulumiCli({ log = (line) => process.stderr.write(`${line}\n`) } = {}) {
  return (
    (await findOnPath(log)) ?? (await findInstalled()) ?? (await withLock(log, () => provide(log)))
  );
}

async function findOnPath(log) {
  const folder = pathFolders().find((each) => fs.existsSync(path.join(each, EXECUTABLE)));
  if (folder === undefined) return undefined;
  const executable = path.join(folder, EXECUTABLE);
  const found = await inspect(executable);
  if (found.problem !== undefined) {
    log(`pulumi: ${executable} is on PATH but ${found.problem}; using another one`);
    return undefined;
  }
  const root = path.basename(folder) === "bin" ? path.dirname(folder) : undefined;
  return { root, executable, version: found.version, how: "path" };
}

/** ~/.pulumi is where the official installer puts its CLI; it need not be on PATH. */
async function findInstalled() {
  for (const root of [versionFolder(), path.join(os.homedir(), ".pulumi")]) {
    const usable = await usableIn(root, "installed");
    if (usable !== undefined) return usable;
  }
  return undefined;
}

async function usableIn(root, how) {
  const executable = path.join(root, "bin", EXECUTABLE);
  const found = await inspect(executable);
  return found.problem === undefined
    ? { root, executable, version: found.version, how }
    : undefined;
}

async function inspect(executable) {
  const version = await versionOf(executable);
  if (version === undefined) return { problem: "does not run" };
  const [major, minor] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_USABLE;
  if (major !== oldestMajor || minor < oldestMinor) {
    return {
      problem: `has version ${version}, not ${OLDEST_USABLE.join(".")} or a newer ${oldestMajor}.x`,
    };
  }
  return hasLauncher(executable) ? { version } : { problem: `has no ${LAUNCHERS[0]} beside it` };
}

function versionOf(executable) {
  if (!fs.existsSync(executable)) return Promise.resolve(undefined);
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  return new Promise((resolve) => {
    execFile(executable, ["version"], { env, timeout: 30_000 }, (error, stdout) => {
      resolve(error === null ? /^v?(\d+\.\d+\.\d+)/.exec(stdout.trim())?.[1] : undefined);
    });
  });
}

/** Pulumi looks for the launcher beside its executable and on PATH; without it no dynamic provider starts. */
function hasLauncher(executable) {
  const folders = [
    path.dirname(executable),
    path.dirname(fs.realpathSync(executable)),
    ...pathFolders(),
  ];
  return folders.some((folder) => LAUNCHERS.some((name) => fs.existsSync(path.join(folder, name))));
}

function pathFolders() {
  return (process.env.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
}

function versionsFolder() {
  return path.join(os.homedir(), ".pulumi", "versions");
}

function versionFolder() {
  return path.join(versionsFolder(), CLI_VERSION);
}

/** Runs under the lock. Whoever waited for it finds the other's work done. */
async function provide(log) {
  const ready = await usableIn(versionFolder(), "installed");
  if (ready !== undefined) return ready;
  removeAbandonedStages();
  const stage = fs.mkdtempSync(path.join(versionsFolder(), `.stage-${CLI_VERSION}-`));
  try {
    const refusal = await download(path.join(stage, "root"), log);
    if (refusal !== undefined) await build(stage, refusal, log);
    await publish(path.join(stage, "root"));
    const how = refusal === undefined ? "downloaded" : "built";
    const provided = await usableIn(versionFolder(), how);
    if (provided === undefined)
      throw new Error(`pulumi: the CLI in ${versionFolder()} does not run`);
    log(`pulumi: ${CLI_VERSION} ${how}, in ${versionFolder()}`);
    return provided;
  } finally {
    fs.rmSync(stage, { recursive: true, force: true });
  }
}

/** Returns why the official download did not work, or undefined when it did. */
async function download(root, log) {
  try {
    const { PulumiCommand } = createRequire(import.meta.url)("@pulumi/pulumi/automation");
    await withProgress(
      log,
      `downloading ${CLI_VERSION}`,
      PulumiCommand.install({ version: CLI_VERSION, root }),
    );
    if ((await usableIn(root, "downloaded")) !== undefined) return undefined;
    return "what was downloaded does not run";
  } catch (error) {
    return String(error.message).split("\n")[0];
  }
}

async function build(stage, refusal, log) {
  log(`pulumi: the official download did not work (${refusal})`);
  if (process.platform === "win32" || (await goVersion()) === undefined)
    throw new Error(waysOut(refusal));
  const root = path.join(stage, "root");
  const module = path.join(stage, "module");
  fs.rmSync(root, { recursive: true, force: true });
  for (const folder of [module, path.join(root, "bin")]) fs.mkdirSync(folder, { recursive: true });
  log(`pulumi: building ${CLI_VERSION} from its Go module, once: some minutes`);
  await go(["mod", "init", "pulumi-cli"], module);
  await withProgress(
    log,
    "1/2 downloading Go modules",
    go(["get", `${GO_PACKAGE}@v${CLI_VERSION}`], module),
  );
  const flags = `-s -w -X ${VERSION_SYMBOL}=${CLI_VERSION}`;
  const output = path.join(root, "bin", EXECUTABLE);
  await withProgress(
    log,
    "2/2 compiling",
    go(["build", "-o", output, "-ldflags", flags, GO_PACKAGE], module),
  );
  fs.writeFileSync(path.join(root, "bin", LAUNCHERS[0]), LAUNCHER_SCRIPT, { mode: 0o755 });
}

function waysOut(refusal) {
  return [
    `pulumi: there is no usable Pulumi CLI, and the official download failed (${refusal}). Two ways out:`,
    `  - install Pulumi ${OLDEST_USABLE.join(".")} or newer so that \`pulumi\` is on PATH: https://www.pulumi.com/docs/install/`,
    "  - install Go so that `go` is on PATH, and run this again; it then builds Pulumi: https://go.dev/doc/install",
  ].join("\n");
}

function goVersion() {
  return new Promise((resolve) => {
    execFile("go", ["version"], (error, stdout) =>
      resolve(error === null ? stdout.trim() : undefined),
    );
  });
}

/** -mod=mod lets Go complete the throw-away module; the module itself pins every version it uses. */
function go(args, cwd) {
  const env = { ...process.env, GOFLAGS: "-mod=mod", GOWORK: "off" };
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (text) => {
      errors = (errors + text).slice(-4000);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve();
      reject(
        new Error(`pulumi: \`go ${args[0]}\` failed with exit code ${code}:\n${errors.trim()}`),
      );
    });
  });
}

/** Whoever renames first wins; a folder that is there but does not run is what an interrupted installer left. */
async function publish(root) {
  const target = versionFolder();
  if (fs.existsSync(target) && (await usableIn(target, "installed")) === undefined) {
    fs.renameSync(target, path.join(path.dirname(root), "replaced"));
  }
  try {
    fs.renameSync(root, target);
  } catch (error) {
    if (!["EEXIST", "ENOTEMPTY", "EPERM"].includes(error.code) || !fs.existsSync(target))
      throw error;
  }
}

function removeAbandonedStages() {
  for (const name of fs.readdirSync(versionsFolder())) {
    const stage = path.join(versionsFolder(), name);
    const abandoned = name.startsWith(".stage-") && isOlderThan(stage, 3_600_000);
    if (abandoned) fs.rmSync(stage, { recursive: true, force: true });
  }
}

/** Two builds at once would only cost time, as the last rename decides; the lock saves that time. */
async function withLock(log, work) {
  const lock = path.join(versionsFolder(), `.lock-${CLI_VERSION}`);
  fs.mkdirSync(versionsFolder(), { recursive: true });
  await withProgress(log, "waiting for another process that provides it", takeLock(lock));
  const heartbeat = setInterval(() => touch(lock), PROGRESS_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    fs.rmSync(lock, { recursive: true, force: true });
  }
}

async function takeLock(lock) {
  for (;;) {
    try {
      fs.mkdirSync(lock);
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isOlderThan(lock, LOCK_STALE_MS)) fs.rmSync(lock, { recursive: true, force: true });
    else await sleep(500);
  }
}

function touch(file) {
  const now = new Date();
  if (fs.existsSync(file)) fs.utimesSync(file, now, now);
}

function isOlderThan(file, ageMs) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > ageMs;
}

async function withProgress(log, phase, work) {
  const startedAt = Date.now();
  const timer = setInterval(() => {
    log(`pulumi: ${phase} … ${Math.round((Date.now() - startedAt) / 1000)} s`);
  }, PROGRESS_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

async function main(args) {
  const cli = await ensurePulumiCli();
  process.stdout.write(
    `${args.includes("--json") ? JSON.stringify(cli) : (cli.root ?? cli.executable)}\n`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
