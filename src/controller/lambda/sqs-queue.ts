/** The queue between router and worker on SQS: FIFO, in batches of as many as SQS takes at once. */
import {
  DeleteMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  type SQSClientConfig,
} from "@aws-sdk/client-sqs";
import { connections } from "../../aws/connections";
import { inBatches } from "../../engine/batches";
import type { WakeMessage, WakeQueue } from "./wakes";

const messagesPerCall = 10;
const callsAtOnce = 8;

export function createSqsQueue(queueUrl: string, config: SQSClientConfig = {}): WakeQueue {
  const client = new SQSClient({ requestHandler: connections, ...config });
  return {
    async send(messages) {
      const batches = inBatches(messages, messagesPerCall);
      for (const round of inBatches(batches, callsAtOnce))
        await Promise.all(round.map((batch) => sendBatch(client, queueUrl, batch)));
    },
    async delete(receiptHandle) {
      const command = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle };
      await client.send(new DeleteMessageCommand(command));
    },
  };
}

async function sendBatch(client: SQSClient, queueUrl: string, batch: readonly WakeMessage[]) {
  const Entries = batch.map(({ body, groupId, deduplicationId }, index) => ({
    Id: String(index),
    MessageBody: JSON.stringify(body),
    MessageGroupId: groupId,
    MessageDeduplicationId: deduplicationId,
  }));
  const { Failed = [] } = await client.send(
    new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
  );
  const [first] = Failed;
  if (first === undefined) return;
  const what = `${first.Code ?? "no code"}: ${first.Message ?? "no message"}`;
  throw new Error(`SQS did not take ${Failed.length} of ${batch.length} messages (${what})`);
}
