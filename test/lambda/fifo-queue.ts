/**
 * An SQS FIFO queue in virtual time, as far as the functions can tell: the messages of a group are
 * delivered one after the other, the same deduplication id within five minutes is taken once, what is
 * received hides until it is deleted or its time is over, and what was received too often is dead.
 */
import type { SQSRecord } from "aws-lambda";
import type { WakeMessage, WakeQueue } from "../../src/controller/lambda/wakes";

export interface FifoOptions {
  now(): number;
  visibilitySeconds?: number;
  mostDeliveries?: number;
  /** Whether a message that was taken is lost all the same. */
  loses?(message: WakeMessage): boolean;
  /** In which order the groups that are free get their turn; as their messages came, by itself. */
  arrange?(groupIds: readonly string[]): readonly string[];
}

export interface FifoQueue extends WakeQueue {
  /** Up to so many messages, hidden from now on; of a group only what nobody is at work on. */
  receive(most: number): SQSRecord[];
  /** Everything taken so far, deduplicated ones not counted. */
  readonly taken: readonly WakeMessage[];
  readonly dead: readonly WakeMessage[];
  readonly size: number;
}

interface Kept {
  message: WakeMessage;
  messageId: string;
  deliveries: number;
  hiddenUntilAt: number;
}

const deduplicationMs = 5 * 60_000;

export function createFifoQueue(options: FifoOptions): FifoQueue {
  const { now, visibilitySeconds = 200, mostDeliveries = 3 } = options;
  let kept: Kept[] = [];
  const seen = new Map<string, number>();
  const taken: WakeMessage[] = [];
  const dead: WakeMessage[] = [];
  const bury = () => {
    const spent = (each: Kept) => each.deliveries >= mostDeliveries && each.hiddenUntilAt <= now();
    dead.push(...kept.filter(spent).map(({ message }) => message));
    kept = kept.filter((each) => !spent(each));
  };
  return {
    async send(messages) {
      for (const message of messages) {
        const { deduplicationId, groupId } = message;
        const key = `${groupId} ${deduplicationId}`;
        const lastAt = seen.get(key);
        if (lastAt !== undefined && now() < lastAt + deduplicationMs) continue;
        seen.set(key, now());
        taken.push(message);
        if (options.loses?.(message)) continue;
        const messageId = `message-${taken.length}`;
        kept.push({ message, messageId, deliveries: 0, hiddenUntilAt: 0 });
      }
    },
    async delete(receiptHandle) {
      kept = kept.filter(({ messageId }) => messageId !== receiptHandle);
    },
    receive(most) {
      bury();
      const busy = new Set(
        kept.filter((each) => each.hiddenUntilAt > now()).map(({ message }) => message.groupId),
      );
      const idle = kept.filter(({ message }) => !busy.has(message.groupId));
      const free = arranged(idle, options.arrange).slice(0, most);
      for (const each of free) {
        each.deliveries += 1;
        each.hiddenUntilAt = now() + visibilitySeconds * 1000;
      }
      return free.map(recordOf);
    },
    taken,
    dead,
    get size() {
      bury();
      return kept.length;
    },
  };
}

/** Between groups in any order, within one as they came. */
function arranged(kept: readonly Kept[], arrange: FifoOptions["arrange"]): readonly Kept[] {
  if (arrange === undefined) return kept;
  const groupOf = ({ message }: Kept) => message.groupId;
  const groups = arrange([...new Set(kept.map(groupOf))]);
  return groups.flatMap((group) => kept.filter((each) => groupOf(each) === group));
}

/** As Lambda hands it over. */
export function recordOf({
  message,
  messageId,
  deliveries = 1,
}: Pick<Kept, "message" | "messageId"> & { deliveries?: number }): SQSRecord {
  return {
    messageId,
    receiptHandle: messageId,
    body: JSON.stringify(message.body),
    attributes: {
      ApproximateReceiveCount: String(deliveries),
      SentTimestamp: "1767225600000",
      SenderId: "AROA:router",
      ApproximateFirstReceiveTimestamp: "1767225600000",
      MessageGroupId: message.groupId,
      MessageDeduplicationId: message.deduplicationId,
      SequenceNumber: "18849496460467696128",
    },
    messageAttributes: {},
    md5OfBody: "0cc175b9c0f1b6a831c399e269772661",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:us-east-1:123456789012:managed-instances-work.fifo",
    awsRegion: "us-east-1",
  };
}
