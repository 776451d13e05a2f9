/**
 * The stories that the design's §4 and §5 exist for, told with the production loop on the simulator:
 * each is something that has cost somebody a disk.
 */
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator";
import { expectNothingLeft, stateOf, watchWriters } from "./invariants";
import { live } from "./loop";
import {
  begin,
  carrierOf,
  change,
  destroy,
  expectBytes,
  firstImage,
  imageWithDataDisk,
  look,
  readFromImage,
  registerSnapshot,
  type Story,
  secondImage,
  up,
  upDone,
  write,
} from "./operations";
import { Crash, createWorld, sweepAll } from "./world";

const thirdImage = IMAGE_IDS.ubuntu;

async function running(input: Parameters<typeof begin>[1] = {}): Promise<Story> {
  const story = begin(createWorld(), input);
  watchWriters(story.world);
  await upDone(story);
  await write(story, "/srv/data", "precious");
  return story;
}

async function filesOf(story: Story): Promise<readonly string[]> {
  return story.world.simulator.guest.list({ instanceId: await carrierOf(story) });
}

/** Dies right after the next call of this action. */
function dieAfter(story: Story, action: string): void {
  const hook = (called: string) => {
    if (called !== action) return;
    story.world.hooks.after.splice(story.world.hooks.after.indexOf(hook), 1);
    throw new Crash(`died after ${action}`);
  };
  story.world.hooks.after.push(hook);
}

const interrupt = async (story: Story, noticeSeconds = 0) =>
  story.world.simulator.control.interrupt({ instanceId: await carrierOf(story), noticeSeconds });

describe("AMI swap", () => {
  it.each(["TerminateInstances", "RunInstances"])(
    "arrives at the third image when it was killed after %s and another image was set",
    async (action) => {
      const story = await running();
      change(story, { imageId: secondImage });
      dieAfter(story, action);
      await expect(up(story)).rejects.toThrow(Crash);
      change(story, { imageId: thirdImage });
      const { ledger } = await upDone(story);
      expect(ledger.lineage?.baseImageId).toBe(thirdImage);
      expect(ledger.launch?.imageId).toBe(thirdImage);
      expect(await filesOf(story)).not.toContain("/srv/data");
    },
  );

  it("that was killed before it launched and taken back returns to the disk that was there", async () => {
    const story = await running();
    change(story, { imageId: secondImage });
    dieAfter(story, "TerminateInstances");
    await expect(up(story)).rejects.toThrow(Crash);
    change(story, { imageId: firstImage });
    const { ledger } = await upDone(story);
    expect(ledger.launch).toMatchObject({ lineage: 1, generation: 2 });
    await expectBytes(story);
  });

  it("keeps the previous lineage's last state for rollbackHours, and then sweeps it", async () => {
    const story = await running();
    change(story, { imageId: secondImage });
    await upDone(story);
    await live(story, 60);
    const kept = (await look(story)).snapshots.filter((each) => each.lineage === 1);
    expect(kept).toHaveLength(1);
    const [snapshot] = kept;
    const now = story.world.simulator.clock.now();
    expect(snapshot?.deleteAfterAt).toBeGreaterThan(now + 22 * 3_600_000);
    const imageId = registerSnapshot(story.world, snapshot?.snapshotId ?? "");
    expect(readFromImage(story.world, imageId, "/srv/data")).toBe("precious");
    story.world.simulator.call("DeregisterImage", { ImageId: imageId });
    story.world.simulator.clock.advance(24 * 3600);
    await sweepAll(story.world);
    expect((await look(story)).snapshots.filter((each) => each.lineage === 1)).toEqual([]);
  });

  it("by hand through the spec (persistence off and new image, recycle, on) ends in the same state", async () => {
    const story = await running();
    change(story, { persistRootDevice: false, imageId: secondImage });
    await upDone(story);
    change(story, { recycleToken: "by hand" });
    await upDone(story);
    change(story, { persistRootDevice: true });
    const { ledger } = await upDone(story);
    expect(ledger.lineage?.baseImageId).toBe(secondImage);
    await write(story, "/srv/new", "written after the swap");
    expect(await filesOf(story)).not.toContain("/srv/data");
    story.bytes.delete("/srv/data");
    await interrupt(story);
    await upDone(story);
    await expectBytes(story);
    expect(await filesOf(story)).not.toContain("/srv/data");
  });

  it("to an image that does not exist leaves the instance running", async () => {
    const story = await running();
    change(story, { imageId: "ami-0123456789abcdef0" });
    expect(await up(story)).toMatchObject({ kind: "stuck", reason: /does not exist/ });
    await expectBytes(story);
  });
});

