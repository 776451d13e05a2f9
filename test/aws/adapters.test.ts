// What is asked of EC2 and how its answers are read, where a slip would cost a disk. EC2 is a script.

import type { BlockDeviceMapping } from "@aws-sdk/client-ec2";
import type { Action, Ec2 } from "../../src/aws/client";
import { allPages } from "../../src/aws/client";
import { createCloud } from "../../src/aws/cloud";
import { createInventory } from "../../src/aws/inventory";
import { ownersOf } from "../../src/aws/owners";
import { createAnchorRegistry } from "../../src/aws/registry";
import { baseImageOf, healthOf, instanceOf } from "../../src/aws/shapes";
import { sweep } from "../../src/controller/sweep";
import type { CloudStep } from "../../src/engine/ports";
import { encodeLedger, provenanceTags } from "../../src/engine/tags";
import { anchor, hours, id, imageA, ledger, minutes, now, subnetA } from "../engine/builders";
import { launching } from "../engine/expected";

type Answers = Partial<Record<Action, (input: object) => object>>;

/** Answers as it is told, and with nothing otherwise. */
function scripted(answers: Answers) {
  const calls: { action: Action; input: object }[] = [];
  const ec2: Ec2 = {
    async call(action, input) {
      const given: object = input ?? {};
      calls.push({ action, input: given });
      return (answers[action]?.(given) ?? {}) as never;
    },
  };
  return { ec2, calls };
}

const cloudOf = (answers: Answers) => {
  const { calls, ec2 } = scripted(answers);
  return { calls, cloud: createCloud(ec2, { now: () => now }) };
};

const tagSet = (tags: object) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const query = {
  id,
  imageId: imageA,
  subnetIds: [subnetA],
  instanceTypes: ["m5.large"],
  wantsSpotMarket: false,
};
const filtersOf = (input: object) =>
  ("Filters" in input && Array.isArray(input.Filters) ? input.Filters : []) as {
    Name: string;
    Values: string[];
  }[];

test("a page that is empty does not end a listing", async () => {
  const pages = [{ Volumes: [], NextToken: "more" }, { Volumes: [{ VolumeId: "vol-1" }] }];
  const { ec2 } = scripted({ DescribeVolumes: () => pages.shift() ?? {} });
  const found = await allPages(ec2, "DescribeVolumes", {}, (page) => page.Volumes);
  expect(found).toEqual([{ VolumeId: "vol-1" }]);
});

