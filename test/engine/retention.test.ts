// What is needed, kept for how many hours, or disposable; and in which order what is doomed goes.

import type { Held, RetainedAnchor } from "../../src/engine/retention";
import { deletion, disposal, judge, retentionSteps } from "../../src/engine/retention";
import { type Question, understand } from "../../src/engine/situation";
import {
  atRest,
  carriedVolume,
  final,
  heldBy,
  image,
  imageA,
  imageB,
  instance,
  keepNothing,
  launch,
  ledger,
  minutes,
  now,
  observation,
  periodic,
  question,
  seconds,
  spec,
  volume,
} from "./builders";

/** Hours for what is kept, else the word for it, by id. */
const judged = (ask: Partial<Question>) =>
  Object.fromEntries(
    judge(understand(question(ask))).map(({ disposition, held }) => [
      held.id,
      disposition.kind === "kept" ? disposition.hours : disposition.kind,
    ]),
  );

const failedFinals = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    final({ snapshotId: `snap-f${at}`, state: "error", startedAt: now - (at + 1) * minutes }),
  );

/** Generation 2 carries it; what generation 1 left is there besides. */
const second = (change: Parameters<typeof observation>[0] = {}) => ({
  ledger: ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) }),
  observation: observation({
    anchors: [heldBy("i-2")],
    instances: [instance({ generation: 2 })],
    volumes: [volume(), carriedVolume({ generation: 2 })],
    snapshots: [periodic({ generation: 2 }), final()],
    images: [image()],
    ...change,
  }),
});
const allNeeded = {
  "ami-1f": "needed",
  "snap-1-final": "needed",
  "snap-2-periodic": "needed",
  "vol-1": "needed",
  "vol-2": "needed",
};

describe("while an instance runs healthily", () => {
  test("what the generation before left is disposable, and its own is needed", () => {
    expect(judged(second())).toEqual({
      ...allNeeded,
      "ami-1f": "disposable",
      "snap-1-final": "disposable",
      "vol-1": "disposable",
    });
  });

  test.each([
    ["its instance is stopping", { instances: [instance({ generation: 2, state: "stopping" })] }],
    ["an older generation carries it", { instances: [instance()], anchors: [heldBy("i-1")] }],
    ["none of its own snapshots is completed", { snapshots: [final()] }],
  ] as const)("all is needed when %s", (_when, change) => {
    const kinds = new Set(Object.values(judged(second(change))));
    expect([...kinds]).toEqual(["needed"]);
  });

  test("without root persistence what was left needs no successor", () => {
    const { ledger: known, observation: seen } = second({ snapshots: [] });
    const ask = { spec: spec({ persistRootDevice: false }), ledger: known, observation: seen };
    expect(judged(ask)["ami-1f"]).toBe("disposable");
  });
});

describe("after an AMI swap", () => {
  const swapped = (left: Parameters<typeof observation>[0] = {}) => {
    const ofB = { generation: 2, lineage: 2, baseImageId: imageB };
    const lineage = { number: 2, baseImageId: imageB };
    return {
      spec: spec({ imageId: imageB, rollbackHours: 7 }),
      ledger: ledger({
        lineage,
        startedLineage: lineage,
        launch: launch({ generation: 2, lineage: 2, imageId: imageB }),
      }),
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance(ofB)],
        ...left,
        volumes: [volume(left.volumes?.[0]), carriedVolume(ofB)],
        snapshots: [periodic(ofB), ...(left.snapshots ?? [])],
      }),
    };
  };
  test("the last state of before is kept for rollbackHours as a snapshot", () => {
    const left = judged(swapped({ snapshots: [final(), periodic()], images: [image()] }));
    expect(left).toMatchObject({
      "vol-1": "disposable",
      "ami-1f": "disposable",
      "snap-1-final": 7,
      "snap-1-periodic": "disposable",
    });
  });

  test("a disk of before that is not saved yet is needed", () => {
    expect(judged(swapped({ snapshots: [periodic()] }))["vol-1"]).toBe("needed");
    const pending = swapped({ snapshots: [final({ state: "pending" }), periodic()] });
    expect(judged(pending)).toMatchObject({ "vol-1": "needed", "snap-1-final": "needed" });
  });

  test("a disk of before that cannot be saved is kept itself", () => {
    expect(judged(swapped({ snapshots: failedFinals(3) }))["vol-1"]).toBe(7);
  });

  test("a volume with missing writes is kept as long, though it was saved since", () => {
    const left = swapped({ volumes: [volume({ holdsGap: true })], snapshots: [final()] });
    expect(judged(left)["vol-1"]).toBe(7);
  });
});

