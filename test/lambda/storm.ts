/**
 * One storm over the serverless controller, told by one seed: users and EC2 do what they do, every
 * part between EC2 and the work fails in its way, and every changing call is judged. Then all is
 * calm, and everything must come true: what is specified, then running, then ended without a rest.
 */
import { createRandom } from "../../src/simulator/random";
import { createAll } from "../campaign/controllers";
import { createLand, type Land } from "../campaign/land";
import { answerBadly } from "../campaign/weather";
import { guestsWrite, hearLastWords } from "../simulation/guests";
import { leftOver } from "../simulation/invariants";
import { createTrace, type Trace } from "../simulation/trace";
import {
  type Identity,
  newestSpec,
  type Program,
  tellRegistry,
  userActs,
  userAsks,
} from "../simulation/users";
import { parse, Violation } from "../simulation/world";
import { complaintsOn } from "./storm-checks";
import { openStormPlant, type StormPlant } from "./storm-plant";

const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

export interface StormTold {
  lines: readonly string[];
  /** How often each thing happened. */
  events: ReadonlyMap<string, number>;
  violation?: Error;
}

const actions = [
  ...["recycle", "pause", "resume", "pause or resume", "swap the image"],
  ...["ask for a recycle", "ask for a snapshot", "ask for a pause", "ask to go on"],
];

export async function tellStorm(seed: number): Promise<StormTold> {
  const instances = 2 + createRandom(seed, "instances").below(3);
  const land = createLand({ instances, days: 0, seed });
  const trace = createTrace(land.now);
  const { signal } = land.violation;
  const violated = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  const ends: Ends = { calm: new AbortController(), end: new AbortController() };
  const told = () => ({ lines: trace.lines(), events: land.counts.of("events") });
  try {
    await Promise.race([tell(land, trace, ends), violated]);
    return told();
  } catch (error) {
    const violation = error instanceof Error ? error : new Error(String(error));
    return { ...told(), violation };
  } finally {
    // After a violation nobody goes on.
    ends.calm.abort();
    ends.end.abort();
  }
}

interface Ends {
  /** Nothing goes wrong any more. */
  calm: AbortController;
  end: AbortController;
}

async function tell(land: Land, trace: Trace, { calm, end }: Ends): Promise<void> {
  await createAll(land);
  const plant = openStormPlant({ land, trace, calm: calm.signal });
  const running = plant.run(end.signal);
  const stage = { land, trace, calm: calm.signal };
  hearLastWords({ ...land, trace }, land.random("last words"));
  const actors = [useIt(stage), interrupt(stage), answer(stage), writeOnAll(stage)];
  await land.sleep(4 * hours);
  calm.abort();
  await Promise.all(actors);
  trace.add("calm", "nothing goes wrong any more");
  await settled(land, plant, "what is specified");
  await sayToAll(land, (identity) => {
    const spec = newestSpec(identity);
    identity.specs.push(parse({ ...spec, desiredState: "running", recycleToken: "calm" }));
  });
  await settled(land, plant, "all running");
  await sayToAll(land, (identity) => {
    identity.destroyedAt = land.now();
  });
  await settled(land, plant, "all ended", async () =>
    (await idsOf(land)).map((id) => `${id} has not ended`),
  );
  end.abort();
  await running;
  await expectNothingLeft(land, plant);
}

interface Stage {
  land: Land;
  trace: Trace;
  calm: AbortSignal;
}

const programOf = ({ now }: Land, identity: Identity): Program => ({
  ...{ identities: [identity], securityGroupIds: [], now },
});

/** Through `pulumi up`, or at the command line. */
async function useIt({ calm, land, trace }: Stage): Promise<void> {
  const random = land.random("users");
  const all = [...land.identities.values()];
  for (;;) {
    await land.sleep(random.below(16 * minutes), calm);
    if (calm.aborted) return;
    const identity = all[random.below(all.length)];
    const action = actions[random.below(actions.length)] ?? "recycle";
    if (identity === undefined) continue;
    const program = programOf(land, identity);
    const { registry } = land;
    const isSaid = action.startsWith("ask")
      ? await userAsks(program, identity, { action, registry })
      : userActs(program, action, random);
    if (!isSaid) continue;
    await tellRegistry(program, registry);
    land.counts.add("events", `a user: ${action}`);
    trace.add("user", `${action} ${identity.id}`);
  }
}

async function interrupt({ calm, land, trace }: Stage): Promise<void> {
  const random = land.random("interruptions");
  for (;;) {
    await land.sleep(random.below(30 * minutes), calm);
    if (calm.aborted) return;
    const running = [...land.witness.rows().instances()].filter(
      ({ isSpot, state }) => isSpot && state === "running",
    );
    const instance = running[random.below(running.length)];
    if (instance === undefined) continue;
    const noticeSeconds = random.chance(0.6) ? 120 : random.chance(0.5) ? random.below(120) : 0;
    land.simulator.control.interrupt({ instanceId: instance.id, noticeSeconds });
    land.counts.add("events", "an interruption");
    trace.add("EC2", `interrupts ${instance.id} in ${noticeSeconds} s`);
  }
}

/** In times of its own EC2 throttles, loses replies, lags, detaches slowly or sends empty pages. */
async function answer({ calm, land, trace }: Stage): Promise<void> {
  const random = land.random("answers");
  while (!calm.aborted) {
    await land.sleep(random.below(40 * minutes), calm);
    trace.add("EC2", "begins to answer badly");
    await answerBadly(land, random, { calm, longest: 25 * minutes });
    trace.add("EC2", "answers well again");
  }
}

async function writeOnAll({ calm, land, trace }: Stage): Promise<void> {
  const { simulator, witness } = land;
  const random = land.random("guests");
  for (let file = 1; !calm.aborted; file += 1) {
    await land.sleep(random.below(8 * minutes), calm);
    guestsWrite({ simulator, trace, witness }, `/srv/${file}`);
  }
}

async function sayToAll(land: Land, say: (identity: Identity) => void): Promise<void> {
  for (const identity of land.identities.values()) {
    say(identity);
    await tellRegistry(programOf(land, identity), land.registry);
  }
}

async function idsOf({ registry }: Land): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of registry.list()) ids.push(id);
  return ids;
}

/** Half an hour for what stood still, and for a final snapshot and a boot. */
const convergenceMs = 90 * minutes;

async function settled(
  land: Land,
  { queue }: StormPlant,
  what: string,
  complaintsNow = () => complaintsOn(land),
): Promise<void> {
  const untilAt = land.now() + convergenceMs;
  for (;;) {
    const complaints = await complaintsNow();
    if (queue.size > 0) complaints.push(`${queue.size} messages are in the queue`);
    if (complaints.length === 0) return;
    if (land.now() > untilAt)
      throw new Violation(`(f) progress: not ${what}: ${complaints.slice(0, 5).join("; ")}`);
    await land.sleep(minutes);
  }
}

/** A hundred hours later all retention has passed, and one sweep leaves nothing. */
async function expectNothingLeft(land: Land, plant: StormPlant): Promise<void> {
  await land.sleep(100 * hours);
  await plant.sweep();
  await land.sleep(minutes);
  const left = leftOver(land.witness);
  if (left.length > 0) throw new Violation(`(e) left over: ${left.slice(0, 10).join(", ")}`);
}
