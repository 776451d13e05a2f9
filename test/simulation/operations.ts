/**
 * The operations that simulations carry out, each from the state it starts in to what must be true
 * afterwards. Adding an operation to this table adds it to every simulation.
 */

import type { Asked, Ledger } from "../../src/engine/model";
import type { Outcome } from "../../src/engine/reconcile";
import type { Spec, SpecInput } from "../../src/engine/spec";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS, type Simulator } from "../../src/simulator";
import { firstLedger, parse, run, type World } from "./world";

export const firstImage = IMAGE_IDS.amazonLinux;
export const secondImage = IMAGE_IDS.amazonLinuxNewer;

export const base: SpecInput = {
  imageId: firstImage,
  instanceTypes: ["m5.large", "m6i.large"],
  subnetIds: [DEFAULT_SUBNET_IDS[0] ?? ""],
};

/** A managed instance in a world: what the program says of it and what a user would know. */
export interface Story {
  world: World;
  initial: Ledger;
  spec: Spec;
  specVersion: number;
  /** What was asked for beside the specification, as at the command line. */
  asked?: Asked;
  bytes: Map<string, string>;
}

export function begin(world: World, input: Partial<SpecInput> = {}): Story {
  const spec = parse({ ...base, ...input });
  return { world, initial: firstLedger(world, spec), spec, specVersion: 1, bytes: new Map() };
}

/** What `pulumi up` does: a changed specification gets the next version. */
export function change(story: Story, input: Partial<SpecInput>): void {
  story.spec = parse({ ...story.spec, ...input });
  story.specVersion += 1;
}

/** One `pulumi up`, with two virtual hours to reach its end. */
export async function up(story: Story): Promise<Outcome> {
  const { world, initial, spec, specVersion, asked } = story;
  const deadlineAt = world.simulator.clock.now() + 7_200_000;
  return run(world, { id: initial.id, initial, spec, specVersion, asked, deadlineAt });
}

export async function upDone(story: Story): Promise<Done> {
  const outcome = await up(story);
  if (outcome.kind === "done") return outcome;
  throw new Error(`expected done, found ${outcome.kind}: ${outcome.reason}`);
}

/** What `pulumi destroy` does. */
export function destroy({ world, initial, spec, specVersion }: Story): Promise<Outcome> {
  const deadlineAt = world.simulator.clock.now() + 7_200_000;
  return run(world, { id: initial.id, spec, specVersion, deallocate: true, deadlineAt });
}

export const look = ({ world, initial, spec }: Story) =>
  world.cloud.observe({
    id: initial.id,
    imageId: spec.imageId,
    subnetIds: spec.subnetIds,
    instanceTypes: spec.instanceTypes,
    wantsSpotMarket: false,
  });

export async function carrierOf(story: Story): Promise<string> {
  const { instances } = await look(story);
  const live = instances.filter((instance) => instance.state === "running");
  const [only] = live;
  if (only === undefined || live.length !== 1) throw new Error(`${live.length} instances run`);
  return only.instanceId;
}

/** The guest writes a file, and the story remembers it. */
export async function write(story: Story, path: string, content: string): Promise<void> {
  writeOn(story, await carrierOf(story), path, content);
}

export function writeOn(story: Story, instanceId: string, path: string, content: string): void {
  story.world.simulator.guest.write({ instanceId, path, content });
  story.bytes.set(path, content);
}

/** Every byte that was written is on the running disk. */
export async function expectBytes(story: Story): Promise<void> {
  const instanceId = await carrierOf(story);
  for (const [path, content] of story.bytes)
    expect([path, story.world.simulator.guest.read({ instanceId, path })]).toEqual([path, content]);
}

/** Boots a stranger's instance from a snapshot or image and reads a file: what a user would do. */
export function readFromImage(world: World, imageId: string, path: string): string {
  const { simulator } = world;
  const launched = simulator.call("RunInstances", {
    ImageId: imageId,
    InstanceType: "m5.large",
    MinCount: 1,
    MaxCount: 1,
  }) as { Instances: { InstanceId: string }[] };
  const instanceId = launched.Instances[0]?.InstanceId ?? "";
  simulator.clock.advance(120);
  const content = simulator.guest.read({ instanceId, path });
  simulator.call("TerminateInstances", { InstanceIds: [instanceId] });
  simulator.clock.advance(120);
  return content;
}

/** As the console makes an image of a server with two disks, the data disk first. */
export function imageWithDataDisk(
  simulator: Simulator,
  data: { deleteOnTermination: boolean },
): string {
  const { VolumeId } = simulator.call("CreateVolume", {
    AvailabilityZone: "us-east-1a",
    Size: 5,
  }) as { VolumeId: string };
  simulator.clock.advance(60);
  const { SnapshotId } = simulator.call("CreateSnapshot", { VolumeId }) as { SnapshotId: string };
  simulator.clock.advance(600);
  const { Images } = simulator.call("DescribeImages", { ImageIds: [firstImage] }) as {
    Images: { RootDeviceName: string; BlockDeviceMappings: { Ebs: { SnapshotId: string } }[] }[];
  };
  const [image] = Images;
  const { ImageId } = simulator.call("RegisterImage", {
    Name: "a server with a data disk",
    Architecture: "x86_64",
    VirtualizationType: "hvm",
    EnaSupport: true,
    RootDeviceName: image?.RootDeviceName,
    BlockDeviceMappings: [
      {
        DeviceName: "/dev/sdb",
        Ebs: { SnapshotId, DeleteOnTermination: data.deleteOnTermination },
      },
      {
        DeviceName: image?.RootDeviceName,
        Ebs: { SnapshotId: image?.BlockDeviceMappings[0]?.Ebs.SnapshotId },
      },
    ],
  }) as { ImageId: string };
  simulator.clock.advance(60);
  return ImageId;
}

