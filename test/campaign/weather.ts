/**
 * What happens to the account during a campaign: interruptions one by one and whole pools at once,
 * droughts of capacity, hours in which EC2 answers badly, and guests that write.
 */
import type { Faults } from "../../src/simulator";
import type { Random } from "../../src/simulator/random";
import { find } from "../simulation/witness";
import type { Land } from "./land";

const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const types = ["m5.large", "m6i.large", "c5.large", "r5.large", "c6i.xlarge"];

/** Until the signal; then everything is healed. */
export async function makeWeather(land: Land, calm: AbortSignal): Promise<void> {
  const until = (events: (random: Random) => Promise<void>, stream: string) =>
    repeat(calm, land.random(stream), events);
  await Promise.all([
    until((random) => interruptSome(land, random, calm), "interruptions"),
    until((random) => drought(land, random, calm), "droughts"),
    until((random) => badHour(land, random, calm), "bad hours"),
    until((random) => guestWrites(land, random, calm), "guests"),
  ]);
  land.simulator.control.setFaults({});
}

async function repeat(
  calm: AbortSignal,
  random: Random,
  events: (random: Random) => Promise<void>,
): Promise<void> {
  while (!calm.aborted) await events(random);
}

/** On average each Spot instance every three days; sometimes a whole pool within minutes. */
async function interruptSome(land: Land, random: Random, calm: AbortSignal): Promise<void> {
  const everyMs = (3 * 24 * hours) / land.options.instances;
  await land.sleep(Math.min(6 * hours, -Math.log(1 - random.next()) * everyMs), calm);
  if (calm.aborted) return;
  const running = spotInstances(land);
  const first = running[random.below(Math.max(1, running.length))];
  if (first === undefined) return;
  const isWave = random.chance(2 / land.options.instances);
  const taken = isWave
    ? running.filter((each) => each.instanceType === first.instanceType && random.chance(0.5))
    : [first];
  for (const { id } of taken) {
    const noticeSeconds = random.chance(0.7) ? 120 : random.below(120);
    land.simulator.control.interrupt({ instanceId: id, noticeSeconds });
    land.counts.add("events", isWave ? "interruption in a wave" : "interruption");
  }
}

export const spotInstances = ({ simulator }: Land) =>
  [...simulator.control.rows().instances()].filter(
    ({ isSpot, state }) => isSpot && state === "running",
  );

/** Every day or two some pools are empty for hours, now and then On-Demand too. */
async function drought(land: Land, random: Random, calm: AbortSignal): Promise<void> {
  const { control, region } = land.simulator;
  await land.sleep(random.below(48) * hours, calm);
  if (calm.aborted) return;
  const pools = types
    .filter(() => random.chance(0.6))
    .flatMap((instanceType) => {
      const markets = random.chance(0.2) ? (["spot", "on-demand"] as const) : (["spot"] as const);
      return markets.flatMap((market) =>
        ["a", "b", "c"]
          .filter(() => random.chance(0.7))
          .map((letter) => ({ instanceType, market, zone: `${region}${letter}` })),
      );
    });
  for (const pool of pools) control.setCapacity({ ...pool, available: 0 });
  land.counts.add("events", "drought");
  await land.sleep((1 + random.below(6)) * hours, calm);
  for (const pool of pools) control.setCapacity({ ...pool, available: "unlimited" });
}

/** Bad answers of EC2, none of which loses a byte. */
const badAnswers: readonly [string, Faults][] = [
  ["throttling", { throttle: { probability: 0.3 } }],
  ["lost replies", { lostReply: { probability: 0.1 } }],
  ["lag", { lag: { seconds: 20, tagSeconds: 60, varies: true } }],
  ["slow detaching", { slowDetach: { seconds: 120 } }],
  ["empty pages", { emptyPages: { probability: 0.3 } }],
];

/** Every twelve hours or so EC2 throttles, loses replies, lags or fails snapshots for a while. */
async function badHour(land: Land, random: Random, calm: AbortSignal): Promise<void> {
  await land.sleep(random.below(24) * hours, calm);
  const failing: [string, Faults] = ["failing snapshots", { failSnapshots: { probability: 0.4 } }];
  await answerBadly(land, random, { calm, longest: hours, drawn: [...badAnswers, failing] });
}

interface BadTime {
  calm: AbortSignal;
  /** Milliseconds. */
  longest: number;
  drawn?: readonly [string, Faults][];
}

/** Five minutes at least, unless the signal ends it. */
export async function answerBadly(land: Land, random: Random, badTime: BadTime): Promise<void> {
  const { calm, drawn = badAnswers, longest } = badTime;
  if (calm.aborted) return;
  const [name, faults] = drawn[random.below(drawn.length)] ?? ["nothing", {}];
  land.simulator.control.setFaults(faults);
  land.counts.add("events", `a time of ${name}`);
  await land.sleep(5 * minutes + random.below(longest - 5 * minutes), calm);
  land.simulator.control.setFaults({});
}

/** Each guest writes twice a day, or more often where there are few. */
async function guestWrites(land: Land, random: Random, calm: AbortSignal): Promise<void> {
  await land.sleep(Math.min(hours, (12 * hours) / land.options.instances), calm);
  const { simulator, witness } = land;
  const running = [...simulator.control.rows().instances()].filter(
    ({ osUpSince }) => osUpSince !== undefined,
  );
  const instance = running[random.below(Math.max(1, running.length))];
  const life = witness.lives.findLast(({ instanceId }) => instanceId === instance?.id);
  const volume = find(witness.rows().volumes(), life?.volumeId);
  if (life === undefined || volume?.attachment?.instanceId !== life.instanceId) return;
  const path = `/srv/${land.now()}`;
  const { instanceId } = life;
  simulator.guest.write({ instanceId, path, content: path, sizeBytes: 2 ** 20 });
  life.files.add(path);
  land.counts.add("events", "a guest writes");
}
