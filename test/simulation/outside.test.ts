// What people and other tools do to our resources from outside, on the simulated EC2: disks replaced,
// tags taken, volumes deleted, key pairs and security groups gone. No byte is lost, what was passed
// over stays, and what nobody but a person can put right is told.

import { CloudError } from "../../src/engine/ports";
import type { Outcome } from "../../src/engine/reconcile";
import { watchWriters } from "./invariants";
import { live } from "./loop";
import { begin, carrierOf, destroy, look, type Story, up, upDone, write } from "./operations";
import { createWorld, sweepAll, type World } from "./world";

const seconds = 1000;
const minutes = 60 * seconds;

async function running(
  input: Parameters<typeof begin>[1] = {},
  world: World = createWorld(),
): Promise<Story> {
  const story = begin(world, input);
  watchWriters(world);
  await upDone(story);
  await write(story, "/srv/data", "precious");
  await live(story, 12);
  return story;
}

const call = ({ world }: Story, action: string, input: Record<string, unknown>) =>
  world.simulator.call(action, input);

const interrupt = async (story: Story) =>
  story.world.simulator.control.interrupt({
    instanceId: await carrierOf(story),
    noticeSeconds: 0,
  });

const filesOf = async (story: Story) =>
  story.world.simulator.guest.list({ instanceId: await carrierOf(story) });

async function rootOf(story: Story): Promise<string> {
  const { instances } = await look(story);
  const root = instances.find(({ state }) => state === "running")?.rootVolumeId;
  if (root === undefined) throw new Error("nothing runs");
  return root;
}

const rowsOf = ({ world }: Story) => world.simulator.control.rows();