it("an instance whose change is not possible is snapshotted and recovered as ever", async () => {
  const story = await running();
  change(story, { imageId: "ami-0123456789abcdef0" });
  await live(story, 12);
  const { snapshots } = await look(story);
  expect(snapshots.length).toBeGreaterThan(2);
  change(story, { imageId: firstImage });
  await interrupt(story);
  await upDone(story);
  await expectBytes(story);
});

describe("a final snapshot that fails", () => {
  it("three times is replaced by the latest completed one, with the gap told and the volume kept", async () => {
    const story = await running();
    await live(story, 12);
    await write(story, "/srv/late", "after the last periodic snapshot");
    const { volumes } = await look(story);
    const volumeId = volumes[0]?.volumeId ?? "";
    story.world.simulator.control.setFaults({ failSnapshots: { next: 3 } });
    await interrupt(story);
    const { ledger } = await upDone(story);
    expect(ledger.gap).toMatchObject({ volumeId });
    expect(ledger.gap?.toAt).toBeGreaterThan(ledger.gap?.fromAt ?? Number.NaN);
    story.bytes.delete("/srv/late");
    await expectBytes(story);
    await live(story, 60);
    expect((await look(story)).volumes.map((each) => each.volumeId)).toContain(volumeId);
  });

  it("leaves writes that stay within reach after an AMI swap, for rollbackHours", async () => {
    const story = await running();
    await live(story, 12);
    const volumeId = (await look(story)).volumes[0]?.volumeId;
    story.world.simulator.control.setFaults({ failSnapshots: { next: 3 } });
    await interrupt(story);
    await upDone(story);
    change(story, { imageId: secondImage });
    await upDone(story);
    await live(story, 60);
    const held = (await look(story)).volumes.find((each) => each.volumeId === volumeId);
    expect(held).toMatchObject({ holdsGap: true, state: "available" });
    expect(held?.deleteAfterAt).toBeDefined();
    await live(story, 25 * 60);
    expect((await look(story)).volumes.map((each) => each.volumeId)).not.toContain(volumeId);
  });

  it("with no other snapshot to go back to is stuck, and never boots the base image", async () => {
    const story = begin(createWorld());
    story.world.simulator.control.setFaults({ failSnapshots: { probability: 1 } });
    await upDone(story);
    await write(story, "/srv/data", "precious");
    await interrupt(story);
    expect(await up(story)).toMatchObject({ kind: "stuck", reason: /no root state of lineage 1/ });
    story.world.simulator.control.setFaults({});
    expect((await look(story)).volumes).toHaveLength(1);
  });

  it("that hangs past its deadline is not waited for any longer", async () => {
    const story = await running({ snapshots: { finalDeadlineMinutes: 10 } });
    await live(story, 12);
    story.world.simulator.control.setFaults({ hangSnapshots: { next: 1 } });
    await interrupt(story);
    const startedAt = story.world.simulator.clock.now();
    const { ledger } = await upDone(story);
    expect(story.world.simulator.clock.now() - startedAt).toBeLessThan(20 * 60_000);
    expect(ledger.gap).toBeDefined();
    await expectBytes(story);
  });
});

