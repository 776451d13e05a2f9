/**
 * `npm run fuzz -- --runs N --seed S [--create-every M]`: argument sets through check and diff, and of
 * those that are accepted every M-th through create. In batches with a seed of their own each, so that
 * a failure is soon seen again.
 */
import { parseArgs } from "node:util";
import { type FuzzCounts, fuzz } from "./campaign";

const batchSize = 2500;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "3000" },
      seed: { type: "string", default: "1" },
      "create-every": { type: "string", default: "1" },
    },
  });
  const runs = Number(values.runs);
  const total = new Map<string, number>();
  for (let done = 0, seed = Number(values.seed); done < runs; seed += 1) {
    const batch = Math.min(batchSize, runs - done);
    add(total, await fuzz({ runs: batch, seed, createEvery: Number(values["create-every"]) }));
    done += batch;
    const counts = [...total].map(([name, count]) => `${count} ${name}`).join(", ");
    process.stdout.write(`${done} sets up to seed ${seed}: ${counts}\n`);
  }
}

function add(total: Map<string, number>, counts: FuzzCounts): void {
  for (const [name, count] of Object.entries(counts))
    total.set(name, (total.get(name) ?? 0) + count);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\n${explain(error.cause)}`;
  return `${error.message}${cause}`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