function tagsOn(story: Story, volumeId: string) {
  const tags = rowsOf(story).volumes().get(volumeId)?.tags ?? new Map();
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

/** What the remedy says. */
const tagAsOurs = (story: Story, volumeId: string) =>
  call(story, "CreateTags", {
    Resources: [volumeId],
    Tags: [{ Key: "pmi:id", Value: story.initial.id }],
  });

/** What ended it, in words: an error, or a reason. */
const endOf = (run: Promise<Outcome>): Promise<string> =>
  run.then(
    (outcome) => (outcome.kind === "done" ? "done" : `${outcome.kind}: ${outcome.reason}`),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe("a root disk that somebody put in place of ours", () => {
  async function onReplacedRoot() {
    const story = await running();
    const before = await rootOf(story);
    call(story, "CreateReplaceRootVolumeTask", { InstanceId: await carrierOf(story) });
    story.world.simulator.clock.advance(300);
    const after = await rootOf(story);
    expect(await endOf(up(story))).toContain(`${after} is the root disk of`);
    expect(tagsOn(story, after)).toEqual([]);
    tagAsOurs(story, after);
    await write(story, "/srv/after", "written on the other disk");
    await live(story, 30);
    return { story, before, after };
  }

  test("is told of, and once it wears our id it is snapshotted and comes back, and the one before it stays", async () => {
    const { after, before, story } = await onReplacedRoot();
    expect(after).not.toBe(before);
    const { snapshots } = await look(story);
    expect(snapshots.filter(({ volumeId }) => volumeId === after)).not.toEqual([]);
    await interrupt(story);
    expect((await upDone(story)).ledger.gap).toBeUndefined();
    expect(await filesOf(story)).toContain("/srv/after");
    await live(story, 60);
    expect((await look(story)).volumes.map(({ volumeId }) => volumeId)).toContain(before);
  });

  test("is what a deallocation keeps, and nothing is left after retention", async () => {
    const { story } = await onReplacedRoot();
    expect((await destroy(story)).kind).toBe("done");
    story.world.simulator.clock.advance(400 * 3600);
    await sweepAll(story.world);
    expect([...rowsOf(story).volumes()]).toEqual([]);
    expect([...rowsOf(story).snapshots()].filter(({ tags }) => tags.has("pmi:id"))).toEqual([]);
  });
});

test.each([["pmi:operation"], ["pmi:marked", "pmi:base-image"], ["pmi:lineage", "pmi:generation"]])(
  "a running root disk whose tags somebody took is ours again: %s",
  async (...keys) => {
    const story = await running();
    const root = await rootOf(story);
    call(story, "DeleteTags", { Resources: [root], Tags: keys.map((Key) => ({ Key })) });
    await write(story, "/srv/after", "later");
    await live(story, 20);
    await interrupt(story);
    expect((await upDone(story)).ledger.gap).toBeUndefined();
    expect(await filesOf(story)).toEqual(expect.arrayContaining(["/srv/data", "/srv/after"]));
  },
);

test("a root disk with another managed instance's tags is left alone", async () => {
  const story = await running();
  const root = await rootOf(story);
  const owner = { Key: "pmi:id", Value: "pmi-00000000ffff" };
  call(story, "CreateTags", { Resources: [root], Tags: [owner] });
  const before = tagsOn(story, root);
  await live(story, 20);
  expect(tagsOn(story, root)).toEqual(before);
});

test("a disk that was out of sight when an older snapshot took its place is kept when it comes back", async () => {
  const story = await running();
  const root = await rootOf(story);
  await write(story, "/srv/late", "after the last snapshot");
  const tags = tagsOn(story, root);
  await interrupt(story);
  const hide = () =>
    call(story, "DeleteTags", { Resources: [root], Tags: tags.map(({ Key }) => ({ Key })) });
  story.world.simulator.clock.advance(60);
  hide();
  expect((await upDone(story)).ledger.gap).toBeDefined();
  call(story, "CreateTags", { Resources: [root], Tags: tags });
  await live(story, 60);
  expect((await look(story)).volumes.map(({ volumeId }) => volumeId)).toContain(root);
});

test("a volume that is deleted while its final snapshot is under way loses nothing", async () => {
  const story = await running();
  const { simulator } = story.world;
  const root = await rootOf(story);
  await write(story, "/srv/late", "after the last snapshot");
  simulator.control.setFaults({ hangSnapshots: { next: 1 } });
  await interrupt(story);
  let isDeleted = false;
  story.world.hooks.after.push((action, input) => {
    if (isDeleted || action !== "CreateSnapshot" || !("VolumeId" in input)) return;
    if (input.VolumeId !== root) return;
    isDeleted = true;
    call(story, "DeleteVolume", { VolumeId: root });
    void simulator.clock.sleep(20 * minutes).then(() => simulator.control.setFaults({}));
  });
  expect((await upDone(story)).ledger.gap).toBeUndefined();
  expect(await filesOf(story)).toContain("/srv/late");
});

describe("what only a person can put right is told within minutes", () => {
  test("a key pair that somebody deleted", async () => {
    const world = createWorld();
    world.simulator.call("CreateKeyPair", { KeyName: "ops" });
    const story = await running({ keyName: "ops" }, world);
    call(story, "DeleteKeyPair", { KeyName: "ops" });
    await interrupt(story);
    expect(await endOf(up(story))).toContain("The key pair 'ops' does not exist");
  });

  test("a security group that somebody deleted, while snapshots go on", async () => {
    const story = await running();
    const made = (name: string) =>
      call(story, "CreateSecurityGroup", {
        GroupName: name,
        Description: name,
        VpcId: [...rowsOf(story).interfaces()][0]?.vpcId,
      }).GroupId as string;
    const groupId = made("short-lived");
    call(story, "DeleteSecurityGroup", { GroupId: groupId });
    story.spec = { ...story.spec, securityGroupIds: [groupId] };
    story.specVersion += 1;
    const before = (await look(story)).snapshots.length;
    expect(await endOf(up(story))).toContain(`The security group '${groupId}' does not exist`);
    expect((await look(story)).snapshots.length).toBeGreaterThanOrEqual(before);
  });

  test("an anchor that more tags would fill up, before its end finds no room on it", async () => {
    const crowd = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 18 }, (_, index) => [`${prefix}${index}`, "x"]));
    const story = await running({ tags: crowd("a") });
    story.spec = { ...story.spec, tags: crowd("b") };
    story.specVersion += 1;
    expect(await endOf(up(story))).toContain("EC2 allows 50 a resource");
    expect((await destroy(story)).kind).toBe("done");
  });
});

test("what a policy protects is told of, and keeps the sweep from nothing else", async () => {
  const world = createWorld();
  for (const story of [begin(world), begin(world)]) {
    await upDone(story);
    await destroy(story);
  }
  const { simulator } = world;
  const snapshots = () =>
    [...simulator.control.rows().snapshots()].filter(({ tags }) => tags.has("pmi:id"));
  const [protectedOne] = snapshots();
  world.hooks.before.push((action, input) => {
    if (action !== "DeleteSnapshot" || !("SnapshotId" in input)) return;
    if (input.SnapshotId === protectedOne?.id)
      throw new CloudError("denied", "UnauthorizedOperation: an explicit deny");
  });
  simulator.clock.advance(200 * 3600);
  const { blocked, deleted } = await sweepAll(world);
  expect(blocked).toEqual([protectedOne?.id]);
  expect(deleted.length).toBeGreaterThan(2);
  expect(snapshots()).toHaveLength(1);
  await expect(sweepAll(world)).rejects.toThrow("an explicit deny");
});
