/**
 * What a user may say about a managed instance: one schema, whose parsed form is the Spec that the
 * engine decides on. Names and defaults are those that a user of Spot.io's Managed Instance knows;
 * durations carry their unit in the name. Everything here is pure.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { derived } from "./derived";
import { rootVolumeComplaints, rootVolumeSchema } from "./root-volume";

const pattern = (expression: RegExp, rule: string) =>
  z.string({ error: rule }).regex(expression, rule);

const imageId = pattern(
  /^ami-[0-9a-f]{8,17}$/,
  "must be an image id such as ami-0abc1234def567890",
);
const subnetId = pattern(/^subnet-[0-9a-f]{8,17}$/, "must be a subnet id such as subnet-0abc1234");
const securityGroupId = pattern(
  /^sg-[0-9a-f]{8,17}$/,
  "must be a security group id such as sg-0abc1234",
);
const instanceType = pattern(
  /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/,
  "must be an instance type such as m5.large",
);
const hours = (rule: string) =>
  z
    .int(rule)
    .min(0, rule)
    .max(24 * 365, rule);

const metadataOptionsSchema = z
  .strictObject({
    httpTokens: z.enum(["required", "optional"]).default("required"),
    httpPutResponseHopLimit: z.int().min(1).max(64).default(2),
    instanceMetadataTags: z.enum(["enabled", "disabled"]).default("disabled"),
  })
  .prefault({});

const snapshotsSchema = z
  .strictObject({
    /** Minutes between two periodic snapshots of the running root disk. Spot.io's is 5. */
    intervalMinutes: z.int().min(1).max(1440).default(5),
    /** Completed periodic snapshots kept while running. Spot.io's is 3. */
    keep: z.int().min(1).max(100).default(3),
    /** Minutes that a final snapshot may take before the latest completed one is used instead. */
    finalDeadlineMinutes: z.int().min(1).max(1440).default(120),
  })
  .prefault({});

const retentionRule = "must be whole hours between 0 (delete at once) and 8760";
const retentionSchema = z
  .strictObject({
    images: hours(retentionRule).default(96),
    snapshots: hours(retentionRule).default(96),
    volumes: hours(retentionRule).default(96),
    networkInterfaces: hours(retentionRule).default(96),
  })
  .prefault({});

const isReservedTag = (key: string) => /^(aws|pmi):/i.test(key);

const tagsSchema = z
  .record(
    z.string().min(1).max(128, "must be at most 128 characters"),
    z.string().max(256, "must be at most 256 characters"),
  )
  .refine(
    (tags) => Object.keys(tags).length <= 30,
    "must be at most 30 tags: EC2 allows 50 a resource and we need some",
  )
  .refine(
    (tags) => !Object.keys(tags).some(isReservedTag),
    'must not use the reserved prefixes "aws:" and "pmi:"',
  )
  .default({});

const shape = {
  /** AWS Region; default: the provider's. */
  region: pattern(/^[a-z]{2,5}(-[a-z]+)+-\d$/, "must be a Region such as eu-central-1").optional(),
  /** The base image. Changing it is an AMI swap: the next launch boots the new image. */
  imageId,
  instanceTypes: z.array(instanceType).min(1, "must name at least one instance type"),
  /** Tried before the others, in this order, and for On-Demand. Each must be in instanceTypes. */
  preferredInstanceTypes: z.array(instanceType).default([]),
  subnetIds: z.array(subnetId).min(1, "must name at least one subnet"),
  /** Default: the VPC's default security group. */
  securityGroupIds: z.array(securityGroupId).max(16).default([]),
  /** A fixed primary private address; default: EC2 chooses one at creation. */
  privateIp: z.ipv4("must be an IPv4 address").optional(),
  keyName: z.string().min(1).max(255).optional(),
  /** Name or ARN of an instance profile. */
  iamInstanceProfile: z.string().min(1).optional(),
  /** Plain text; encoded for EC2 by us. Kept as a secret. */
  userData: z
    .string()
    .refine(
      (text) => new TextEncoder().encode(text).length <= 16384,
      "must be at most 16 KiB, EC2's limit",
    )
    .optional(),
  ebsOptimized: z.boolean().optional(),
  monitoring: z.boolean().default(false),
  metadataOptions: metadataOptionsSchema,
  rootVolume: rootVolumeSchema,
  lifeCycle: z.enum(["spot", "on_demand"]).default("spot"),
  fallbackToOnDemand: z.boolean().default(true),
  /** USD per hour; default: the On-Demand price, as EC2 does. */
  maxSpotPrice: z.number().gt(0.001, "must be more than USD 0.001").optional(),
  persistRootDevice: z.boolean().default(true),
  persistPrivateIp: z.boolean().default(true),
  desiredState: z.enum(["running", "paused"]).default("running"),
  /** Any change of this text recycles the managed instance once. */
  recycleToken: z.string().max(64).optional(),
  /** When changed properties that need another launch take effect. */
  applyChanges: z.enum(["at-once", "at-next-recycle"]).default("at-once"),
  autoHealing: z.boolean().default(true),
  gracePeriodSeconds: z.int().min(0).max(86400).default(120),
  unhealthyDurationSeconds: z.int().min(60).max(86400).default(120),
  snapshots: snapshotsSchema,
  /** Hours that the previous lineage is kept after an AMI swap. */
  rollbackHours: hours("must be whole hours between 0 and 8760").default(24),
  /** Hours that each kind is kept after deallocation. */
  retentionHours: retentionSchema,
  tags: tagsSchema,
};

