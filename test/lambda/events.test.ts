/** The events of EC2 as AWS documents them, odd ARNs and all, and what cannot be understood. */
import { hintOf } from "../../src/controller/lambda/events";

const event = (detailType: string, detail: object, resources: string[] = []) => ({
  version: "0",
  id: "12345678-1234-1234-1234-123456789012",
  "detail-type": detailType,
  source: "aws.ec2",
  account: "123456789012",
  time: "2026-01-01T00:00:00Z",
  region: "us-east-2",
  resources,
  detail,
});

const documented: readonly [detailType: string, detail: object, kind: string, id: string][] = [
  [
    "EC2 Spot Instance Interruption Warning",
    { "instance-id": "i-1234567890abcdef0", "instance-action": "terminate" },
    "instance",
    "i-1234567890abcdef0",
  ],
  [
    "EC2 Instance Rebalance Recommendation",
    { "instance-id": "i-1234567890abcdef0" },
    "instance",
    "i-1234567890abcdef0",
  ],
  [
    "EC2 Instance State-change Notification",
    { "instance-id": "i-1234567890abcdef0", state: "terminated" },
    "instance",
    "i-1234567890abcdef0",
  ],
  [
    "EBS Snapshot Notification",
    {
      event: "createSnapshot",
      result: "succeeded",
      cause: "",
      "request-id": "",
      snapshot_id: "arn:aws:ec2::us-west-2:snapshot/snap-01234567",
      source: "arn:aws:ec2::us-west-2:volume/vol-01234567",
      startTime: "2026-01-01T00:00:00Z",
      endTime: "2026-01-01T00:01:00Z",
    },
    "snapshot",
    "snap-01234567",
  ],
  [
    "EC2 AMI State Change",
    { RequestId: "9f3b", ImageId: "ami-0abcdef1234567890", State: "available", ErrorMessage: "" },
    "image",
    "ami-0abcdef1234567890",
  ],
];

test.each(documented)("%s names %#", (detailType, detail, kind, resourceId) => {
  expect(hintOf(event(detailType, detail))).toEqual({
    eventId: "12345678-1234-1234-1234-123456789012",
    what: detailType,
    kind,
    resourceId,
  });
});

test.each<[string, unknown]>([
  [
    "another service's",
    { ...event("EC2 AMI State Change", { ImageId: "ami-1" }), source: "aws.s3" },
  ],
  ["one that no rule lets through", event("EBS Volume Notification", { event: "createVolume" })],
  ["one that names nothing", event("EC2 Instance Rebalance Recommendation", {})],
  [
    "one that names something else",
    event("EC2 Instance Rebalance Recommendation", { "instance-id": "vol-01234567" }),
  ],
  ["no event at all", "hello"],
  ["nothing", undefined],
])("%s is no hint", (_sentence, given) => {
  expect(hintOf(given)).toBeUndefined();
});
