/** What counts as a change, and what the preview says of it. */
import { changeEffects, type Spec, specProperties, specSchema } from "../../src/engine/spec";
import { changesOf, diff } from "../../src/provider/diff";
import { accountFacts, contextWith, goodInputs } from "./world";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const facts = { state: "running", generation: 4, lineage: 2, instanceType: "m5.large" };
const olds = { ...goodInputs, region: "eu-central-1", facts, __ledger: {}, __urn: "urn" };
const inputs = { ...goodInputs, region: "eu-central-1" };

function told(news: Record<string, unknown>, before: Record<string, unknown> = olds) {
  const context = contextWith(accountFacts());
  const answer = diff(context, before, news);
  return { answer, messages: context.logged.map(({ message }) => message) };
}

test("the same properties are no change, whatever the facts are called", () => {
  expect(told(inputs)).toEqual({ answer: { changes: false }, messages: [] });
});

test("a default that is written out is no change", () => {
  const spelled = { ...inputs, monitoring: false, snapshots: { keep: 3 }, tags: {} };
  expect(told(spelled).answer).toEqual({ changes: false });
});

test.each([
  ["creationKey", "another"],
  ["adopt", "pmi-0123456789ab"],
  ["timeouts", { create: "2h" }],
])("%s is no property of the machine and no change", (name, value) => {
  expect(told({ ...inputs, [name]: value }).answer).toEqual({ changes: false });
});

test("values of any shape are shown, shortened", () => {
  const odd = { ...inputs, imageId: { a: [1] }, instanceTypes: Array(200).fill("m5.large") };
  const { messages } = told(odd);
  expect(messages[0]).toMatch(/^imageId \S+ → {"a":\[1\]}: AMI swap/);
  expect(messages.every((message) => message.length < 500)).toBe(true);
});

test("state written before the Region was recorded shows no change", () => {
  const { region: _region, ...older } = olds;
  expect(told(inputs, older).answer).toEqual({ changes: false });
});

test("a property of another version in state does not get in the way", () => {
  const older = { ...olds, lifeCycle: "spot", retired: { some: "thing" } };
  expect(told(inputs, older).answer).toEqual({ changes: false });
});

test("nothing ever replaces the managed instance, and Pulumi itself shows each path", () => {
  const example: Partial<Record<keyof Spec, unknown>> = {
    imageId: "ami-00000002",
    instanceTypes: ["m5.xlarge"],
    subnetIds: ["subnet-00000002"],
    preferredInstanceTypes: ["m5.large"],
    securityGroupIds: ["sg-00000001"],
    privateIp: "10.0.1.9",
    metadataOptions: { httpTokens: "optional" },
    rootVolume: { sizeGiB: 20 },
    lifeCycle: "on_demand",
    desiredState: "paused",
    applyChanges: "at-next-recycle",
    gracePeriodSeconds: 300,
    unhealthyDurationSeconds: 300,
    snapshots: { keep: 5 },
    rollbackHours: 1,
    retentionHours: { images: 1 },
    tags: { a: "b" },
    maxSpotPrice: 0.5,
  };
  const defaults = specSchema.parse({
    imageId: goodInputs.imageId,
    instanceTypes: goodInputs.instanceTypes,
    subnetIds: goodInputs.subnetIds,
  });
  for (const name of specProperties.filter((each) => each !== "region")) {
    const value =
      example[name] ?? (typeof defaults[name] === "boolean" ? !defaults[name] : undefined);
    const news = { ...inputs, [name]: value ?? (name === "ebsOptimized" ? true : "text") };
    expect(told(news).answer).toEqual({});
    expect(changesOf(olds, news)).toEqual([{ property: name, effect: changeEffects[name] }]);
  }
});

test.each<[Record<string, unknown>, string]>([
  [
    { imageId: "ami-00000002" },
    "imageId ami-00000001 → ami-00000002: AMI swap now, down for some minutes; lineage 2 → 3, the present root disk is kept 24 h",
  ],
  [
    { imageId: "ami-00000002", applyChanges: "at-next-recycle" },
    "imageId ami-00000001 → ami-00000002: AMI swap at the next recycle; lineage 2 → 3, the present root disk is kept 24 h",
  ],
  [{ userData: "#!/bin/sh echo SECRET" }, "userData: recycle now, down for some minutes"],
  [
    { keyName: "ops", desiredState: "paused" },
    "keyName: recycle at the next launch (it is paused)",
  ],
  [{ tags: { password: "SECRET" } }, "tags: in place"],
  [
    { desiredState: "paused" },
    "desiredState (default) → paused: pause: the instance ends, its state is kept",
  ],
  [{ recycleToken: "2" }, "recycleToken: recycle now, down for some minutes"],
  [
    { instanceTypes: ["m5.large", "m5.xlarge"] },
    "instanceTypes [m5.large] → [m5.large, m5.xlarge]: in place: what runs now still fits",
  ],
  [
    { instanceTypes: ["m5.xlarge"] },
    "instanceTypes [m5.large] → [m5.xlarge]: recycle now, down for some minutes",
  ],
])("the change to %j is told as its effect", (change, message) => {
  const { messages } = told({ ...inputs, ...change });
  expect(messages).toContain(message);
  expect(messages.join()).not.toContain("SECRET");
});

test("a value that a preview cannot know counts as changed, and is said to be known later", () => {
  const { answer, messages } = told({ ...inputs, imageId: UNKNOWN });
  expect(answer).toEqual({});
  expect(messages[0]).toMatch(/^imageId ami-00000001 → \(known later\): AMI swap/);
});

test("a managed instance that is down although it should run is brought back by the next update", () => {
  const { answer, messages } = told(inputs, { ...olds, facts: { ...facts, state: "paused" } });
  expect(answer).toEqual({ changes: true });
  expect(messages).toEqual(["it is paused and should be running: the update sees to it"]);
});

test("one that is paused as declared needs nothing", () => {
  const paused = { ...olds, desiredState: "paused", facts: { ...facts, state: "paused" } };
  expect(told({ ...inputs, desiredState: "paused" }, paused).answer).toEqual({ changes: false });
});

test("state that holds what no schema can measure gets in nobody's way", () => {
  const odd = { ...olds, subnetIds: { length: { toString: "x" } } };
  expect(told(inputs, odd).messages[0]).toMatch(
    /^subnetIds {"length":{"toString":"x"}} → \[subnet-/,
  );
});
