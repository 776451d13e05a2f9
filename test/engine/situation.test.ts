// What an observation means, where the decision table cannot tell it apart: which resources are ours,
// which of several counts, in whatever order EC2 shows them.

import type { Anchor, Ledger, Observation, Snapshot } from "../../src/engine/model";
import { launchDifferences, newestGeneration, understand } from "../../src/engine/situation";
import {
  anchor,
  atRest,
  final,
  heldBy,
  image,
  imageA,
  imageB,
  imageC,
  instance,
  launch,
  ledger,
  minutes,
  now,
  openLaunch,
  periodic,
  question,
  spec,
  subnetB,
  volume,
} from "./builders";

const seen = (change: Partial<Observation>, known: Partial<Ledger> = {}) =>
  understand(question({ ledger: ledger(known), observation: atRest(change) }));

function ordersOf<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, at) =>
    ordersOf(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
  );
}

describe("of several snapshots", () => {
  const taken = (snapshotId: string, change: Partial<Snapshot>) =>
    periodic({ snapshotId, ...change });
  const sorted = [
    taken("snap-young", { generation: 2, startedAt: now - 9 * minutes }),
    final({ snapshotId: "snap-final", startedAt: now - 5 * minutes }),
    final({ snapshotId: "snap-final-before", startedAt: now - 6 * minutes }),
    taken("snap-later", { startedAt: now - minutes }),
    taken("snap-a", { startedAt: now - 2 * minutes }),
    taken("snap-b", { startedAt: now - 2 * minutes }),
  ];

  test("the newest generation's come first, then final ones, then later ones, then by id", () => {
    for (const snapshots of ordersOf(sorted)) expect(seen({ snapshots }).snapshots).toEqual(sorted);
  });

  test("those that only wear our tags are not among them", () => {
    const copy = { ...final(), volumeId: "vol-ffffffff" };
    expect(seen({ snapshots: [copy, periodic()] }).snapshots).toEqual([periodic()]);
  });
});

describe("of several anchors", () => {
  const inForce = (instances: Observation["instances"], ...anchors: Anchor[]) =>
    ordersOf(anchors).map((shown) => seen({ anchors: shown, instances }).anchor?.interfaceId);
  const movedOnce = { interfaceId: "eni-0", moves: 1 };

  test("the one that moved least often is in force, then the first by id", () => {
    const anchors = [anchor(), anchor({ interfaceId: "eni-2" }), anchor(movedOnce)];
    expect(new Set(inForce([], ...anchors))).toEqual(new Set(["eni-1"]));
  });

  test("the one that carries an instance of ours is, however often it moved", () => {
    const carried = heldBy("i-1", movedOnce);
    expect(new Set(inForce([instance()], anchor(), carried))).toEqual(new Set(["eni-0"]));
  });

  test("one that an ended instance or somebody else holds is as free as any", () => {
    const ended = instance({ state: "terminated" });
    expect(new Set(inForce([ended], anchor(), heldBy("i-1", movedOnce)))).toEqual(
      new Set(["eni-1"]),
    );
    const strange = instance({ clientToken: "somebody" });
    expect(new Set(inForce([strange], anchor(), heldBy("i-1", movedOnce)))).toEqual(
      new Set(["eni-1"]),
    );
  });
});

describe("of several instances", () => {
  const ending = instance({ state: "shutting-down" });
  const coming = instance({ generation: 2, state: "pending" });

  test("the one that the anchor shows carries, and the others are on their way out", () => {
    for (const instances of ordersOf([ending, coming]))
      expect(seen({ anchors: [heldBy("i-2")], instances })).toMatchObject({
        carrier: { instanceId: "i-2" },
        carrierGeneration: 2,
      });
  });

  test("any that is alive carries while the anchor shows none", () => {
    expect(seen({ instances: [ending] }).carrier).toEqual(ending);
  });

  test("the recorded one is what was launched, unless another attempt of it carries", () => {
    const gone = instance({ instanceId: "i-gone", state: "terminated" });
    const ended = instance({ state: "terminated", attempt: 2 });
    for (const instances of ordersOf([gone, ended]))
      expect(seen({ instances }).launched).toEqual(ended);
    const alive = instance({ instanceId: "i-again", attempt: 3 });
    for (const instances of ordersOf([gone, ended, alive]))
      expect(seen({ anchors: [heldBy("i-again")], instances }).launched).toEqual(alive);
  });
});

describe("a launch of which only the intent is recorded", () => {
  const open = { launch: openLaunch({ generation: 2 }) };

  test("was accepted when its instance shows, alive or not, or its disk does", () => {
    const ended = instance({ generation: 2, state: "terminated" });
    expect(seen({ volumes: [], instances: [ended] }, open).launchAccepted).toBe(true);
    const disk = volume({ generation: 2, markedId: undefined });
    expect(seen({ volumes: [disk] }, open).launchAccepted).toBe(true);
  });

  test("is not known to have been by what an earlier one left", () => {
    const earlier = { instances: [instance({ state: "terminated" })], volumes: [volume()] };
    expect(seen(earlier, open).launchAccepted).toBe(false);
  });
});

