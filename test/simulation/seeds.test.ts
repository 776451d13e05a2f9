/**
 * Seeds: each decides a specification, users, guests, faults, crashes and latencies, and holds all
 * invariants of design §10 after every call, converges once healed and leaves nothing. A fixed set
 * from two places, and by name every plan that ever failed.
 */
import { pinned } from "./pinned";
import { type Plan, planOf } from "./plan";
import { failureText, startSummary, summaryText } from "./report";
import { runPlan, type Told } from "./run-plan";
import { shrink } from "./shrink";

const budgetMs = { fixed: 30_000, far: 15_000 };

async function expectHeld(plan: Plan): Promise<Told> {
  const told = await runPlan(plan);
  if (told.violation === undefined) return told;
  throw new Error(failureText(told, await shrink(plan), []), { cause: told.violation });
}

/** Stops at its time, so that a slow machine runs fewer seeds and none of them half. */
async function runFor(milliseconds: number, seeds: Iterable<number>, summary = startSummary()) {
  const endsAt = Date.now() + milliseconds;
  for (const seed of seeds) {
    if (Date.now() > endsAt) break;
    summary.add(await expectHeld(planOf(seed)));
  }
  return summary;
}

function* from(first: number, count = Number.MAX_SAFE_INTEGER): Iterable<number> {
  for (let seed = first; seed < first + count; seed += 1) yield seed;
}

it("the same seed tells the same story, byte for byte", async () => {
  for (const seed of [1, 2]) {
    const plan = planOf(seed);
    const [one, other] = [await expectHeld(plan), await expectHeld(plan)];
    expect(other.hash).toBe(one.hash);
    expect(other.lines).toEqual(one.lines);
  }
}, 60_000);

it("through the SDK and the wire protocol the story is the same, byte for byte", async () => {
  for (const { plan } of pinned.slice(0, 3)) {
    const [port, wire] = [await runPlan(plan), await runPlan({ ...plan, isWire: true })];
    expect(wire.lines).toEqual(port.lines);
  }
}, 60_000);

it("a fixed set of seeds holds every invariant", async () => {
  const summary = await runFor(budgetMs.fixed, from(1, 60));
  expect(summary.seeds).toBeGreaterThan(3);
}, 240_000);

/** Another start for a campaign: SIMULATION_FROM=$RANDOM npm test -- test/simulation/seeds. */
const farAway = Number(process.env.SIMULATION_FROM ?? 1_000_000);

it("seeds far from those hold every invariant", async () => {
  const summary = await runFor(budgetMs.far, from(farAway, 40));
  process.stdout.write(summaryText(summary));
  expect(summary.seeds).toBeGreaterThan(1);
}, 240_000);

it.each(pinned.map(({ once, plan }) => [once, plan] as const))(
  "never again: %s",
  async (_once, plan) => {
    await expectHeld(plan);
  },
);
