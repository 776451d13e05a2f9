/** What a `pulumi up` without a controller must not pay for. */
import { execFileSync } from "node:child_process";
import path from "node:path";

const repository = path.resolve(__dirname, "../..");

test("the provider with all its handlers loads no registry, queue, metrics, log or command line", () => {
  const script = `
    for (const file of ["index", "handlers", "connection"]) require("./src/provider/" + file);
    console.log(JSON.stringify(Object.keys(require.cache)));`;
  const args = ["--import", require.resolve("tsx"), "--eval", script];
  const options = { cwd: repository, encoding: "utf8" as const, stdio: "pipe" as const };
  const loaded = JSON.parse(execFileSync(process.execPath, args, options)) as string[];
  expect(loaded.some((file) => file.endsWith("src/controller/worker.ts"))).toBe(true);
  const unwanted = /client-(dynamodb|sns|sqs)|pino|prom-client|stricli|powertools|-registry\.ts/;
  const heavy = loaded.filter((file) => unwanted.test(path.relative(repository, file)));
  expect(heavy.filter((file) => !file.endsWith("open-registry.ts"))).toEqual([]);
});
