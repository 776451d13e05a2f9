/**
 * What the story claims is checked, each claim by comparing what was found with what was expected.
 * The first that does not hold ends the story: what follows would rest on it.
 */
import { isDeepStrictEqual } from "node:util";

export class FailedClaim extends Error {
  constructor(
    readonly claim: string,
    readonly expected: unknown,
    readonly found: unknown,
  ) {
    super(claim);
    this.name = "FailedClaim";
  }
}

export interface Claims {
  /** Throws FailedClaim when the two differ. */
  check(claim: string, found: unknown, expected: unknown): void;
  readonly held: number;
}

export function createClaims(tell: (claim: string) => void): Claims {
  let held = 0;
  return {
    check(claim, found, expected) {
      if (!isDeepStrictEqual(found, expected)) throw new FailedClaim(claim, expected, found);
      held += 1;
      tell(claim);
    },
    get held() {
      return held;
    },
  };
}

/** Long values are cut, so that the difference and not the data fills the screen. */
export function describeFailure({ claim, expected, found }: FailedClaim): string[] {
  return [
    `this does not hold: ${claim}`,
    `expected  ${show(expected)}`,
    `found     ${show(found)}`,
  ];
}

const shownCharacters = 300;

function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(JSON.stringify(value));
  return text.length > shownCharacters
    ? `${text.slice(0, shownCharacters)}… (${text.length} characters)`
    : text;
}