describe("an observation", () => {
  const eni = (interfaceId: string, tags: object) => ({
    NetworkInterfaceId: interfaceId,
    TagSet: tagSet(tags),
  });

  test("takes no anchor that is another's, and no copy", async () => {
    const own = encodeLedger(ledger());
    const { cloud } = cloudOf({
      DescribeNetworkInterfaces: () => ({
        NetworkInterfaces: [
          eni("eni-1", own),
          eni("eni-2", encodeLedger(ledger({ id: "pmi-other" }))),
          eni("eni-3", { ...own, "pmi:marked": "eni-1" }),
        ],
      }),
    });
    const { anchors } = await cloud.observe(query);
    expect(anchors.map(({ interfaceId }) => interfaceId)).toEqual(["eni-1"]);
  });

  test("asks by id for the anchor that a lagging tag index does not show", async () => {
    const { cloud } = cloudOf({
      DescribeNetworkInterfaces: (input) => ({
        NetworkInterfaces: filtersOf(input).some(({ Name }) => Name === "network-interface-id")
          ? [eni("eni-1", encodeLedger(ledger()))]
          : [],
      }),
    });
    const { anchors } = await cloud.observe({ ...query, interfaceId: "eni-1" });
    expect(anchors).toHaveLength(1);
  });

  const origin = { lineage: 1, generation: 1, baseImageId: imageA, operation: "launch:1" };
  const claimable = { volumeId: "vol-1", wearsId: true };
  const whole = { ...provenanceTags(id, origin, {}), "pmi:marked": "vol-1" };

  test.each([
    ["wears no tags", {}, { volumes: [], unclaimedRoot: { volumeId: "vol-1", wearsId: false } }],
    ["lacks one", { ...whole, "pmi:lineage": "" }, { volumes: [], unclaimedRoot: claimable }],
    ["is a copy", { ...whole, "pmi:marked": "vol-0" }, { unclaimedRoot: claimable }],
    ["is as it should be", whole, { unclaimedRoot: undefined }],
    [
      "wears another's tags",
      { ...whole, "pmi:id": "pmi-other" },
      { volumes: [], unclaimedRoot: undefined },
    ],
  ])(
    "asks by id for the root disk of a live instance, and tells when it %s",
    async (_, tags, seen) => {
      const BlockDeviceMappings = [{ DeviceName: "/dev/xvda", Ebs: { VolumeId: "vol-1" } }];
      const root = { RootDeviceName: "/dev/xvda", BlockDeviceMappings };
      const instance = { InstanceId: "i-1", State: { Name: "pending" }, ...root };
      const volume = { VolumeId: "vol-1", State: "in-use", Tags: tagSet(tags) };
      const { cloud } = cloudOf({
        DescribeInstances: () => ({ Reservations: [{ Instances: [instance] }] }),
        DescribeVolumes: (input) => ({
          Volumes: filtersOf(input).some(({ Name }) => Name === "volume-id") ? [volume] : [],
        }),
      });
      expect(await cloud.observe(query)).toMatchObject(seen);
    },
  );

  const made = (tags: object) => ({ OwnerId: "self", Tags: tagSet({ ...whole, ...tags }) });

  test("finds snapshots and images by what they say of themselves, whatever the tag index shows", async () => {
    const { calls, cloud } = cloudOf({
      DescribeSnapshots: () => ({
        Snapshots: [
          { SnapshotId: "snap-1", ...made({}) },
          { SnapshotId: "snap-2", ...made({ "pmi:id": "pmi-other" }) },
        ],
      }),
      DescribeImages: () => ({
        Images: [
          { ImageId: "ami-1", ...made({}) },
          { ImageId: "ami-2", ...made({ "pmi:id": "pmi-other" }) },
        ],
      }),
    });
    const { images, snapshots } = await cloud.observe(query);
    expect(snapshots.map(({ snapshotId }) => snapshotId)).toEqual(["snap-1"]);
    expect(images.map(({ imageId }) => imageId)).toEqual(["ami-1"]);
    const asked = calls.flatMap(({ input }) => filtersOf(input));
    expect(asked).toContainEqual({ Name: "description", Values: [`${id} *`] });
    expect(asked).toContainEqual({ Name: "name", Values: [`${id}/*`] });
  });

  test.each([
    ["our id", id, ["vol-1"]],
    ["no id, because a person took it away", undefined, []],
    ["another's id", "pmi-other", []],
  ])(
    "takes a disk that only a snapshot tells of for ours if it wears %s",
    async (_, owner, ours) => {
      const worn = Object.entries({ ...whole, "pmi:id": owner }).filter(([, value]) => value);
      const { cloud } = cloudOf({
        DescribeSnapshots: () => ({
          Snapshots: [{ VolumeId: "vol-1", StartTime: new Date(now), ...made({}) }],
        }),
        DescribeVolumes: (input) => ({
          Volumes: filtersOf(input).some(({ Name }) => Name === "volume-id")
            ? [{ VolumeId: "vol-1", State: "available", Tags: tagSet(Object.fromEntries(worn)) }]
            : [],
        }),
      });
      const { volumes } = await cloud.observe(query);
      expect(volumes.map(({ volumeId }) => volumeId)).toEqual(ours);
    },
  );

  test("asks by id for the disk that a snapshot of the last hour was taken of", async () => {
    const { calls, cloud } = cloudOf({
      DescribeSnapshots: () => ({
        Snapshots: [
          { VolumeId: "vol-1", StartTime: new Date(now - 59 * minutes), ...made({}) },
          { VolumeId: "vol-2", StartTime: new Date(now - 60 * minutes), ...made({}) },
        ],
      }),
      DescribeVolumes: (input) => ({
        Volumes: filtersOf(input).some(({ Name }) => Name === "volume-id")
          ? [{ VolumeId: "vol-1", State: "available", Tags: tagSet(whole) }]
          : [],
      }),
    });
    const { volumes } = await cloud.observe(query);
    expect(volumes.map(({ volumeId }) => volumeId)).toEqual(["vol-1"]);
    const asked = calls.flatMap(({ input }) => filtersOf(input));
    expect(asked).toContainEqual({ Name: "volume-id", Values: ["vol-1"] });
  });

  test("finds instances by their client token, which terminated ones keep", async () => {
    const { calls, cloud } = cloudOf({});
    await cloud.observe(query);
    const asked = calls.find(({ action }) => action === "DescribeInstances");
    expect(filtersOf(asked?.input ?? {})).toEqual([{ Name: "client-token", Values: [`${id}:*`] }]);
  });
});

