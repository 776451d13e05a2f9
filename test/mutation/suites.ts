/**
 * Runs suites of jest without jest: bundled once, and evaluated afresh for each mutant by jest's own
 * `test`, `expect` and hooks. Jest itself builds its world again for every mutant, which costs a
 * hundred times as much as the tests of the engine do.
 */
import { createRequire } from "node:module";
import path from "node:path";
import vm from "node:vm";
import { jestExpect } from "@jest/expect";
import type { Circus } from "@jest/types";
import { build } from "esbuild";
import * as circus from "jest-circus";

export interface Suite {
  /** Relative to the root. */
  file: string;
  evaluate(): void;
}

export interface TestReport {
  id: string;
  outcome: "passed" | "failed" | "skipped";
  milliseconds: number;
  /** What it said when it failed. */
  failure: string;
}

export interface RunChoice {
  /** Only these tests, by id; default: all. */
  ids?: ReadonlySet<string>;
  /** Told of each test just before it runs. */
  started?: (id: string) => void;
}

/** A bound for what hangs, not a measure of speed. */
const testTimeoutMs = 600_000;

export async function bundleSuite(root: string, file: string): Promise<Suite> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    packages: "external",
    logLevel: "silent",
  });
  const text = outputFiles[0]?.text ?? "";
  const script = new vm.Script(`(function (require, module, exports, __dirname) {${text}\n})`, {
    filename: `${file}.bundle.cjs`,
  });
  // Packages come from here, so that a copy of the sources needs none of its own.
  const require = createRequire(__filename);
  const folder = path.dirname(path.join(root, file));
  return {
    file,
    evaluate() {
      const module = { exports: {} };
      script.runInThisContext()(require, module, module.exports, folder);
    },
  };
}

/** The tests of one suite in their order, up to the first that fails; what is left out is skipped. */
export async function runSuite(suite: Suite, choice: RunChoice = {}): Promise<TestReport[]> {
  const idOf = (names: readonly string[]) => [suite.file, ...names.slice(1)].join(" › ");
  let hasFailed = false;
  const watch = (event: Circus.AsyncEvent | Circus.SyncEvent) => {
    if (event.name === "test_fn_failure" || event.name === "hook_failure") hasFailed = true;
    if (event.name !== "test_start") return;
    const id = idOf(namesOf(event.test));
    if (hasFailed || choice.ids?.has(id) === false) event.test.mode = "skip";
    else choice.started?.(id);
  };
  circus.resetState();
  circus.getState().testTimeout = testTimeoutMs;
  circus.addEventHandler(watch);
  try {
    Object.assign(globalThis, testFunctions);
    suite.evaluate();
    const { testResults, unhandledErrors } = await circus.run();
    if (unhandledErrors.length > 0) throw new Error(unhandledErrors.join("\n"));
    return testResults.map(({ duration, errors, status, testPath }) => ({
      id: idOf(testPath),
      outcome: status === "skip" ? "skipped" : errors.length > 0 ? "failed" : "passed",
      milliseconds: duration ?? 0,
      failure: errors.join("\n"),
    }));
  } finally {
    circus.removeEventHandler(watch);
  }
}

const { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } = circus;
const hooks = { afterAll, afterEach, beforeAll, beforeEach };
const testFunctions = { ...hooks, describe, it, test, expect: jestExpect };

/** From the root block, which has a name of its own, down to the test. */
function namesOf(test: Circus.TestEntry): string[] {
  const names = [test.name];
  for (let block: Circus.DescribeBlock | undefined = test.parent; block; block = block.parent)
    names.unshift(block.name);
  return names;
}
