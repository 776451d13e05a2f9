/**
 * What the functions tell of themselves, by AWS Powertools: one JSON line per log entry, metrics as
 * lines of the log (EMF), and X-Ray traces. The names of the metrics are the contract with alarms and
 * dashboard.
 */
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { Tracer } from "@aws-lambda-powertools/tracer";
import type { Context } from "aws-lambda";
import { type Metric, metricNamespace, metricService, metricUnits } from "./metrics";

export type Details = Readonly<Record<string, unknown>>;

export interface Telemetry {
  /** At the start of each invocation. */
  begin(context: Context): void;
  info(message: string, details?: Details): void;
  warn(message: string, details?: Details): void;
  error(message: string, error: unknown, details?: Details): void;
  measure(metric: Metric, value?: number): void;
  /** A part of the trace of its own, named and annotated with what it is about. */
  traced<Result>(
    name: string,
    annotations: Readonly<Record<string, string>>,
    run: () => Promise<Result>,
  ): Promise<Result>;
  /** At the end of each invocation: writes the metrics. */
  end(): void;
}

export function createTelemetry(serviceName: string): Telemetry {
  const logger = new Logger({ serviceName });
  const metrics = new Metrics({ serviceName: metricService, namespace: metricNamespace });
  const tracer = new Tracer({ serviceName });
  return {
    begin: (context) => logger.addContext(context),
    info: (message, details = {}) => logger.info(message, details),
    warn: (message, details = {}) => logger.warn(message, details),
    error: (message, error, details = {}) =>
      logger.error(message, { ...details, error: asError(error) }),
    measure: (metric, value = 1) => metrics.addMetric(metric, metricUnits[metric], value),
    traced: (name, annotations, run) => traced(tracer, { name, annotations }, run),
    end: () => metrics.publishStoredMetrics(),
  };
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

async function traced<Result>(
  tracer: Tracer,
  part: { name: string; annotations: Readonly<Record<string, string>> },
  run: () => Promise<Result>,
): Promise<Result> {
  if (!tracer.isTracingEnabled()) return run();
  const { provider } = tracer;
  const outcome = provider.captureAsyncFunc(part.name, async (subsegment) => {
    try {
      for (const [key, value] of Object.entries(part.annotations))
        subsegment?.addAnnotation(key, value);
      return await run();
    } catch (error) {
      subsegment?.addError(asError(error));
      throw error;
    } finally {
      subsegment?.close();
    }
  });
  return (await outcome) as Result;
}
