/**
 * `npm run simulate -- --seeds N --from S [--faults name,…] [--wire share] [--timeline] [--twice]
 * [--keep-going]`: runs seeds one after the other and says of a failing one what it takes to see it
 * again. Interrupted, it ends after the seed at hand and reports what it has done.
 */
import { parseArgs } from "node:util";
import { faultNames } from "./faults";
import { planOf } from "./plan";
import { failureText, type Summary, startSummary, summaryText } from "./report";
import { runPlan } from "./run-plan";
import { shrink } from "./shrink";

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      faults: { type: "string" },
      wire: { type: "string", default: "0.05" },
      timeline: { type: "boolean", default: false },
      twice: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
    },
  });
  const faults = values.faults?.split(",").filter((name) => name !== "");
  const stranger = faults?.find((name) => !faultNames.includes(name));
  if (stranger !== undefined) throw new Error(`no fault "${stranger}": ${faultNames.join(", ")}`);
  const wireShare = Number(values.wire);
  const from = Number(values.from);
  const summary: Summary = startSummary();
  const progress = startProgress();
  for (let seed = from; seed < from + Number(values.seeds) && !progress.isOver(); seed += 1) {
    const plan = planOf(seed, { faults, wireShare });
    const told = await runPlan(plan);
    summary.add(told);
    progress.tell(summary);
    if (values.timeline) process.stdout.write(`${told.lines.join("\n")}\n`);
    if (values.twice && (await runPlan(plan)).hash !== told.hash)
      summary.fail(`seed ${seed} told two stories`);
    if (told.violation === undefined) continue;
    summary.fail(`seed ${seed}: ${told.violation.message}`);
    const shrunk = values.timeline ? plan : await shrink(plan);
    process.stdout.write(failureText(told, shrunk, process.argv.slice(2)));
    if (!values["keep-going"]) break;
  }
  process.stdout.write(summaryText(summary));
  return summary.failures.length === 0 ? 0 : 1;
}

const progressEveryMs = 60_000;

function startProgress() {
  let toldAt = Date.now();
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  return {
    isOver: () => isOver,
    tell({ failures, seeds }: Summary) {
      if (Date.now() < toldAt + progressEveryMs) return;
      toldAt = Date.now();
      process.stderr.write(`${seeds} seeds, ${failures.length} violated\n`);
    },
  };
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 2;
  },
);
