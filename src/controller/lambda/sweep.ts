/**
 * The function that deletes what retention has given an end, every ten minutes, from tags alone: it
 * needs neither the table nor a living stack.
 */
import type { Context } from "aws-lambda";
import type { Notifier } from "../notifications";
import { type SweepOptions, sweep } from "../sweep";
import type { Telemetry } from "./telemetry";

export interface SweeperDeps {
  sweep: Omit<SweepOptions, "progress" | "signal">;
  notifier: Notifier;
  telemetry: Telemetry;
}

/** Left at the end of an invocation to write down how far it came. */
const reserveMs = 15_000;

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
  const leftMs = Math.max(0, context.getRemainingTimeInMillis() - reserveMs);
  const finished = new AbortController();
  const outOfTime = new AbortController();
  const { clock, cloud } = deps.sweep;
  const timer = clock.sleep(leftMs, finished.signal).then(() => outOfTime.abort());
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
  const message = `retention has ended for ${deleted.length} resources, which are deleted`;
  const at = cloud.now();
  await notifier
    .notify({ kind: "expired", at, message, resourceIds: deleted })
    .catch((error: unknown) => telemetry.error("nobody was told", error));
}
