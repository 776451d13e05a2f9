/** What Lambda calls: everything is opened with the first event and kept for the next ones. */
import type { Context, SQSEvent } from "aws-lambda";
import { openWorker } from "../connection";
import { createWorker } from "../worker";

let opened: ReturnType<typeof createWorker> | undefined;

export async function handler(event: SQSEvent, context: Context) {
  opened ??= createWorker(await openWorker());
  return opened(event, context);
}