test("our images are asked for with those that somebody disabled, wherever we look", async () => {
  const { calls, ec2 } = scripted({});
  const cloud = createCloud(ec2, { now: () => now });
  await cloud.observe(query);
  await cloud.glance({ kind: "image", imageId: "ami-1f" });
  await cloud.perform({ kind: "deregister-image", imageId: "ami-1f" });
  await createInventory(ec2).retained();
  await ownersOf(ec2, { instanceIds: [], snapshotIds: [], imageIds: ["ami-1f"] });
  const asked = calls.filter(({ action }) => action === "DescribeImages");
  expect(asked.map(({ input }) => new Map(Object.entries(input)).get("IncludeDisabled"))).toEqual(
    asked.map(() => true),
  );
  expect(asked).toHaveLength(6);
});

describe("a deletion", () => {
  const step: CloudStep = { kind: "delete-volume", volumeId: "vol-1" };
  const deleting = (tags: object) =>
    cloudOf({ DescribeVolumes: () => ({ Volumes: [{ Tags: tagSet(tags) }] }) });

  test("is carried out on what is condemned when it is read again", async () => {
    const { calls, cloud } = deleting({ "pmi:id": id, "pmi:condemned": "2026-03-01T12:00:00Z" });
    expect(await cloud.perform(step)).toEqual({ kind: "done", created: undefined });
    expect(calls.map(({ action }) => action)).toEqual(["DescribeVolumes", "DeleteVolume"]);
  });

  test.each([
    ["is not condemned any more", { "pmi:id": id }],
    ["is not ours any more", { "pmi:condemned": "2026-03-01T12:00:00Z" }],
  ])("is not carried out on what %s", async (_what, tags) => {
    const { calls, cloud } = deleting(tags);
    expect(await cloud.perform(step)).toMatchObject({ kind: "refused", meaning: "not-found" });
    expect(calls.map(({ action }) => action)).toEqual(["DescribeVolumes"]);
  });
});

test("keeping a root says so, because leaving it out would doom it", async () => {
  const { calls, cloud } = cloudOf({});
  await cloud.perform({ kind: "keep-root", instanceId: "i-1", deviceName: "/dev/xvda" });
  expect(calls[0]?.input).toEqual({
    InstanceId: "i-1",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { DeleteOnTermination: false } }],
  });
});

test("what the image maps besides its root is suppressed, so that no other volume wears our tags", async () => {
  const { calls, cloud } = cloudOf({});
  await cloud.perform(launching({ omittedDevices: ["/dev/sdb"] }));
  expect(calls[0]?.input).toMatchObject({
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda" }, { DeviceName: "/dev/sdb", NoDevice: "" }],
  });
});

test("of an image's mappings those of further EBS volumes are told, without the root and the instance store", () => {
  const mapped = (BlockDeviceMappings: BlockDeviceMapping[]) =>
    baseImageOf(imageA, { RootDeviceName: "/dev/sda1", BlockDeviceMappings });
  expect(
    mapped([
      { DeviceName: "/dev/sdb", Ebs: { VolumeSize: 5 } },
      { DeviceName: "/dev/sda1", Ebs: { SnapshotId: "snap-1", VolumeSize: 8 } },
      { DeviceName: "/dev/sdc", VirtualName: "ephemeral0" },
      { DeviceName: "/dev/sdd", NoDevice: "" },
    ]),
  ).toMatchObject({ rootSizeGiB: 8, otherDevices: ["/dev/sdb"] });
  expect(baseImageOf(imageA, {})).toMatchObject({ otherDevices: [] });
});

test("Spot is asked for once, not by a request that launches again", async () => {
  const { calls, cloud } = cloudOf({});
  await cloud.perform(launching());
  expect(calls[0]?.input).toMatchObject({
    InstanceMarketOptions: {
      MarketType: "spot",
      SpotOptions: { SpotInstanceType: "one-time", InstanceInterruptionBehavior: "terminate" },
    },
  });
});

test.each([
  ["ok", "ok", "ok"],
  ["ok", "initializing", "initializing"],
  ["initializing", "ok", "initializing"],
  ["ok", "insufficient-data", "unknown"],
] as const)("status checks %s and %s are called %s", (instance, system, kind) => {
  const status = { InstanceStatus: { Status: instance }, SystemStatus: { Status: system } };
  expect(healthOf(status).kind).toBe(kind);
});

