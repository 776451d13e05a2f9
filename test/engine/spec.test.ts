// What a user may say: defaults, refusals in the user's words at the property they concern, and what
// becomes of a change.

import * as fc from "fast-check";
import {
  canonicalJson,
  changeEffects,
  fingerprint,
  launchFingerprint,
  type Spec,
  type SpecInput,
  specProperties,
  specSchema,
} from "../../src/engine/spec";
import { specs } from "./arbitraries";
import { groupA, imageA, spec, subnetA, subnetB } from "./builders";

const least = { imageId: imageA, instanceTypes: ["m5.large"], subnetIds: [subnetA] };

test("image, types and subnets are enough, and the rest is what a Spot.io user expects", () => {
  expect(specSchema.parse(least)).toEqual({
    ...least,
    preferredInstanceTypes: [],
    securityGroupIds: [],
    monitoring: false,
    metadataOptions: {
      httpTokens: "required",
      httpPutResponseHopLimit: 2,
      instanceMetadataTags: "disabled",
    },
    rootVolume: { volumeType: "gp3", encrypted: true },
    lifeCycle: "spot",
    fallbackToOnDemand: true,
    persistRootDevice: true,
    persistPrivateIp: true,
    desiredState: "running",
    applyChanges: "at-once",
    autoHealing: true,
    gracePeriodSeconds: 120,
    unhealthyDurationSeconds: 120,
    snapshots: { intervalMinutes: 5, keep: 3, finalDeadlineMinutes: 120 },
    rollbackHours: 24,
    retentionHours: { images: 96, snapshots: 96, volumes: 96, networkInterfaces: 96 },
    tags: {},
  });
});

test("a spec that was parsed is parsed again to itself", () => {
  fc.assert(fc.property(specs, (parsed) => expect(specSchema.parse(parsed)).toEqual(parsed)));
});

type Change = Partial<Record<keyof SpecInput | "unheardOf", unknown>>;

