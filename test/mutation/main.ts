/**
 * `npm run mutate [-- file…] [--concurrency n]` changes every operator, condition and literal of the
 * engine, or of the files that are named, and prints what no test noticed.
 * `npm run mutate -- --meaning [--only words]` puts each deliberate bug of meaning into a copy and
 * prints which test or seed caught it. Exit code 1 when one survives or has lost its place.
 */
import { parseArgs } from "node:util";
import { bugs } from "./bugs";
import { type Judgement, judgeBugs } from "./meaning";
import { mutateEngine } from "./mutants";

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      meaning: { type: "boolean", default: false },
      only: { type: "string" },
      concurrency: { type: "string", default: "2" },
    },
  });
  const concurrency = Number(values.concurrency);
  if (values.meaning) return judgeMeaning(values.only ?? "", concurrency);
  return (await mutateEngine(positionals, concurrency)) ? 0 : 1;
}

async function judgeMeaning(words: string, concurrency: number): Promise<number> {
  const chosen = bugs.filter(({ file, name }) => `${file} ${name}`.includes(words));
  if (chosen.length === 0) throw new Error(`no bug's name or file has "${words}" in it`);
  const judgements = await judgeBugs(chosen, concurrency, (judgement) => say(lineOf(judgement)));
  const survivors = judgements.filter(({ caughtBy }) => caughtBy === undefined);
  say(`${judgements.length - survivors.length} of ${judgements.length} deliberate bugs caught`);
  return survivors.length === 0 ? 0 : 1;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

const lineOf = ({ bug, caughtBy, seconds }: Judgement) =>
  caughtBy === undefined
    ? `SURVIVED ${bug.name} (${bug.file}): ${bug.harm}`
    : `${bug.name} (${bug.file}): caught in ${seconds.toFixed(1)} s by ${caughtBy}`;

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 2;
  },
);
