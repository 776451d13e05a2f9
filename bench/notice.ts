/**
 * From an interruption notice to a running successor, through all of a controller: the survey each
 * minute, its queue, its rations and its worker, and no event from EC2. The notice comes at another
 * instant between two surveys in each round.
 */
import type { LatencyTable } from "../src/simulator";
import { keepCalmly } from "../test/campaign/controllers";
import { createLand, type Land } from "../test/campaign/land";
import { parse } from "../test/simulation/world";
import { firstSpec, type Measurement } from "./operations";
import { startStopwatch } from "./stopwatch";

const noticeSeconds = 120;
/** So that the last periodic snapshot is neither fresh nor overdue. */
const settleSeconds = 1350;
/** Between the notice and the end of all that follows it. */
const longEnoughMs = 1_200_000;
const file = { path: "/srv/data", content: "written before", sizeBytes: 64 * 1024 ** 2 };

export interface NoticeOptions {
  latencies: Partial<LatencyTable>;
  /** How long after a survey, about. */
  afterSurveySeconds: number;
}

/** Two rows of one interruption: its downtime, and all of it from the notice on. */
export async function measureNotice(options: NoticeOptions): Promise<Measurement[]> {
  const land = landOfOne(options.latencies);
  const end = await keepCalmly(land);
  await land.sleep((settleSeconds + options.afterSurveySeconds) * 1000);
  const instanceId = carrierOf(land);
  land.simulator.guest.write({ instanceId, ...file });
  const stopwatch = startStopwatch(land.simulator);
  land.simulator.control.interrupt({ instanceId, noticeSeconds });
  await land.sleep(longEnoughMs);
  await end();
  stopwatch.stop();
  const { criticalPathSeconds, seconds } = stopwatch.read("interruption");
  const calls = stopwatch.calls();
  return [
    { name: "interruption, by the survey alone", seconds, criticalPathSeconds, calls },
    {
      name: "interruption, from its notice to running",
      seconds: noticeSeconds + seconds,
      criticalPathSeconds: noticeSeconds + criticalPathSeconds,
      calls,
    },
  ];
}

function landOfOne(latencies: Partial<LatencyTable>): Land {
  const simulated = { latencies, keptCalls: 100_000 };
  const land = createLand({ instances: 1, days: 0, seed: 1, simulated });
  const [identity] = land.identities.values();
  if (identity === undefined) throw new Error("there is no managed instance");
  const declared = { ...identity, specs: [parse(firstSpec)] };
  return { ...land, identities: new Map([[identity.id, declared]]) };
}

function carrierOf({ witness }: Land): string {
  const running = [...witness.rows().instances()].filter(({ state }) => state === "running");
  const [carrier] = running;
  if (carrier === undefined || running.length > 1)
    throw new Error(`${running.length} instances run`);
  return carrier.id;
}