const refusals: [string, Change, string, string][] = [
  ["a mistyped image", { imageId: "ami-xyz" }, "imageId", "must be an image id"],
  ["an image that is no text", { imageId: 7 }, "imageId", "must be an image id"],
  ["no type", { instanceTypes: [] }, "instanceTypes", "at least one instance type"],
  ["a mistyped type", { instanceTypes: ["large"] }, "instanceTypes.0", "must be an instance type"],
  ["no subnet", { subnetIds: [] }, "subnetIds", "at least one subnet"],
  ["a mistyped subnet", { subnetIds: ["net-1"] }, "subnetIds.0", "must be a subnet id"],
  ["a mistyped group", { securityGroupIds: ["x"] }, "securityGroupIds.0", "security group id"],
  ["a mistyped Region", { region: "Frankfurt" }, "region", "must be a Region"],
  ["an address that is none", { privateIp: "10.0.0" }, "privateIp", "must be an IPv4 address"],
  ["user data that is too long", { userData: "x".repeat(16385) }, "userData", "16 KiB"],
  ["user data of too many bytes", { userData: "é".repeat(8193) }, "userData", "16 KiB"],
  ["a price of nothing", { maxSpotPrice: 0 }, "maxSpotPrice", "more than USD 0.001"],
  ["half an hour", { rollbackHours: 0.5 }, "rollbackHours", "whole hours"],
  ["hours below none", { retentionHours: { images: -1 } }, "retentionHours.images", "whole hours"],
  ["a property that is none", { unheardOf: 1 }, "", "unheardOf"],
  [
    "nothing persisted",
    { persistRootDevice: false, persistPrivateIp: false },
    "persistRootDevice",
    "at least one of",
  ],
  [
    "a preferred type that is not allowed",
    { preferredInstanceTypes: ["c5.large"] },
    "preferredInstanceTypes",
    "c5.large must also be listed",
  ],
  [
    "a fixed address that is not persisted",
    { privateIp: "10.0.0.5", persistPrivateIp: false },
    "privateIp",
    "needs persistPrivateIp",
  ],
  [
    "a fixed address in two subnets",
    { privateIp: "10.0.0.5", subnetIds: [subnetA, subnetB] },
    "privateIp",
    "exactly one subnet",
  ],
  [
    "a Spot price for On-Demand",
    { maxSpotPrice: 1, lifeCycle: "on_demand" },
    "maxSpotPrice",
    "needs lifeCycle",
  ],
  [
    "throughput of the wrong volume",
    { rootVolume: { volumeType: "gp2", throughput: 125 } },
    "rootVolume.throughput",
    "gp3",
  ],
  [
    "iops of the wrong volume",
    { rootVolume: { volumeType: "standard", iops: 3000 } },
    "rootVolume.iops",
    "needs volumeType",
  ],
  [
    "iops of a volume that has its own",
    { rootVolume: { volumeType: "gp2", iops: 3000 } },
    "rootVolume.iops",
    "needs volumeType",
  ],
  [
    "a disk that is too large for its kind",
    { rootVolume: { volumeType: "gp2", sizeGiB: 20000 } },
    "rootVolume.sizeGiB",
    "between 1 and 16384 GiB",
  ],
  [
    "a disk that is too small for its kind",
    { rootVolume: { volumeType: "io1", iops: 100, sizeGiB: 3 } },
    "rootVolume.sizeGiB",
    "between 4 and 16384 GiB",
  ],
  [
    "fewer iops than any disk has",
    { rootVolume: { iops: 100 } },
    "rootVolume.iops",
    "between 3000 and 80000",
  ],
  [
    "more iops than any disk has",
    { rootVolume: { volumeType: "io1", iops: 64001 } },
    "rootVolume.iops",
    "between 100 and 64000",
  ],
  [
    "more iops than its size allows",
    { rootVolume: { sizeGiB: 8, iops: 16000 } },
    "rootVolume.iops",
    "at most 4000 for 8 GiB",
  ],
  [
    "more throughput than its iops allow",
    { rootVolume: { throughput: 2000 } },
    "rootVolume.throughput",
    "at most 750 MiB/s with 3000 iops",
  ],
  [
    "no iops where they are due",
    { rootVolume: { volumeType: "io2" } },
    "rootVolume.iops",
    "is required",
  ],
  [
    "no iops where they are due either",
    { rootVolume: { volumeType: "io1" } },
    "rootVolume.iops",
    "is required",
  ],
  [
    "a key without encryption",
    { rootVolume: { encrypted: false, kmsKeyId: "key" } },
    "rootVolume.kmsKeyId",
    "needs encrypted",
  ],
  ["a tag of AWS's", { tags: { "aws:x": "1" } }, "tags", "reserved prefixes"],
  ["a tag of ours", { tags: { "PMI:id": "pmi-1" } }, "tags", "reserved prefixes"],
  [
    "31 tags",
    { tags: Object.fromEntries(Array.from({ length: 31 }, (_, at) => [`k${at}`, ""])) },
    "tags",
    "at most 30",
  ],
  ["a tag value that is too long", { tags: { key: "x".repeat(257) } }, "tags.key", "256"],
];

test.each(refusals)("%s is refused at its property", (_name, change, path, message) => {
  const issues = specSchema.safeParse({ ...least, ...change }).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join("."))).toEqual([path]);
  expect(issues[0]?.message).toContain(message);
});

test.each([
  ["imageId", imageA, (imageId: string) => ({ imageId })],
  ["subnetIds.0", subnetA, (subnetId: string) => ({ subnetIds: [subnetId] })],
  ["securityGroupIds.0", groupA, (groupId: string) => ({ securityGroupIds: [groupId] })],
  ["instanceTypes.0", "m5.large", (type: string) => ({ instanceTypes: [type] })],
  ["region", "eu-central-1", (region: string) => ({ region })],
])("%s has nothing before it and nothing after it", (path, text, change) => {
  expect(specSchema.safeParse({ ...least, ...change(text) }).success).toBe(true);
  for (const padded of [` ${text}`, `${text} `]) {
    const issues = specSchema.safeParse({ ...least, ...change(padded) }).error?.issues ?? [];
    expect(issues.map((issue) => issue.path.join("."))).toEqual([path]);
  }
});