describe("a launch that EC2 takes and ends before it runs", () => {
  it("because of a key is told within a minute, and the next attempt has the disk again", async () => {
    const story = await running();
    const { clock, control } = story.world.simulator;
    await live(story, 12);
    control.setFaults({ failLaunches: { code: "Client.InternalError" } });
    change(story, { recycleToken: "again" });
    const startedAt = clock.now();
    expect(await up(story)).toMatchObject({
      kind: "stuck",
      reason: expect.stringContaining("ended it before it ran: Client.InternalError"),
      remedy: expect.stringContaining("rootVolume.kmsKeyId"),
    });
    expect(clock.now() - startedAt).toBeLessThan(5 * 60_000);
    control.setFaults({});
    await upDone(story);
    await expectBytes(story);
    await destroy(story);
    await expectNothingLeft(story.world);
  });

  it("the very first ends with the reason, leaves nothing when it is given up, and goes on once put right", async () => {
    for (const isGivenUp of [true, false]) {
      const story = begin(createWorld());
      const { control } = story.world.simulator;
      control.setFaults({ failLaunches: { code: "Client.VolumeLimitExceeded" } });
      expect(await up(story)).toMatchObject({
        kind: "stuck",
        remedy: expect.stringContaining("quota"),
      });
      control.setFaults({});
      if (!isGivenUp) await upDone(story);
      expect((await destroy(story)).kind).toBe("done");
      await expectNothingLeft(story.world);
    }
  });

  it.each([
    ["the first", {}],
    ["a recycle's", { recycleToken: "again" }],
    ["a swap's", { imageId: secondImage }],
  ])(
    "%s is remembered once EC2 has forgotten it: no disk is missed, and no writes",
    async (_, asked) => {
      const isFirst = Object.keys(asked).length === 0;
      const story = isFirst ? begin(createWorld()) : await running();
      const { clock, control } = story.world.simulator;
      control.setFaults({ failLaunches: { code: "Client.InternalError" } });
      change(story, asked);
      expect((await up(story)).kind).toBe("stuck");
      control.setFaults({});
      clock.advance(3 * 3600);
      const { ledger } = await upDone(story);
      expect(ledger.gap).toBeUndefined();
      if ("recycleToken" in asked) await expectBytes(story);
    },
  );

  it("for want of capacity goes to the next type", async () => {
    const story = begin(createWorld());
    story.world.simulator.control.setFaults({
      failLaunches: { code: "Server.InsufficientInstanceCapacity", next: 1 },
    });
    const { ledger } = await upDone(story);
    expect(ledger.launch).toMatchObject({ generation: 2, instanceType: "m6i.large" });
  });
});

describe("a subnet whose addresses are used up", () => {
  function storyInFullSubnet(others: readonly string[]): Story {
    const world = createWorld();
    const { simulator } = world;
    const vpc = simulator.call("DescribeSubnets", { SubnetIds: [DEFAULT_SUBNET_IDS[0]] });
    const [{ VpcId }] = vpc.Subnets as [{ VpcId: string }];
    const made = simulator.call("CreateSubnet", {
      VpcId,
      CidrBlock: "172.31.250.0/28",
      AvailabilityZone: `${simulator.region}a`,
    });
    const { SubnetId } = made.Subnet as { SubnetId: string };
    for (let address = 0; address < 11; address += 1)
      simulator.call("CreateNetworkInterface", { SubnetId });
    return begin(world, { subnetIds: [SubnetId, ...others] });
  }

  it("is passed over for another one", async () => {
    const other = DEFAULT_SUBNET_IDS[1] ?? "";
    const story = storyInFullSubnet([other]);
    await upDone(story);
    expect((await look(story)).anchors).toMatchObject([{ subnetId: other }]);
  });

  it("is told of where there is no other, and nothing is made", async () => {
    const story = storyInFullSubnet([]);
    expect(await up(story)).toMatchObject({
      kind: "stuck",
      reason: expect.stringContaining("no private IP address is free in"),
    });
    await expectNothingLeft(story.world);
  });
});

describe("while it runs", () => {
  it("a snapshot is taken every five minutes and three are kept", async () => {
    const story = await running();
    await live(story, 60);
    const completed = (await look(story)).snapshots.filter((each) => each.state === "completed");
    expect(completed).toHaveLength(3);
    const starts = completed.map((each) => each.startedAt).sort((a, b) => a - b);
    for (const [index, at] of starts.slice(1).entries()) {
      const minutes = (at - (starts[index] ?? 0)) / 60_000;
      expect(minutes).toBeGreaterThanOrEqual(5);
      expect(minutes).toBeLessThan(6.5);
    }
  });

  it("a day of interruptions loses no byte and leaks nothing", async () => {
    const story = await running();
    for (let hour = 1; hour <= 24; hour += 1) {
      await live(story, 50);
      await write(story, `/srv/${hour}`, `hour ${hour}`);
      await interrupt(story, hour % 2 === 0 ? 120 : 0);
      await live(story, 10);
      await expectBytes(story);
    }
    expect((await look(story)).volumes).toHaveLength(1);
    await destroy(story);
    await expectNothingLeft(story.world);
  }, 60_000);

  it("an instance that is unhealthy for too long is recycled with its disk", async () => {
    const story = await running();
    const sick = await carrierOf(story);
    story.world.simulator.control.impair(sick);
    await live(story, 15);
    expect(await carrierOf(story)).not.toBe(sick);
    await expectBytes(story);
  });

  it("an image that never gets healthy is given up after some generations, with the reason", async () => {
    const story = await running();
    story.world.simulator.control.markImage({ imageId: secondImage, boots: "never-healthy" });
    change(story, { imageId: secondImage });
    expect(await up(story)).toMatchObject({ kind: "stuck", reason: /status checks/ });
  });

  it("an On-Demand instance that somebody stopped is ended and followed by another with its disk", async () => {
    const story = await running({ lifeCycle: "on_demand" });
    const { simulator } = story.world;
    simulator.call("StopInstances", { InstanceIds: [await carrierOf(story)] });
    const { ledger } = await upDone(story);
    expect(ledger.launch?.generation).toBe(2);
    await expectBytes(story);
  });
});

