/**
 * `npm run bench`: downtimes against their critical paths and calls for each operation, on the
 * virtual clock, what one core does, what a survey of many costs, and how fast many are back that EC2
 * took at once. Exit code 1 when a downtime, a survey or the last recovery exceeds its bound.
 */
import { isReading } from "../src/aws/reading";
import type { LatencyTable } from "../src/simulator";
import { defaultLatencies } from "../src/simulator";
import { interruptAll, massBound, massLine } from "./mass-interruption";
import { measureNotice } from "./notice";
import { type Measurement, measureAll } from "./operations";
import { decisionsPerSecond, engineRecyclesPerSecond, recyclesPerSecond } from "./rates";
import { compareSurveys, surveyComplaints, surveyLines } from "./survey";

/** Downtime ÷ critical path, on average over all rounds, of what the aim is set for. */
const ratioAim = 1.05;
const aimedAt = /^(recycle|AMI swap|interruption)/;
/** Polls and states fall together differently in each, so that the mean is no accident. */
const rounds = 12;

interface Row {
  name: string;
  seconds: number;
  criticalPathSeconds: number;
  meanRatio: number;
  worstRatio: number;
  calls: ReadonlyMap<string, number>;
}

async function main(): Promise<number> {
  const measured: Measurement[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    const latencies = shifted(round);
    const afterSurveySeconds = (60 / rounds) * round;
    const noticed = await measureNotice({ latencies, afterSurveySeconds });
    measured.push([...(await measureAll(latencies)), ...noticed]);
  }
  const rows = rowsOf(measured);
  const decisions = await decisionsPerSecond();
  const recycles = await recyclesPerSecond();
  const engineAlone = await engineRecyclesPerSecond();
  process.stdout.write(`${[...table(rows), "", ...callLines(rows), ""].join("\n")}\n`);
  process.stdout.write(`decisions        ${Math.round(decisions).toLocaleString("en")} /s\n`);
  process.stdout.write(`recycles         ${recycles.toFixed(0)} /s, simulated, engine and EC2\n`);
  process.stdout.write(
    `  engine alone   ${engineAlone.toFixed(0)} /s, on a tape of EC2's answers\n`,
  );
  const surveys = await compareSurveys();
  process.stdout.write(`${surveyLines(surveys).join("\n")}\n`);
  const mass = await interruptAll(300);
  process.stdout.write(`${massLine(mass)}\n`);
  const slow = rows.filter((row) => aimedAt.test(row.name) && row.meanRatio > ratioAim);
  for (const { name, meanRatio } of slow)
    process.stderr.write(`${name}: ${meanRatio.toFixed(3)} is more than the aim of ${ratioAim}\n`);
  const complaints = surveyComplaints(surveys);
  if (mass.seconds > massBound * mass.leastSeconds)
    complaints.push(`mass interruption: ${mass.seconds} s is more than ${massBound} × the least`);
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  return slow.length + complaints.length === 0 ? 0 : 1;
}

/** The published table, with the long states some tenths of a second longer in each round. */
function shifted(round: number): Partial<LatencyTable> {
  const { imageRegistration, shuttingDownToTerminated, snapshotBase } = defaultLatencies;
  const tenths = (prime: number) => ((round * prime) % rounds) / 10;
  return {
    shuttingDownToTerminated: shuttingDownToTerminated + tenths(5),
    snapshotBase: snapshotBase + tenths(7),
    imageRegistration: imageRegistration + tenths(11),
  };
}

function rowsOf(measured: readonly Measurement[][]): Row[] {
  const [published = []] = measured;
  return published.map((first, index) => {
    const all = measured.flatMap((round) => round[index] ?? []);
    const ratios = all.map((each) => each.seconds / each.criticalPathSeconds);
    return {
      ...first,
      meanRatio: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
      worstRatio: Math.max(...ratios),
    };
  });
}

function countOf(calls: ReadonlyMap<string, number>, counts: (action: string) => boolean): number {
  return [...calls].reduce((sum, [action, count]) => sum + (counts(action) ? count : 0), 0);
}

function table(rows: readonly Row[]): string[] {
  const head = ["operation", "seconds", "path", "ratio", "mean", "worst", "calls", "changing"];
  const body = rows.map((row) => [
    row.name,
    row.seconds.toFixed(2),
    row.criticalPathSeconds.toFixed(2),
    (row.seconds / row.criticalPathSeconds).toFixed(3),
    row.meanRatio.toFixed(3),
    row.worstRatio.toFixed(3),
    String(countOf(row.calls, () => true)),
    String(countOf(row.calls, (action) => !isReading(action))),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((line) => line[column]?.length ?? 0)),
  );
  return [head, ...body].map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
}

function callLines(rows: readonly Row[]): string[] {
  return rows.map(({ name, calls }) => {
    const byCount = [...calls].sort(([, one], [, other]) => other - one);
    return `${name}: ${byCount.map(([action, count]) => `${action} ${count}`).join(", ")}`;
  });
}

void main().then((exitCode) => {
  process.exitCode = exitCode;
});
