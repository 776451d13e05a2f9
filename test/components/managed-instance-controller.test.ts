/**
 * Every resource that the controller registers with Pulumi, by Pulumi's own mocks: what it is, what
 * it may do, and what it hangs together with.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { checkArguments, checkArns } from "../../components/controller/arguments";
import { ec2Statements, type PolicyDocument } from "../../src/aws/policy";
import { eventRules } from "../../src/controller/lambda/event-rules";
import { metricNamespace, metricUnits } from "../../src/controller/lambda/metrics";
import { ask } from "../iam/evaluator";

const region = "eu-central-1";
const accountId = "123456789012";

type Inputs = Record<string, unknown>;
interface Registered {
  type: string;
  name: string;
  inputs: Inputs;
}

let registered: Registered[] = [];
/** Of each part: what it is made after, beside what its inputs come from. */
let madeAfter: { type: string; name: string; after: unknown[] }[] = [];

jest.setTimeout(120_000);

/** What AWS would answer: an ARN for whatever has a name. */
function stateOf({ type, name, inputs }: pulumi.runtime.MockResourceArgs): Inputs {
  const own = String(inputs.name ?? name);
  const service = type.split(":")[1]?.split("/")[0] ?? "";
  const base = { ...inputs, name: own, arn: `arn:aws:${service}:${region}:${accountId}:${own}` };
  return service === "sqs" ? { ...base, url: `https://sqs.test/${own}` } : base;
}

const mocks: pulumi.runtime.Mocks = {
  newResource(resource) {
    const { type, name, inputs } = resource;
    registered.push({ type, name, inputs });
    return { id: `${name}-id`, state: stateOf(resource) };
  },
  call({ token, inputs }) {
    if (token.endsWith("getRegion")) return { region, name: region };
    if (token.endsWith("getPartition")) return { partition: "aws" };
    if (token.endsWith("getCallerIdentity")) return { accountId };
    return inputs;
  },
};

/** Loaded after the mocks are set. */
const load = () =>
  require("../../components/controller") as typeof import("../../components/controller");

const resolved = <Value>(output: pulumi.Output<Value>) =>
  new Promise<Value>((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });

type Args = ConstructorParameters<ReturnType<typeof load>["ManagedInstanceController"]>[1];

async function deploy(args: Args = {}) {
  registered = [];
  madeAfter = [];
  pulumi.runtime.setMocks(mocks, "project", "stack", false, "org");
  const { ManagedInstanceController } = load();
  const controller = new ManagedInstanceController("fleet", args, {
    transformations: [
      ({ type, name, opts }) => {
        const { dependsOn } = opts as pulumi.CustomResourceOptions;
        madeAfter.push({ type, name, after: [dependsOn].flat() });
        return undefined;
      },
    ],
  });
  await pulumi.runtime.disconnect();
  return controller;
}

