/**
 * The function that does the work: each message is one look at one managed instance, until all is as
 * it should be or the time is over. Several at once in one batch, because nearly all of it is waiting
 * for EC2.
 */
import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { WorkDeps, WorkResult } from "../worker";
import { work } from "../worker";
import type { Telemetry } from "./telemetry";
import { workingMs } from "./time-left";
import { parseWake, type Wake, type WakeQueue, wakeAgain } from "./wakes";

export interface WorkerDeps {
  /** With recovery's share of EC2's request buckets, or upkeep's. */
  work: Readonly<Record<Wake["urgency"], Omit<WorkDeps, "holder" | "deadlineAt">>>;
  queue: WakeQueue;
  telemetry: Telemetry;
}

export function createWorker(deps: WorkerDeps) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const { telemetry } = deps;
    telemetry.begin(context);
    const looks = new Map<string, Promise<WorkResult>>();
    try {
      const processor = new BatchProcessor(EventType.SQS);
      const carryOut = (record: SQSRecord) => carryOutOne(deps, { context, looks, record });
      return await processPartialResponse(event, carryOut, processor, {
        throwOnFullBatchFailure: false,
      });
    } finally {
      telemetry.end();
    }
  };
}

interface Delivery {
  context: Context;
  /** By managed instance: one look answers all of its messages in the batch. */
  looks: Map<string, Promise<WorkResult>>;
  record: SQSRecord;
}

/** Throws for what is to be delivered again; after a few times it is a dead letter, and alarmed. */
async function carryOutOne(deps: WorkerDeps, { context, looks, record }: Delivery): Promise<void> {
  const { queue, telemetry } = deps;
  try {
    const wake = parseWake(record.body);
    const known = looks.get(wake.id);
    const look = known ?? lookAt(deps, wake, { context, record });
    looks.set(wake.id, look);
    const result = await look;
    if (known === undefined) report(telemetry, wake, result);
    // What is written down with its due time comes again by itself.
    if (result.kind === "failed" && result.standing === undefined) throw result.error;
    if (known === undefined && isUnfinished(result))
      await queue.send([wakeAgain(wake, record.messageId)]);
  } catch (error) {
    telemetry.error("a look failed; it will be delivered again", error, { body: record.body });
    throw error;
  }
  await release(deps, record);
}

function lookAt(
  deps: WorkerDeps,
  wake: Wake,
  { context, record }: Pick<Delivery, "context" | "record">,
): Promise<WorkResult> {
  const { id, reason, stretch = 1, urgency } = wake;
  const settings = deps.work[urgency];
  deps.telemetry.info("looking", { id, urgency, reason });
  return deps.telemetry.traced("look", { id, urgency }, () =>
    work(id, {
      ...settings,
      holder: `lambda:${context.awsRequestId}:${record.messageId}`,
      deadlineAt: settings.cloud.now() + workingMs(context),
      stretch: () => stretch,
    }),
  );
}

const isUnfinished = (result: WorkResult) =>
  result.kind === "worked" && result.outcome.kind === "stopped";

/**
 * A message that is done is deleted at once. Lambda would do so when the whole batch has ended, and
 * until then an interruption of this managed instance would wait for the slowest of the others.
 */
async function release({ queue, telemetry }: WorkerDeps, { messageId, receiptHandle }: SQSRecord) {
  try {
    await queue.delete(receiptHandle);
  } catch (error) {
    telemetry.warn("a message is left for Lambda to delete", { messageId, error: String(error) });
  }
}

function report(telemetry: Telemetry, { id }: Wake, result: WorkResult): void {
  switch (result.kind) {
    case "worked": {
      const { outcome, standing, dueAt } = result;
      if (standing.kind === "stuck") telemetry.measure("Stuck");
      if (isUnfinished(result)) telemetry.measure("Unfinished");
      const { kind, reason, remedy } = standing;
      telemetry.info(outcome.kind, { id, standing: kind, reason, remedy, dueAt });
      return;
    }
    case "failed":
      telemetry.measure("Failed");
      telemetry.error("failed", result.error, { id });
      return;
    case "busy":
    case "lost":
      telemetry.measure("Busy");
      telemetry.info(result.kind, { id });
      return;
    case "deallocated":
    case "absent":
      telemetry.info(result.kind, { id });
      return;
  }
}
