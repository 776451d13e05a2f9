/**
 * The serverless controller through storms: each seed tells one, twice and with the same lines. Other
 * ones with STORM_FROM=<number>, and more of them with STORMS=<number>.
 */
import { tellStorm } from "./storm";

const first = Number(process.env.STORM_FROM ?? 1);
const count = Number(process.env.STORMS ?? 5);

/** The end of the story is what a failure is understood by. */
const lastLines = 60;

async function expectHeld(seed: number) {
  const told = await tellStorm(seed);
  if (told.violation !== undefined)
    throw new Error(`storm ${seed}:\n${told.lines.slice(-lastLines).join("\n")}`, {
      cause: told.violation,
    });
  return told;
}

test("the same seed tells the same storm", async () => {
  const told = await expectHeld(first);
  expect((await expectHeld(first)).lines).toEqual(told.lines);
}, 300_000);

test(
  `whatever is lost, late, repeated, out of order or dies, all comes true in the end (from seed ${first})`,
  async () => {
    const reached = new Set<string>();
    for (let seed = first; seed < first + count; seed += 1)
      for (const event of (await expectHeld(seed)).events.keys()) reached.add(event);
    expect([...reached]).toEqual(expect.arrayContaining(whatGoesWrong));
  },
  60_000 * count,
);

/** A storm that does not reach them would show nothing. */
const whatGoesWrong = [
  "a batch is handed to two workers",
  "a message is lost",
  "a survey is skipped",
  ...["empty pages", "lag", "lost replies", "slow detaching", "throttling"].map(
    (badness) => `a time of ${badness}`,
  ),
  "an event comes more than once",
  "an event is late",
  "an event is lost",
  "an interruption",
  "the worker dies",
  "the worker stands still",
];
