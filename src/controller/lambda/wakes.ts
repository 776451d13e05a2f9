/**
 * What the router tells the worker: look at this managed instance. The queue delivers the messages of
 * one managed instance one after the other and drops what has the same deduplication id within five
 * minutes. Whatever is delivered twice, late or in another order has the same result: the worker
 * looks for itself.
 */
import { z } from "zod";

const wakeSchema = z.strictObject({
  id: z.string().regex(/^pmi-[0-9a-f]+$/),
  urgency: z.enum(["recovery", "upkeep"]),
  /** A sentence: why it is woken. */
  reason: z.string(),
  /** How many times longer upkeep takes, as the survey found; absent: 1. */
  stretch: z.number().min(1).optional(),
});

export type Wake = z.output<typeof wakeSchema>;

export interface WakeMessage {
  body: Wake;
  /** The messages of a group are delivered one after the other. */
  groupId: string;
  deduplicationId: string;
}

export interface WakeQueue {
  /** Throws when any of them was not taken; sending all of them again is harmless. */
  send(messages: readonly WakeMessage[]): Promise<void>;
  /** Deletes a message that was carried out, so that the next one of its group can be delivered. */
  delete(receiptHandle: string): Promise<void>;
}

const message = (body: Wake, deduplicationId: string): WakeMessage => ({
  body,
  groupId: body.id,
  deduplicationId,
});

/** Because of an event: the same event wakes once. */
export const wakeByEvent = (id: string, event: { eventId: string; what: string }): WakeMessage =>
  message({ id, urgency: "recovery", reason: event.what }, event.eventId);

/** Because of the schedule: once in its minute, also when the schedule runs twice in it. */
export const wakeBySurvey = (wake: Wake, minute: string): WakeMessage =>
  message(wake, `${wake.id}:${minute}`);

/** Because the worker's time was over before its work: exactly one for each message that it got. */
export const wakeAgain = (wake: Wake, messageId: string): WakeMessage =>
  message({ ...wake, reason: "goes on where the time was over" }, `again:${messageId}`);

/** Throws on anything that the router has not sent. */
export const parseWake = (body: string): Wake => wakeSchema.parse(JSON.parse(body));
