/**
 * One run of the loop on behalf of Pulumi: its progress goes to the resource's row, and what came of
 * it becomes outputs, or a failure that says what to do.
 */
import { messageOf } from "../engine/error-text";
import { describeFacts, type Facts } from "../engine/facts";
import type { Ledger, Observation } from "../engine/model";
import type { Outcome, ProgressEvent } from "../engine/reconcile";
import type { Spec } from "../engine/spec";
import type { Connection, Context, Job } from "./context";
import { convergeControlled } from "./controlled";
import { controllerOf, creationKeyOf, type Properties, secondsOf, type Timeouts } from "./inputs";

export type Operation = keyof Timeouts;

export interface Order {
  operation: Operation;
  id: string;
  spec: Spec;
  specVersion: number;
  initial?: Ledger;
  remembered?: Job["remembered"];
  /** The properties whose `timeouts` count. */
  properties: Properties;
}

/** What came of it. `reason` is absent exactly when the order was carried out. */
export interface Result {
  facts?: Facts;
  ledger?: Ledger;
  observation?: Observation;
  reason?: string;
  /** Whether something may exist now that did not before, so that its id must be kept. */
  hasBegun: boolean;
}

const defaultTimeoutSeconds = 3600;

export async function carryOut(
  context: Context,
  connection: Connection,
  order: Order,
): Promise<Result> {
  let hasBegun = false;
  const progress = (event: ProgressEvent) => {
    hasBegun ||= event.kind === "step";
    tell(context, event);
  };
  try {
    const outcome = await convergeFor(context, connection, order, {
      id: order.id,
      spec: order.spec,
      specVersion: order.specVersion,
      deallocate: order.operation === "delete",
      initial: order.initial,
      remembered: order.remembered,
      deadlineAt: connection.now() + timeoutSecondsOf(context, order) * 1000,
      signal: context.signal,
      progress,
    });
    return resultOf(outcome, context, order, hasBegun);
  } catch (error) {
    const reason = `${messageOf(error)}. What was made is kept; run \`pulumi up\` again and it goes on from there.`;
    return { hasBegun, reason };
  }
}

/** With a controller both know of it, and either may do it. */
async function convergeFor(
  context: Context,
  connection: Connection,
  { operation, properties }: Order,
  job: Job,
): Promise<Outcome> {
  const place = controllerOf(properties);
  if (place === undefined) return connection.converge(job);
  const registry = connection.registryAt(place);
  const creationKey = creationKeyOf(properties);
  const unusable = await registry.get(job.id).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );
  if (unusable === undefined)
    return convergeControlled(context, connection, { creationKey, job, registry });
  const name = place.table === undefined ? "controller.directory" : "controller.table";
  const trouble = `${name} is ${JSON.stringify(place.table ?? place.directory)} and cannot be used (${unusable})`;
  if (operation !== "delete")
    throw new Error(`${trouble}. Correct it, or remove controller from the program`);
  // What is to be ended must not stay because its controller is gone already.
  context.log(`${trouble}; ending ${job.id} without it`, { severity: "warning" });
  return connection.converge(job);
}

/** Passing words for what is under way, lasting ones for what the user should read afterwards. */
function tell(context: Context, { kind, message }: ProgressEvent): void {
  if (kind === "warning") context.log(message, { severity: "warning" });
  else context.log(message, { ephemeral: true });
}

function timeoutSecondsOf(context: Context, { operation, properties }: Order): number {
  const own = (properties.timeouts as Timeouts | undefined)?.[operation];
  if (own !== undefined) return secondsOf(own);
  return context.timeoutSeconds ?? defaultTimeoutSeconds;
}

function resultOf(outcome: Outcome, context: Context, order: Order, hasBegun: boolean): Result {
  const { observation, ledger } = outcome;
  const facts =
    observation !== undefined && ledger !== undefined
      ? describeFacts(observation, ledger)
      : undefined;
  const exists = hasBegun || (observation?.anchors.length ?? 0) > 0;
  return {
    facts,
    ledger,
    observation,
    hasBegun: exists,
    reason: reasonOf(outcome, context, order),
  };
}

function reasonOf(outcome: Outcome, { signal }: Context, order: Order): string | undefined {
  const again = order.operation === "delete" ? "`pulumi destroy`" : "`pulumi up`";
  switch (outcome.kind) {
    case "done":
      return undefined;
    case "stuck":
      return `${sentence(outcome.reason)} ${sentence(outcome.remedy)}`;
    case "superseded":
      return `${sentence(outcome.reason)} Somebody else is changing ${order.id}: wait for them, then run ${again} again.`;
    case "stopped":
      return outcome.why === "aborted"
        ? `Stopped at a safe point (${messageOf(signal.reason ?? "cancelled")}). What was made is kept; run ${again} again and it goes on from there.`
        : `Not finished within the time-out: ${outcome.reason}. What was made is kept; run ${again} again and it goes on from there, or raise timeouts.${order.operation} (for example "2h").`;
  }
}

/** A property's name stays as it is. */
const sentence = (text: string) => {
  const isName = /^[a-z]+[A-Z]/.test(text);
  const capital = isName ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.!?`]$/.test(capital) ? capital : `${capital}.`;
};