export const specSchema = z.strictObject(shape).superRefine((spec, context) => {
  const refuse = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  if (!spec.persistRootDevice && !spec.persistPrivateIp)
    refuse(
      ["persistRootDevice"],
      "at least one of persistRootDevice and persistPrivateIp must be true: a managed instance that persists nothing is an ordinary instance",
    );
  const stranger = spec.preferredInstanceTypes.find((type) => !spec.instanceTypes.includes(type));
  if (stranger !== undefined)
    refuse(["preferredInstanceTypes"], `${stranger} must also be listed in instanceTypes`);
  if (spec.privateIp !== undefined && !spec.persistPrivateIp)
    refuse(["privateIp"], "needs persistPrivateIp: a fixed address is a persisted one");
  if (spec.privateIp !== undefined && spec.subnetIds.length > 1)
    refuse(
      ["privateIp"],
      "needs exactly one subnet in subnetIds: an address belongs to one subnet",
    );
  if (spec.maxSpotPrice !== undefined && spec.lifeCycle !== "spot")
    refuse(["maxSpotPrice"], 'needs lifeCycle "spot"');
  for (const [property, rule] of rootVolumeComplaints(spec.rootVolume))
    refuse(["rootVolume", property], rule);
});

export type SpecInput = z.input<typeof specSchema>;
export type Spec = z.output<typeof specSchema>;

/** The property names of the spec, in the order of the documentation. */
export const specProperties = Object.keys(shape) as readonly (keyof Spec)[];

/** What becomes of a changed property, as preview names it. */
export type ChangeEffect = "in-place" | "next-launch" | "ami-swap" | "recycle" | "pause-or-resume";

/**
 * The effect of changing each property. `next-launch` properties are facts of a launch: they need
 * another generation, at once or at the next recycle as `applyChanges` says. Nothing ever replaces
 * the managed instance.
 */
export const changeEffects: Record<keyof Spec, ChangeEffect> = {
  region: "in-place",
  imageId: "ami-swap",
  instanceTypes: "next-launch",
  preferredInstanceTypes: "in-place",
  subnetIds: "next-launch",
  securityGroupIds: "in-place",
  privateIp: "next-launch",
  keyName: "next-launch",
  iamInstanceProfile: "next-launch",
  userData: "next-launch",
  ebsOptimized: "next-launch",
  monitoring: "next-launch",
  metadataOptions: "next-launch",
  rootVolume: "next-launch",
  lifeCycle: "next-launch",
  fallbackToOnDemand: "in-place",
  maxSpotPrice: "next-launch",
  persistRootDevice: "in-place",
  persistPrivateIp: "in-place",
  desiredState: "pause-or-resume",
  recycleToken: "recycle",
  applyChanges: "in-place",
  autoHealing: "in-place",
  gracePeriodSeconds: "in-place",
  unhealthyDurationSeconds: "in-place",
  snapshots: "in-place",
  rollbackHours: "in-place",
  retentionHours: "in-place",
  tags: "in-place",
};

/** JSON with sorted keys and without undefined, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/**
 * A short fingerprint. Eight hexadecimal digits only, on purpose: it is written to tags and covers
 * user data, and so short a digest cannot confirm a guess of a secret.
 */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 8);
}

/**
 * The properties that an instance is launched with and that do not change on a running one, apart
 * from those that decide checks by looking at the instance itself (image, types, subnets, market).
 */
export const launchFingerprint = derived((spec: Spec): string => {
  const { keyName, iamInstanceProfile, userData, ebsOptimized, monitoring } = spec;
  const { metadataOptions, rootVolume, lifeCycle, maxSpotPrice } = spec;
  return fingerprint([
    { keyName, iamInstanceProfile, userData, ebsOptimized, monitoring },
    { metadataOptions, rootVolume, lifeCycle, maxSpotPrice },
  ]);
});
