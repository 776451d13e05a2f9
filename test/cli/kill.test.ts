/**
 * The real program cut off in the middle of its commands. Other moments with CLI_KILL_SEED=<number>,
 * and more of them with CLI_KILL_TIMES=<number>.
 */
import { type Cut, killCommands } from "./kill-commands";
import { endPrograms } from "./real-program";

const seed = Number(process.env.CLI_KILL_SEED ?? 1);
const times = Number(process.env.CLI_KILL_TIMES ?? 5);

afterAll(endPrograms);

test(
  `whichever command is cut off and whenever, given again it completes: one instance, every byte (seed ${seed})`,
  async () => {
    const told = (cut: Cut) => {
      if (times > 5) process.stdout.write(`${JSON.stringify(cut)}\n`);
    };
    const cuts = await killCommands({ seed, times, told });
    expect(cuts.filter(({ missed }) => !missed)).toHaveLength(times);
  },
  60_000 * Math.max(3, times),
);
