/**
 * EC2 takes every Spot instance of an account at once: how long until the last one is carried again,
 * by one controller in virtual time, against what EC2's own bucket of RunInstances allows.
 */
import { requestBucket } from "../src/aws/request-buckets";
import { defaultShare } from "../src/controller/stretch";
import { defaultLatencies } from "../src/simulator";
import { keepCalmly } from "../test/campaign/controllers";
import { createLand, type Land } from "../test/campaign/land";
import { spotInstances } from "../test/campaign/weather";
import { criticalPathSeconds } from "./critical-path";

export interface MassInterruption {
  instances: number;
  interrupted: number;
  seconds: number;
  /** The notice, one recovery, and the launches at our share of the bucket. */
  leastSeconds: number;
}

/** Measured ÷ least. */
export const massBound = 1.15;

const noticeSeconds = 120;
const settleSeconds = 1200;
const lookEverySeconds = 1;

export async function interruptAll(instances: number): Promise<MassInterruption> {
  const land = createLand({ instances, days: 1, seed: 5 });
  const end = await keepCalmly(land);
  await land.sleep(settleSeconds * 1000);
  const taken = new Set(spotInstances(land).map(({ id }) => id));
  const startedAt = land.now();
  for (const instanceId of taken) land.simulator.control.interrupt({ instanceId, noticeSeconds });
  while (carried(land, taken) < instances) await land.sleep(lookEverySeconds * 1000);
  const seconds = (land.now() - startedAt) / 1000;
  await end();
  return { instances, interrupted: taken.size, seconds, leastSeconds: leastFor(taken.size) };
}

function leastFor(launches: number): number {
  const { capacity, refillPerSecond } = requestBucket("RunInstances");
  const queueing = (launches - capacity * defaultShare) / (refillPerSecond * defaultShare);
  const changedGib = 0;
  const recovery = criticalPathSeconds(defaultLatencies, { operation: "interruption", changedGib });
  return noticeSeconds + recovery + Math.max(0, queueing);
}

const carried = ({ simulator }: Land, taken: ReadonlySet<string>) =>
  [...simulator.control.rows().instances()].filter(
    ({ id, state }) => state === "running" && !taken.has(id),
  ).length;

export const massLine = ({ instances, interrupted, leastSeconds, seconds }: MassInterruption) =>
  `mass interruption  ${interrupted} of ${instances} at once: the last is carried after ${seconds.toFixed(0)} s; notice, one recovery and EC2's bucket of launches take ${leastSeconds.toFixed(0)} s: ${(seconds / leastSeconds).toFixed(2)} of at most ${massBound}`;
