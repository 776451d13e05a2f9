/**
 * Which events of EC2 wake us, as data for the component that makes the rules and for the router that
 * gets what they let through. Each matters to us only as a hint: every one of them may be lost, come
 * twice or late (ec2-facts §8).
 */

export interface EventRule {
  /** Part of the rule's name in EventBridge. */
  name: string;
  detailType: string;
  /** What of `detail` a rule lets through; everything when absent. */
  detail?: Readonly<Record<string, readonly string[]>>;
  kind: "instance" | "snapshot" | "image";
  /** The member of `detail` that names the resource, by id or in an ARN. */
  member: string;
}

export const eventRules: readonly EventRule[] = [
  {
    name: "interruption",
    detailType: "EC2 Spot Instance Interruption Warning",
    kind: "instance",
    member: "instance-id",
  },
  {
    name: "rebalance",
    detailType: "EC2 Instance Rebalance Recommendation",
    kind: "instance",
    member: "instance-id",
  },
  {
    // Only the states that end an instance: whoever starts one waits for it himself.
    name: "instance-state",
    detailType: "EC2 Instance State-change Notification",
    detail: { state: ["shutting-down", "stopping", "stopped", "terminated"] },
    kind: "instance",
    member: "instance-id",
  },
  {
    name: "snapshot",
    detailType: "EBS Snapshot Notification",
    detail: { event: ["createSnapshot"] },
    kind: "snapshot",
    member: "snapshot_id",
  },
  {
    name: "image-state",
    detailType: "EC2 AMI State Change",
    detail: { State: ["available", "failed"] },
    kind: "image",
    member: "ImageId",
  },
];

/** As EventBridge wants it. */
export const patternOf = ({ detailType, detail }: EventRule) => ({
  source: ["aws.ec2"],
  "detail-type": [detailType],
  ...(detail === undefined ? {} : { detail }),
});
