/**
 * The repository itself as a Pulumi project: one managed instance from stack configuration.
 *
 *   npm run build
 *   pulumi stack init dev
 *   pulumi config set aws:region us-east-1
 *   pulumi config set imageId ami-…
 *   pulumi config set --path 'subnetIds[0]' subnet-…
 *   pulumi config set endpoint http://127.0.0.1:4599     # leave out for AWS; see npm run simulator
 *   pulumi up
 */
import * as pulumi from "@pulumi/pulumi";
import { ManagedInstance } from "pulumi-managed-instance";

const config = new pulumi.Config();

const instance = new ManagedInstance("main", {
  imageId: config.require("imageId"),
  instanceTypes: config.requireObject<string[]>("instanceTypes"),
  subnetIds: config.requireObject<string[]>("subnetIds"),
  lifeCycle: config.get("lifeCycle"),
  desiredState: config.get("desiredState"),
  recycleToken: config.get("recycleToken") || undefined,
});

export const id = instance.id;
export const state = instance.state;
export const instanceId = instance.instanceId;
export const generation = instance.generation;
export const lineage = instance.lineage;
export const privateIp = instance.privateIp;
export const rootVolumeId = instance.rootVolumeId;
export const lastSnapshotAt = instance.lastSnapshotAt;
