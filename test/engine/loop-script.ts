// The loop with a script for EC2: what it shows and answers, call by call. Time passes only while the
// loop sleeps.

import type { CloudFacts, Ledger } from "../../src/engine/model";
import type { CloudStep, Meaning, StepOutcome } from "../../src/engine/ports";
import { type ConvergeOptions, converge, type ProgressEvent } from "../../src/engine/reconcile";
import { id, ledger, now, observation, spec } from "./builders";

export const facts = (change: Parameters<typeof observation>[0] = {}): CloudFacts => {
  const { refusals: _r, ...found } = observation(change);
  return found;
};

export const refused = (meaning: Meaning): StepOutcome => ({
  kind: "refused",
  meaning,
  message: `EC2 says ${meaning}`,
});

export interface Script {
  /** What EC2 shows or throws at each look; the last again and again. */
  looks?: readonly [CloudFacts | Error, ...(CloudFacts | Error)[]];
  /** What EC2 answers to each step; the last again and again. */
  answers?: readonly (StepOutcome | Error)[];
  glances?: readonly (string | undefined | Error)[];
  /** What saving the ledger throws, the first time. */
  savingFails?: Error;
  /** How long each look takes; the last again and again. */
  looksTakeMs?: readonly number[];
  /** How long saving the ledger takes. */
  savingTakesMs?: number;
  known?: Ledger;
  /** The loop is aborted once so many steps, records among them, have been taken. */
  steps?: number;
  /** The loop is aborted in its n-th sleep. */
  sleeps?: number;
  options?: Partial<ConvergeOptions>;
}

export interface Told {
  outcome: Awaited<ReturnType<typeof converge>>;
  performed: (CloudStep | { kind: "record"; ledger: Ledger })[];
  slept: number[];
  progress: ProgressEvent[];
  looks: number;
  endedAt: number;
}

const nth = <Item>(items: readonly Item[], at: number) => items[Math.min(at, items.length - 1)];

export async function tell(script: Script): Promise<Told> {
  let at = now;
  const abort = new AbortController();
  const told: Omit<Told, "outcome" | "endedAt"> = {
    performed: [],
    slept: [],
    progress: [],
    looks: 0,
  };
  let glances = 0;
  let answers = 0;
  let saved = "known" in script ? script.known : ledger();
  const stopWhenEnough = () => {
    if (told.performed.length >= (script.steps ?? 20)) abort.abort();
  };
  const answerTo = <Answer>(answer: Answer | Error): Answer => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const outcome = await converge({
    id,
    spec: spec(),
    specVersion: 1,
    signal: abort.signal,
    cloud: {
      now: () => at,
      async observe() {
        told.looks += 1;
        if (told.looks > 100) throw new Error("it looks for ever");
        at += nth(script.looksTakeMs ?? [], told.looks - 1) ?? 0;
        return answerTo(nth(script.looks ?? [facts()], told.looks - 1) ?? facts());
      },
      async glance() {
        glances += 1;
        return answerTo(nth(script.glances ?? [], glances - 1));
      },
      async perform(step) {
        told.performed.push(step);
        answers += 1;
        stopWhenEnough();
        return answerTo(nth(script.answers ?? [], answers - 1) ?? { kind: "done" });
      },
    },
    registry: {
      load: async () => saved,
      async save(next) {
        at += script.savingTakesMs ?? 0;
        told.performed.push({ kind: "record", ledger: next });
        stopWhenEnough();
        const isFirst = told.performed.filter(({ kind }) => kind === "record").length === 1;
        if (script.savingFails !== undefined && isFirst) throw script.savingFails;
        saved = next;
      },
    },
    clock: {
      async sleep(milliseconds) {
        told.slept.push(milliseconds);
        at += Math.ceil(milliseconds);
        if (told.slept.length >= (script.sleeps ?? 60)) abort.abort();
      },
    },
    progress: (event) => told.progress.push(event),
    ...script.options,
  });
  return { ...told, outcome, endedAt: at };
}

export const kindsOf = ({ performed }: Told) => performed.map(({ kind }) => kind);