/** Most of it is looked at as it is deployed once. */
const args = {
  notificationEmails: ["ops@example.com"],
  instanceRoleArns: [`arn:aws:iam::${accountId}:role/web`],
  kmsKeyArns: [`arn:aws:kms:${region}:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
  workerConcurrency: 50,
  logRetentionDays: 7,
  tags: { team: "platform" },
};
let controller: Awaited<ReturnType<typeof deploy>>;
beforeAll(async () => {
  controller = await deploy(args);
});

const all = (type: string) => registered.filter((each) => each.type === type);

function one(type: string, name: string): Inputs {
  const found = registered.filter((each) => each.type === type && each.name === name);
  expect(found.map((each) => each.name)).toEqual([name]);
  return found[0]?.inputs ?? {};
}

const parsed = (text: unknown): Inputs => JSON.parse(String(text));
const arn = (service: string, name: string) => `arn:aws:${service}:${region}:${accountId}:${name}`;
const functions = ["router", "worker", "sweep"] as const;

test("these are its parts, and there are no others", async () => {
  const counts = new Map<string, number>();
  for (const { type } of registered) counts.set(type, (counts.get(type) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    "pulumi-managed-instance:controller:ManagedInstanceController": 1,
    "aws:dynamodb/table:Table": 1,
    "aws:sqs/queue:Queue": 4,
    "aws:sqs/queuePolicy:QueuePolicy": 1,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": 2,
    "aws:sns/topic:Topic": 1,
    "aws:sns/topicPolicy:TopicPolicy": 1,
    "aws:sns/topicSubscription:TopicSubscription": 1,
    "aws:iam/role:Role": 3,
    "aws:iam/rolePolicy:RolePolicy": 3,
    "aws:lambda/function:Function": 3,
    "aws:lambda/eventSourceMapping:EventSourceMapping": 2,
    "aws:lambda/permission:Permission": 2,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 2,
    "aws:cloudwatch/logGroup:LogGroup": 3,
    "aws:cloudwatch/eventRule:EventRule": eventRules.length + 2,
    "aws:cloudwatch/eventTarget:EventTarget": eventRules.length + 2,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 13,
    "aws:cloudwatch/dashboard:Dashboard": 1,
  });
});

test("it holds nothing that an instance needs: destroying it leaves instances, disks and addresses alone", async () => {
  const types = [...new Set(registered.map(({ type }) => type.split("/")[0]))];
  expect(types.filter((type) => /^aws:(ec2|ebs|kms|vpc|autoscaling)/.test(type ?? ""))).toEqual([]);
  expect(all("aws:iam/instanceProfile:InstanceProfile")).toEqual([]);
  for (const role of all("aws:iam/role:Role"))
    expect(JSON.stringify(role.inputs.assumeRolePolicy)).not.toContain("ec2.amazonaws.com");
});

describe("one in an account and Region", () => {
  test("the table's name is fixed, and everything else is made after it", async () => {
    expect(one("aws:dynamodb/table:Table", "fleet").name).toBe("managed-instances");
    const early = madeAfter
      .filter(({ type }) => type.startsWith("aws:") && type !== "aws:dynamodb/table:Table")
      .filter(({ after }) => !after.some((each) => each instanceof aws.dynamodb.Table))
      .map(({ type, name }) => `${type} ${name}`);
    expect(early).toEqual([]);
  });

  test("what IAM and CloudWatch keep for all Regions together carries the Region's name", async () => {
    for (const name of functions)
      expect(one("aws:iam/role:Role", `fleet-${name}`).name).toBe(
        `managed-instances-${name}-${region}`,
      );
    const dashboard = one("aws:cloudwatch/dashboard:Dashboard", "fleet");
    expect(dashboard.dashboardName).toBe(`managed-instances-controller-${region}`);
  });
});

test("the table is as the registry's adapter describes it, encrypted and backed up", async () => {
  expect(one("aws:dynamodb/table:Table", "fleet")).toMatchObject({
    billingMode: "PAY_PER_REQUEST",
    hashKey: "pk",
    rangeKey: "sk",
    globalSecondaryIndexes: [
      { name: "due", hashKey: "dueShard", rangeKey: "dueAt", projectionType: "KEYS_ONLY" },
    ],
    ttl: { attributeName: "expiresAt", enabled: true },
    pointInTimeRecovery: { enabled: true },
    serverSideEncryption: { enabled: true },
    deletionProtectionEnabled: false,
  });
});

const pairs = [
  ["work", ".fifo"],
  ["events", ""],
] as const;

describe("queues", () => {
  test("what fails three times ends in a queue of its own, and only from there", async () => {
    for (const [part, suffix] of pairs) {
      const queue = one("aws:sqs/queue:Queue", `fleet-${part}`);
      expect(queue.name).toBe(`managed-instances-${part}${suffix}`);
      expect(parsed(queue.redrivePolicy)).toEqual({
        deadLetterTargetArn: arn("sqs", `managed-instances-${part}-dead${suffix}`),
        maxReceiveCount: 3,
      });
      const allowed = one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", `fleet-${part}-dead`);
      expect(parsed(allowed.redriveAllowPolicy)).toEqual({
        redrivePermission: "byQueue",
        sourceQueueArns: [arn("sqs", `managed-instances-${part}${suffix}`)],
      });
      expect(one("aws:sqs/queue:Queue", `fleet-${part}-dead`)).toMatchObject({
        messageRetentionSeconds: 14 * 24 * 3600,
        sqsManagedSseEnabled: true,
      });
    }
  });

  test("the worker's is FIFO, and each managed instance is a group by itself", async () => {
    expect(one("aws:sqs/queue:Queue", "fleet-work")).toMatchObject({
      fifoQueue: true,
      deduplicationScope: "messageGroup",
      fifoThroughputLimit: "perMessageGroupId",
      sqsManagedSseEnabled: true,
    });
    expect(one("aws:sqs/queue:Queue", "fleet-work").contentBasedDeduplication).toBeUndefined();
  });

  test("a message hides for longer than the function that has it may run", async () => {
    const seconds = (queue: string, lambda: string) => [
      Number(one("aws:sqs/queue:Queue", queue).visibilityTimeoutSeconds),
      Number(one("aws:lambda/function:Function", lambda).timeout),
    ];
    for (const [hidden = 0, runs = 0] of [
      seconds("fleet-work", "fleet-worker"),
      seconds("fleet-events", "fleet-router"),
    ])
      expect(hidden).toBeGreaterThan(runs);
  });

  test("only our own rules put events into theirs", async () => {
    const { policy, queueUrl } = one("aws:sqs/queuePolicy:QueuePolicy", "fleet-events");
    expect(queueUrl).toBe("https://sqs.test/managed-instances-events");
    expect(parsed(policy).Statement).toEqual([
      expect.objectContaining({
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arn("sqs", "managed-instances-events"),
        Condition: { ArnLike: { "aws:SourceArn": arn("events", "rule/managed-instances-*") } },
      }),
    ]);
  });
});

describe("functions", () => {
  test("each has its role, its own log that does not grow for ever, traces, and reserved concurrency", async () => {
    const concurrency = { router: 4, worker: 50, sweep: 1 };
    for (const name of functions) {
      const log = one("aws:cloudwatch/logGroup:LogGroup", `fleet-${name}`);
      expect(log).toMatchObject({
        name: `/aws/lambda/managed-instances-${name}`,
        retentionInDays: 7,
      });
      expect(one("aws:lambda/function:Function", `fleet-${name}`)).toMatchObject({
        name: `managed-instances-${name}`,
        role: arn("iam", `managed-instances-${name}-${region}`),
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        reservedConcurrentExecutions: concurrency[name],
        tracingConfig: { mode: "Active" },
        loggingConfig: { logFormat: "Text", logGroup: log.name },
      });
    }
  });

  test("each is told what it needs, and no more", async () => {
    const [TABLE_NAME, QUEUE_URL, TOPIC_ARN] = await Promise.all([
      resolved(controller.tableName),
      resolved(controller.queueUrl),
      resolved(controller.topicArn),
    ]);
    const told = (name: string) => one("aws:lambda/function:Function", name).environment;
    expect(told("fleet-router")).toEqual({ variables: { TABLE_NAME, QUEUE_URL } });
    expect(told("fleet-worker")).toEqual({ variables: { TABLE_NAME, QUEUE_URL, TOPIC_ARN } });
    expect(told("fleet-sweep")).toEqual({ variables: { TOPIC_ARN } });
  });

  test("queues feed them, report what failed, and never ask for more than may run", async () => {
    const mapping = (name: string) => one("aws:lambda/eventSourceMapping:EventSourceMapping", name);
    expect(mapping("fleet-worker")).toMatchObject({
      eventSourceArn: arn("sqs", "managed-instances-work.fifo"),
      functionName: arn("lambda", "managed-instances-worker"),
      batchSize: 10,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 50 },
    });
    expect(mapping("fleet-router")).toMatchObject({
      eventSourceArn: arn("sqs", "managed-instances-events"),
      functionName: arn("lambda", "managed-instances-router"),
      batchSize: 100,
      maximumBatchingWindowInSeconds: 1,
      functionResponseTypes: ["ReportBatchItemFailures"],
    });
  });
});

describe("triggers", () => {
  test("each event of EC2 that matters has a rule, which fills the queue of events", async () => {
    for (const { name, detailType, detail } of eventRules) {
      const rule = one("aws:cloudwatch/eventRule:EventRule", `fleet-${name}`);
      expect(rule.name).toBe(`managed-instances-${name}`);
      expect(parsed(rule.eventPattern)).toEqual({
        source: ["aws.ec2"],
        "detail-type": [detailType],
        ...(detail && { detail }),
      });
      expect(one("aws:cloudwatch/eventTarget:EventTarget", `fleet-${name}`)).toMatchObject({
        rule: rule.name,
        arn: arn("sqs", "managed-instances-events"),
      });
    }
  });

  test.each([
    ["survey", "router", "rate(1 minute)"],
    ["sweep", "sweep", "rate(10 minutes)"],
  ])(
    "the %s runs the %s at its %s, which may be called by that rule alone",
    async (name, runs, every) => {
      const rule = one("aws:cloudwatch/eventRule:EventRule", `fleet-${name}`);
      expect(rule.scheduleExpression).toBe(every);
      const called = arn("lambda", `managed-instances-${runs}`);
      expect(one("aws:cloudwatch/eventTarget:EventTarget", `fleet-${name}`)).toMatchObject({
        rule: rule.name,
        arn: called,
      });
      expect(one("aws:lambda/permission:Permission", `fleet-${name}`)).toMatchObject({
        action: "lambda:InvokeFunction",
        function: `managed-instances-${runs}`,
        principal: "events.amazonaws.com",
        sourceArn: arn("cloudwatch", `managed-instances-${name}`),
      });
    },
  );
});

describe("permissions", () => {
  const document = (name: string) => {
    const { policy, role } = one("aws:iam/rolePolicy:RolePolicy", `fleet-${name}`);
    expect(role).toBe(`managed-instances-${name}-${region}`);
    return parsed(policy) as unknown as PolicyDocument;
  };
  const table = arn("dynamodb", "table/managed-instances");
  const may = async (
    name: string,
    action: string,
    resource: string,
    context: Record<string, string | string[]> = {},
  ) => (await ask(document(name), { action, resource, context })).isAllowed;
  // The mocks name a table without its kind, as AWS does not.
  const tableArn = arn("dynamodb", "managed-instances");

  test("each function may do its part of EC2, with the roles and keys that were given", () => {
    for (const name of functions) {
      const scope = { partition: "aws", region, accountId, ...args };
      const expected = ec2Statements(name, scope);
      expect(document(name).Statement.slice(0, expected.length)).toEqual(expected);
    }
  });

  test("each function is Lambda's to assume, and nobody else's", () => {
    for (const name of functions)
      expect(parsed(one("aws:iam/role:Role", `fleet-${name}`).assumeRolePolicy)).toEqual({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ],
      });
  });

  test("beside EC2, these are the actions of each", () => {
    const others = (name: string) =>
      document(name)
        .Statement.flatMap(({ Action }) => Action)
        .filter((action) => !/^(ec2|kms|iam):/.test(action))
        .sort();
    const always = [
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ];
    const fed = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    expect(others("router")).toEqual(
      [
        ...always,
        ...fed,
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "sqs:SendMessage",
      ].sort(),
    );
    expect(others("worker")).toEqual(
      [
        ...always,
        ...fed,
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "sns:Publish",
        "sqs:SendMessage",
      ].sort(),
    );
    expect(others("sweep")).toEqual([...always, "sns:Publish"].sort());
  });

  test("no statement names a resource of somebody else's", () => {
    const mine = new RegExp(
      `^arn:aws:(dynamodb|sqs|sns|cloudwatch|logs):${region}:${accountId}:(/aws/lambda/)?managed-instances`,
    );
    for (const name of functions) {
      const resources = document(name)
        .Statement.filter(({ Action }) =>
          Action.every((each) => !/^(ec2|kms|iam|xray):/.test(each)),
        )
        .flatMap(({ Resource }) => Resource);
      expect(resources.filter((resource) => !mine.test(resource))).toEqual([]);
    }
  });

  test("the router takes tokens of the buckets and cannot change an entry; the worker can", async () => {
    const real = (name: string) =>
      JSON.parse(JSON.stringify(document(name)).replaceAll(tableArn, table)) as PolicyDocument;
    const put = async (name: string, key: string) =>
      (
        await ask(real(name), {
          action: "dynamodb:PutItem",
          resource: table,
          context: { "dynamodb:LeadingKeys": [key] },
        })
      ).isAllowed;
    expect(await put("router", "bucket#CreateSnapshot")).toBe(true);
    expect(await put("router", "pmi#pmi-1")).toBe(false);
    expect(await put("worker", "pmi#pmi-1")).toBe(true);
  });

  test("only the worker and the sweep tell people, and only by our topic", async () => {
    const topic = arn("sns", "managed-instances-notifications");
    expect(await may("worker", "sns:Publish", topic)).toBe(true);
    expect(await may("sweep", "sns:Publish", topic)).toBe(true);
    expect(await may("router", "sns:Publish", topic)).toBe(false);
    expect(await may("worker", "sns:Publish", arn("sns", "somebody-elses"))).toBe(false);
  });
});

describe("alarms", () => {
  const alarms = () => all("aws:cloudwatch/metricAlarm:MetricAlarm");
  const operations = readFileSync(path.join(__dirname, "../../docs/operations.md"), "utf8");

  test("each rings on a metric that there is, and people are told of its end too", () => {
    const topic = arn("sns", "managed-instances-notifications");
    for (const { inputs } of alarms()) {
      expect(inputs).toMatchObject({ alarmActions: [topic], okActions: [topic] });
      if (inputs.namespace === metricNamespace)
        expect(Object.keys(metricUnits)).toContain(inputs.metricName);
      else expect(JSON.stringify(inputs.dimensions)).toContain("managed-instances-");
    }
  });

  test("each has a section in the guide to operating it", () => {
    for (const { inputs } of alarms()) {
      const name = String(inputs.name).replace("managed-instances-", "");
      expect(operations).toContain(`### ${name}\n`);
      expect(inputs.alarmDescription).toContain(`"${name}"`);
    }
  });

  test("silence is alarming where it means that nobody looks", () => {
    const silent = alarms().filter(({ inputs }) => inputs.treatMissingData === "breaching");
    expect(silent.map(({ inputs }) => inputs.name)).toEqual(["managed-instances-blind"]);
  });

  test("CloudWatch may publish to the topic, for our alarms only", () => {
    const { policy } = one("aws:sns/topicPolicy:TopicPolicy", "fleet-notifications");
    expect(parsed(policy).Statement).toEqual([
      expect.objectContaining({
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: "sns:Publish",
        Condition: {
          StringEquals: { "aws:SourceAccount": accountId },
          ArnLike: { "aws:SourceArn": arn("cloudwatch", "alarm:managed-instances-*") },
        },
      }),
    ]);
  });

  test("each address is subscribed", () => {
    const subscription = one(
      "aws:sns/topicSubscription:TopicSubscription",
      "fleet-ops@example.com",
    );
    expect(subscription).toMatchObject({ protocol: "email", endpoint: "ops@example.com" });
  });
});

