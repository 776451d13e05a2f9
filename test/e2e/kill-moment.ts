/**
 * When and how an operation of the real Pulumi engine is cut off: drawn from a seed, measured in what
 * EC2 has been asked since it began or in time, so that every part of a run is hit.
 */
import { execFileSync } from "node:child_process";
import type { Simulator } from "../../src/simulator";
import type { Random } from "../../src/simulator/random";
import { enginePid } from "./project";
import { until } from "./until";

/** What a terminal, a CI system that gives up, and a machine that dies do to `pulumi`. */
export const ways = ["ctrl-c", "ctrl-c twice", "engine killed", "all killed"] as const;
export type Way = (typeof ways)[number];

export interface Moment {
  way: Way;
  /** Calls of EC2 that the operation has made; 0 counts from the start of the engine. */
  calls: number;
  /** And so long after that. */
  thenMs: number;
  /** Between the two Ctrl-C. */
  secondMs: number;
}

/** Of three in ten the moment is one in time, so that it can lie before the first call and after the last. */
export function drawMoment(random: Random, mostCalls: number): Moment {
  const way = ways[random.below(ways.length)] ?? "ctrl-c";
  const isTimed = random.chance(0.3);
  return {
    way,
    calls: isTimed ? 0 : 1 + random.below(mostCalls),
    thenMs: random.below(isTimed ? 9000 : 400),
    secondMs: 20 + random.below(1500),
  };
}

export interface Strike {
  /** Whether the moment came before the operation had ended by itself. */
  struck: boolean;
}

/** A machine that is busy with other things takes a minute for what takes seconds. */
const patienceMs = 300_000;

/** Waits for the moment and strikes; gives up when the operation has ended. */
export async function strikeAt(
  moment: Moment,
  simulator: Simulator,
  { hasEnded, before }: { hasEnded: () => boolean; before: () => void },
): Promise<Strike> {
  const first = simulator.control.calls().length;
  const isOver = (isTrue: () => boolean) => () => hasEnded() || isTrue();
  await until(
    "the engine has started",
    isOver(() => engine() !== undefined),
    patienceMs,
  );
  await until(
    "EC2 was asked so often",
    isOver(() => callsSince(simulator, first) >= moment.calls),
    patienceMs,
  );
  await pause(moment.thenMs);
  const pid = engine();
  if (hasEnded() || pid === undefined) return { struck: false };
  before();
  await strike(pid, moment);
  return { struck: true };
}

const callsSince = (simulator: Simulator, first: number) =>
  simulator.control.calls().length - first;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function engine(): number | undefined {
  try {
    return enginePid();
  } catch {
    return undefined;
  }
}

async function strike(pid: number, { way, secondMs }: Moment): Promise<void> {
  switch (way) {
    case "ctrl-c":
      return send([pid], "SIGINT");
    case "ctrl-c twice":
      send([pid], "SIGINT");
      await pause(secondMs);
      return send([pid], "SIGINT");
    case "engine killed":
      return send([pid], "SIGKILL");
    case "all killed": {
      // Stopped first, so that the engine does not get to see its plugins die.
      send([pid], "SIGSTOP");
      return send([pid, ...descendantsOf(pid)], "SIGKILL");
    }
  }
}

/** One that has ended meanwhile is what was wanted. */
function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function descendantsOf(root: number): number[] {
  const rows = execFileSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const childrenOf = (parent: number): number[] =>
    rows.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid, ...childrenOf(pid)] : []));
  return childrenOf(root);
}
