/**
 * `managed-instance pause`, `resume`, `recycle` and `snapshot`: the wish is written to the registry,
 * where it stands until it is fulfilled, whoever carries it out; then it is waited for.
 */

import { placeName } from "../controller/open-registry";
import { describeFacts } from "../engine/facts";
import { type Account, openAccount } from "./account";
import { Failure, failureOf } from "./failure";
import type { CommonFlags } from "./flags";
import { type Followed, follow } from "./follow";
import { eventLine } from "./history";
import { duration } from "./human-time";
import type { Invocation } from "./invocation";
import { type Listed, listedOf } from "./listing";
import { idOf, lookWith, notFound, type Seen } from "./look";
import { type Order, orderOf, type Verb } from "./orders";
import { type Chosen, neededRegistry } from "./registry-choice";

export interface RequestFlags extends CommonFlags {
  wait: boolean;
  /** Milliseconds. */
  timeout: number;
}

export type RequestCommand = (
  this: Invocation,
  flags: RequestFlags,
  which: string,
) => Promise<void>;

const commandFor = (verb: Verb): RequestCommand =>
  async function (flags, which) {
    await request(this, flags, which, verb);
  };

export const pause = commandFor("pause");
export const resume = commandFor("resume");
export const recycle = commandFor("recycle");
export const snapshot = commandFor("snapshot");

async function request(
  invocation: Invocation,
  flags: RequestFlags,
  which: string,
  verb: Verb,
): Promise<void> {
  const account = await openAccount(invocation, flags);
  const chosen = await neededRegistry(invocation, flags, account);
  const { registry } = chosen;
  const id = await idOf(which, account, registry);
  const entry = await registry.get(id);
  if (entry === undefined) throw await unregistered(id, account, chosen);
  const seen = await lookWith(account, id, entry);
  if (seen === undefined) throw notFound(id, account.region);
  const askedAt = account.clock.now();
  const order = orderOf(verb, { entry, seen, now: askedAt });
  invocation.stopSafely();
  await registry.ask(id, order.asked, askedAt);
  const message = `${order.message}, at the command line`;
  await registry.append(id, [{ at: askedAt, kind: "asked", message }]);
  const tell = (line: string) => {
    if (!flags.json) invocation.terminal.note(line);
  };
  if (!flags.wait) {
    const text = `Asked for: ${id} ${order.message}. A controller carries it out; \`managed-instance history ${id}\` tells.`;
    report(invocation, flags, { order, listed: listed(seen), outcome: "requested", text });
    return;
  }
  const paint = invocation.terminal.painter(flags, "stderr");
  const followed = await follow({
    ...{ invocation, account, registry, id, order, askedAt },
    deadlineAt: askedAt + flags.timeout,
    tell: (event) => tell(eventLine(event, paint)),
  });
  const tookMs = account.clock.now() - askedAt;
  if (followed.kind !== "fulfilled") throw failureFrom(followed, order, flags, id);
  const { seen: later } = followed;
  const text = `${id} is ${order.done}, after ${duration(tookMs)}.${hintFor(order, entry.spec.desiredState)}`;
  report(invocation, flags, { order, listed: listed(later), outcome: "fulfilled", text, tookMs });
}

const listed = ({ id, ledger, observation }: Seen): Listed =>
  listedOf({ id, ledger, observation, facts: describeFacts(observation, ledger) });

/** The program is not changed by what is asked at the command line. */
function hintFor({ asked }: Order, declared: string): string {
  if (asked.desiredState === undefined || asked.desiredState === declared) return "";
  return ` The program says ${declared}: that holds again with the next change of its specification.`;
}

interface Report {
  order: Order;
  listed: Listed;
  outcome: "requested" | "fulfilled";
  text: string;
  tookMs?: number;
}

function report({ terminal }: Invocation, flags: RequestFlags, told: Report): void {
  const { order, outcome, text, tookMs } = told;
  const seconds = tookMs === undefined ? undefined : Math.round(tookMs / 100) / 10;
  terminal.result(flags, {
    json: {
      id: told.listed.id,
      request: order.verb,
      outcome,
      seconds,
      managedInstance: told.listed,
    },
    lines: () => [text],
  });
}

async function unregistered(id: string, account: Account, { place }: Chosen): Promise<Failure> {
  const seen = await lookWith(account, id, undefined);
  if (seen === undefined) return notFound(id, account.region);
  return new Failure(
    "notFound",
    `${id} exists, but ${placeName(place)} does not know it.`,
    `Give it \`controller: { ${place.table === undefined ? "directory" : "table"}: … }\` in the program and run \`pulumi up\`, or name its registry with --table or --directory.`,
  );
}

function failureFrom(
  followed: Exclude<Followed, { kind: "fulfilled" }>,
  { verb }: Order,
  { timeout }: RequestFlags,
  id: string,
): Failure {
  const stands = `The request stands: a controller goes on with it, and so does \`managed-instance ${verb} ${id}\`.`;
  switch (followed.kind) {
    case "stuck":
      return new Failure("needsYou", `${id} is stuck: ${followed.reason}`, followed.remedy);
    case "failed": {
      const { message, next } = failureOf(followed.error);
      const text = [next, stands].filter(Boolean).join(" ");
      return new Failure("failed", message, text, { cause: followed.error });
    }
    case "gone":
      return new Failure("notFound", `${id} was ended meanwhile.`);
    case "timed-out":
      return new Failure(
        "timedOut",
        `Not finished within ${duration(timeout)}: ${followed.reason}.`,
        `${stands} --timeout gives it longer.`,
      );
    case "interrupted":
      return new Failure("interrupted", "Stopped at a safe point.", stands);
  }
}
