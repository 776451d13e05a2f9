/**
 * What people are to be told of, as data: docs/operations.md says of each what it means and what to
 * do. Every alarm goes to the topic, and so does its end.
 */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type Metric, metricNamespace, metricService } from "../../src/controller/lambda/metrics";
import type { Functions } from "./functions";
import type { Queues } from "./queues";
import { nameOf, partOf, type Site } from "./site";

interface Watched {
  namespace: string;
  metricName: string;
  dimensions: Record<string, pulumi.Input<string>>;
}

export interface Alarm {
  name: string;
  /** What is the case when it rings. */
  says: string;
  watches: Watched;
  statistic: "Maximum" | "Sum" | "SampleCount";
  comparison: "GreaterThanThreshold" | "LessThanThreshold";
  threshold: number;
  periodSeconds: number;
  /** How many periods in a row. */
  periods: number;
  /** When there is nothing to be seen; default: all is well. */
  missing?: "breaching";
}

const ownMetric = (metricName: Metric): Watched => ({
  namespace: metricNamespace,
  metricName,
  dimensions: { service: metricService },
});

const above = { comparison: "GreaterThanThreshold", threshold: 0 } as const;

/** Where Lambda and SQS are to be looked at. */
export interface Surroundings {
  functions: Functions;
  queues: Queues;
}

const alarmsOf = ({ functions, queues }: Surroundings): Alarm[] => [
  ...ownAlarms,
  ...queueAlarms(queues),
  ...functionAlarms(functions),
];

const ownAlarms: readonly Alarm[] = [
  {
    name: "blind",
    says: "no survey has ended for five minutes: interruptions are answered by events only, or not at all",
    watches: ownMetric("Instances"),
    statistic: "SampleCount",
    comparison: "LessThanThreshold",
    threshold: 1,
    periodSeconds: 300,
    periods: 1,
    missing: "breaching",
  },
  {
    name: "stuck",
    says: "a managed instance cannot go on without you",
    watches: ownMetric("Stuck"),
    statistic: "Sum",
    ...above,
    periodSeconds: 600,
    periods: 1,
  },
  {
    name: "failing",
    says: "looks at managed instances end with errors",
    watches: ownMetric("Failed"),
    statistic: "Sum",
    ...above,
    periodSeconds: 900,
    periods: 2,
  },
  {
    name: "ec2-throttles",
    says: "EC2 refuses calls because this account makes too many",
    watches: ownMetric("Throttles"),
    statistic: "Sum",
    comparison: "GreaterThanThreshold",
    threshold: 10,
    periodSeconds: 300,
    periods: 3,
  },
  {
    name: "snapshots-stretched",
    says: "the account cannot carry the snapshot intervals that are specified; all are stretched",
    watches: ownMetric("SnapshotStretch"),
    statistic: "Maximum",
    comparison: "GreaterThanThreshold",
    threshold: 1,
    periodSeconds: 900,
    periods: 2,
  },
  {
    name: "cannot-delete",
    says: "something is past its retention, and EC2 refuses to delete it",
    watches: ownMetric("Blocked"),
    statistic: "Maximum",
    ...above,
    periodSeconds: 3600,
    periods: 6,
  },
];

function queueAlarms({ events, work }: Queues): Alarm[] {
  const dead = (name: string, says: string, queueName: pulumi.Output<string>): Alarm => ({
    name,
    says,
    watches: ofQueue("ApproximateNumberOfMessagesVisible", queueName),
    statistic: "Maximum",
    ...above,
    periodSeconds: 60,
    periods: 1,
  });
  return [
    dead("dead-letters", "looks have failed three times and are given up", work.dead.name),
    dead("dead-events", "events have failed three times and are given up", events.dead.name),
    {
      name: "queue-age",
      says: "managed instances wait for minutes to be looked at",
      watches: ofQueue("ApproximateAgeOfOldestMessage", work.queue.name),
      statistic: "Maximum",
      comparison: "GreaterThanThreshold",
      threshold: 300,
      periodSeconds: 60,
      periods: 5,
    },
  ];
}

const ofQueue = (metricName: string, queueName: pulumi.Output<string>): Watched => ({
  namespace: "AWS/SQS",
  metricName,
  dimensions: { QueueName: queueName },
});

function functionAlarms(functions: Functions): Alarm[] {
  const ofFunction = (metricName: string, of: Functions["worker"]): Watched => ({
    namespace: "AWS/Lambda",
    metricName,
    dimensions: { FunctionName: of.name },
  });
  const erring = (name: keyof Functions, periodSeconds: number): Alarm => ({
    name: `${name}-errors`,
    says: `the function ${nameOf(name)} ends with errors`,
    watches: ofFunction("Errors", functions[name]),
    statistic: "Sum",
    ...above,
    periodSeconds,
    periods: 2,
  });
  return [
    erring("router", 300),
    erring("worker", 300),
    erring("sweep", 1800),
    {
      name: "worker-throttles",
      says: "Lambda refuses to run the worker as often as there is work",
      watches: ofFunction("Throttles", functions.worker),
      statistic: "Sum",
      ...above,
      periodSeconds: 300,
      periods: 3,
    },
  ];
}

export function createAlarms(
  site: Site,
  surroundings: Surroundings,
  topicArn: pulumi.Output<string>,
): aws.cloudwatch.MetricAlarm[] {
  return alarmsOf(surroundings).map(
    (alarm) =>
      new aws.cloudwatch.MetricAlarm(
        `${site.name}-${alarm.name}`,
        {
          name: nameOf(alarm.name),
          alarmDescription: `${alarm.says}. What to do: docs/operations.md of pulumi-managed-instance, "${alarm.name}".`,
          ...alarm.watches,
          statistic: alarm.statistic,
          comparisonOperator: alarm.comparison,
          threshold: alarm.threshold,
          period: alarm.periodSeconds,
          evaluationPeriods: alarm.periods,
          treatMissingData: alarm.missing ?? "notBreaching",
          alarmActions: [topicArn],
          okActions: [topicArn],
          tags: site.tags,
        },
        partOf(site),
      ),
  );
}
