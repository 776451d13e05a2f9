/**
 * `run-suites.ts <root> <suite>…`: runs suites of the sources in a folder, up to the first test that
 * fails, and names it. Exit code 1 when one does.
 */
import path from "node:path";
import { bundleSuite, runSuite } from "./suites";

async function main([root = ".", ...files]: readonly string[]): Promise<number> {
  for (const file of files) {
    const reports = await runSuite(await bundleSuite(path.resolve(root), file));
    const failed = reports.find(({ outcome }) => outcome === "failed");
    const passed = reports.filter(({ outcome }) => outcome === "passed").length;
    process.stdout.write(`${file}: ${passed} passed\n`);
    if (failed === undefined) continue;
    process.stdout.write(`${failed.failure}\nFAILED ${failed.id}\n`);
    return 1;
  }
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stdout.write(`FAILED to run: ${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = 1;
  },
);
