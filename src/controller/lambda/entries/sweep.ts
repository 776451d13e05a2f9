/** What Lambda calls: everything is opened with the first event and kept for the next ones. */
import type { Context } from "aws-lambda";
import { openSweeper } from "../connection";
import { createSweeper } from "../sweep";

let opened: ReturnType<typeof createSweeper> | undefined;

export async function handler(event: unknown, context: Context) {
  opened ??= createSweeper(await openSweeper());
  return opened(event, context);
}