describe("the root disk", () => {
  it("grows with the next launch, and never shrinks again", async () => {
    const story = await running();
    const sizeNow = async () => {
      const carrier = await carrierOf(story);
      const { volumes } = await look(story);
      return volumes.find((each) => each.attachedInstanceId === carrier)?.sizeGiB;
    };
    change(story, { rootVolume: { sizeGiB: 30 } });
    await upDone(story);
    expect(await sizeNow()).toBe(30);
    change(story, { rootVolume: { sizeGiB: 10 } });
    await upDone(story);
    expect(await sizeNow()).toBe(30);
    await expectBytes(story);
  });
});

describe("capacity", () => {
  const zone = "us-east-1a";
  const drain = (story: Story, instanceType: string, market: "spot" | "on-demand") =>
    story.world.simulator.control.setCapacity({ instanceType, zone, market, available: 0 });

  it("that is gone in one Spot pool is found in the next, and then On-Demand", async () => {
    const story = begin(createWorld());
    drain(story, "m5.large", "spot");
    expect((await upDone(story)).ledger.launch).toMatchObject({
      market: "spot",
      instanceType: "m6i.large",
    });
    drain(story, "m6i.large", "spot");
    await interrupt(story);
    expect((await upDone(story)).ledger.launch).toMatchObject({
      market: "on-demand",
      generation: 2,
    });
  });

  it("that is gone in every Spot pool of three zones is found On-Demand, however long the moves take", async () => {
    const story = begin(createWorld(), { subnetIds: [...DEFAULT_SUBNET_IDS] });
    for (const letter of ["a", "b", "c"]) {
      for (const instanceType of ["m5.large", "m6i.large"]) {
        const pool = { instanceType, zone: `us-east-1${letter}`, market: "spot" } as const;
        story.world.simulator.control.setCapacity({ ...pool, available: 0 });
      }
    }
    expect((await upDone(story)).ledger.launch).toMatchObject({ market: "on-demand", attempt: 7 });
  });

  it("that is gone in one zone is found in another, and the disk moves along", async () => {
    const subnetIds = DEFAULT_SUBNET_IDS.slice(0, 2);
    const story = await running({ persistPrivateIp: false, subnetIds });
    const before = (await look(story)).anchors[0];
    for (const type of ["m5.large", "m6i.large"]) {
      story.world.simulator.control.setCapacity({
        instanceType: type,
        zone: before?.zone ?? "",
        market: "spot",
        available: 0,
      });
    }
    await interrupt(story);
    await upDone(story);
    const { anchors } = await look(story);
    expect(anchors).toHaveLength(1);
    expect(anchors[0]?.zone).not.toBe(before?.zone);
    await expectBytes(story);
  });

  it("that is gone everywhere is waited for, and the address and the disk with it", async () => {
    const story = await running({ fallbackToOnDemand: false });
    const address = (await look(story)).anchors[0]?.privateIp;
    for (const type of ["m5.large", "m6i.large"]) drain(story, type, "spot");
    await interrupt(story);
    expect(await up(story)).toMatchObject({
      kind: "stopped",
      why: "timed-out",
      reason: /no capacity/,
    });
    story.world.simulator.control.setCapacity({
      instanceType: "m5.large",
      zone,
      market: "spot",
      available: 1,
    });
    await upDone(story);
    expect((await look(story)).anchors[0]?.privateIp).toBe(address);
    await expectBytes(story);
  });
});

