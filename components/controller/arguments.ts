/** The arguments with their defaults, or an error that names the property, its value and the rule. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ManagedInstanceControllerArgs } from "../managed-instance-controller";

/** What CloudWatch Logs knows. */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

const schema = z.strictObject({
  notificationEmails: z
    .array(z.email("must be an e-mail address such as ops@example.com"))
    .refine((all) => new Set(all).size === all.length, "must not name an address twice")
    .default([]),
  workerConcurrency: z
    .int("must be a whole number of workers")
    .min(2, "must be at least 2, which is the least that Lambda takes")
    .max(1000, "must be at most 1000")
    .default(20),
  reserveConcurrency: z.boolean("must be true or false").default(true),
  logRetentionDays: z
    .int("must be a whole number of days")
    .refine(
      (days) => retentionDays.includes(days),
      `must be one of ${retentionDays.join(", ")} days`,
    )
    .default(30),
  pointInTimeRecovery: z.boolean("must be true or false").default(true),
  deletionProtection: z.boolean("must be true or false").default(false),
  tags: z
    .record(z.string().min(1), z.string("must be a text"), "must be texts by name")
    .refine(
      (tags) => !Object.keys(tags).some((key) => /^(aws|pmi):/.test(key)),
      'must not begin with "aws:" or "pmi:", which are AWS\'s and ours',
    )
    .default({}),
});

export interface Checked extends z.output<typeof schema> {
  instanceRoleArns: pulumi.Output<string[]>;
  kmsKeyArns: pulumi.Output<string[]>;
}

const arnRules = {
  instanceRoleArns: {
    pattern: /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/,
    rule: "must be ARNs of IAM roles such as arn:aws:iam::123456789012:role/web (of the role, not of the instance profile)",
  },
  kmsKeyArns: {
    pattern: /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/,
    rule: "must be ARNs of KMS keys such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-… (of the key, not of an alias)",
  },
} as const;

export function checkArguments(name: string, args: ManagedInstanceControllerArgs): Checked {
  const { instanceRoleArns = [], kmsKeyArns = [], ...plain } = args;
  const parsed = schema.safeParse(plain);
  if (!parsed.success) throw new Error(refusal(name, plain, parsed.error));
  return {
    ...parsed.data,
    instanceRoleArns: pulumi
      .output(instanceRoleArns)
      .apply((arns) => checkArns(name, "instanceRoleArns", arns)),
    kmsKeyArns: pulumi.output(kmsKeyArns).apply((arns) => checkArns(name, "kmsKeyArns", arns)),
  };
}

function refusal(name: string, args: object, error: z.ZodError): string {
  const lines = error.issues.map((issue) => {
    if (issue.code === "unrecognized_keys")
      return `${issue.keys.join(", ")}: no such property; there are ${properties.join(", ")}`;
    const value = issue.path.reduce<unknown>(
      (at, key) => (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key],
      args,
    );
    const shown = issue.path.length === 0 ? "" : ` is ${JSON.stringify(value) ?? "undefined"} and`;
    return `${issue.path.join(".")}${shown} ${issue.message}`;
  });
  return `ManagedInstanceController "${name}": ${lines.join("; ")}. Correct that, then run \`pulumi up\` again.`;
}

const properties = [...Object.keys(schema.shape), "instanceRoleArns", "kmsKeyArns"].sort();

/** Once they are known, which may be only after other resources are made. */
export function checkArns(name: string, property: keyof typeof arnRules, arns: string[]): string[] {
  const { pattern, rule } = arnRules[property];
  const wrong = arns.find((each) => !pattern.test(each));
  if (wrong === undefined) return arns;
  throw new Error(
    `ManagedInstanceController "${name}": ${property} has ${JSON.stringify(wrong)} and ${rule}. Correct that, then run \`pulumi up\` again.`,
  );
}
