/**
 * A managed instance among ordinary AWS resources: the newest Amazon Linux, the subnets of a VPC that
 * exists already, a security group and an instance profile of its own.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ManagedInstance } from "pulumi-managed-instance";

const config = new pulumi.Config();
const vpcId = config.require("vpcId");

const subnets = aws.ec2.getSubnetsOutput({ filters: [{ name: "vpc-id", values: [vpcId] }] });

// Fixed by its name: a filter for the newest would swap the image on the day that AWS publishes one.
const image = aws.ec2.getAmiOutput({
  owners: ["amazon"],
  filters: [{ name: "name", values: [config.require("imageName")] }],
});

const firewall = new aws.ec2.SecurityGroup("wiki", {
  vpcId,
  description: "The wiki: HTTPS from inside",
  ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: ["10.0.0.0/8"] }],
  egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
});

const role = new aws.iam.Role("wiki", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "ec2.amazonaws.com" }),
});
new aws.iam.RolePolicyAttachment("wiki-session-manager", {
  role: role.name,
  policyArn: "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
});
const profile = new aws.iam.InstanceProfile("wiki", { role: role.name });

const wiki = new ManagedInstance("wiki", {
  imageId: image.id,
  instanceTypes: ["m6i.large", "m5.large"],
  subnetIds: subnets.ids,
  securityGroupIds: [firewall.id],
  iamInstanceProfile: profile.name,
  userData: "#!/bin/sh\ndnf install -y nginx && systemctl enable --now nginx\n",
  rootVolume: { sizeGiB: 40, throughput: 250 },
  snapshots: { intervalMinutes: 15, keep: 4 },
  tags: { Name: "wiki", team: "docs" },
});

/** Stays the same through interruptions, recycles and AMI swaps, so it may go into a DNS record. */
export const privateIp = wiki.privateIp;
export const id = wiki.id;
