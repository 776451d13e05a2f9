/**
 * How a command ends, as exit codes that scripts may rely on, and what a person is told when it does
 * not end well: one line that says what, one that says what to do next.
 */
import { DamagedEntryError } from "../controller/kept-text";
import { messageOf } from "../engine/error-text";
import { CloudError } from "../engine/ports";
import { DamagedLedgerError } from "../engine/tags";

/** Documented in docs/cli.md; never renumbered. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Stuck, or waiting for a decision of the user's. */
  needsYou: 3,
  notFound: 4,
  timedOut: 5,
  interrupted: 130,
} as const;

export type Ending = keyof typeof exitCodes;

export class Failure extends Error {
  constructor(
    readonly ending: Exclude<Ending, "done">,
    message: string,
    /** What to do: a sentence, or a command between backticks in it. */
    readonly next?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "Failure";
  }
}

/** What is thrown anywhere below, in words for people. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  // Both say themselves what to do.
  if (thrown instanceof DamagedLedgerError || thrown instanceof DamagedEntryError)
    return new Failure("needsYou", thrown.message, undefined, { cause: thrown });
  if (thrown instanceof CloudError) return cloudFailure(thrown);
  if (thrown instanceof Error && thrown.name === "CredentialsProviderError")
    return cloudFailure(new CloudError("denied", thrown.message, { cause: thrown }));
  const ofTable = tableFailure(thrown);
  if (ofTable !== undefined) return ofTable;
  const message = messageOf(thrown);
  const next = "Run it again with --debug, which shows where it comes from.";
  return new Failure("failed", message, next, { cause: thrown });
}

/** What DynamoDB refuses, by the names that it gives: its client is not loaded for this. */
function tableFailure(thrown: unknown): Failure | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const options = { cause: thrown };
  if (thrown.name === "AccessDeniedException")
    return new Failure(
      "failed",
      thrown.message,
      "The credentials must be allowed to read and write the controller's table; others are chosen with --profile.",
      options,
    );
  const isExplained =
    thrown.cause instanceof Error &&
    /^(ResourceNotFound|Validation)Exception$/.test(thrown.cause.name);
  if (!isExplained) return undefined;
  const next = "Tables are named with --table, and the Region with --region.";
  return new Failure("failed", `${thrown.message}.`.replace(/\?\.$/, "?"), next, options);
}

function cloudFailure(error: CloudError): Failure {
  const next = nextSteps[error.meaning] ?? "Run it again; `managed-instance doctor` looks closer.";
  return new Failure("failed", error.message.replace(/: $/, ""), next, { cause: error });
}

const nextSteps: Partial<Record<CloudError["meaning"], string>> = {
  denied:
    "Check whose credentials these are with `aws sts get-caller-identity`, choose others with --profile; `managed-instance doctor` names what is not permitted.",
  throttled: "The account is at EC2's request limit. Try again in a minute.",
  unknown: "EC2 gave no answer. Check the network, --region and --endpoint, then run it again.",
};
