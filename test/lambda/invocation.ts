/** What Lambda gives a function beside its event, and a telemetry that remembers. */
import type { Context } from "aws-lambda";
import type { Metric } from "../../src/controller/lambda/metrics";
import type { Details, Telemetry } from "../../src/controller/lambda/telemetry";

let invocations = 0;

export function contextFor(options: { now(): number; timeoutSeconds: number }): Context {
  const endsAt = options.now() + options.timeoutSeconds * 1000;
  invocations += 1;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: "managed-instances-worker",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:managed-instances-worker",
    memoryLimitInMB: "1024",
    awsRequestId: `request-${invocations}`,
    logGroupName: "/aws/lambda/managed-instances-worker",
    logStreamName: "2026/01/01/[$LATEST]0",
    getRemainingTimeInMillis: () => endsAt - options.now(),
    done() {},
    fail() {},
    succeed() {},
  };
}

export interface TelemetryMemory extends Telemetry {
  readonly lines: { level: string; message: string; details: Details }[];
  total(metric: Metric): number;
}

export function rememberTelemetry(): TelemetryMemory {
  const lines: TelemetryMemory["lines"] = [];
  const totals = new Map<Metric, number>();
  const write =
    (level: string) =>
    (message: string, details: Details = {}) => {
      lines.push({ level, message, details });
    };
  return {
    begin() {},
    info: write("info"),
    warn: write("warn"),
    error: (message, error, details = {}) =>
      write("error")(message, { ...details, error: String(error) }),
    measure: (metric, value = 1) => {
      totals.set(metric, (totals.get(metric) ?? 0) + value);
    },
    traced: (_name, _annotations, run) => run(),
    end() {},
    lines,
    total: (metric) => totals.get(metric) ?? 0,
  };
}