describe("a failed snapshot", () => {
  test("gives its slot back at once, and of final ones as many stay as are counted", () => {
    const instances = [instance({ generation: 2, state: "stopping" })];
    const snapshots = [...failedFinals(4), periodic({ state: "error" })];
    expect(judged(second({ instances, snapshots }))).toMatchObject({
      "snap-f0": "needed",
      "snap-f2": "needed",
      "snap-f3": "disposable",
      "snap-1-periodic": "disposable",
    });
  });

  test("of the same lineage's disk makes that needed, not given up", () => {
    const snapshots = [...failedFinals(3), periodic({ generation: 2 })];
    expect(judged(second({ snapshots }))["vol-1"]).toBe("needed");
  });

  test("is no volume in error: that may be all there is", () => {
    const volumes = [volume({ state: "error" }), carriedVolume({ generation: 2 })];
    expect(judged(second({ volumes, snapshots: [periodic({ generation: 2 })] }))["vol-1"]).toBe(
      "needed",
    );
  });
});

describe("while nothing is proven safe", () => {
  const paused = (retentionHours = {}) => spec({ desiredState: "paused", retentionHours });
  const kinds = (ask: Partial<Question>) => [...new Set(Object.values(judged(ask)))];

  test("all is needed: no instance carries it, or one still does at the end", () => {
    expect(kinds({ observation: atRest() })).toEqual(["needed"]);
    const saved = { snapshots: [final(), periodic()], images: [image()] };
    const carried = { observation: observation({ ...saved, volumes: [volume()] }) };
    expect(kinds({ ...carried, spec: paused() })).toEqual(["needed"]);
    expect(kinds({ ...carried, ledger: ledger({ phase: "deallocating" }) })).toEqual(["needed"]);
  });

  test("all is needed in a pause, although nothing is to be kept after a deallocation", () => {
    expect(kinds({ spec: paused(keepNothing), observation: atRest() })).toEqual(["needed"]);
  });

  test("all is needed in a deallocation that keeps snapshots, although its volume is free", () => {
    const ask = { ledger: ledger({ phase: "deallocating" }), observation: atRest() };
    expect(kinds(ask)).toEqual(["needed"]);
  });

  test("an expiry from a time when the lineage was given up does not count", () => {
    const expired = atRest({ snapshots: [periodic({ deleteAfterAt: now - 1 })] });
    expect(kinds({ spec: paused(), observation: expired })).toEqual(["needed"]);
    const unknown = ledger({ lineage: undefined, launch: undefined });
    expect(kinds({ spec: paused(), ledger: unknown, observation: expired })).toEqual(["needed"]);
  });

  test("a paused one whose image is not there yet needs its snapshot", () => {
    const observation = atRest({ snapshots: [final(), periodic()] });
    expect(judged({ spec: paused(), observation })).toEqual({
      "snap-1-final": "needed",
      "snap-1-periodic": "disposable",
      "vol-1": "disposable",
    });
  });
});

describe("what EC2 refuses to delete", () => {
  const undeletable = ["snap-1-final", "snap-4"];

  test("is left to the sweep, unless it is needed after all", () => {
    const saved = { snapshots: [final(), periodic()], images: [image()] };
    const paused = spec({ desiredState: "paused" });
    const ask = { spec: paused, observation: { ...atRest(saved), undeletable } };
    expect(judged(ask)["snap-1-final"]).toBe("needed");
    expect(judged(second({ undeletable }))["snap-1-final"]).toBe(0);
  });

  test("and says so already is neither told again nor pardoned", () => {
    const series = [1, 2, 3].map((each) =>
      periodic({ snapshotId: `snap-${each}`, startedAt: now - each * minutes }),
    );
    const last = periodic({
      snapshotId: "snap-4",
      startedAt: now - 4 * minutes,
      deleteAfterAt: now - minutes,
    });
    const seen = { ...observation({ snapshots: [...series, last] }), undeletable };
    const situation = understand(question({ observation: seen }));
    expect(retentionSteps(situation)).toEqual([]);
    expect(disposal(situation).steps).toEqual([]);
  });
});

