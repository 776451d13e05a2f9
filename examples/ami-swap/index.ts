/** A new base image under the same identity: `pulumi config set imageId ami-…` and `pulumi up`. */
import * as pulumi from "@pulumi/pulumi";
import { ManagedInstance } from "pulumi-managed-instance";

const config = new pulumi.Config();

const builder = new ManagedInstance("builder", {
  imageId: config.require("imageId"),
  instanceTypes: ["c6i.xlarge", "c5.xlarge"],
  subnetIds: [config.require("subnetId")],
  // Time to notice that the new image is bad: so long the previous root disk is kept.
  rollbackHours: 72,
  // "at-next-recycle" would leave the running instance alone until it is recycled anyway.
  applyChanges: "at-once",
  timeouts: { update: "30m" },
});

/** Grows by one with each image: which boot of a base image the root disk descends from. */
export const lineage = builder.lineage;
export const generation = builder.generation;
export const imageId = builder.imageId;
export const privateIp = builder.privateIp;
