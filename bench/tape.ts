/**
 * EC2 as a tape: its answers as they came the first time, in their order. Whoever asks the same again
 * is answered at once, so that what is left to measure is the engine alone.
 */
import type { Bench } from "./operations";

export class Tape {
  private readonly answers: unknown[] = [];
  private at = 0;
  private isRecorded = false;

  /** From here on the first answer is the first again. */
  rewind(): void {
    if (this.at !== this.answers.length) throw new Error("it was asked something else this time");
    this.isRecorded = true;
    this.at = 0;
  }

  answering<Asked extends unknown[], Answer>(ask: (...asked: Asked) => Answer) {
    return (...asked: Asked): Answer =>
      this.isRecorded ? this.next<Answer>() : this.keep(ask(...asked));
  }

  answeringLater<Asked extends unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>) {
    return async (...asked: Asked): Promise<Answer> =>
      this.isRecorded ? this.next<Answer>() : this.keep(await ask(...asked));
  }

  private keep<Answer>(answer: Answer): Answer {
    this.answers.push(answer);
    this.at += 1;
    return answer;
  }

  private next<Answer>(): Answer {
    if (this.at >= this.answers.length) throw new Error("it was asked more than was recorded");
    this.at += 1;
    return this.answers[this.at - 1] as Answer;
  }
}

/** The bench with the tape between its engine and everything else. */
export function onTape(bench: Bench, tape: Tape): Bench {
  const { cloud, clock, registry, simulator } = bench.world;
  const taped = <Clock extends typeof clock>(real: Clock): Clock => ({
    ...real,
    now: tape.answering(() => real.now()),
    sleep: tape.answeringLater((milliseconds, signal) => real.sleep(milliseconds, signal)),
  });
  return {
    ...bench,
    world: {
      ...bench.world,
      clock: taped(clock),
      simulator: { ...simulator, clock: taped(simulator.clock) },
      cloud: {
        now: tape.answering(cloud.now),
        observe: tape.answeringLater(cloud.observe),
        glance: tape.answeringLater(cloud.glance),
        perform: tape.answeringLater(cloud.perform),
      },
      registry: {
        load: tape.answeringLater(registry.load),
        save: tape.answeringLater(registry.save),
      },
    },
  };
}