test("the dashboard shows every metric of ours", () => {
  const { dashboardBody } = one("aws:cloudwatch/dashboard:Dashboard", "fleet");
  for (const metric of Object.keys(metricUnits))
    expect(String(dashboardBody)).toContain(`["${metricNamespace}","${metric}"`);
});

test("tags are on every part that takes them", () => {
  const untaggable =
    /Policy|Permission|EventTarget|Subscription|Dashboard|InvokeConfig|ManagedInstanceController/;
  const untagged = registered
    .filter(({ type }) => !untaggable.test(type))
    .filter(({ inputs }) => JSON.stringify(inputs.tags) !== JSON.stringify(args.tags));
  expect(untagged.map(({ type, name }) => `${type} ${name}`)).toEqual([]);
});

test("its outputs are what other stacks need", async () => {
  expect(await resolved(controller.tableName)).toBe("managed-instances");
  expect(load().controllerTableName).toBe("managed-instances");
  expect(await resolved(controller.topicArn)).toBe(arn("sns", "managed-instances-notifications"));
  expect(await resolved(controller.queueUrl)).toBe("https://sqs.test/managed-instances-work.fifo");
});

test("an account with a small limit need not reserve", async () => {
  await deploy({ reserveConcurrency: false });
  for (const name of functions)
    expect(
      one("aws:lambda/function:Function", `fleet-${name}`).reservedConcurrentExecutions,
    ).toBeUndefined();
});

