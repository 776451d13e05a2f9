/** How long a function may work before Lambda ends it. */
import type { Context } from "aws-lambda";

/** Left at the end of an invocation to write down how far it came. */
const reserveMs = 15_000;

/** How long an invocation may go on with its work. */
export const workingMs = (context: Context) =>
  Math.max(0, context.getRemainingTimeInMillis() - reserveMs);
