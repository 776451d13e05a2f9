/** Judges a run: what holds, what is known to be wrong with a target, and what is news. */
import type { Verdict } from "./run";
import type { Target } from "./target";

/** One behaviour that a target is known to get wrong, and why that is its error and not ours. */
export interface Deviation {
  readonly sentence: string;
  /** What the target does instead. */
  readonly instead: string;
  /** The section of docs/ec2-facts.md that says so. */
  readonly fact: string;
}

export interface Judgement {
  readonly holds: readonly Verdict[];
  /** Wrong, and listed as wrong. */
  readonly known: readonly Verdict[];
  readonly inconclusive: readonly Verdict[];
  /** What makes a run fail, as one line each. */
  readonly problems: readonly string[];
}

export function judge(
  target: Target["name"],
  verdicts: readonly Verdict[],
  deviations: readonly Deviation[] = [],
): Judgement {
  const listed = new Set(deviations.map(({ sentence }) => sentence));
  const isListed = ({ sentence }: Verdict) => listed.has(sentence);
  const isOpen = ({ outcome }: Verdict) => target === "aws" && outcome.kind === "inconclusive";
  const right = verdicts.filter(({ outcome }) => outcome.kind === "holds");
  const wrong = verdicts.filter((each) => each.outcome.kind !== "holds" && !isOpen(each));
  const said = new Set(verdicts.map(({ sentence }) => sentence));
  return {
    holds: right.filter((each) => !isListed(each)),
    known: wrong.filter(isListed),
    inconclusive: verdicts.filter(isOpen),
    problems: [
      ...wrong.filter((each) => !isListed(each)).map(broken),
      ...right
        .filter(isListed)
        .map(({ sentence }) => `holds on ${target} now, remove it from the list: ${sentence}`),
      ...[...listed]
        .filter((sentence) => !said.has(sentence))
        .map((sentence) => `is listed, but no behaviour says so: ${sentence}`),
    ],
  };
}

function broken({ scene, sentence, fact, outcome }: Verdict): string {
  const why = outcome.kind === "holds" ? "" : `\n    ${outcome.why}`;
  return `broken: ${scene}: ${sentence} (${fact})${why}`;
}
