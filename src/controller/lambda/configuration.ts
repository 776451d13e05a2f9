/** What the component tells the functions by their environment, read once. */
import { z } from "zod";
import { claimHost } from "../../aws/claimant";

const schema = z.object({
  AWS_REGION: z.string().min(1),
  TABLE_NAME: z.string().min(1).optional(),
  QUEUE_URL: z.url().optional(),
  TOPIC_ARN: z.string().startsWith("arn:").optional(),
  AWS_LAMBDA_LOG_STREAM_NAME: z.string().default("lambda"),
});

export interface Configuration {
  region: string;
  /** Which of many equal functions this is, in characters that a tag takes. */
  host: string;
  /** Throws when the component has not given it to this function. */
  need(name: "TABLE_NAME" | "QUEUE_URL" | "TOPIC_ARN"): string;
}

export function readConfiguration(): Configuration {
  const parsed = schema.safeParse(process.env);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new Error(
      `the function's environment variables ${names} are missing or wrong: deploy it with ManagedInstanceController`,
    );
  }
  const given = parsed.data;
  return {
    region: given.AWS_REGION,
    host: claimHost(given.AWS_LAMBDA_LOG_STREAM_NAME),
    need(name) {
      const value = given[name];
      if (value !== undefined) return value;
      throw new Error(
        `the function's environment variable ${name} is missing: deploy it with ManagedInstanceController`,
      );
    },
  };
}
