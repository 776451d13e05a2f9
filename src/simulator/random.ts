/**
 * The simulator's only source of choice: a small seeded generator (sfc32). Every id, drawn fault
 * and picked address comes from here, so one seed replays one story byte for byte.
 */

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** True with the given probability; draws nothing for 0 and 1, so that switched-off faults do not shift the sequence. */
  chance(probability: number): boolean;
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** Lower-case hexadecimal digits. */
  hex(digits: number): string;
}

export function createRandom(seed: number, stream: string): Random {
  const state = seedState(seed, stream);
  const draw = () => drawUint32(state);
  const next = () => draw() / 4294967296;
  return {
    next,
    chance: (probability) => probability >= 1 || (probability > 0 && next() < probability),
    below: (bound) => Math.floor(next() * bound),
    hex: (digits) => {
      let text = "";
      while (text.length < digits) text += hexText(draw());
      return text.slice(0, digits);
    },
  };
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Ids are made by the thousand, and `toString(16)` with padding would be half of their cost. */
function hexText(drawn: number): string {
  let text = "";
  for (const shift of [24, 16, 8, 0]) text += hexBytes[(drawn >>> shift) & 255];
  return text;
}

/** A stream's name keeps ids and faults apart: turning a fault on does not rename every resource. */
function seedState(seed: number, stream: string): Uint32Array {
  const state = new Uint32Array([0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]);
  for (const character of `${seed}/${stream}`) {
    state[0] = (at(state, 0) ^ (character.codePointAt(0) ?? 0)) >>> 0;
    drawUint32(state);
  }
  for (let round = 0; round < 12; round += 1) drawUint32(state);
  return state;
}

function drawUint32(state: Uint32Array): number {
  const a = at(state, 0);
  const b = at(state, 1);
  const c = at(state, 2);
  const counter = at(state, 3);
  const result = (a + b + counter) >>> 0;
  state[3] = counter + 1;
  state[0] = b ^ (b >>> 9);
  state[1] = c + (c << 3);
  state[2] = ((c << 21) | (c >>> 11)) + result;
  return result;
}

function at(state: Uint32Array, index: number): number {
  return state[index] ?? 0;
}
