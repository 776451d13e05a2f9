/**
 * A test runner for StrykerJS over `suites.ts`: each mutant is switched on before the sources are
 * evaluated, so that what is computed while they load is mutated as well.
 */
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from "@stryker-mutator/api/core";
import { declareFactoryPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import { bundleSuite, runSuite, type Suite, type TestReport } from "./suites";

/** Cheapest first: most mutants are found by the table already. */
export const suiteFiles = [
  "test/engine/decide.table.test.ts",
  "test/engine/situation.test.ts",
  "test/engine/pools.test.ts",
  "test/engine/memory.test.ts",
  "test/engine/names.test.ts",
  "test/engine/tags.test.ts",
  "test/engine/facts.test.ts",
  "test/engine/ledgers.test.ts",
  "test/engine/error-text.test.ts",
  "test/engine/spec.test.ts",
  "test/engine/retention.test.ts",
  "test/engine/reconcile.test.ts",
  "test/engine/reconcile-doubt.test.ts",
  "test/engine/decide.property.test.ts",
  "test/engine/decide.story.test.ts",
];

/** What the instrumented sources read and write. */
const instrumented = globalThis as { [INSTRUMENTER_CONSTANTS.NAMESPACE]?: InstrumenterContext };

class SuiteTestRunner implements TestRunner {
  private suites: readonly Suite[] = [];
  private readonly context: InstrumenterContext = {};

  capabilities = () => ({ reloadEnvironment: true });

  async init(): Promise<void> {
    instrumented[INSTRUMENTER_CONSTANTS.NAMESPACE] = this.context;
    this.suites = await Promise.all(suiteFiles.map((file) => bundleSuite(process.cwd(), file)));
  }

  async dryRun(): Promise<DryRunResult> {
    this.context.mutantCoverage = { static: {}, perTest: {} };
    const result = await this.run(undefined, (id) => {
      this.context.currentTestId = id;
    });
    return { ...result, mutantCoverage: this.context.mutantCoverage };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, hitLimit, testFilter } = options;
    Object.assign(this.context, {
      activeMutant: activeMutant.id,
      hitLimit,
      hitCount: hitLimit === undefined ? undefined : 0,
    });
    const result = await this.run(testFilter && new Set(testFilter));
    const endless = determineHitLimitReached(this.context.hitCount, hitLimit);
    return toMutantRunResult(endless ?? result);
  }

  private async run(ids?: ReadonlySet<string>, started?: (id: string) => void) {
    const tests: TestResult[] = [];
    for (const suite of this.suites) {
      this.context.currentTestId = undefined;
      if (ids !== undefined && ![...ids].some((id) => id.startsWith(suite.file))) continue;
      const reports = await runSuite(suite, { ids, started }).catch(unableToLoad(suite));
      tests.push(...reports.map(asTestResult));
      if (reports.some(({ outcome }) => outcome === "failed")) break;
    }
    return { status: DryRunStatus.Complete, tests } as const;
  }
}

/** Sources that cannot even be evaluated fail every test. */
const unableToLoad =
  (suite: Suite) =>
  (error: unknown): TestReport[] => [
    { id: suite.file, outcome: "failed", milliseconds: 0, failure: String(error) },
  ];

function asTestResult({ failure, id, milliseconds, outcome }: TestReport): TestResult {
  const told = { id, name: id, timeSpentMs: milliseconds };
  switch (outcome) {
    case "failed":
      return { ...told, status: TestStatus.Failed, failureMessage: failure };
    case "skipped":
      return { ...told, status: TestStatus.Skipped };
    case "passed":
      return { ...told, status: TestStatus.Success };
  }
}

export const strykerPlugins = [
  declareFactoryPlugin(PluginKind.TestRunner, "suites", () => new SuiteTestRunner()),
];
