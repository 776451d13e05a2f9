/**
 * The queues. Events wait for the router in a plain one, so that it answers many with one describe;
 * what the router wants done waits for the worker in a FIFO one, where the messages of one managed
 * instance follow one another. All messages are hints that the next survey repeats, so they are kept
 * for minutes only; what failed several times is kept for people.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameOf, partOf, type Site } from "./site";

/** Seconds. */
export const timeouts = { router: 60, worker: 180, sweep: 300 } as const;
const visibility = { events: 90, work: 200 } as const;
const minutes = 60;
const days = 24 * 60 * minutes;
/** How often a message is delivered before it is a dead letter. */
const mostDeliveries = 3;

export interface QueueWithDead {
  queue: aws.sqs.Queue;
  /** What failed several times. */
  dead: aws.sqs.Queue;
}

export interface Queues {
  events: QueueWithDead;
  work: QueueWithDead;
}

export function createQueues(site: Site, ruleArnPattern: pulumi.Output<string>): Queues {
  const events = createPair(site, {
    part: "events",
    visibilityTimeoutSeconds: visibility.events,
    messageRetentionSeconds: 15 * minutes,
  });
  const work = createPair(site, {
    part: "work",
    visibilityTimeoutSeconds: visibility.work,
    messageRetentionSeconds: 20 * minutes,
    fifoQueue: true,
    // Each managed instance by itself, so that none waits for the numbering of another's messages.
    deduplicationScope: "messageGroup",
    fifoThroughputLimit: "perMessageGroupId",
  });
  new aws.sqs.QueuePolicy(
    `${site.name}-events`,
    { queueUrl: events.queue.url, policy: fromEventBridge(events.queue.arn, ruleArnPattern) },
    partOf(site),
  );
  return { events, work };
}

type PairArgs = Pick<
  aws.sqs.QueueArgs,
  | "visibilityTimeoutSeconds"
  | "messageRetentionSeconds"
  | "fifoQueue"
  | "deduplicationScope"
  | "fifoThroughputLimit"
> & { part: string };

function createPair(site: Site, { part, ...args }: PairArgs): QueueWithDead {
  const suffix = args.fifoQueue ? ".fifo" : "";
  const both = { sqsManagedSseEnabled: true, fifoQueue: args.fifoQueue, tags: site.tags };
  const dead = new aws.sqs.Queue(
    `${site.name}-${part}-dead`,
    {
      ...both,
      name: `${nameOf(`${part}-dead`)}${suffix}`,
      messageRetentionSeconds: 14 * days,
    },
    partOf(site),
  );
  const queue = new aws.sqs.Queue(
    `${site.name}-${part}`,
    {
      ...both,
      ...args,
      name: `${nameOf(part)}${suffix}`,
      redrivePolicy: pulumi.jsonStringify({
        deadLetterTargetArn: dead.arn,
        maxReceiveCount: mostDeliveries,
      }),
    },
    partOf(site),
  );
  new aws.sqs.RedriveAllowPolicy(
    `${site.name}-${part}-dead`,
    {
      queueUrl: dead.url,
      redriveAllowPolicy: pulumi.jsonStringify({
        redrivePermission: "byQueue",
        sourceQueueArns: [queue.arn],
      }),
    },
    partOf(site),
  );
  return { queue, dead };
}

/** Only our rules put events there. */
const fromEventBridge = (queueArn: pulumi.Output<string>, ruleArnPattern: pulumi.Output<string>) =>
  pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OurRules",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnLike: { "aws:SourceArn": ruleArnPattern } },
      },
    ],
  });
