/**
 * Argument sets of a managed instance as a program might send them: good ones, and good ones in which
 * something was replaced, removed or added. Everything that Pulumi can carry may stand anywhere.
 */
import * as fc from "fast-check";
import { specProperties } from "../../src/engine/spec";
import { resourceProperties } from "../../src/provider/inputs";
import {
  DEFAULT_SECURITY_GROUP_ID,
  DEFAULT_SUBNET_IDS,
  IMAGE_IDS,
} from "../../src/simulator/start-world";
import { secretWord } from "../e2e/secrets";

export type Arguments = Record<string, unknown>;

export const knownProperties: readonly string[] = [...specProperties, ...resourceProperties];

/** What Pulumi sends in place of values that a preview does not know, by type. */
const unknowns = [
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
];
/** How Pulumi marks an object that stands for a secret, an asset, a resource. */
const signature = "4dabf18193072939515e22adb298388d";
const signatures = [
  "1b47061264138c4ac30d75fd1eb44270",
  "c44067f5952c0a294b673a41bacd8c17",
  "5cf8f73096256a8f31e491e813e4eb8e",
];
const namesOfPrototypes = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "toJSON",
  "then",
  "length",
];

const unicode = fc.string({ unit: "binary", maxLength: 40 });
const types = ["m5.large", "m6i.large", "c5.large", "r5.large", "t3.micro"];
const imageIds = [IMAGE_IDS.amazonLinux, IMAGE_IDS.amazonLinuxNewer, IMAGE_IDS.ubuntu];
const someOf = <Value>(values: readonly Value[]) =>
  fc.shuffledSubarray([...values], { minLength: 1 });
const hours = fc.integer({ min: 0, max: 200 });

/** One good value of each property; together they may still break a rule over two of them. */
const goodValues: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  imageId: fc.constantFrom(...imageIds),
  instanceTypes: someOf(types),
  preferredInstanceTypes: fc.shuffledSubarray(types),
  subnetIds: someOf(DEFAULT_SUBNET_IDS),
  securityGroupIds: fc.constantFrom([], [DEFAULT_SECURITY_GROUP_ID]),
  privateIp: fc.integer({ min: 0, max: 255 }).map((last) => `172.31.5.${last}`),
  keyName: fc.constant("ops"),
  iamInstanceProfile: fc.constantFrom("app", "arn:aws:iam::123456789012:instance-profile/app"),
  userData: unicode.map((text) => `#!/bin/sh\n# ${secretWord}\n${text}`),
  ebsOptimized: fc.boolean(),
  monitoring: fc.boolean(),
  metadataOptions: fc.record(
    {
      httpTokens: fc.constantFrom("required", "optional"),
      httpPutResponseHopLimit: fc.integer({ min: 1, max: 64 }),
      instanceMetadataTags: fc.constantFrom("enabled", "disabled"),
    },
    { requiredKeys: [] },
  ),
  rootVolume: fc.record(
    {
      sizeGiB: fc.integer({ min: 8, max: 64 }),
      volumeType: fc.constantFrom("gp3", "gp3", "gp2", "io1", "io2", "standard"),
      iops: fc.integer({ min: 100, max: 5000 }),
      throughput: fc.integer({ min: 125, max: 1000 }),
      encrypted: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  lifeCycle: fc.constantFrom("spot", "on_demand"),
  fallbackToOnDemand: fc.boolean(),
  maxSpotPrice: fc.double({ min: 0.01, max: 5, noNaN: true }),
  persistRootDevice: fc.boolean(),
  persistPrivateIp: fc.boolean(),
  desiredState: fc.constantFrom("running", "paused"),
  recycleToken: fc.string({ maxLength: 64 }),
  applyChanges: fc.constantFrom("at-once", "at-next-recycle"),
  autoHealing: fc.boolean(),
  gracePeriodSeconds: fc.integer({ min: 0, max: 600 }),
  unhealthyDurationSeconds: fc.integer({ min: 60, max: 600 }),
  snapshots: fc.record(
    { intervalMinutes: fc.integer({ min: 1, max: 60 }), keep: fc.integer({ min: 1, max: 5 }) },
    { requiredKeys: [] },
  ),
  rollbackHours: hours,
  retentionHours: fc.record(
    { images: hours, snapshots: hours, volumes: hours, networkInterfaces: hours },
    { requiredKeys: [] },
  ),
  tags: fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), unicode, { maxKeys: 4 }),
  // A second is too short for a create, which must then leave what it made to the next run.
  timeouts: fc.record({ create: fc.constantFrom("2h", "90m", "1s") }, { requiredKeys: [] }),
};

const required = ["imageId", "instanceTypes", "subnetIds"];

/** Fields by definition, since an assignment to `__proto__` would make none. */
const objectOf = (entries: [string, unknown][]): Arguments => Object.fromEntries(entries);

