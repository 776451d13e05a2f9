/**
 * The controller of an account and Region, and a managed instance that it keeps alive. In practice
 * the controller has a stack of its own, and the programs of many teams name its table.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { ManagedInstance } from "pulumi-managed-instance";
import { ManagedInstanceController } from "pulumi-managed-instance/controller";

const config = new pulumi.Config();

const role = new aws.iam.Role("database", {
  assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "ec2.amazonaws.com" }),
});
const profile = new aws.iam.InstanceProfile("database", { role: role.name });

const controller = new ManagedInstanceController("controller", {
  notificationEmails: config.getObject<string[]>("notificationEmails") ?? [],
  // The only roles that the controller may give to instances.
  instanceRoleArns: [role.arn],
});

const database = new ManagedInstance(
  "database",
  {
    imageId: config.require("imageId"),
    instanceTypes: ["m6i.large", "m5.large", "r5.large"],
    subnetIds: [config.require("subnetId")],
    iamInstanceProfile: profile.name,
    controller: { table: controller.tableName },
  },
  // Registered with all of the controller in place, and ended before any of it goes.
  { dependsOn: [controller] },
);

export const { tableName, topicArn, dashboardName } = controller;
export const { id, instanceId, privateIp } = database;