export function registerSnapshot(world: World, snapshotId: string): string {
  const registered = world.simulator.call("RegisterImage", {
    Name: `test ${snapshotId}`,
    Architecture: "x86_64",
    VirtualizationType: "hvm",
    EnaSupport: true,
    RootDeviceName: "/dev/xvda",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: snapshotId } }],
  }) as { ImageId: string };
  world.simulator.clock.advance(60);
  return registered.ImageId;
}

type Done = Extract<Outcome, { kind: "done" }>;

export interface Operation {
  name: string;
  /** Brings the story to where the operation starts. */
  prepare(story: Story): Promise<void>;
  /** What the user asks for; asked once, and carried out by however many runs it takes. */
  ask(story: Story): Promise<void> | void;
  carryOut(story: Story): Promise<Outcome>;
  /** What must be true afterwards, beside the invariants that always hold. */
  verify(story: Story, outcome: Done): Promise<void>;
}

const running = async (story: Story) => {
  await upDone(story);
  await write(story, "/srv/ledger", "written on generation 1");
};

async function kept(story: Story): Promise<void> {
  await expectBytes(story);
}

async function pausedWithBytes(story: Story, { observation }: Done): Promise<void> {
  expect(observation.instances.filter((each) => each.state !== "terminated")).toEqual([]);
  expect(observation.volumes).toEqual([]);
  expect(observation.snapshots).toHaveLength(1);
  const [image] = observation.images;
  for (const [path, content] of story.bytes)
    expect(readFromImage(story.world, image?.imageId ?? "", path)).toBe(content);
}

export const operations: readonly Operation[] = [
  {
    name: "create",
    prepare: async () => {},
    ask: () => {},
    carryOut: up,
    verify: async (story, { ledger }) => {
      expect(ledger).toMatchObject({ phase: "active", lineage: { number: 1 } });
      expect(ledger.launch?.generation).toBe(1);
      await carrierOf(story);
    },
  },
  {
    name: "recycle",
    prepare: running,
    ask: (story) => change(story, { recycleToken: "once" }),
    carryOut: up,
    verify: async (story, { ledger }) => {
      expect(ledger.launch).toMatchObject({ generation: 2, lineage: 1 });
      await kept(story);
    },
  },
  {
    name: "AMI swap",
    prepare: running,
    ask: (story) => change(story, { imageId: secondImage }),
    carryOut: up,
    verify: async (story, { ledger, observation }) => {
      expect(ledger.launch).toMatchObject({ generation: 2, lineage: 2, imageId: secondImage });
      const instanceId = await carrierOf(story);
      expect(story.world.simulator.guest.list({ instanceId })).not.toContain("/srv/ledger");
      const old = [...observation.volumes, ...observation.snapshots].filter(
        (each) => each.lineage === 1,
      );
      expect(old).not.toEqual([]);
    },
  },
  {
    name: "pause",
    prepare: running,
    ask: (story) => change(story, { desiredState: "paused" }),
    carryOut: up,
    verify: pausedWithBytes,
  },
  {
    name: "pause on request",
    prepare: running,
    ask: (story) => {
      story.asked = { desiredState: "paused" };
    },
    carryOut: up,
    verify: pausedWithBytes,
  },
  {
    name: "recycle on request",
    prepare: running,
    ask: (story) => {
      story.asked = { recycleGeneration: 1 };
    },
    carryOut: up,
    verify: async (story, { ledger }) => {
      expect(ledger.launch).toMatchObject({ generation: 2, lineage: 1 });
      expect(ledger.stop).toMatchObject({ generation: 1, reason: "requested" });
      await kept(story);
      // What is fulfilled stays asked for, and nothing comes of it any more.
      expect((await upDone(story)).ledger.launch?.generation).toBe(2);
    },
  },
  {
    name: "resume",
    prepare: async (story) => {
      await running(story);
      change(story, { desiredState: "paused" });
      await upDone(story);
    },
    ask: (story) => change(story, { desiredState: "running" }),
    carryOut: up,
    verify: kept,
  },
  {
    name: "recovery from an interruption",
    prepare: running,
    ask: async (story) => {
      const instanceId = await carrierOf(story);
      story.world.simulator.control.interrupt({ instanceId, noticeSeconds: 0 });
    },
    carryOut: up,
    verify: async (story, { ledger }) => {
      expect(ledger.launch).toMatchObject({ generation: 2, lineage: 1 });
      await kept(story);
    },
  },
  {
    name: "deallocation",
    prepare: running,
    ask: () => {},
    carryOut: destroy,
    verify: async (story) => {
      const { anchors, images, instances, volumes } = await look(story);
      expect(instances.filter((each) => each.state !== "terminated")).toEqual([]);
      for (const kept of [...images, ...volumes]) expect(kept.deleteAfterAt).toBeDefined();
      expect(anchors[0]?.tags).toMatchObject({ "pmi:phase": "deallocated" });
      const [image] = images;
      for (const [path, content] of story.bytes)
        expect(readFromImage(story.world, image?.imageId ?? "", path)).toBe(content);
    },
  },
];
