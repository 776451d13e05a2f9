/**
 * The function that finds out who is to be looked at. Twice over: events of EC2, in batches from
 * their queue, name EC2's ids and are answered within a second; the schedule surveys everything once
 * a minute and finds what no event told of. It decides nothing and changes nothing of EC2.
 */
import type { Context, SQSBatchResponse } from "aws-lambda";
import { z } from "zod";
import type { Ec2 } from "../../aws/client";
import { ownersOf } from "../../aws/owners";
import type { Surveyor } from "../survey";
import { type Hint, hintOf } from "./events";
import type { Telemetry } from "./telemetry";
import { type WakeMessage, type WakeQueue, wakeByEvent, wakeBySurvey } from "./wakes";

export interface RouterDeps {
  ec2: Ec2;
  surveyor: Surveyor;
  queue: Pick<WakeQueue, "send">;
  telemetry: Telemetry;
}

const batchSchema = z.object({ Records: z.array(z.object({ body: z.string() })) });
/** EventBridge says the minute that it is about, also when it delivers the same one again. */
const scheduleSchema = z.object({ source: z.literal("aws.events"), time: z.iso.datetime() });

export function createRouter(deps: RouterDeps) {
  return async (event: unknown, context: Context): Promise<SQSBatchResponse | undefined> => {
    const { telemetry } = deps;
    telemetry.begin(context);
    try {
      const schedule = scheduleSchema.safeParse(event);
      if (schedule.success) {
        await telemetry.traced("survey", {}, () => survey(deps, schedule.data.time));
        return undefined;
      }
      const { Records } = batchSchema.parse(event);
      await telemetry.traced("events", {}, () => route(deps, Records));
      return { batchItemFailures: [] };
    } catch (error) {
      telemetry.error("not routed; it will be delivered again", error);
      throw error;
    } finally {
      telemetry.end();
    }
  };
}

async function survey({ surveyor, queue, telemetry }: RouterDeps, time: string) {
  const { damaged, wanted, shown, strangers, stretch, isThorough } = await surveyor.survey();
  const minute = time.slice(0, "2026-01-01T00:00".length);
  const stretched = stretch > 1 ? { stretch } : {};
  await queue.send(wanted.map((each) => wakeBySurvey({ ...each, ...stretched }, minute)));
  telemetry.measure("Instances", shown);
  telemetry.measure("Strangers", strangers.length);
  telemetry.measure("SnapshotStretch", stretch);
  telemetry.measure("Wakes", wanted.length);
  telemetry.info("surveyed", { minute, shown, isThorough, stretch, wakes: wanted.length });
  if (strangers.length > 0)
    telemetry.warn("EC2 shows managed instances that this controller does not know", {
      strangers: strangers.slice(0, mostNamed),
    });
  if (damaged.length > 0)
    telemetry.warn("entries of the table cannot be read", { damaged: damaged.slice(0, mostNamed) });
}

/** A line of the log has its limits. */
const mostNamed = 20;

/** All of a batch with one describe of each kind: events of others' instances cost us next to nothing. */
async function route(deps: RouterDeps, records: readonly { body: string }[]) {
  const { ec2, queue, telemetry } = deps;
  const hints = records.flatMap(({ body }) => hintIn(body) ?? []);
  const idsOf = (kind: Hint["kind"]) =>
    hints.filter((hint) => hint.kind === kind).map(({ resourceId }) => resourceId);
  const owners = await ownersOf(ec2, {
    instanceIds: idsOf("instance"),
    snapshotIds: idsOf("snapshot"),
    imageIds: idsOf("image"),
  });
  const messages = hints.flatMap((hint): WakeMessage[] => {
    const owner = owners.get(hint.resourceId);
    // The end of a periodic snapshot is not awaited; its managed instance is due soon anyway.
    return owner === undefined || owner.isPeriodic ? [] : [wakeByEvent(owner.id, hint)];
  });
  await queue.send(messages);
  telemetry.measure("Events", hints.filter(({ resourceId }) => owners.has(resourceId)).length);
  telemetry.measure("ForeignEvents", hints.filter((hint) => !owners.has(hint.resourceId)).length);
  telemetry.measure("Wakes", messages.length);
  for (const { body, deduplicationId } of messages)
    telemetry.info("woken", { ...body, deduplicationId });
  if (hints.length < records.length)
    telemetry.warn("events that name nothing we know", { count: records.length - hints.length });
}

/** What is no JSON would not become any by being delivered again. */
function hintIn(body: string): Hint | undefined {
  try {
    return hintOf(JSON.parse(body));
  } catch {
    return undefined;
  }
}