test.each([
  { volumeType: "gp3", iops: 3000, throughput: 250 },
  { volumeType: "gp2" },
  { volumeType: "io1", iops: 300 },
  { volumeType: "io2", iops: 300, kmsKeyId: "key" },
  { volumeType: "standard", encrypted: false },
] as const)("a root volume may be $volumeType with what belongs to it", (rootVolume) => {
  expect(spec({ rootVolume }).rootVolume).toMatchObject(rootVolume);
});

test("a tag may have a reserved prefix within its key", () => {
  const tags = { "team:aws:x": "1" };
  expect(spec({ tags }).tags).toEqual(tags);
});

test("as much user data as EC2 takes is accepted", () => {
  expect(spec({ userData: "é".repeat(8192) }).userData).toHaveLength(8192);
});

test.each(["us-gov-west-1", "ap-southeast-2", "eu-central-1"])("%s is a Region", (region) => {
  expect(spec({ region }).region).toBe(region);
});

test.each(["u-6tb1.112xlarge", "m7i-flex.large", "mac2-m2.metal", "c7gn.metal"])(
  "%s is an instance type",
  (type) => expect(spec({ instanceTypes: [type] }).instanceTypes).toEqual([type]),
);

test("every property has an effect when it changes, and nothing else has one", () => {
  expect(Object.keys(changeEffects).sort()).toEqual([...specProperties].sort());
});

describe("the fingerprint of a launch", () => {
  const others: Partial<Record<keyof Spec, unknown>> = {
    keyName: "other",
    iamInstanceProfile: "other",
    userData: "other",
    ebsOptimized: true,
    monitoring: true,
    metadataOptions: { httpTokens: "optional" },
    rootVolume: { sizeGiB: 99 },
    lifeCycle: "on_demand",
    maxSpotPrice: 1,
  };
  /** These need another launch too, but the instance itself shows them. */
  const observed = ["instanceTypes", "subnetIds", "privateIp"];

  test("changes with every property that needs another launch and is not to be seen on it", () => {
    const before = launchFingerprint(spec());
    const after = Object.entries(others).map(([key, value]) =>
      launchFingerprint(specSchema.parse({ ...least, [key]: value })),
    );
    expect(after).not.toContain(before);
    const nextLaunch = specProperties.filter((key) => changeEffects[key] === "next-launch");
    expect([...Object.keys(others), ...observed].sort()).toEqual([...nextLaunch].sort());
  });

  test("does not change with what takes effect in place", () => {
    const inPlace = spec({
      autoHealing: false,
      tags: { a: "b" },
      rollbackHours: 1,
      recycleToken: "x",
      desiredState: "paused",
    });
    expect(launchFingerprint(inPlace)).toBe(launchFingerprint(spec()));
  });

  test("is too short to confirm a guess of a secret", () => {
    expect(launchFingerprint(spec({ userData: "secret" }))).toMatch(/^[0-9a-f]{8}$/);
  });
});

test("equal values have equal texts, whatever the order of their keys", () => {
  expect(canonicalJson({ b: 1, a: { d: [2, 1], c: undefined } })).toBe('{"a":{"d":[2,1]},"b":1}');
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(fingerprint(reversed)).toBe(fingerprint(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test.each([
  { sizeGiB: 1, iops: 3000, throughput: 750 },
  { sizeGiB: 160, iops: 80000, throughput: 2000 },
  { iops: 80000 },
  { volumeType: "io2", sizeGiB: 4, iops: 4000 },
  { volumeType: "standard", sizeGiB: 1024 },
])("a root volume at EBS's limits is accepted: %j", (rootVolume) => {
  expect(specSchema.safeParse({ ...least, rootVolume }).success).toBe(true);
});
