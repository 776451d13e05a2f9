// Whole questions for the laws of decide: wild ones, and ones beside a row of the decision table, since
// a wild one hardly ever comes as far as a deletion or a recycle.

import * as fc from "fast-check";
import type { Ledger, Observation, Step } from "../../src/engine/model";
import type { Question } from "../../src/engine/situation";
import { moments, wildQuestions } from "./arbitraries";
import { question } from "./builders";
import type { Row } from "./expected";
import { rows } from "./rows";

/** The question of a row with one part of a wild one in place of its own. */
type Twist = (near: Question, wild: Question) => Question;

const ofLedger =
  (key: keyof Ledger): Twist =>
  (near, { ledger }) => ({ ...near, ledger: { ...near.ledger, [key]: ledger[key] } });

const ofObservation =
  (key: keyof Observation): Twist =>
  (near, { observation }) => ({
    ...near,
    observation: { ...near.observation, [key]: observation[key] },
  });

const twists: readonly Twist[] = [
  // What is observed is the base image that the spec names.
  (near, wild) => ({ ...ofObservation("baseImage")(near, wild), spec: wild.spec }),
  (near, { specVersion }) => ({ ...near, specVersion }),
  (near, { asked }) => ({ ...near, asked }),
  (near, { deallocate }) => ({ ...near, deallocate }),
  (near, { claimant }) => ({ ...near, claimant }),
  (near, { now }) => ({ ...near, now }),
  ...(
    [
      "phase",
      "claim",
      "lineage",
      "startedLineage",
      "launch",
      "knownRootGeneration",
      "stop",
      "gap",
    ] as const
  ).map(ofLedger),
  ...(
    [
      "anchors",
      "instances",
      "volumes",
      "snapshots",
      "images",
      "baseImage",
      "refusals",
      "anchorMissingSinceAt",
      "lookingSinceAt",
      "fullSubnets",
    ] as const
  ).map(ofObservation),
];

const doneBy = (step: Step) =>
  step.kind === "terminate" ? `${step.kind}: ${step.reason}` : step.kind;
const answerTo = ({ expect: { kind, ...answer } }: Row) =>
  "steps" in answer ? answer.steps.map(doneBy).join() : kind;

/** Without the row whose spec no schema lets through: beside it nothing is possible, either. */
const possibleRows = rows.filter(({ ask }) => ask.spec?.subnetIds.length !== 0);

/** Every kind of answer as often as any other, since three rows of hundreds delete something. */
const nearRows = fc
  .constantFrom(...new Set(possibleRows.map(answerTo)))
  .chain((answer) => fc.constantFrom(...possibleRows.filter((row) => answerTo(row) === answer)));

const nearQuestions = fc
  .record({
    row: nearRows,
    wild: wildQuestions,
    now: moments,
    twisted: fc.subarray([...twists], { maxLength: 2 }),
  })
  .map(({ now, row, twisted, wild }) =>
    twisted.reduce((near, twist) => twist(near, { ...wild, now }), question(row.ask)),
  );

/** What is asked for is mostly about what there is. */
function aimed(question: Question): Question {
  const { asked, ledger } = question;
  if (asked?.recycleGeneration === undefined || ledger.launch === undefined) return question;
  return { ...question, asked: { ...asked, recycleGeneration: ledger.launch.generation } };
}

export const questions: fc.Arbitrary<Question> = fc
  .tuple(
    fc.oneof({ weight: 1, arbitrary: wildQuestions }, { weight: 3, arbitrary: nearQuestions }),
    fc.boolean(),
  )
  .map(([found, isAimed]) => (isAimed ? aimed(found) : found));
