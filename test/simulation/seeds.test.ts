/**
 * Seeds: each decides a specification, users, guests, faults, crashes and latencies, and holds all
 * invariants of design §10 after every call, converges once healed and leaves nothing. A fixed set,
 * fresh ones with every commit, and by name every plan that ever failed.
 */
import { spawnSync } from "node:child_process";
import { pinned } from "./pinned";
import { type Plan, planOf } from "./plan";
import { failureText, startSummary, summaryText } from "./report";
import { runPlan, type Told } from "./run-plan";
import { shrink } from "./shrink";

/** Twice, because a seed that tells two stories could not be replayed. */
async function expectHeld(plan: Plan): Promise<Told> {
  const told = await runPlan(plan);
  if (told.violation !== undefined)
    throw new Error(failureText(told, await shrink(plan), []), { cause: told.violation });
  const again = await runPlan(plan);
  expect(again.lines).toEqual(told.lines);
  return told;
}

async function expectAllHeld(first: number, count: number): Promise<void> {
  const summary = startSummary();
  for (let seed = first; seed < first + count; seed += 1)
    summary.add(await expectHeld(planOf(seed)));
  process.stdout.write(summaryText(summary));
}

it("through the SDK and the wire protocol the story is the same, byte for byte", async () => {
  for (const { plan } of pinned.slice(0, 3)) {
    const [port, wire] = [await runPlan(plan), await runPlan({ ...plan, isWire: true })];
    expect(wire.lines).toEqual(port.lines);
  }
}, 60_000);

it("a fixed set of seeds holds every invariant", async () => {
  await expectAllHeld(1, 30);
}, 600_000);

it("fresh seeds with every commit hold every invariant", async () => {
  await expectAllHeld(freshStart(), 60);
}, 600_000);

/** Others with every commit, and the same for everybody who has that commit. */
function freshStart(): number {
  if (process.env.SIMULATION_FROM !== undefined) return Number(process.env.SIMULATION_FROM);
  const git = spawnSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" });
  return git.status === 0 ? Number.parseInt(git.stdout.slice(0, 7), 16) : 1_000_000;
}

it.each(pinned.map(({ once, plan }) => [once, plan] as const))(
  "never again: %s",
  async (_once, plan) => {
    await expectHeld(plan);
  },
);
