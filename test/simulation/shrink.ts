/**
 * The smallest plan that still fails the same way: events are taken away, in halves and then one by
 * one, for as long as the violation stays.
 */
import type { Plan, PlannedEvent } from "./plan";
import { runPlan } from "./run-plan";

/** Most of what a failing plan does has nothing to do with its failure; more runs help little. */
const longestSearch = 200;

export async function shrink(plan: Plan): Promise<Plan> {
  const kind = await failureOf(plan);
  let events = plan.events;
  let runs = 0;
  const stillFails = async (fewer: readonly PlannedEvent[]) => {
    runs += 1;
    return runs <= longestSearch && (await failureOf({ ...plan, events: fewer })) === kind;
  };
  if (kind === undefined) return plan;
  for (let size = Math.ceil(events.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at < events.length; ) {
      const fewer = [...events.slice(0, at), ...events.slice(at + size)];
      if (await stillFails(fewer)) events = fewer;
      else at += size;
    }
  }
  return { ...plan, events };
}

/** What failed, without the ids and counts that change from run to run. */
async function failureOf(plan: Plan): Promise<string | undefined> {
  const { violation } = await runPlan(plan);
  return violation?.message.split(":")[0];
}
