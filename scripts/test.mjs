#!/usr/bin/env node
// Behind `npm test`: everything that CI checks, as steps with a heading and a time each, from a fresh clone on.
// A step that fails does not hide what the later ones would say; the last line always reads
// "N passed, N failed" (each test of jest counts, and each other step counts as one).
//
//   npm test                     everything
//   npm test -- test/engine      arguments go to jest; the other steps run as always

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrap } from "./bootstrap.mjs";
import { ensurePulumiCli } from "./pulumi-cli.mjs";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const say = (line) => process.stdout.write(`${line}\n`);

/** Without dependencies nothing else can run, so this one alone ends the run. */
const first = { title: "Dependencies", run: () => bootstrap({ build: false, log: say }) };

const steps = [
  { title: "Types", run: () => node("typescript/bin/tsc", ["-p", "tsconfig.json"]) },
  { title: "Lint and format", run: () => node("@biomejs/biome/bin/biome", ["check", "."]) },
  { title: "Build", run: () => bootstrap({ log: say }) },
  { title: "Pulumi CLI", run: pulumiCli },
];

async function pulumiCli() {
  const { version, how, root, executable } = await ensurePulumiCli({ log: say });
  say(`Pulumi ${version} (${how}): ${root ?? executable}`);
}

/** Resolved by path and not by `require.resolve`, which refuses files that a package does not export. */
function node(script, args) {
  const command = [path.join(ROOT, "node_modules", script), ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`ended with ${signal ?? `exit code ${code}`}`)),
    );
  });
}

async function runStep({ title, run }) {
  const startedAt = Date.now();
  say(`\n=== ${title}`);
  const failure = await run().then(
    () => undefined,
    (error) => error,
  );
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (failure !== undefined) say(failure.message);
  say(`--- ${title}: ${failure === undefined ? "ok" : "FAILED"} (${seconds} s)`);
  return failure === undefined ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runJest(args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "jest-results-"));
  const results = path.join(folder, "results.json");
  const flags = ["--ci", "--maxWorkers=100%", "--json", `--outputFile=${results}`];
  let counted;
  const step = await runStep({
    title: "Tests (jest)",
    run: async () => {
      const outcome = node("jest/bin/jest.js", [...flags, ...args]);
      await outcome.finally(() => {
        counted = countJest(results);
      });
    },
  });
  fs.rmSync(folder, { recursive: true, force: true });
  if (counted === undefined) return step;
  // Jest can fail without a failed test: nothing matched, or a handle stayed open. That is a failure too.
  return { passed: counted.passed, failed: Math.max(counted.failed, step.failed) };
}

/** A test file that could not be loaded has no tests to count, so it counts as one failed test. */
function countJest(results) {
  if (!fs.existsSync(results)) return undefined;
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(
    fs.readFileSync(results, "utf8"),
  );
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}

async function main(jestArgs) {
  const outcomes = [await runStep(first)];
  if (outcomes[0].failed === 0) {
    for (const step of steps) outcomes.push(await runStep(step));
    outcomes.push(await runJest(jestArgs));
  }
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  say(`\n${sum("passed")} passed, ${sum("failed")} failed`);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