describe("after a deallocation", () => {
  const ending = (retentionHours: object, change: Parameters<typeof atRest>[0] = {}) => ({
    spec: spec({ retentionHours }),
    ledger: ledger({ phase: "deallocating" }),
    observation: atRest({ snapshots: [final(), periodic()], images: [image()], ...change }),
  });

  test("each kind of the newest state is kept for its own hours", () => {
    expect(judged(ending({ images: 1, snapshots: 2, volumes: 3 }))).toEqual({
      "ami-1f": 1,
      "snap-1-final": 2,
      "snap-1-periodic": "disposable",
      "vol-1": 3,
    });
  });

  test("a snapshot stays as long as its image and, when its volume is gone, as anything", () => {
    const hours = { images: 5, snapshots: 2, volumes: 9 };
    expect(judged(ending(hours))["snap-1-final"]).toBe(5);
    expect(judged(ending(hours, { volumes: [] }))["snap-1-final"]).toBe(9);
  });

  test("with only volumes kept all waits for the volume to be free", () => {
    const hours = { images: 0, snapshots: 0, volumes: 4 };
    const held = { volumes: [volume({ state: "in-use" })] };
    expect(new Set(Object.values(judged(ending(hours, held))))).toEqual(new Set(["needed"]));
    expect(judged(ending(hours, { snapshots: [], images: [] }))["vol-1"]).toBe(4);
  });

  test("of several disks and images of the lineage only the newest state's are kept", () => {
    const left = {
      volumes: [volume(), volume({ generation: 2 })],
      snapshots: [final({ generation: 2 }), final(), periodic()],
      images: [
        image({ imageId: "ami-1p", snapshotId: "snap-1-periodic" }),
        image({ generation: 2 }),
      ],
    };
    const ask = ending({ images: 1, snapshots: 2, volumes: 3 }, left);
    expect(
      judged({ ...ask, ledger: { ...ask.ledger, launch: launch({ generation: 2 }) } }),
    ).toEqual({
      "ami-1p": "disposable",
      "ami-2f": 1,
      "snap-2-final": 2,
      "snap-1-final": "disposable",
      "snap-1-periodic": "disposable",
      "vol-1": "disposable",
      "vol-2": 3,
    });
  });

  test("of a lineage that left nothing the one before is kept", () => {
    const lineage = { number: 2, baseImageId: imageA };
    const gone = launch({ generation: 2, lineage: 2, rootKept: false });
    const ask = ending({}, { volumes: [], snapshots: [final()], images: [] });
    const known = { ...ask.ledger, lineage, startedLineage: lineage, launch: gone };
    expect(judged({ ...ask, ledger: known })).toEqual({ "snap-1-final": 96 });
  });

  test("with nothing kept all is disposable while a volume is still in use", () => {
    const held = { volumes: [volume({ state: "in-use" })] };
    expect(judged(ending(keepNothing, held))["snap-1-final"]).toBe("disposable");
  });

  test("with nothing kept all is disposable, saved or not", () => {
    const nothing = ending(keepNothing, { snapshots: [periodic()], images: [] });
    expect(judged(nothing)).toEqual({ "snap-1-periodic": "disposable", "vol-1": "disposable" });
  });

  test("a volume with missing writes is kept as long as anything of it", () => {
    const hours = { images: 1, snapshots: 6, volumes: 3 };
    const gap = { volumes: [volume({ holdsGap: true })] };
    expect(judged(ending(hours, gap))["vol-1"]).toBe(6);
  });
});

describe("what is doomed", () => {
  const ago = (elapsed: number) => ({ condemnedAt: now - elapsed });
  const ofVolume = (change: Parameters<typeof volume>[0]): Held => {
    const resource = volume(change);
    return { kind: "volume", id: resource.volumeId, resource };
  };
  const ofAnchor = (status: string): RetainedAnchor => ({
    kind: "anchor",
    id: "eni-1",
    resource: { status, ...ago(minutes) },
  });
  const look = { images: [], now };

  test("so many at once are condemned in several calls, as CreateTags takes no more than 1,000", () => {
    const ids = Array.from({ length: 1001 }, (_, at) => `vol-${at}`);
    const many = ids.map((volumeId) => ofVolume({ volumeId, markedId: volumeId }));
    const { steps } = deletion(many, look);
    const batches = steps.map((step) => (step.kind === "tag" ? step.resourceIds : []));
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(1000);
    expect(batches.flat()).toEqual(ids);
  });

  test("is condemned first, and looked at again half a minute later", () => {
    const { nextAt, steps } = deletion([ofVolume({})], look);
    expect(steps).toMatchObject([{ kind: "tag", resourceIds: ["vol-1"] }]);
    expect(nextAt).toBe(now + 30 * seconds);
  });

  test("is deleted after exactly half a minute, and not before", () => {
    expect(deletion([ofVolume(ago(30 * seconds))], look)).toEqual({
      steps: [{ kind: "delete-volume", volumeId: "vol-1" }],
      nextAt: undefined,
    });
    expect(deletion([ofVolume(ago(30 * seconds - 1))], look)).toEqual({
      steps: [],
      nextAt: now + 1,
    });
  });

  test("is looked at again when the first of it is ripe", () => {
    const two = [ofVolume(ago(5 * seconds)), ofVolume({ generation: 2, ...ago(20 * seconds) })];
    expect(deletion(two, look).nextAt).toBe(now + 10 * seconds);
  });

  test.each([
    ["a volume in use", ofVolume({ state: "in-use", ...ago(minutes) })],
    ["a volume without its own mark", ofVolume({ markedId: undefined, ...ago(minutes) })],
    ["an anchor in use", ofAnchor("in-use")],
  ])("stays while it is %s", (_what, held) => {
    expect(deletion([held], look)).toEqual({ steps: [], nextAt: undefined });
  });

  test("is an anchor, too, once it is free", () => {
    expect(deletion([ofAnchor("available")], look).steps).toEqual([
      { kind: "delete-anchor", interfaceId: "eni-1" },
    ]);
  });

  test("is the image before its snapshot", () => {
    const [own, snapshot] = [image(ago(minutes)), final(ago(minutes))];
    const both: Held[] = [
      { kind: "image", id: own.imageId, resource: own },
      { kind: "snapshot", id: snapshot.snapshotId, resource: snapshot },
    ];
    expect(deletion(both, { images: [own], now }).steps).toEqual([
      { kind: "deregister-image", imageId: "ami-1f" },
    ]);
    expect(deletion(both.slice(1), look).steps).toEqual([
      { kind: "delete-snapshot", snapshotId: "snap-1-final" },
    ]);
  });
});
