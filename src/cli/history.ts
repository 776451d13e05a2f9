/** `managed-instance history`: what happened to one managed instance, oldest first. */
import type { HistoryEvent } from "../controller/registry";
import { openAccount } from "./account";
import { Failure } from "./failure";
import type { CommonFlags } from "./flags";
import { duration, instant, isoInstant } from "./human-time";
import type { Invocation } from "./invocation";
import { idOf, notFound } from "./look";
import { chosenRegistry } from "./registry-choice";
import type { Paint, Style } from "./terminal";

export interface HistoryFlags extends CommonFlags {
  limit: number;
}

export async function history(this: Invocation, flags: HistoryFlags, which: string): Promise<void> {
  const account = await openAccount(this, flags);
  const chosen = await chosenRegistry(this, flags, account);
  if (chosen === undefined) throw withoutRegistry();
  const { registry } = chosen;
  const id = await idOf(which, account, registry);
  const newestFirst = await registry.history(id, { limit: flags.limit });
  if (newestFirst.length === 0 && (await registry.get(id)) === undefined)
    throw notFound(id, account.region);
  const events = newestFirst.reverse();
  const paint = this.terminal.painter(flags);
  this.terminal.result(flags, {
    json: { id, events: events.map((event) => ({ ...event, at: isoInstant(event.at) })) },
    lines: () =>
      events.length === 0
        ? [`Nothing has happened to ${id} yet.`]
        : events.map((event) => eventLine(event, paint)),
  });
}

const withoutRegistry = () =>
  new Failure(
    "usage",
    "History is kept in the controller's registry.",
    "Name it with --table or --directory; AWS CloudTrail has the calls of the last 90 days.",
  );

const colours: Partial<Record<HistoryEvent["kind"], Style>> = {
  interrupted: "yellow",
  recovered: "green",
  stuck: "red",
  failed: "red",
  asked: "bold",
};

/** "2026-01-01 00:03:07Z  terminating i-… (pause), 12 s". */
export function eventLine(event: HistoryEvent, paint: Paint): string {
  const { at, durationMs, kind, message } = event;
  const label = kind === "step" ? "" : `${kind}: `;
  const took = durationMs === undefined || durationMs < 1000 ? "" : `, ${duration(durationMs)}`;
  const text = `${label}${message}${took}`;
  const style = colours[kind];
  return `${paint("dim", instant(at))}  ${style === undefined ? text : paint(style, text)}`;
}
