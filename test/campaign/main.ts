/**
 * `npm run campaign -- --instances N --days D --seed S [--intervals M,…]`: prints how far it is, and at
 * the end what happened and how often. Exit code 1 when an invariant did not hold.
 */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign";
import { defaultIntervals } from "./land";
import { reportText } from "./report";

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      instances: { type: "string", default: "1000" },
      days: { type: "string", default: "30" },
      seed: { type: "string", default: "1" },
      intervals: { type: "string", default: defaultIntervals.join(",") },
    },
  });
  const [instances, days, seed] = [values.instances, values.days, values.seed].map(Number);
  if (!Number.isInteger(instances) || !Number.isInteger(seed) || !(Number(days) > 0))
    throw new Error("--instances and --seed are whole numbers, --days is more than 0");
  const intervals = values.intervals.split(",").map(Number);
  if (!intervals.every((minutes) => Number.isInteger(minutes) && minutes > 0))
    throw new Error("--intervals are whole minutes between two snapshots, such as 5,60");
  const write = (line: string) => process.stdout.write(`${line}\n`);
  const report = await runCampaign({
    ...{ instances: Number(instances), days: Number(days), seed: Number(seed), intervals },
    progress: (line) => write(`${line} [${Math.round(process.uptime())} s]`),
  });
  write(reportText(report));
  return report.violation === undefined ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(2);
  },
);
