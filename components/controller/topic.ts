/**
 * Where people are told: interrupted, recovered, failed, stuck, deallocated, expired, and alarms.
 * Not encrypted with AWS's own key for SNS, because CloudWatch cannot use that; the notices hold no
 * secrets.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameOf, partOf, type Site } from "./site";

export function createTopic(site: Site, emails: readonly string[]): aws.sns.Topic {
  const topic = new aws.sns.Topic(
    `${site.name}-notifications`,
    { name: nameOf("notifications"), displayName: "Managed instances", tags: site.tags },
    partOf(site),
  );
  new aws.sns.TopicPolicy(
    `${site.name}-notifications`,
    { arn: topic.arn, policy: fromAlarms(site, topic.arn) },
    partOf(site),
  );
  for (const email of emails)
    new aws.sns.TopicSubscription(
      `${site.name}-${email}`,
      { topic: topic.arn, protocol: "email", endpoint: email },
      partOf(site),
    );
  return topic;
}

/** The worker and the sweep publish by their own roles; alarms need to be let in here. */
const fromAlarms = ({ partition, region, accountId }: Site, topicArn: pulumi.Output<string>) =>
  pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "OurAlarms",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: "sns:Publish",
        Resource: topicArn,
        Condition: {
          StringEquals: { "aws:SourceAccount": accountId },
          ArnLike: {
            "aws:SourceArn": pulumi.interpolate`arn:${partition}:cloudwatch:${region}:${accountId}:alarm:${nameOf("*")}`,
          },
        },
      },
    ],
  });
