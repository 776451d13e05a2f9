/**
 * What a rule is: a sentence for a name and a pure function that decides or passes. Rules of the
 * table in decide.ts are asked in order; the first that decides wins.
 */
import type { Anchor, Decision, Ledger, Step, Watch } from "./model";
import type { Securing } from "./root";
import type { Situation } from "./situation";

type Unnamed<T> = T extends unknown ? Omit<T, "rule"> : never;
export type Verdict = Unnamed<Decision>;

export interface Rule {
  name: string;
  apply(situation: Situation): Verdict | undefined;
}

export const act = (...steps: [Step, ...Step[]]): Verdict => ({ kind: "act", steps });

export function actAll(steps: readonly Step[]): Verdict | undefined {
  const [first, ...rest] = steps;
  return first === undefined ? undefined : act(first, ...rest);
}

export const wait = (reason: string, watch: Watch, untilAt: number): Verdict => ({
  kind: "wait",
  reason,
  watch,
  untilAt,
});

export const stuck = (reason: string, remedy: string): Verdict => ({
  kind: "stuck",
  reason,
  remedy,
});

/** The ledger with a change, as a step: its revision grows so that of two readings one is newer. */
export function record(situation: Situation, anchor: Anchor, change: Partial<Ledger>): Step {
  const { ledger } = situation;
  return {
    kind: "record",
    interfaceId: anchor.interfaceId,
    ledger: { ...ledger, ...change, revision: ledger.revision + 1 },
  };
}

/** A securing that is under way, as a verdict; secured and failed ones are the caller's. */
export function pursue(securing: Securing<unknown>): Verdict | undefined {
  switch (securing.kind) {
    case "act":
      return act(securing.step);
    case "wait":
      return wait(securing.reason, securing.watch, securing.untilAt);
    case "secured":
    case "failed":
      return undefined;
  }
}
