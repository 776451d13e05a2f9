/**
 * A create or update that got half-way. Pulumi keeps the id and the properties in state and runs an
 * update next time; without them it would forget what was made.
 */
import type { Properties } from "./inputs";

export class PartialFailure extends Error {
  /** The only text that Pulumi shows. */
  readonly reasons: readonly string[];

  constructor(
    reason: string,
    readonly id: string,
    readonly properties: Properties,
  ) {
    super(reason);
    this.name = "PartialFailure";
    this.reasons = [reason];
  }
}
