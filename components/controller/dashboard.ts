/** One page of graphs: what is under control, what happened, how the controller itself does. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Metric, metricNamespace, metricService } from "../../src/controller/lambda/metrics";
import { nameOf, partOf, type Site } from "./site";

type Line = readonly [namespace: string, metric: string, dimension: string, value: string];

interface Graph {
  title: string;
  statistic: "Maximum" | "Sum" | "Average";
  lines: readonly Line[];
}

const own = (...metrics: readonly Metric[]): Line[] =>
  metrics.map((metric) => [metricNamespace, metric, "service", metricService]);
const ofFunctions = (metric: string): Line[] =>
  ["router", "worker", "sweep"].map((name) => ["AWS/Lambda", metric, "FunctionName", nameOf(name)]);
const ofQueues = (metric: string, ...names: readonly string[]): Line[] =>
  names.map((name) => ["AWS/SQS", metric, "QueueName", nameOf(name)]);

const graphs: readonly Graph[] = [
  {
    title: "Managed instances, and those that need you",
    statistic: "Maximum",
    lines: own("Instances", "Strangers", "Stuck"),
  },
  {
    title: "Interruptions and recoveries",
    statistic: "Sum",
    lines: own("Interrupted", "Recovered", "Failed"),
  },
  { title: "Downtime, seconds", statistic: "Average", lines: own("DowntimeSeconds") },
  { title: "Calls of EC2", statistic: "Sum", lines: own("Calls", "Throttles") },
  {
    title: "Snapshot intervals, times longer than specified",
    statistic: "Maximum",
    lines: own("SnapshotStretch"),
  },
  {
    title: "Messages to the worker",
    statistic: "Sum",
    lines: own("Wakes", "Unfinished", "Busy", "Events", "ForeignEvents"),
  },
  {
    title: "Age of the oldest message, seconds",
    statistic: "Maximum",
    lines: ofQueues("ApproximateAgeOfOldestMessage", "work.fifo", "events"),
  },
  {
    title: "Dead letters",
    statistic: "Maximum",
    lines: ofQueues("ApproximateNumberOfMessagesVisible", "work-dead.fifo", "events-dead"),
  },
  { title: "Errors of the functions", statistic: "Sum", lines: ofFunctions("Errors") },
  {
    title: "Duration of the functions, ms",
    statistic: "Maximum",
    lines: ofFunctions("Duration"),
  },
  { title: "The sweep", statistic: "Sum", lines: own("Deleted", "Blocked") },
];

const columns = 2;
const size = { width: 12, height: 6 };

const dashboardBody = (region: string) => ({
  widgets: graphs.map(({ title, statistic, lines }, index) => ({
    type: "metric",
    x: (index % columns) * size.width,
    y: Math.floor(index / columns) * size.height,
    ...size,
    properties: {
      title,
      region,
      stat: statistic,
      period: 300,
      view: "timeSeries",
      metrics: lines,
    },
  })),
});

/** Named with the Region, because dashboards know none. */
export const createDashboard = (site: Site) =>
  new aws.cloudwatch.Dashboard(
    site.name,
    {
      dashboardName: pulumi.interpolate`${nameOf("controller")}-${site.region}`,
      dashboardBody: site.region.apply((region) => JSON.stringify(dashboardBody(region))),
    },
    partOf(site),
  );
