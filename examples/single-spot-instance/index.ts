/** The smallest complete program: one instance on Spot whose disk and address outlive it. */
import * as pulumi from "@pulumi/pulumi";
import { ManagedInstance } from "pulumi-managed-instance";

const config = new pulumi.Config();

const database = new ManagedInstance("database", {
  imageId: config.require("imageId"),
  instanceTypes: ["m6i.large", "m5.large", "r5.large"],
  subnetIds: [config.require("subnetId")],
});

export const id = database.id;
export const instanceId = database.instanceId;
export const privateIp = database.privateIp;