describe("a base image that maps a data disk", () => {
  const volumesOf = ({ world }: Story) =>
    stateOf(world).volumes.filter(({ tags }) => tags["pmi:id"] !== undefined);

  function onImageWithData(deleteOnTermination: boolean): Story {
    const world = createWorld();
    const imageId = imageWithDataDisk(world.simulator, { deleteOnTermination });
    return begin(world, { imageId });
  }

  it.each([true, false])(
    "(deleted on termination: %s) gives its root alone, and leaves nothing for ever",
    async (deleteOnTermination) => {
      const story = onImageWithData(deleteOnTermination);
      await upDone(story);
      await write(story, "/srv/data", "precious");
      expect(volumesOf(story)).toHaveLength(1);
      change(story, { recycleToken: "once" });
      await upDone(story);
      await expectBytes(story);
      await live(story, 60);
      expect(volumesOf(story)).toHaveLength(1);
      await destroy(story);
      story.world.simulator.clock.advance(100 * 3600);
      await sweepAll(story.world);
      expect(volumesOf(story)).toEqual([]);
    },
  );

  it("has no disk that could be taken for the root when the launch was not seen through", async () => {
    const story = onImageWithData(false);
    dieAfter(story, "RunInstances");
    await expect(up(story)).rejects.toThrow(Crash);
    story.world.simulator.clock.advance(120);
    await write(story, "/srv/data", "precious");
    await interrupt(story);
    story.world.simulator.clock.advance(300);
    await upDone(story);
    await expectBytes(story);
  });
});

describe("what is not ours", () => {
  it("is never touched, even when it wears copies of all our tags", async () => {
    const story = await running();
    await live(story, 30);
    const { simulator } = story.world;
    const { snapshots, volumes } = stateOf(story.world);
    const ourVolume = volumes.find((each) => each.tags["pmi:id"] !== undefined);
    const ourSnapshot = snapshots.find((each) => each.tags["pmi:id"] !== undefined);
    const tagsOf = (tags: Record<string, string> = {}) =>
      Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const made = simulator.call("CreateVolume", {
      AvailabilityZone: "us-east-1a",
      SnapshotId: ourSnapshot?.id,
      TagSpecifications: [{ ResourceType: "volume", Tags: tagsOf(ourVolume?.tags) }],
    }) as { VolumeId: string };
    simulator.clock.advance(60);
    const copied = simulator.call("CreateSnapshot", {
      VolumeId: made.VolumeId,
      TagSpecifications: [{ ResourceType: "snapshot", Tags: tagsOf(ourSnapshot?.tags) }],
    }) as { SnapshotId: string };
    await interrupt(story);
    await live(story, 60);
    await expectBytes(story);
    await destroy(story);
    simulator.clock.advance(100 * 3600);
    await sweepAll(story.world);
    const left = stateOf(story.world);
    expect(left.volumes.find((each) => each.id === made.VolumeId)?.state).toBe("available");
    expect(left.snapshots.find((each) => each.id === copied.SnapshotId)?.state).toBe("completed");
  });
});

describe("a persisted image that somebody disables", () => {
  const disableImages = async (story: Story) => {
    const { images } = await look(story);
    expect(images).toHaveLength(1);
    for (const { imageId } of images)
      story.world.simulator.call("DisableImage", { ImageId: imageId });
  };

  async function pausedWithDisabledImage(): Promise<Story> {
    const story = await running();
    change(story, { desiredState: "paused" });
    await upDone(story);
    await disableImages(story);
    return story;
  }

  it("is replaced when the instance is resumed, and deleted", async () => {
    const story = await pausedWithDisabledImage();
    change(story, { desiredState: "running" });
    const { ledger } = await upDone(story);
    expect(ledger.launch).toMatchObject({ generation: 2, lineage: 1 });
    await expectBytes(story);
    await live(story, 30);
    expect((await look(story)).images).toEqual([]);
  });

  it("is replaced while the instance stays paused, which needs one to rest with", async () => {
    const story = await pausedWithDisabledImage();
    await upDone(story);
    const { images } = await look(story);
    expect(images.map(({ state }) => state)).toEqual(["available"]);
  });

  it("is replaced in a deallocation, and the sweep leaves nothing of either", async () => {
    const story = await pausedWithDisabledImage();
    expect((await destroy(story)).kind).toBe("done");
    const [image, ...others] = (await look(story)).images;
    expect(others).toEqual([]);
    expect(readFromImage(story.world, image?.imageId ?? "", "/srv/data")).toBe("precious");
    await expectNothingLeft(story.world);
  });

  it("after the deallocation is swept when its hours are over", async () => {
    const story = await running();
    expect((await destroy(story)).kind).toBe("done");
    await disableImages(story);
    await expectNothingLeft(story.world);
  });

  it("as soon as it is there ends with a reason, and not without end", async () => {
    const story = await running();
    story.world.hooks.before.push(async (action) => {
      if (action !== "DescribeImages") return;
      for (const { id, state, tags } of stateOf(story.world).images)
        if (state === "available" && tags["pmi:id"] !== undefined)
          story.world.simulator.call("DisableImage", { ImageId: id });
    });
    change(story, { desiredState: "paused" });
    expect(await up(story)).toMatchObject({
      kind: "stuck",
      reason: expect.stringMatching(/^3 images of snap-\w+ failed or were disabled$/),
    });
  });
});

