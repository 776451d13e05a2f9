/** What Lambda calls: everything is opened with the first event and kept for the next ones. */
import type { Context } from "aws-lambda";
import { openRouter } from "../connection";
import { createRouter } from "../router";

let opened: ReturnType<typeof createRouter> | undefined;

export async function handler(event: unknown, context: Context) {
  opened ??= createRouter(await openRouter());
  return opened(event, context);
}
