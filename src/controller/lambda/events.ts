/**
 * What an event of EC2 is about. Only the id in it counts, because a decision depends on what is and
 * never on what an event said; its ARNs are as odd as AWS documents them (ec2-facts §8).
 */
import { z } from "zod";
import { type EventRule, eventRules } from "./event-rules";

/** A resource that may be ours, and that something has happened to. */
export interface Hint {
  /** EventBridge's id, the same when an event is delivered again. */
  eventId: string;
  /** As EventBridge names the event. */
  what: string;
  kind: EventRule["kind"];
  resourceId: string;
}

const eventSchema = z.object({
  id: z.string().min(1).max(64),
  source: z.literal("aws.ec2"),
  "detail-type": z.string(),
  detail: z.record(z.string(), z.unknown()),
});

const idPattern = {
  instance: /\bi-[0-9a-f]+$/,
  snapshot: /\bsnap-[0-9a-f]+$/,
  image: /\bami-[0-9a-f]+$/,
};

/** Undefined for what is none of the events that our rules let through. */
export function hintOf(event: unknown): Hint | undefined {
  const parsed = eventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const { id: eventId, detail, "detail-type": what } = parsed.data;
  const rule = eventRules.find(({ detailType }) => detailType === what);
  if (rule === undefined) return undefined;
  const { kind, member } = rule;
  const resourceId = idPattern[kind].exec(String(detail[member] ?? ""))?.[0];
  return resourceId === undefined ? undefined : { eventId, what, kind, resourceId };
}