describe("a volume with our tags", () => {
  const volumesOf = (known: Partial<Ledger>, ...volumes: Observation["volumes"]) =>
    seen({ volumes }, known).volumes.map((each) => each.volumeId);
  const copy = (generation = 1) =>
    volume({ volumeId: `vol-copy-${generation}`, generation, markedId: undefined });
  const nobodyKnows = { launch: undefined, knownRootGeneration: undefined };
  const open = { launch: openLaunch({ generation: 2 }), knownRootGeneration: undefined };

  test("that wears another's mark, or a snapshot's tags, is not ours, although nobody knows better", () => {
    const marked = volume({ volumeId: "vol-a", markedId: "vol-1" });
    const restored = volume({ volumeId: "vol-b", markedId: undefined, operation: "final:vol-1" });
    expect(volumesOf(nobodyKnows, marked, restored, copy())).toEqual(["vol-copy-1"]);
  });

  test("and without a mark is a copy beside the marked one of its generation", () => {
    expect(volumesOf(open, copy(), volume())).toEqual(["vol-1"]);
    expect(volumesOf(nobodyKnows, copy(), volume())).toEqual(["vol-1"]);
  });

  test("and without a mark may be ours where the anchor is only not to be seen", () => {
    const young = volume({ generation: 2, markedId: undefined });
    expect(seen({ anchors: [], volumes: [young] }, open).tip).toEqual(young);
  });

  test("and without a mark is the disk of an open launch, whatever earlier ones left", () => {
    const young = volume({ generation: 2, markedId: undefined });
    expect(volumesOf(open, volume(), young)).toEqual(["vol-1", "vol-2"]);
  });

  test("of the newest generation is its recorded root or a copy, although that root is gone", () => {
    expect(volumesOf({}, copy())).toEqual([]);
    expect(volumesOf({}, volume({ markedId: undefined }))).toEqual(["vol-1"]);
  });

  test("of a generation up to the newest known root is a copy, and of a later one it may be ours", () => {
    const unseen = { launch: openLaunch({ generation: 3 }), knownRootGeneration: 2 };
    const copies = [copy(1), copy(2), copy(3)];
    expect(volumesOf(unseen, ...copies)).toEqual(["vol-copy-3"]);
    expect(volumesOf({ launch: launch({ generation: 2 }) }, ...copies)).toEqual(["vol-copy-3"]);
    expect(volumesOf(open, ...copies)).toEqual(["vol-copy-1", "vol-copy-2", "vol-copy-3"]);
  });
});

describe("the lineage", () => {
  const lineageOf = (
    change: Partial<Observation>,
    known: Partial<Ledger>,
    imageId: string,
    deallocate = false,
  ) => {
    const asked = question({ ledger: ledger(known), observation: atRest(change) });
    return understand({ ...asked, spec: spec({ imageId }), deallocate }).lineage;
  };
  const second = { lineage: 2, generation: 2, baseImageId: imageB };
  const third = { lineage: 3, generation: 3, baseImageId: imageB };

  test.each([
    ["volume", { volumes: [volume(third)] }],
    ["snapshot", { snapshots: [periodic(third)] }],
    ["image", { images: [image(third)] }],
  ])("of a %s that the ledger has forgotten is never begun a second time", (_kind, left) => {
    expect(lineageOf(left, {}, imageC)).toEqual({ number: 4, baseImageId: imageC });
    expect(lineageOf(left, {}, imageB)).toEqual({ number: 3, baseImageId: imageB });
  });

  test("of a boot without root persistence that never came about gives no disk up", () => {
    const begun = {
      launch: openLaunch({ generation: 2, lineage: 2 }),
      startedLineage: { number: 2, baseImageId: imageA },
    };
    expect(lineageOf({}, begun, imageA).number).toBe(1);
    const booted = { volumes: [volume(), volume({ ...second, baseImageId: imageA })] };
    expect(lineageOf(booted, begun, imageA).number).toBe(2);
  });

  test("of what is being deallocated is the one that ran, whatever was begun or asked for since", () => {
    const begun = { startedLineage: { number: 2, baseImageId: imageB } };
    expect(lineageOf({}, begun, imageC, true)).toEqual({ number: 1, baseImageId: imageA });
  });

  test("of what is being deallocated and never ran is the highest that left anything", () => {
    const left = { volumes: [volume(), volume(second)] };
    expect(
      lineageOf(left, { lineage: undefined, startedLineage: undefined }, imageC, true),
    ).toEqual({ number: 2, baseImageId: imageB });
  });
});

describe("the newest generation", () => {
  test("is told by whatever one left: ledger, instances, volumes, snapshots", () => {
    const of = (change: Partial<Observation>) => newestGeneration(seen(change));
    expect(of({})).toBe(1);
    expect(of({ instances: [instance({ generation: 5, state: "terminated" })] })).toBe(5);
    expect(of({ volumes: [volume({ generation: 6 })] })).toBe(6);
    expect(of({ snapshots: [periodic({ generation: 7 })] })).toBe(7);
    expect(newestGeneration(seen({ volumes: [], snapshots: [] }, { launch: undefined }))).toBe(0);
  });

  test("is not told by an instance of somebody else", () => {
    expect(newestGeneration(seen({ instances: [instance({ clientToken: "somebody" })] }))).toBe(1);
  });
});

describe("what needs another launch", () => {
  const fixed = (privateIp: string) => spec({ privateIp });

  test("is a subnet or an address that the anchor does not have", () => {
    expect(launchDifferences(spec({ subnetIds: [subnetB] }), launch(), anchor())).toEqual([
      "subnetIds",
    ]);
    expect(launchDifferences(fixed("10.0.0.99"), launch(), anchor())).toEqual(["privateIp"]);
    expect(launchDifferences(fixed("10.0.0.10"), launch(), anchor())).toEqual([]);
  });

  test("is neither while the anchor is not to be seen", () => {
    const elsewhere = spec({ subnetIds: [subnetB], privateIp: "10.0.0.99" });
    expect(launchDifferences(elsewhere, launch(), undefined)).toEqual([]);
  });
});