describe("deallocation", () => {
  it("keeps nothing when every kind's retention is zero hours", async () => {
    const none = { images: 0, snapshots: 0, volumes: 0, networkInterfaces: 0 };
    const story = await running({ retentionHours: none });
    await live(story, 20);
    expect((await destroy(story)).kind).toBe("done");
    const { images, interfaces, snapshots, volumes } = stateOf(story.world);
    const left = [...images, ...interfaces, ...snapshots, ...volumes].filter(
      (each) => each.tags["pmi:id"] !== undefined && !/delet|dereg/.test(each.state ?? ""),
    );
    expect(left).toEqual([]);
  });

  it("leaves a snapshot that somebody's image uses to the sweep, which goes on with the rest", async () => {
    const story = await running();
    const { simulator } = story.world;
    await live(story, 12);
    const [used] = (await look(story)).snapshots.filter((each) => each.state === "completed");
    const imageId = registerSnapshot(story.world, used?.snapshotId ?? "");
    expect((await destroy(story)).kind).toBe("done");
    simulator.clock.advance(100 * 3600);
    const { blocked } = await sweepAll(story.world);
    expect(blocked).toEqual([used?.snapshotId]);
    const left = await look(story);
    expect([...left.anchors, ...left.images, ...left.volumes]).toEqual([]);
    simulator.call("DeregisterImage", { ImageId: imageId });
    simulator.clock.advance(60);
    await sweepAll(story.world);
    expect((await look(story)).snapshots).toEqual([]);
  });

  it("deletes each kind when its own hours are over, images before their snapshots", async () => {
    const story = await running({
      retentionHours: { images: 10, snapshots: 20, volumes: 30, networkInterfaces: 40 },
    });
    await destroy(story);
    const present = async () => {
      await sweepAll(story.world);
      const { anchors, images, snapshots, volumes } = await look(story);
      return [images, snapshots, volumes, anchors].map((each) => each.length);
    };
    const wait = (hours: number) => story.world.simulator.clock.advance(hours * 3600);
    wait(9);
    expect(await present()).toEqual([1, 1, 1, 1]);
    wait(2);
    expect(await present()).toEqual([0, 1, 1, 1]);
    wait(10);
    expect(await present()).toEqual([0, 0, 1, 1]);
    wait(10);
    expect(await present()).toEqual([0, 0, 0, 1]);
    wait(10);
    expect(await present()).toEqual([0, 0, 0, 0]);
  });
});

test("a snapshot that was asked for is taken once, however long it stays asked for", async () => {
  const story = await running();
  const { clock } = story.world.simulator;
  const askedAt = clock.now();
  story.asked = { snapshotAt: askedAt };
  const takenSince = async () => {
    const { observation, wakeAt } = await upDone(story);
    clock.advance((wakeAt - clock.now()) / 1000);
    return observation.snapshots.filter(({ startedAt }) => startedAt >= askedAt);
  };
  // Upkeep is nothing to wait for: the loop says when to look again, and a first one was pending.
  const looks = [await takenSince(), await takenSince(), await takenSince(), await takenSince()];
  const [first] = looks.filter((taken) => taken.length > 0);
  expect(first).toHaveLength(1);
  const nextIsDueAt = (first?.[0]?.startedAt ?? 0) + story.spec.snapshots.intervalMinutes * 60_000;
  const early = looks.flat().filter(({ startedAt }) => startedAt < nextIsDueAt);
  expect(new Set(early.map(({ snapshotId }) => snapshotId)).size).toBe(1);
});
