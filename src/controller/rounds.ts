/**
 * The rounds that a daemon makes: a survey each interval whose finds go into the queue, and now and
 * then the sweep of what retention has given an end. What fails is told and tried again next time.
 */
import { messageOf } from "../engine/error-text";
import type { Clock } from "../engine/ports";
import type { Log } from "./log";
import type { Metrics } from "./metrics";
import { expiredNotice, type Notifier } from "./notifications";
import type { WorkQueue } from "./queue";
import type { Surveyor, Wanted } from "./survey";
import type { SweepReport } from "./sweep";
import type { WorkResult } from "./worker";

export interface RoundsDeps {
  /** Asks EC2 for something small, so that the clock knows AWS's time from then on. */
  learnTime(): Promise<void>;
  surveyor: Surveyor;
  queue: WorkQueue;
  sweep(): Promise<SweepReport>;
  clock: Clock;
  now(): number;
  log: Log;
  metrics: Metrics;
  notifier: Notifier;
  signal: AbortSignal;
}

export interface RoundsReport {
  /** How many looks ended well or are waiting for their time. */
  worked: number;
  /** How many need people. */
  stuck: number;
  failed: number;
}

const sweepEverySeconds = 600;

export class Rounds {
  private readonly report: RoundsReport = { worked: 0, stuck: 0, failed: 0 };
  private surveyedAt: number | undefined;
  private startedAt: number;
  /** Entries that cannot even say when to look again: they are left alone for a while. */
  private readonly notBefore = new Map<string, number>();

  constructor(private readonly deps: RoundsDeps) {
    this.startedAt = deps.now();
  }

  async forever(intervalSeconds: number): Promise<RoundsReport> {
    const { clock, queue, signal } = this.deps;
    // Nothing is due, leased or expired by a clock that may be wrong by hours.
    while (!(await this.attempt("look at AWS's clock", () => this.learnTime())) && !signal.aborted)
      await clock.sleep(intervalSeconds * 1000, signal);
    await Promise.all([
      this.each(intervalSeconds, "survey", () => this.survey()),
      this.each(sweepEverySeconds, "sweep", () => this.sweep()),
    ]);
    queue.clear();
    await queue.idle();
    return this.report;
  }

  /** Until what is due now is done, and what is past its time is deleted. */
  async once(): Promise<RoundsReport> {
    const { queue } = this.deps;
    await this.learnTime();
    await this.survey();
    await Promise.all([queue.idle(), this.sweep()]);
    return this.report;
  }

  /** Why it should be restarted, if it should. */
  complaint(intervalSeconds: number): string | undefined {
    const lastAt = this.surveyedAt ?? this.startedAt;
    const agoSeconds = Math.round((this.deps.now() - lastAt) / 1000);
    if (agoSeconds <= 3 * intervalSeconds) return undefined;
    return `the last survey was ${agoSeconds} s ago, and there should be one every ${intervalSeconds} s`;
  }

  /** Carries out one look and writes down what came of it. */
  async lookAt(wanted: Wanted, carryOut: (wanted: Wanted) => Promise<WorkResult>): Promise<void> {
    const { id, reason, urgency } = wanted;
    const { log, metrics } = this.deps;
    log.info({ event: "look", id, urgency, reason }, `looking: ${reason}`);
    const result = await carryOut(wanted);
    metrics.worked(result);
    this.tell(result);
  }

  private async each(seconds: number, what: string, round: () => Promise<void>): Promise<void> {
    const { clock, signal } = this.deps;
    while (!signal.aborted) {
      await this.attempt(what, round);
      await clock.sleep(seconds * 1000, signal);
    }
  }

  /** Whether it succeeded. */
  private async attempt(what: string, task: () => Promise<void>): Promise<boolean> {
    try {
      await task();
      return true;
    } catch (error) {
      const { log } = this.deps;
      log.error({ event: "failed", what, error: messageOf(error) }, `the ${what} failed`);
      return false;
    }
  }

  private async learnTime(): Promise<void> {
    await this.deps.learnTime();
    this.startedAt = this.deps.now();
  }

  private async survey(): Promise<void> {
    const { log, metrics, queue, signal, surveyor } = this.deps;
    const found = await surveyor.survey();
    const { at, damaged, isThorough, shown, standings, strangers, stretch, wanted } = found;
    this.surveyedAt = at;
    metrics.surveyed({ at, shown, strangers: strangers.length, stretch });
    if (isThorough) {
      metrics.standings(standings);
      for (const error of damaged)
        log.error({ event: "damaged", error }, "an entry cannot be read");
      for (const { id, instanceId } of strangers)
        log.warn({ event: "stranger", id, instanceId }, `${id} is not in this registry`);
    }
    if (signal.aborted) return;
    for (const each of wanted)
      if ((this.notBefore.get(each.id) ?? 0) <= this.deps.now()) queue.add(each);
  }

  private async sweep(): Promise<void> {
    const { log, notifier, now } = this.deps;
    const { blocked, deleted, kept } = await this.deps.sweep();
    const counts = { blocked: blocked.length, deleted: deleted.length, kept: kept.length };
    log.info({ event: "swept", ...counts, ids: deleted }, "what is past its time is deleted");
    if (deleted.length > 0) await notifier.notify(expiredNotice(deleted, now()));
  }

  private tell(result: WorkResult): void {
    const { log, now } = this.deps;
    const { id, kind } = result;
    switch (kind) {
      case "worked": {
        const { at, reason, remedy, kind: standing } = result.standing;
        if (standing === "stuck") this.report.stuck += 1;
        else this.report.worked += 1;
        const { dueAt } = result;
        log.info(
          { event: "looked", id, standing, remedy, dueInSeconds: secondsTo(dueAt, at) },
          reason,
        );
        return;
      }
      case "failed":
        this.report.failed += 1;
        if (result.standing === undefined) this.notBefore.set(id, now() + damagedPauseMs);
        log.error({ event: "failed", id, error: messageOf(result.error) }, "the look failed");
        return;
      case "deallocated":
        this.report.worked += 1;
        log.info({ event: "looked", id, standing: kind }, "it has ended");
        return;
      case "busy":
      case "lost":
      case "absent":
        log.info({ event: "looked", id, standing: kind }, words[kind]);
        return;
    }
  }
}

const damagedPauseMs = 300_000;

const words = {
  busy: "somebody else is at work on it",
  lost: "somebody else has taken it over",
  absent: "it is not registered any more",
};

const secondsTo = (dueAt: number, at: number) =>
  dueAt === Number.MAX_SAFE_INTEGER ? undefined : Math.round((dueAt - at) / 1000);