test("a Spot request that is marked for termination is a notice", () => {
  const noticed = (spotStatusCode: string) =>
    instanceOf({}, { spotStatusCode }).interruptionNoticed;
  expect(noticed("marked-for-termination")).toBe(true);
  expect(noticed("fulfilled")).toBe(false);
});

test("of two anchors' ledgers the one of the higher revision is read", async () => {
  const { ec2 } = scripted({});
  const [old, young] = [4, 5].map((revision) =>
    anchor({ tags: encodeLedger(ledger({ revision })) }),
  );
  if (old === undefined || young === undefined) throw new Error("there are two");
  const registry = createAnchorRegistry(ec2);
  expect((await registry.load(id, [old, young]))?.revision).toBe(5);
  expect((await registry.load(id, [young, old]))?.revision).toBe(5);
});

describe("the sweep", () => {
  const expired = { "pmi:delete-after": new Date(now - 1).toISOString() };
  const condemned = { "pmi:condemned": new Date(now - minutes).toISOString() };
  const origin = { lineage: 1, generation: 1, baseImageId: imageA, operation: "launch:1" };
  const tags = { ...provenanceTags(id, origin, {}), "pmi:marked": "vol-1", ...condemned };
  const ended = { "pmi:deallocated-at": new Date(now - hours).toISOString() };
  const eni = (told: object) => ({
    NetworkInterfaceId: "eni-1",
    Status: "available",
    TagSet: tagSet({ ...encodeLedger(ledger()), ...told, ...expired, ...condemned }),
  });

  const volumeWith = (deleteAfter: object) => ({
    ...{ VolumeId: "vol-1", State: "available" },
    Tags: tagSet({ ...tags, ...deleteAfter }).filter(({ Value }) => Value !== undefined),
  });
  const fail = () => {
    throw new Error("it is tried again");
  };

  async function swept(answers: Answers, deleteAfter: object) {
    const { calls, ec2 } = scripted({
      DescribeVolumes: () => ({
        Volumes: [volumeWith(deleteAfter)],
      }),
      ...answers,
    });
    const abort = new AbortController();
    const performed: CloudStep[] = [];
    await sweep({
      cloud: {
        now: () => now,
        async perform(step) {
          performed.push(step);
          abort.abort();
          return { kind: "done" };
        },
      },
      inventory: createInventory(ec2),
      clock: { sleep: async () => abort.abort() },
      signal: abort.signal,
    });
    expect(calls.length).toBeGreaterThan(0);
    return performed;
  }

  test("deletes what is past its time by AWS's clock", async () => {
    expect(await swept({}, expired)).toEqual([{ kind: "delete-volume", volumeId: "vol-1" }]);
  });

  test("leaves what has time left by AWS's clock, wherever this host's is", async () => {
    const future = { "pmi:delete-after": new Date(now + 1).toISOString() };
    expect(await swept({}, future)).toEqual([]);
  });

  test.each(["denied", "invalid"] as const)(
    "ends with an error when a call of its is %s, which no repetition changes",
    async (meaning) => {
      const fresh = { ...expired, "pmi:condemned": undefined };
      const refused = { kind: "refused", meaning, message: "no" } as const;
      const { ec2 } = scripted({
        DescribeVolumes: () => ({ Volumes: [volumeWith(fresh)] }),
      });
      const swept = sweep({
        cloud: { now: () => now, perform: async () => refused },
        inventory: createInventory(ec2),
        clock: { sleep: async () => fail() },
      });
      await expect(swept).rejects.toThrow("tagging vol-1: no");
    },
  );

  const deletingAnchor = [{ kind: "delete-anchor", interfaceId: "eni-1" }];

  test("leaves what has no expiry", async () => {
    expect(await swept({}, {})).toEqual([]);
  });

  test.each([
    ["that was deallocated", { ...ended, "pmi:phase": "deallocated" }, deletingAnchor],
    ["over whose end somebody wrote an older ledger", ended, deletingAnchor],
    ["of a living one", { "pmi:deallocated-at": "" }, []],
    ["of a living one whose end was never begun", {}, []],
  ])("of an anchor %s %j does %j", async (_, told, steps) => {
    const answers: Answers = {
      DescribeVolumes: () => ({}),
      DescribeNetworkInterfaces: () => ({ NetworkInterfaces: [eni(told)] }),
    };
    expect(await swept(answers, {})).toEqual(steps);
  });
});
