/**
 * How much one core does: decisions a second on a settled managed instance, which is what a
 * controller asks most often, and whole simulated recycles a second, engine and EC2 together or the
 * engine alone, with the clearing away that follows.
 */
import { decide } from "../src/engine/decide";
import { type Bench, carryOut, createBench, live } from "./operations";
import { onTape, Tape } from "./tape";

const decideForMs = 1500;
const recycleForMs = 4000;
const batch = 200;
/** Until what a recycle leaves behind is deleted: it belongs to it, and would slow the next ones down. */
const clearingSeconds = 200;

export async function decisionsPerSecond(): Promise<number> {
  const bench = createBench();
  await carryOut(bench);
  const { outcome, spec, specVersion, world } = bench;
  if (outcome?.kind !== "done") throw new Error("it did not settle");
  const { ledger, observation } = outcome;
  const question = { spec, specVersion, ledger, observation, now: world.cloud.now() };
  return ratePerSecond(decideForMs, () => {
    for (let index = 0; index < batch; index += 1) decide(question);
    return batch;
  });
}

export async function recyclesPerSecond(): Promise<number> {
  const bench = createBench();
  await carryOut(bench);
  let token = 0;
  return ratePerSecond(recycleForMs, async () => {
    token += 1;
    await recycle(bench, `recycle ${token}`);
    return 1;
  });
}

/** What is left when EC2 costs nothing: the bound of the rate above, whatever it is simulated with. */
export async function engineRecyclesPerSecond(): Promise<number> {
  const bench = createBench();
  await carryOut(bench);
  const tape = new Tape();
  const taped = onTape(bench, tape);
  return ratePerSecond(recycleForMs, async () => {
    await recycle({ ...taped }, "once");
    tape.rewind();
    return 1;
  });
}

async function recycle(bench: Bench, recycleToken: string): Promise<void> {
  await carryOut(bench, { recycleToken });
  await live(bench, clearingSeconds);
  bench.world.simulator.control.clearCalls();
}

/** By the processor time used, so that what else the computer does counts for nothing. */
async function ratePerSecond(forMs: number, work: () => number | Promise<number>): Promise<number> {
  await work();
  const startedAt = process.cpuUsage();
  const usedMs = () => {
    const { user, system } = process.cpuUsage(startedAt);
    return (user + system) / 1000;
  };
  let done = 0;
  while (usedMs() < forMs) done += await work();
  return (done * 1000) / usedMs();
}
