#!/usr/bin/env node
// Brings a clone to the state that every npm script starts from: a fitting Node, the dependencies of the
// lock file in node_modules, and an up-to-date dist/. Silent, and done in well under a second, when all of
// that is there already. Uses nothing but Node itself, because nothing else is installed yet.
//
//   node scripts/bootstrap.mjs                    Node, dependencies, dist/
//   node scripts/bootstrap.mjs --no-build         Node and dependencies only

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PROGRESS_EVERY_MS = 10_000;

/** What dist/ is made from. */
const BUILD_INPUTS = [
  "src",
  "components",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/bundle.mjs",
  "package-lock.json",
];
/** Kept beside the dependencies and not in dist/, so that it never gets into the published package. */
const BUILD_STAMP = path.join(
  ROOT,
  "node_modules",
  ".cache",
  "pulumi-managed-instance",
  "build.sha256",
);
const DIST = path.join(ROOT, "dist");

/** @param {{ build?: boolean, log?: (line: string) => void }} [options] */
export async function bootstrap({
  build = true,
  log = (line) => process.stderr.write(`${line}\n`),
} = {}) {
  requireNode();
  await ensureDependencies(log);
  if (build) await ensureBuild(log);
}

/** The floor is in package.json: from this version on, require() of an ES module works. */
export function requireNode(running = process.versions.node) {
  const wanted = readJson("package.json").engines.node;
  const floor = wanted.replace(">=", "").split(".").map(Number);
  const [major, minor] = running.split(".").map(Number);
  if (major > floor[0] || (major === floor[0] && minor >= floor[1])) return;
  throw new Error(
    `This needs Node ${wanted}, and this is Node ${running}. Install a newer one: https://nodejs.org`,
  );
}

async function ensureDependencies(log) {
  const missing = missingDependencies();
  if (missing.length === 0) return;
  const some = missing.slice(0, 3).join(", ");
  log(
    `bootstrap: installing dependencies (npm ci); not as in the lock file: ${some}${missing.length > 3 ? ", …" : ""}`,
  );
  // No dependency needs its install script: native parts come as optional packages. Not running them is safer.
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci", log);
}

/** Compares the lock file with the record that npm keeps of what it installed, and with the folders themselves. */
function missingDependencies() {
  const record = path.join("node_modules", ".package-lock.json");
  if (!fs.existsSync(path.join(ROOT, record))) return ["node_modules"];
  const installed = readJson(record).packages;
  return Object.entries(readJson("package-lock.json").packages)
    .filter(([folder, wanted]) => folder !== "" && !wanted.optional)
    .filter(
      ([folder, wanted]) =>
        installed[folder]?.version !== wanted.version || !fs.existsSync(path.join(ROOT, folder)),
    )
    .map(([folder]) => folder.replace(/^node_modules\//, ""));
}

async function ensureBuild(log) {
  const inputs = hashOf(BUILD_INPUTS);
  if (
    fs.existsSync(DIST) &&
    fs.existsSync(BUILD_STAMP) &&
    fs.readFileSync(BUILD_STAMP, "utf8") === inputs
  )
    return;
  log("bootstrap: building dist/");
  // Built beside dist/ and swapped in whole, so that a program that is running from it never sees half of one.
  const built = fs.mkdtempSync(path.join(ROOT, ".dist-"));
  try {
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    await run(
      process.execPath,
      [tsc, "-p", "tsconfig.build.json", "--outDir", built],
      "build",
      log,
    );
    const bundle = path.join(ROOT, "scripts", "bundle.mjs");
    await run(process.execPath, [bundle, path.join(built, "lambda")], "bundle", log);
    swapIn(built);
    fs.mkdirSync(path.dirname(BUILD_STAMP), { recursive: true });
    fs.writeFileSync(BUILD_STAMP, inputs);
  } finally {
    for (const left of [built, `${built}-old`]) fs.rmSync(left, { recursive: true, force: true });
  }
}

/** Two builds may end at the same moment; they are of the same sources, so either may win. */
function swapIn(built) {
  try {
    if (fs.existsSync(DIST)) fs.renameSync(DIST, `${built}-old`);
    fs.chmodSync(built, 0o755);
    fs.renameSync(built, DIST);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code) || !fs.existsSync(DIST))
      throw error;
  }
}

function hashOf(inputs) {
  const hash = createHash("sha256");
  for (const file of inputs.flatMap(filesUnder).sort()) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(ROOT, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesUnder(relative) {
  const absolute = path.join(ROOT, relative);
  if (!fs.existsSync(absolute)) return [];
  if (fs.statSync(absolute).isFile()) return [relative];
  return fs.readdirSync(absolute).flatMap((name) => filesUnder(`${relative}/${name}`));
}

function readJson(relative) {
  return JSON.parse(fs.readFileSync(path.join(ROOT, relative), "utf8"));
}

/** Everything goes to stderr: stdout belongs to the program that is started after this. */
function run(command, args, phase, log) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const timer = setInterval(() => log(`bootstrap: ${phase} … ${seconds()} s`), PROGRESS_EVERY_MS);
  return new Promise((resolve, reject) => {
    const shell = process.platform === "win32" && command === "npm";
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", 2, 2], shell });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`bootstrap: ${phase} failed (exit code ${code})`)),
    );
  }).finally(() => clearInterval(timer));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  bootstrap({ build: !process.argv.includes("--no-build") }).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
