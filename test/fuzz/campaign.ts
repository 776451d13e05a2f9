/** Argument sets by the thousand through check, diff and create, with counts of what became of them. */
import * as fc from "fast-check";
import { hasUnknown } from "../../src/provider/unknown";
import { type Arguments, fuzzedArguments, goodArguments } from "./arguments";
import { type Creation, judgeCheck, judgeCreate, judgeDiff, openFuzzAccount } from "./judge";

export interface FuzzOptions {
  runs: number;
  seed: number;
  /** Of those that check accepts, every so many-th goes through create. */
  createEvery: number;
}

export interface FuzzCounts extends Record<Creation, number> {
  refused: number;
  accepted: number;
  /** Accepted for a preview, with something that only the update will know. */
  unknown: number;
}

/** Throws fast-check's report, with the seed and the smallest set that fails. */
export async function fuzz({ runs, seed, createEvery }: FuzzOptions): Promise<FuzzCounts> {
  const counts: FuzzCounts = {
    refused: 0,
    accepted: 0,
    unknown: 0,
    running: 0,
    paused: 0,
    "kept for the next run": 0,
    "nothing made": 0,
  };
  const account = openFuzzAccount();
  const one = async (good: Arguments, inputs: Arguments) => {
    judgeDiff(account, good, inputs);
    const accepted = await judgeCheck(account, inputs);
    if (accepted === undefined) {
      counts.refused += 1;
      return;
    }
    counts.accepted += 1;
    if (hasUnknown(inputs)) counts.unknown += 1;
    else if (counts.accepted % createEvery === 0) counts[await judgeCreate(accepted)] += 1;
  };
  await fc.assert(fc.asyncProperty(goodArguments, fuzzedArguments, one), {
    numRuns: runs,
    seed,
    endOnFailure: false,
  });
  return counts;
}
