/**
 * The function that deletes what retention has given an end, every ten minutes, from tags alone: it
 * needs neither the table nor a living stack.
 */
import type { Context } from "aws-lambda";
import { expiredNotice, type Notifier } from "../notifications";
import { type SweepOptions, sweep } from "../sweep";
import type { Telemetry } from "./telemetry";
import { workingMs } from "./time-left";

export interface SweeperDeps {
  sweep: Omit<SweepOptions, "progress" | "signal">;
  notifier: Notifier;
  telemetry: Telemetry;
}

export function createSweeper(deps: SweeperDeps) {
  return async (_event: unknown, context: Context): Promise<void> => {
    const { telemetry } = deps;
    telemetry.begin(context);
    try {
      await telemetry.traced("sweep", {}, () => sweepOnce(deps, context));
    } catch (error) {
      telemetry.error("not swept to the end; the next one goes on", error);
      throw error;
    } finally {
      telemetry.end();
    }
  };
}

async function sweepOnce({ notifier, telemetry, ...deps }: SweeperDeps, context: Context) {
  const finished = new AbortController();
  const outOfTime = new AbortController();
  const { clock, cloud } = deps.sweep;
  const timer = clock.sleep(workingMs(context), finished.signal).then(() => outOfTime.abort());
  const report = await sweep({
    ...deps.sweep,
    signal: outOfTime.signal,
    progress: (message) => telemetry.info(message),
  }).finally(() => finished.abort());
  await timer;
  const { blocked, deleted, kept } = report;
  telemetry.measure("Deleted", deleted.length);
  telemetry.measure("Blocked", blocked.length);
  telemetry.info("swept", { deleted, blocked, kept: kept.length });
  if (deleted.length === 0) return;
  await notifier
    .notify(expiredNotice(deleted, cloud.now()))
    .catch((error: unknown) => telemetry.error("nobody was told", error));
}
