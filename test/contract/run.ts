/** Runs the suite against a target and says of each behaviour how it went. */
import { EC2ServiceException } from "@aws-sdk/client-ec2";
import { type Behaviour, Inconclusive, type Probe, type Scene, type Stage } from "./scene";

export type Outcome =
  | { readonly kind: "holds" }
  | { readonly kind: "broken"; readonly why: string }
  /** Only AWS may be too fast or too slow to look at; elsewhere this counts as broken. */
  | { readonly kind: "inconclusive"; readonly why: string };

export interface Verdict extends Behaviour {
  readonly scene: string;
  readonly outcome: Outcome;
}

export async function runScene(stage: Stage, scene: Scene): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const opened = await scene.open(stage).catch((error: unknown) => ({ error }));
  for (const { sentence, fact } of scene.behaviours) {
    const outcome =
      "error" in opened
        ? broken(new Error(`the scene could not be prepared: ${textOf(opened.error)}`))
        : await opened(sentence).then((): Outcome => ({ kind: "holds" }), broken);
    verdicts.push({ scene: scene.title, sentence, fact, outcome });
  }
  return verdicts;
}

function broken(error: unknown): Outcome {
  const kind = error instanceof Inconclusive ? "inconclusive" : "broken";
  return { kind, why: textOf(error) };
}

function textOf(error: unknown): string {
  if (error instanceof EC2ServiceException) return `${error.name}: ${error.message}`;
  return error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
}

export interface Answer extends Omit<Probe, "observe"> {
  readonly observed: string;
}

/** A probe that fails has answered too: with its failure. */
export async function runProbe(
  stage: Stage,
  { question, fact, assumed, observe }: Probe,
): Promise<Answer> {
  const observed = await observe(stage).catch((error: unknown) => `failed: ${textOf(error)}`);
  return { question, fact, assumed, observed };
}
