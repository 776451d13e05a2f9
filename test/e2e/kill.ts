/** `npm run kill -- --times N --seed S`: cuts N operations of the real Pulumi engine off and prints what came of it. */
import { parseArgs } from "node:util";
import { killCampaign } from "./kill-campaign";
import { type Cut, operations } from "./kill-life";
import { ways } from "./kill-moment";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { times: { type: "string", default: "10" }, seed: { type: "string", default: "1" } },
  });
  const cuts = await killCampaign({
    times: Number(values.times),
    seed: Number(values.seed),
    told: (cut, life) => process.stdout.write(`${lineOf(cut, life)}\n`),
  });
  process.stdout.write(`\n${tableOf(cuts)}\n`);
}

function lineOf({ operation, moment, missed, calls, wasLocked, unsaved }: Cut, life: number) {
  const words = [
    `life ${life}`.padEnd(9),
    operation.padEnd(9),
    moment.way.padEnd(14),
    `after ${calls} calls and ${moment.thenMs} ms`,
    ...(missed ? ["(it had ended already)"] : []),
    ...(wasLocked ? ["(pulumi cancel)"] : []),
    ...(unsaved === undefined ? [] : [`(completed and not saved: ${unsaved})`]),
  ];
  return words.join(" ");
}

function tableOf(cuts: readonly Cut[]): string {
  const counted = cuts.filter(({ missed }) => !missed);
  const count = (operation: string, way: string) =>
    counted.filter((cut) => cut.operation === operation && cut.moment.way === way).length;
  const header = ["", ...ways].map((name) => name.padStart(14)).join("");
  const rows = operations.map((operation) =>
    [operation, ...ways.map((way) => String(count(operation, way)))]
      .map((cell) => cell.padStart(14))
      .join(""),
  );
  const locked = counted.filter(({ wasLocked }) => wasLocked).length;
  const unsaved = counted.filter((cut) => cut.unsaved !== undefined).length;
  const end = `${counted.length} operations cut off, ${locked} needed \`pulumi cancel\`, ${unsaved} completed and not saved; each life went on with one instance and every byte.`;
  return [header, ...rows, end].join("\n");
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\n${explain(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
