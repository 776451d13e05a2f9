/**
 * What sets the functions off: EC2's events as hints, a survey each minute that finds what no event
 * told of, and the sweep every ten minutes. What comes too late is dropped, because the next minute
 * looks at everything again.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { eventRules, patternOf } from "../../src/controller/lambda/event-rules";
import type { Functions } from "./functions";
import { nameOf, partOf, type Site } from "./site";

/** All rules of ours, for the policy of the queue that they fill. */
export const ruleArnPattern = ({ partition, region, accountId }: Omit<Site, "name">) =>
  pulumi.interpolate`arn:${partition}:events:${region}:${accountId}:rule/${nameOf("*")}`;

/** Seconds after which an event that could not be delivered is worth nothing. */
const hintSeconds = 300;

export function createEventRules(site: Site, eventsArn: pulumi.Output<string>): void {
  for (const each of eventRules) {
    const rule = new aws.cloudwatch.EventRule(
      `${site.name}-${each.name}`,
      {
        name: nameOf(each.name),
        description: `${each.detailType}: wakes the controller of managed instances`,
        eventPattern: JSON.stringify(patternOf(each)),
        tags: site.tags,
      },
      partOf(site),
    );
    new aws.cloudwatch.EventTarget(
      `${site.name}-${each.name}`,
      {
        rule: rule.name,
        targetId: "events",
        arn: eventsArn,
        retryPolicy: { maximumEventAgeInSeconds: hintSeconds, maximumRetryAttempts: 10 },
      },
      partOf(site),
    );
  }
}

const schedules = [
  { name: "survey", runs: "router", every: "rate(1 minute)" },
  { name: "sweep", runs: "sweep", every: "rate(10 minutes)" },
] as const;

export function createSchedules(site: Site, functions: Functions): void {
  for (const { name, runs, every } of schedules) {
    const rule = new aws.cloudwatch.EventRule(
      `${site.name}-${name}`,
      {
        name: nameOf(name),
        description: `Runs ${nameOf(runs)}`,
        scheduleExpression: every,
        tags: site.tags,
      },
      partOf(site),
    );
    const permission = new aws.lambda.Permission(
      `${site.name}-${name}`,
      {
        action: "lambda:InvokeFunction",
        function: functions[runs].name,
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      partOf(site),
    );
    new aws.lambda.FunctionEventInvokeConfig(
      `${site.name}-${name}`,
      {
        functionName: functions[runs].name,
        maximumEventAgeInSeconds: 60,
        maximumRetryAttempts: 0,
      },
      partOf(site),
    );
    new aws.cloudwatch.EventTarget(
      `${site.name}-${name}`,
      { rule: rule.name, targetId: name, arn: functions[runs].arn },
      { ...partOf(site), dependsOn: [site.guard, permission] },
    );
  }
}
