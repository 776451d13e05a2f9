/**
 * The three functions: bundled files of this package, each with a log of its own that does not grow
 * for ever, a role of its own and a share of the account's concurrency that nobody else can take.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Queues, timeouts } from "./queues";
import { createRole, type FunctionName, type Reach } from "./roles";
import { nameOf, partOf, type Site } from "./site";

export interface FunctionsArgs {
  queues: Queues;
  tableName: pulumi.Output<string>;
  tableArn: pulumi.Output<string>;
  topicArn: pulumi.Output<string>;
  instanceRoleArns: pulumi.Input<pulumi.Input<string>[]>;
  kmsKeyArns: pulumi.Input<pulumi.Input<string>[]>;
  workerConcurrency: number;
  reserveConcurrency: boolean;
  logRetentionDays: number;
}

export type Functions = Readonly<Record<FunctionName, aws.lambda.Function>>;

/** Megabytes, which also decide the share of a processor. The survey holds the whole fleet. */
const memory = { router: 1024, worker: 1024, sweep: 512 } as const;
/** Two for events, one for the schedule, one to spare. */
const routerConcurrency = 4;
/** Looks at one managed instance each, most of which wait for EC2. */
const looksPerWorker = 10;
const eventsPerRouter = 100;

export function createFunctions(site: Site, args: FunctionsArgs): Functions {
  const concurrency = { router: routerConcurrency, worker: args.workerConcurrency, sweep: 1 };
  const create = (name: FunctionName, variables: Record<string, pulumi.Input<string>>) =>
    createFunction(site, args, { name, variables, concurrency: concurrency[name] });
  const { tableName, topicArn, queues } = args;
  const table = { TABLE_NAME: tableName, QUEUE_URL: queues.work.queue.url };
  const functions = {
    router: create("router", table),
    worker: create("worker", { ...table, TOPIC_ARN: topicArn }),
    sweep: create("sweep", { TOPIC_ARN: topicArn }),
  };
  feed(site, args, functions);
  return functions;
}

interface FunctionParts {
  name: FunctionName;
  variables: Record<string, pulumi.Input<string>>;
  concurrency: number;
}

function createFunction(site: Site, args: FunctionsArgs, parts: FunctionParts) {
  const { name, variables, concurrency } = parts;
  const logGroup = new aws.cloudwatch.LogGroup(
    `${site.name}-${name}`,
    {
      name: `/aws/lambda/${nameOf(name)}`,
      retentionInDays: args.logRetentionDays,
      tags: site.tags,
    },
    partOf(site),
  );
  const { role, policy } = createRole(site, name, reachOf(args, logGroup));
  return new aws.lambda.Function(
    `${site.name}-${name}`,
    {
      name: nameOf(name),
      description: descriptions[name],
      role: role.arn,
      runtime: "nodejs24.x",
      architectures: ["arm64"],
      handler: "index.handler",
      code: new pulumi.asset.AssetArchive({
        "index.js": new pulumi.asset.FileAsset(bundleOf(name)),
      }),
      memorySize: memory[name],
      timeout: timeouts[name],
      reservedConcurrentExecutions: args.reserveConcurrency ? concurrency : undefined,
      environment: { variables },
      tracingConfig: { mode: "Active" },
      loggingConfig: { logFormat: "Text", logGroup: logGroup.name },
      tags: site.tags,
    },
    // Without its permissions the first invocations would fail.
    { ...partOf(site), dependsOn: [site.guard, policy] },
  );
}

const descriptions = {
  router: "Finds out which managed instances are to be looked at",
  worker: "Looks at managed instances and does what is to be done",
  sweep: "Deletes what retention has given an end",
} as const;

function reachOf(args: FunctionsArgs, logGroup: aws.cloudwatch.LogGroup): pulumi.Output<Reach> {
  const { instanceRoleArns, kmsKeyArns, queues, tableArn, topicArn } = args;
  return pulumi.output({
    ec2: { instanceRoleArns, kmsKeyArns },
    tableArn,
    eventsArn: queues.events.queue.arn,
    workArn: queues.work.queue.arn,
    topicArn,
    logGroupArn: logGroup.arn,
  });
}

/** From dist/ as installed, or from the sources of this repository after `npm run build`. */
function bundleOf(name: FunctionName): string {
  const places = ["../../lambda", "../../dist/lambda"].map((folder) =>
    path.resolve(__dirname, folder, name, "index.js"),
  );
  const found = places.find((place) => fs.existsSync(place));
  if (found !== undefined) return found;
  throw new Error(
    `ManagedInstanceController: the function "${name}" is not where it should be (${places[0]}). Install pulumi-managed-instance again; in a clone of it, run \`npm run build\`.`,
  );
}

/** Lambda takes the messages out of the queues, never more at once than the functions may run. */
function feed(site: Site, args: FunctionsArgs, { router, worker }: Functions): void {
  const { queues, workerConcurrency } = args;
  const reporting = { functionResponseTypes: ["ReportBatchItemFailures"], tags: site.tags };
  new aws.lambda.EventSourceMapping(
    `${site.name}-router`,
    {
      ...reporting,
      eventSourceArn: queues.events.queue.arn,
      functionName: router.arn,
      batchSize: eventsPerRouter,
      maximumBatchingWindowInSeconds: 1,
      scalingConfig: { maximumConcurrency: routerConcurrency / 2 },
    },
    partOf(site),
  );
  new aws.lambda.EventSourceMapping(
    `${site.name}-worker`,
    {
      ...reporting,
      eventSourceArn: queues.work.queue.arn,
      functionName: worker.arn,
      batchSize: looksPerWorker,
      scalingConfig: { maximumConcurrency: workerConcurrency },
    },
    partOf(site),
  );
}