/** One that nobody has: a create that would adopt it must make nothing. */
const noneToAdopt = fc.oneof(
  { weight: 29, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ adopt: "pmi-0123456789ab" }) },
);

/** Up to twelve of the properties that may be left out. */
const chosen = fc.subarray(
  Object.keys(goodValues).filter((name) => !required.includes(name)),
  { maxLength: 12 },
);

export const goodArguments: fc.Arbitrary<Arguments> = fc
  .tuple(fc.record(goodValues), chosen, noneToAdopt)
  .map(([values, names, adopted]) => ({
    ...objectOf(
      Object.entries(values).filter(([name]) => required.includes(name) || names.includes(name)),
    ),
    ...adopted,
    region: "us-east-1",
    creationKey: "org/fuzz",
    __provider: "text",
  }));

const key = fc.oneof(
  fc.constantFrom(...namesOfPrototypes),
  fc.constantFrom(...knownProperties),
  unicode,
);

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, true, false, "", 0, -0, -1, 0.5, [], "true", "0"),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e308, 2 ** 53, -(2 ** 31)),
  fc.constantFrom(...unknowns),
  unicode,
  fc.integer(),
  fc.double(),
  fc.constantFrom("ami-0a12023000000001a", "ami-00000000000000bad", "m5.large", "*", "subnet-*"),
  fc.constantFrom("m6g.large", "u-6tb1.metal", "10.0.0.1", "172.31.0.1", "pmi-0123456789ab"),
  fc.constantFrom("x".repeat(300), "é".repeat(9000), "z".repeat(100_000), " ", "\u0000", "\n"),
);

const signed = fc
  .tuple(fc.constantFrom(...signatures), scalar)
  .map(([kind, value]) => ({ [signature]: kind, value }));

const deep = fc.integer({ min: 2, max: 300 }).map((levels) => {
  let value: unknown = "deep";
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
});

/** More than the 200 values that a filter of EC2 takes. */
const manyOfOne = scalar
  .filter((value) => typeof value !== "string" || value.length < 400)
  .map((value) => Array.from({ length: 250 }, () => value));

const garbage: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    { weight: 6, arbitrary: scalar },
    { weight: 1, arbitrary: signed },
    { weight: 1, arbitrary: deep },
    { weight: 2, arbitrary: fc.array(tie("any"), { maxLength: 4 }) },
    { weight: 2, arbitrary: fc.array(fc.tuple(key, tie("any")), { maxLength: 4 }).map(objectOf) },
    { weight: 1, arbitrary: manyOfOne },
  ),
})).any;

type Mutation = (inputs: Arguments) => Arguments;

const replaceOne: fc.Arbitrary<Mutation> = fc
  .tuple(fc.constantFrom(...knownProperties), garbage)
  .map(([name, value]) => (inputs) => ({ ...inputs, [name]: value }));

const replaceWithin: fc.Arbitrary<Mutation> = fc
  .tuple(fc.constantFrom(...Object.keys(goodValues), "timeouts"), key, garbage, fc.nat(3))
  .map(([name, member, value, at]) => (inputs) => {
    const held = inputs[name];
    if (Array.isArray(held)) return { ...inputs, [name]: held.toSpliced(at, 1, value) };
    if (typeof held !== "object" || held === null) return inputs;
    const names = Object.keys(held);
    const target = names[at] ?? member;
    return { ...inputs, [name]: objectOf([...Object.entries(held), [target, value]]) };
  });

const removeOne: fc.Arbitrary<Mutation> = fc
  .constantFrom(...knownProperties)
  .map((name) => (inputs) => objectOf(Object.entries(inputs).filter(([each]) => each !== name)));

const addStranger: fc.Arbitrary<Mutation> = fc.tuple(key, garbage).map(
  ([name, value]) =>
    (inputs) =>
      objectOf([...Object.entries(inputs), [name, value]]),
);

const swapGood: fc.Arbitrary<Mutation> = fc.oneof(
  ...Object.entries(goodValues).map(([name, values]) =>
    values.map(
      (value): Mutation =>
        (inputs) => ({ ...inputs, [name]: value }),
    ),
  ),
);

const mutation = fc.oneof(
  { weight: 3, arbitrary: replaceOne },
  { weight: 3, arbitrary: replaceWithin },
  { weight: 1, arbitrary: removeOne },
  { weight: 2, arbitrary: addStranger },
  { weight: 2, arbitrary: swapGood },
);

/** A twentieth is good as it is, unless two good values do not go together. */
export const fuzzedArguments: fc.Arbitrary<Arguments> = fc
  .tuple(
    goodArguments,
    fc.oneof(
      { weight: 1, arbitrary: fc.constant<Mutation[]>([]) },
      { weight: 19, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 4 }) },
    ),
  )
  .map(([good, mutations]) => mutations.reduce((inputs, mutate) => mutate(inputs), good));
