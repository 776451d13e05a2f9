/**
 * The contract as a program. Exit codes: 0 all as expected, 1 something is not, 2 wrong use.
 *
 *   npm run contract                                 the suite and the probes on the simulator
 *   npm run contract:moto                            the suite on moto
 *   REMOTE=1 REGION=eu-central-1 npm run contract    the suite and the probes on AWS
 *   REMOTE=1 REGION=eu-central-1 npm run contract:clean [run id]
 */
import { randomBytes } from "node:crypto";
import { clean } from "./clean";
import { costText } from "./cost";
import { motoDeviations } from "./moto-deviations";
import { discoverPlace } from "./place";
import { probes } from "./probes";
import { type Answer, runProbe, runScene, type Verdict } from "./run";
import type { Stage } from "./scene";
import { stopCallsOn } from "./stop";
import { suite } from "./suite";
import { RUN_TAG, type Target } from "./target";
import { awsTarget, motoTarget, simulatorTarget } from "./targets";
import { type Deviation, judge } from "./verdicts";

class WrongUse extends Error {}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main([task = "run", argument]: readonly string[]): Promise<number> {
  switch (task) {
    case "run":
      return process.env.REMOTE === "1" ? runOnAws() : runOnSimulator();
    case "moto":
      return runOnMoto(argument);
    case "clean":
      return cleanAws(argument);
    default:
      throw new WrongUse(`${task}: run, moto <endpoint> or clean [run id]`);
  }
}

async function runOnSimulator(): Promise<number> {
  const target = await simulatorTarget();
  try {
    const stage = { ...target, place: await discoverPlace(target.ec2) };
    const failures = await runSuite(stage, []);
    const answers = await runProbes(stage);
    const differing = answers.filter(({ observed, assumed }) => observed !== assumed).length;
    say(`\n${costText()}`);
    say("Nothing was done on AWS. To run it there: REMOTE=1 REGION=<region> npm run contract");
    return failures + differing === 0 ? 0 : 1;
  } finally {
    await target.close();
  }
}

async function runOnMoto(endpoint: string | undefined): Promise<number> {
  if (endpoint === undefined) throw new WrongUse("moto needs an endpoint: npm run contract:moto");
  const target = motoTarget(endpoint, newRunId());
  try {
    const stage = { ...target, place: await discoverPlace(target.ec2) };
    return (await runSuite(stage, motoDeviations)) === 0 ? 0 : 1;
  } finally {
    await target.close();
  }
}

async function runOnAws(): Promise<number> {
  say(`${costText()}\n`);
  const target = awsTarget(remoteRegion(), newRunId());
  await requireCredentials(target);
  const place = await discoverPlace(target.ec2, { subnetId: process.env.SUBNET });
  say(
    `Run ${target.runId} in ${place.subnetId} (${place.zone}); all it makes is tagged ${RUN_TAG}.`,
  );
  stopCallsOn(target.ec2, interruption());
  const stage = { ...target, place };
  let problems = 0;
  try {
    problems = await runSuite(stage, []);
    await runProbes(stage);
  } finally {
    await target.close();
    say("\nCleaning up");
    // With a client of its own, because the run's may have been stopped.
    if (!(await cleanAll(target.region, target.runId))) problems += 1;
  }
  return problems === 0 ? 0 : 1;
}

/** Ctrl-C ends the run and not the cleaning; a second one is left to the system. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => controller.abort(new Error(`stopped by ${signal}`)));
  return controller.signal;
}

async function cleanAws(runId: string | undefined): Promise<number> {
  return (await cleanAll(remoteRegion(), runId)) ? 0 : 1;
}

/** Whether nothing is left. */
async function cleanAll(region: string, runId: string | undefined): Promise<boolean> {
  const target = awsTarget(region, "clean");
  await requireCredentials(target);
  const { ec2, clock, patience } = target;
  const left = await clean({ ec2, clock, pollSeconds: patience.pollSeconds * 2, runId, say });
  await target.close();
  for (const each of left) say(`LEFT: ${each}`);
  say(
    left.length === 0
      ? "Nothing is left."
      : "Run npm run contract:clean again, or delete it by hand.",
  );
  return left.length === 0;
}

function remoteRegion(): string {
  const { REMOTE, REGION = "" } = process.env;
  if (REMOTE !== "1")
    throw new WrongUse("REMOTE is not 1: set REMOTE=1 to say that AWS itself is meant");
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(REGION))
    throw new WrongUse(`REGION is "${REGION}": name the region to work in, as REGION=eu-central-1`);
  return REGION;
}

async function requireCredentials({ ec2 }: Target): Promise<void> {
  const failure = await ec2.config.credentials().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (failure === undefined) return;
  throw new WrongUse(
    `there are no AWS credentials: ${failure}\nSet AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
  );
}

function newRunId(): string {
  return `c${randomBytes(5).toString("hex")}`;
}

async function runSuite(stage: Stage, deviations: readonly Deviation[]): Promise<number> {
  const verdicts: Verdict[] = [];
  for (const scene of suite) {
    say(`\n${scene.title}`);
    for (const verdict of await runScene(stage, scene)) {
      verdicts.push(verdict);
      say(`  ${wordFor(verdict, deviations).padEnd(12)} ${verdict.sentence} (${verdict.fact})`);
    }
  }
  const { holds, known, inconclusive, problems } = judge(stage.name, verdicts, deviations);
  say("");
  for (const problem of problems) say(problem);
  say(
    `${stage.name}: ${verdicts.length} behaviours: ${holds.length} hold, ${known.length} are known to be wrong, ${inconclusive.length} could not be seen, ${problems.length} problems`,
  );
  return problems.length;
}

function wordFor({ sentence, outcome }: Verdict, deviations: readonly Deviation[]): string {
  const isKnown = deviations.some((each) => each.sentence === sentence);
  return outcome.kind !== "holds" && isKnown ? "known" : outcome.kind;
}

async function runProbes(stage: Stage): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const probe of probes) {
    const answer = await runProbe(stage, probe);
    answers.push(answer);
    const { question, fact, assumed, observed } = answer;
    const comparison = observed === assumed ? "as assumed" : `DIFFERS, assumed: ${assumed}`;
    say(`\n? ${question} (${fact})\n  ${observed}\n  ${comparison}`);
  }
  return answers;
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = error instanceof WrongUse ? 2 : 1;
  },
);
