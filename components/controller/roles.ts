/**
 * What each function may do: its part of EC2 (src/aws/policy.ts), its share of the table and the
 * queues, its own log, and nothing else.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ec2Statements, type PolicyScope, type Statement } from "../../src/aws/policy";
import { dynamoTable } from "../../src/controller/dynamo-table";
import { nameOf, partOf, type Site } from "./site";

export type FunctionName = "router" | "worker" | "sweep";

export interface Reach {
  ec2: Pick<PolicyScope, "instanceRoleArns" | "kmsKeyArns">;
  tableArn: string;
  eventsArn: string;
  workArn: string;
  topicArn: string;
  logGroupArn: string;
}

const allow = (Sid: string, Action: readonly string[], Resource: readonly string[]): Statement => ({
  Sid,
  Effect: "Allow",
  Action,
  Resource,
});

/** The statements of one function. */
function statementsOf(
  part: FunctionName,
  scope: Omit<PolicyScope, keyof Reach["ec2"]>,
  reach: Reach,
): Statement[] {
  return [
    ...ec2Statements(part, { ...scope, ...reach.ec2 }),
    allow("WriteItsLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [`${reach.logGroupArn}:*`]),
    allow("Trace", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
    ...ownStatements(part, reach),
  ];
}

/** What Lambda itself does with the role, to feed a function from a queue. */
const consuming = (arn: string) =>
  allow(
    "TakeFromItsQueue",
    ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    [arn],
  );

function ownStatements(part: FunctionName, reach: Reach): Statement[] {
  const sending = allow("SendToTheWorker", ["sqs:SendMessage"], [reach.workArn]);
  const telling = allow("TellPeople", ["sns:Publish"], [reach.topicArn]);
  switch (part) {
    case "router":
      return [consuming(reach.eventsArn), sending, ...registryStatements("router", reach.tableArn)];
    case "worker":
      return [
        consuming(reach.workArn),
        sending,
        telling,
        ...registryStatements("worker", reach.tableArn),
      ];
    case "sweep":
      return [telling];
  }
}

/** Who reads by due time and takes tokens of the request buckets cannot change an entry. */
export function registryStatements(part: "router" | "worker", tableArn: string): Statement[] {
  switch (part) {
    case "router":
      return [
        allow(
          "ReadTheTable",
          ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"],
          [tableArn, `${tableArn}/index/${dynamoTable.dueIndex.name}`],
        ),
        {
          ...allow("TakeFromTheBuckets", ["dynamodb:PutItem"], [tableArn]),
          Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["bucket#*"] } },
        },
      ];
    case "worker":
      return [
        allow(
          "UseTheTable",
          ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
          [tableArn],
        ),
      ];
  }
}

/** The role of one function, named with the Region because IAM knows no Regions. */
export function createRole(
  site: Site,
  part: FunctionName,
  reach: pulumi.Output<Reach>,
): { role: aws.iam.Role; policy: aws.iam.RolePolicy } {
  const { partition, region, accountId } = site;
  const role = new aws.iam.Role(
    `${site.name}-${part}`,
    {
      name: pulumi.interpolate`${nameOf(part)}-${region}`,
      description: `The ${part} of the controller of managed instances`,
      assumeRolePolicy: pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ],
      }),
      tags: site.tags,
    },
    partOf(site),
  );
  const document = pulumi
    .all([partition, region, accountId, reach])
    .apply(([partition, region, accountId, reach]) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: statementsOf(part, { partition, region, accountId }, reach),
      }),
    );
  const policy = new aws.iam.RolePolicy(
    `${site.name}-${part}`,
    { name: part, role: role.name, policy: document },
    partOf(site),
  );
  return { role, policy };
}
