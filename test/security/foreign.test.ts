/**
 * What belongs to somebody else and wears our tags, in every kind of resource: copies of one managed
 * instance's tags, and tags that claim an id of their own. Through interruption, recycle, destroy and
 * sweep nothing of it is changed, used or deleted, and our own life goes on.
 */
import { isReading } from "../../src/aws/reading";
import { live } from "../simulation/loop";
import {
  begin,
  carrierOf,
  change,
  destroy,
  expectBytes,
  upDone,
  write,
} from "../simulation/operations";
import { createWorld, sweepAll, type World } from "../simulation/world";

type Kind = "volume" | "snapshot" | "image" | "network-interface" | "instance";
const kinds: readonly Kind[] = ["volume", "snapshot", "image", "network-interface", "instance"];

interface Tagged {
  id: string;
  state?: string;
  tags: ReadonlyMap<string, string>;
}

function rowsOf({ simulator }: World): Record<Kind, Tagged[]> {
  const { images, instances, interfaces, snapshots, volumes } = simulator.control.rows();
  return {
    volume: [...volumes()],
    snapshot: [...snapshots()],
    image: [...images()],
    "network-interface": [...interfaces()],
    instance: [...instances()],
  };
}

/** What somebody else has, made before any tag of ours is put on it. */
class Somebody {
  private readonly volumeId: string;
  private readonly snapshotId: string;
  readonly ids = new Set<string>();
  private names = 0;

  constructor(private readonly world: World) {
    const zone = { AvailabilityZone: "us-east-1a", Size: 8 };
    this.volumeId = this.made("CreateVolume", zone, "VolumeId");
    world.simulator.clock.advance(60);
    this.snapshotId = this.made("CreateSnapshot", { VolumeId: this.volumeId }, "SnapshotId");
    world.simulator.clock.advance(3600);
  }

  /** One of a kind, with these tags from its first moment on. */
  make(kind: Kind, tags: ReadonlyMap<string, string>): void {
    const Tags = [...tags].map(([Key, Value]) => ({ Key, Value }));
    const TagSpecifications = [{ ResourceType: kind, Tags }];
    switch (kind) {
      case "volume":
        this.made(
          "CreateVolume",
          { AvailabilityZone: "us-east-1a", SnapshotId: this.snapshotId, TagSpecifications },
          "VolumeId",
        );
        return;
      case "snapshot":
        this.made("CreateSnapshot", { VolumeId: this.volumeId, TagSpecifications }, "SnapshotId");
        return;
      case "image": {
        const Ebs = { SnapshotId: this.snapshotId };
        this.made(
          "RegisterImage",
          {
            Name: `somebody's ${++this.names}`,
            Architecture: "x86_64",
            VirtualizationType: "hvm",
            EnaSupport: true,
            RootDeviceName: "/dev/xvda",
            BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs }],
            TagSpecifications,
          },
          "ImageId",
        );
        return;
      }
      case "network-interface": {
        const SubnetId = "subnet-0d5c000000000000a";
        const input = { SubnetId, TagSpecifications };
        const { NetworkInterface } = this.world.simulator.call("CreateNetworkInterface", input) as {
          NetworkInterface: { NetworkInterfaceId: string };
        };
        this.ids.add(NetworkInterface.NetworkInterfaceId);
        return;
      }
      case "instance": {
        const { Instances } = this.world.simulator.call("RunInstances", {
          ImageId: "ami-0b22404000000001a",
          InstanceType: "t3.micro",
          MinCount: 1,
          MaxCount: 1,
          ClientToken: `somebody's ${++this.names}`,
          TagSpecifications,
        }) as { Instances: { InstanceId: string }[] };
        for (const { InstanceId } of Instances) this.ids.add(InstanceId);
        return;
      }
    }
  }

  private made(action: string, input: Record<string, unknown>, idName: string): string {
    const { [idName]: id } = this.world.simulator.call(action, input);
    this.ids.add(String(id));
    return String(id);
  }

  /** The tags and the state of everything, to be compared with later. */
  inventory(): Record<string, unknown> {
    const rows = Object.values(rowsOf(this.world)).flat();
    const own = rows.filter(({ id }) => this.ids.has(id));
    return Object.fromEntries(own.map(({ id, state, tags }) => [id, { state, tags: [...tags] }]));
  }
}

/** Fails the call itself, so that its place is in the stack trace. */
function forbidTouching(world: World, somebody: Somebody): void {
  world.hooks.before.push((action, input) => {
    if (isReading(action)) return;
    const touched = [...somebody.ids].find((id) => JSON.stringify(input).includes(id));
    if (touched !== undefined)
      throw new Error(`${action} touches ${touched}: ${JSON.stringify(input)}`);
  });
}

const settled = /running|available|completed|in-use/;

/** The tags of the newest of ours, of each kind, as they are now. */
function ourTags(world: World, somebody: Somebody): Map<Kind, ReadonlyMap<string, string>> {
  const rows = rowsOf(world);
  const found = kinds.flatMap((kind) => {
    const ours = rows[kind].filter(
      ({ id, state, tags }) =>
        tags.has("pmi:id") && !somebody.ids.has(id) && (state === undefined || settled.test(state)),
    );
    const newest = ours.at(-1);
    return newest === undefined ? [] : [[kind, new Map(newest.tags)] as const];
  });
  return new Map(found);
}

const withId = (tags: ReadonlyMap<string, string>, id: string) =>
  new Map([...tags, ["pmi:id", id]]);

describe.each<[string, (tags: ReadonlyMap<string, string>) => ReadonlyMap<string, string>]>([
  ["copies of all our tags", (tags) => tags],
  ["our tags with an id of its own", (tags) => withId(tags, "pmi-00000000beef")],
])("of somebody else, with %s", (_name, dress) => {
  test.each(kinds)("%s is left alone all through a life", async (kind) => {
    const world = createWorld();
    const somebody = new Somebody(world);
    const story = begin(world);
    forbidTouching(world, somebody);
    await upDone(story);
    await write(story, "/srv/data", "precious");
    // Images of ours are short-lived: one is there while the next generation is being launched.
    const seen = new Map<Kind, ReadonlyMap<string, string>>();
    world.hooks.after.push(() => {
      for (const [each, tags] of ourTags(world, somebody)) seen.set(each, tags);
    });
    const plant = () => {
      const tags = seen.get(kind);
      if (tags !== undefined) somebody.make(kind, dress(tags));
    };
    await live(story, 12);
    world.simulator.control.interrupt({ instanceId: await carrierOf(story), noticeSeconds: 0 });
    await upDone(story);
    plant();
    change(story, { recycleToken: "again" });
    await upDone(story);
    await live(story, 12);
    plant();
    await expectBytes(story);
    expect((await destroy(story)).kind).toBe("done");
    // What is kept for its hours says so on its tags, and the copies of these say it, too.
    plant();
    expect(somebody.ids.size).toBe(5);
    world.simulator.clock.advance(3600);
    const before = somebody.inventory();
    world.simulator.clock.advance(100 * 3600);
    await sweepAll(world);
    expect(somebody.inventory()).toEqual(before);
    const left = Object.values(rowsOf(world)).flat();
    const ours = left.filter(
      ({ id, state, tags }) =>
        tags.get("pmi:id") === story.initial.id &&
        !somebody.ids.has(id) &&
        (state === undefined || settled.test(state)),
    );
    expect(ours).toEqual([]);
  });
});
