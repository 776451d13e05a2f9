/**
 * StrykerJS on the engine: every operator, condition and literal of it is changed, one at a time, and
 * the suites of test/engine must notice.
 */
import path from "node:path";

const root = path.resolve(__dirname, "../..");

/** Types and sentences hold no decision. */
const mutated = ["src/engine/**/*.ts", "!src/engine/{model,ports}.ts"];

/** Of the random suites a few, because they follow where the table has passed already. */
const randomRuns = { QUESTION_RUNS: "15", STORY_RUNS: "3" };

/** Returns whether all went well. `files` default to the whole engine. */
export async function mutateEngine(
  files: readonly string[],
  concurrency: number,
): Promise<boolean> {
  const { Stryker } = await import("@stryker-mutator/core");
  process.chdir(root);
  for (const [name, runs] of Object.entries(randomRuns)) process.env[name] ??= runs;
  const results = await new Stryker({
    mutate: files.length > 0 ? [...files] : mutated,
    ignorePatterns: ["**", "!src/engine/**", "!test/engine/**", "!package.json", "!tsconfig.json"],
    plugins: [path.join(__dirname, "suite-test-runner.ts")],
    tempDirName: "coverage/mutants",
    testRunner: "suites",
    testRunnerNodeArgs: ["--import", "tsx"],
    coverageAnalysis: "perTest",
    // Of a text that is compared the comparison is mutated; one that is told decides nothing.
    mutator: { excludedMutations: ["StringLiteral"] },
    concurrency,
    timeoutMS: 60_000,
    // Nothing is linked: packages are found from the runner's own place.
    symlinkNodeModules: false,
    disableTypeChecks: false,
    reporters: ["progress-append-only", "clear-text", "json"],
    jsonReporter: { fileName: path.join(root, "coverage", "mutation.json") },
    clearTextReporter: { logTests: false, reportTests: false },
    thresholds: { high: 95, low: 90, break: null },
  }).runMutationTest();
  return results.every(({ status }) => status !== "RuntimeError");
}
