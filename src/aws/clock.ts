/**
 * AWS's clock, learnt from the Date of its answers: expiry and deadlines are judged by it, because
 * a host's clock may be wrong by hours. The embedded EC2 may run faster than real time; it says so
 * in its answers and all waits are shortened alike. The only reader of the host's clock here.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../engine/ports";

export class AwsClock implements Clock {
  private speed = 1;
  private base = baseAt(Date.now());
  private isLearnt = false;

  now(): number {
    return Math.round(this.base.awsMs + this.passedMs() * this.speed);
  }

  /**
   * The monotonic clock stands still while a computer is suspended (clock_gettime(2), CLOCK_MONOTONIC),
   * and the wall clock may be set back. What was seen long ago must never pass for fresh, so the one
   * that tells of more time counts.
   */
  private passedMs(): number {
    const { monotonicMs, wallMs } = this.base;
    return Math.max(performance.now() - monotonicMs, Date.now() - wallMs);
  }

  /** A Date has whole seconds: the estimate is kept while it lies within the second told. */
  learn(headers: Readonly<Record<string, string>>): void {
    const told = Date.parse(headers.date ?? headers.Date ?? "");
    const speed = Number(headers["x-simulator-speed"] ?? 1);
    if (Number.isNaN(told)) return;
    const estimate = this.now();
    const slackMs = 1000 * Math.max(1, speed / 20);
    const isRight = estimate >= told - slackMs && estimate <= told + 1000 + slackMs;
    if (this.isLearnt && isRight && speed === this.speed) return;
    this.isLearnt = true;
    this.speed = Number.isFinite(speed) && speed > 0 ? speed : 1;
    this.base = baseAt(told);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const hostMs = Math.max(0, milliseconds) / this.speed;
    await delay(hostMs, undefined, { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
  }
}

const baseAt = (awsMs: number) => ({
  awsMs,
  monotonicMs: performance.now(),
  wallMs: Date.now(),
});
