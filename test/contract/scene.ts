/**
 * The form of the contract suite. A scene prepares something once; its behaviours are then checked
 * on it in their order, each with the fact of docs/ec2-facts.md that it copies. What a behaviour
 * needs from an earlier one is in the scene's context, so that one that fails does not hide the rest.
 */
import type { Place, Target } from "./target";

export interface Stage extends Target {
  readonly place: Place;
}

export interface Behaviour {
  /** What is true of EC2, in one sentence; unique in the suite. */
  readonly sentence: string;
  /** The section of docs/ec2-facts.md, as "§1.3". */
  readonly fact: string;
}

export type Check = (sentence: string) => Promise<void>;

export interface Scene {
  readonly title: string;
  readonly behaviours: readonly Behaviour[];
  /** Prepares the scene; what it answers checks one behaviour at a time. */
  open(stage: Stage): Promise<Check>;
}

interface BehaviourOn<Context> extends Behaviour {
  readonly check: (context: Context) => Promise<void>;
}

export function scene<Context>(
  title: string,
  prepare: (stage: Stage) => Promise<Context>,
  behaviours: readonly BehaviourOn<Context>[],
): Scene {
  return {
    title,
    behaviours,
    open: async (stage) => {
      const context = await prepare(stage);
      return async (sentence) => {
        const behaviour = behaviours.find((each) => each.sentence === sentence);
        if (behaviour === undefined) throw new Error(`${title} does not say: ${sentence}`);
        await behaviour.check(context);
      };
    },
  };
}

/** What this run could not show, such as a state that was over before it could be looked at. */
export class Inconclusive extends Error {}

/** One open question about AWS, with what the simulator assumes until somebody has looked. */
export interface Probe {
  readonly question: string;
  readonly fact: string;
  /** What `observe` answers on the simulator. */
  readonly assumed: string;
  readonly observe: (stage: Stage) => Promise<string>;
}
