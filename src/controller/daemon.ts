/**
 * The controller as one process on any machine: survey, work on what needs it, sweep, again and
 * again, until it is told to end. Any number of daemons may share one registry, and each may be
 * killed at any moment: whoever comes next goes on once the lease has run out.
 */
import { accessTo, type Environment } from "../aws/access";
import { type Claimant, holderOf } from "../aws/claimant";
import { createEc2, type Ec2 } from "../aws/client";
import { AwsClock } from "../aws/clock";
import { createCloud } from "../aws/cloud";
import { createInventory } from "../aws/inventory";
import { createAnchorRegistry } from "../aws/registry";
import { type HealthServer, serveHealth } from "./health";
import { createLog, type Log } from "./log";
import { createMetrics, type Metrics } from "./metrics";
import { createLogNotifier, createSnsNotifier, notifyAll } from "./notifications";
import { WorkQueue } from "./queue";
import { createRationing } from "./rationing";
import type { ControllerRegistry } from "./registry";
import { Rounds, type RoundsReport } from "./rounds";
import { createSurveyor, type Wanted } from "./survey";
import { sweep } from "./sweep";
import { type WorkDeps, work } from "./worker";

export interface DaemonOptions {
  registry: ControllerRegistry;
  region: string;
  /** Another EC2 than AWS's, such as the embedded one. */
  endpoint?: string;
  profile?: string;
  environment: Environment;
  /** This process, as claims of creations name it. */
  claimant: Claimant;
  /** Seconds between two surveys, 1 to 300. Default: 15. */
  intervalSeconds?: number;
  /** One round, until nothing is due any more, and then it ends. Default: false. */
  once?: boolean;
  /**
   * Managed instances that are worked on at the same time, 2 to 5000. Default: 1000, because nearly
   * all of that work is waiting for EC2; how much is asked of EC2 is the request buckets' matter.
   */
  atOnce?: number;
  /** Where `/healthz` and `/metrics` are; nowhere when absent. */
  listen?: { host: string; port: number };
  /** An SNS topic that is told of interruptions, recoveries and what needs people. */
  topicArn?: string;
  /** Ends it at the next safe point. Default: the first SIGTERM or SIGINT; the second ends it at once. */
  signal?: AbortSignal;
  /** Gets each line of the log. Default: standard output. */
  write?: (line: string) => void;
}

export const daemonDefaults = { intervalSeconds: 15, atOnce: 1000 } as const;
/** After so long at work on one, how it stands is written down, and it goes on. */
export const sittingMs = 15 * 60_000;

/** Resolves when it has ended cleanly. Rejects for wrong options and a port that is taken. */
export async function runDaemon(options: DaemonOptions): Promise<RoundsReport> {
  const intervalSeconds = within(options, "intervalSeconds", [1, 300]);
  const atOnce = within(options, "atOnce", [2, 5000]);
  const log = createLog(options.write);
  const stop = options.signal === undefined ? untilSignalled(log) : undefined;
  const signal = options.signal ?? stop?.signal ?? new AbortController().signal;
  const parts = await assemble({ ...options, signal, atOnce }, log);
  const { metrics, rounds } = parts;
  const complaint = () => rounds.complaint(intervalSeconds);
  let server: HealthServer | undefined;
  try {
    server =
      options.listen && (await serveHealth({ ...options.listen, complaint, ...page(metrics) }));
    log.info(
      { event: "started", region: options.region, intervalSeconds, port: server?.port },
      "the controller has started",
    );
    const report = await (options.once === true ? rounds.once() : rounds.forever(intervalSeconds));
    log.info({ event: "ended", ...report }, "the controller has ended");
    return report;
  } finally {
    await server?.close();
    stop?.forget();
  }
}

const page = (metrics: Metrics) => ({
  metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
});

function within(
  options: DaemonOptions,
  name: keyof typeof daemonDefaults,
  [least, most]: [number, number],
): number {
  const value = options[name] ?? daemonDefaults[name];
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `${name} is ${value} and must be a whole number from ${least} to ${most}. Leave it out for ${daemonDefaults[name]}.`,
  );
}

/** After the first one Node's own handling is back, which ends the process at once. */
function untilSignalled(log: Log) {
  const stop = new AbortController();
  const signals = ["SIGTERM", "SIGINT"] as const;
  const forget = () => {
    for (const each of signals) process.removeListener(each, onSignal);
  };
  const onSignal = (name: string) => {
    forget();
    log.info({ event: "stopping", signal: name }, "stopping at the next safe point");
    stop.abort(new Error(`the controller was told to end by ${name}`));
  };
  for (const each of signals) process.on(each, onSignal);
  return { signal: stop.signal, forget };
}

type Assembly = DaemonOptions & { signal: AbortSignal; atOnce: number };

async function assemble(options: Assembly, log: Log) {
  const { atOnce, environment, registry, signal, topicArn } = options;
  const clock = new AwsClock();
  const now = () => clock.now();
  const metrics: Metrics = createMetrics(() => queue);
  const access = accessTo(options, environment);
  const ec2 = createEc2({ ...access, answered: metrics.answered }, clock);
  const rationing = createRationing({ ec2, registry, clock });
  const notifier = notifyAll(
    metrics.notifier,
    createLogNotifier(({ kind, message, ...rest }) =>
      log.info({ event: "notice", notice: kind, ...rest }, message),
    ),
    ...(topicArn === undefined ? [] : [await createSnsNotifier({ topicArn })]),
  );
  const surveyor = createSurveyor({ ec2: rationing.ec2(() => "recovery"), registry, now });
  const shared = { ...options, clock, log, notifier, stretch: () => surveyor.stretch() };
  const workers = {
    recovery: workDeps(
      rationing.ec2(() => "recovery"),
      shared,
    ),
    upkeep: workDeps(
      rationing.ec2(() => "upkeep"),
      shared,
    ),
  };
  const carryOut = ({ id, urgency }: Wanted) => {
    const deadlineAt = now() + sittingMs;
    return work(id, { ...workers[urgency], deadlineAt, holder: holderOf(options.claimant) });
  };
  const queue: WorkQueue = new WorkQueue({
    atOnce,
    now,
    run: (wanted) => rounds.lookAt(wanted, carryOut),
  });
  const swept = rationing.ec2(() => "upkeep");
  const rounds: Rounds = new Rounds({
    ...{ clock, log, metrics, now, queue, signal, surveyor, notifier },
    learnTime: async () => {
      await ec2.call("DescribeInstances", { MaxResults: 5 });
    },
    sweep: () => {
      const progress = (message: string) => log.info({ event: "sweep" }, message);
      const inventory = createInventory(swept);
      return sweep({ cloud: createCloud(swept, clock), inventory, clock, signal, progress });
    },
  });
  return { metrics, rounds };
}

type Shared = Assembly & {
  clock: AwsClock;
  log: Log;
  notifier: WorkDeps["notifier"];
  stretch(): number;
};

function workDeps(ec2: Ec2, shared: Shared): Omit<WorkDeps, "holder"> {
  const { claimant, clock, log, notifier, registry, signal } = shared;
  return {
    ...{ claimant, clock, notifier, registry, signal },
    cloud: createCloud(ec2, clock),
    anchors: createAnchorRegistry(ec2),
    told: (id, { kind, message, ...rest }) => log.info({ event: kind, id, ...rest }, message),
    stretch: () => shared.stretch(),
    report: (id, what, error) =>
      log.warn(
        { event: "unwritten", id, what, error: String(error) },
        `${what} could not be written`,
      ),
  };
}