describe("arguments are refused by name, value and rule", () => {
  const wrong: readonly [args: Record<string, unknown>, says: string][] = [
    [{ workerConcurrency: 1 }, "workerConcurrency is 1 and must be at least 2"],
    [{ workerConcurrency: "many" }, 'workerConcurrency is "many" and must be a whole number'],
    [{ logRetentionDays: 10 }, "logRetentionDays is 10 and must be one of 1, 3, 5, 7, 14, 30"],
    [
      { notificationEmails: ["ops"] },
      'notificationEmails.0 is "ops" and must be an e-mail address',
    ],
    [{ notificationEmails: ["a@example.com", "a@example.com"] }, "must not name an address twice"],
    [{ deletionProtection: "yes" }, 'deletionProtection is "yes" and must be true or false'],
    [{ tags: { "pmi:id": "pmi-1" } }, 'must not begin with "aws:" or "pmi:"'],
    [{ tableName: "mine" }, "tableName: no such property; there are deletionProtection"],
  ];
  test.each(wrong)("%j", (given, says) => {
    expect(() => checkArguments("fleet", given)).toThrow(says);
    expect(() => checkArguments("fleet", given)).toThrow('ManagedInstanceController "fleet": ');
  });

  test.each([
    [
      "instanceRoleArns",
      `arn:aws:iam::${accountId}:instance-profile/web`,
      "not of the instance profile",
    ],
    ["kmsKeyArns", "alias/ebs", "not of an alias"],
  ] as const)("%s, once they are known", (property, value, says) => {
    expect(() => checkArns("fleet", property, [value])).toThrow(says);
    expect(() => checkArns("fleet", property, [value])).toThrow(JSON.stringify(value));
  });
});
