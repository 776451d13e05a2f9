/**
 * The production loop kept running for a while of virtual time, as a controller or the quick
 * start's background loop does: what takes periodic snapshots and answers interruptions.
 */
import type { Outcome } from "../../src/engine/reconcile";
import { type Story, up } from "./operations";

/** Looks at least this often, because nothing tells the loop of an interruption here. */
const intervalMs = 60_000;

export async function live(story: Story, minutes: number): Promise<Outcome> {
  const { clock, simulator } = story.world;
  const endsAt = simulator.clock.now() + minutes * 60_000;
  for (;;) {
    const outcome = await up(story);
    const now = simulator.clock.now();
    if (now >= endsAt) return outcome;
    const wakeAt = outcome.kind === "done" ? outcome.wakeAt : now + intervalMs;
    await clock.sleep(Math.max(1000, Math.min(wakeAt - now, intervalMs, endsAt - now)));
  }
}
