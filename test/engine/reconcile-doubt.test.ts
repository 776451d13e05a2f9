// The loop without anybody who listens, and with refusals of one step among several.

import { CloudError } from "../../src/engine/ports";
import {
  anchor,
  atRest,
  carriedVolume,
  final,
  heldBy,
  image,
  instance,
  launch,
  ledger,
  minutes,
  now,
  periodic,
  volume,
} from "./builders";
import { facts, kindsOf, refused, tell } from "./loop-script";

const alone = { options: { progress: undefined, signal: undefined } };
const condemned = { condemnedAt: now - minutes };
const free = facts(atRest({ snapshots: [final()], images: [image()] }));
/** Generation 2 carries it; what generation 1 left is there besides. */
const onSecond = (change: Parameters<typeof facts>[0] = {}) =>
  facts({
    anchors: [heldBy("i-2")],
    instances: [instance({ generation: 2, imageId: "ami-1f" })],
    volumes: [carriedVolume({ generation: 2 })],
    snapshots: [periodic({ generation: 2 })],
    ...change,
  });
const second = ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) });
/** An image and a volume that are to be deleted now. */
const doomed = {
  known: second,
  looks: [
    onSecond({
      volumes: [carriedVolume({ generation: 2 }), volume(condemned)],
      snapshots: [periodic({ generation: 2 }), final(condemned)],
      images: [image(condemned)],
    }),
  ],
} as const;

describe("where nobody listens and nobody can call it off", () => {
  test("an unanswered look is repeated", async () => {
    const silent = new CloudError("throttled", "slow down");
    const { outcome } = await tell({ ...alone, looks: [silent, silent, silent, facts()] });
    expect(outcome.kind).toBe("done");
  });

  test("a wait ends with what is waited for", async () => {
    const detaching = facts({ anchors: [anchor()], instances: [] });
    const { outcome } = await tell({
      ...alone,
      looks: [detaching, facts()],
      glances: ["in-use", "available"],
    });
    expect(outcome.kind).toBe("done");
  });

  test("a launch that is refused is followed by what comes next", async () => {
    const { outcome } = await tell({
      ...alone,
      looks: [free, onSecond()],
      answers: [refused("no-capacity")],
    });
    expect(outcome.kind).toBe("done");
  });

  test("a deletion that is refused lets the others go on", async () => {
    const answers = [refused("in-use"), refused("in-use"), { kind: "done" }] as const;
    const { outcome } = await tell({
      ...doomed,
      ...alone,
      looks: [...doomed.looks, onSecond()],
      answers,
    });
    expect(outcome.kind).toBe("done");
  });
});

describe("a step among several that is refused", () => {
  /** The disk is in error, so its volume is marked before an older snapshot is launched. */
  const fallenBack = {
    looks: [
      facts(
        atRest({
          volumes: [volume({ state: "error" })],
          images: [image({ imageId: "ami-1p", snapshotId: "snap-1-periodic" })],
        }),
      ),
    ],
  } as const;

  test.each(["not-found", "throttled", "invalid"] as const)(
    "because of %s ends them: what follows depends on it",
    async (meaning) => {
      const answers = [refused(meaning), refused("throttled")];
      const told = await tell({ ...fallenBack, answers, steps: 2 });
      expect(kindsOf(told)).toEqual(["tag", "tag"]);
    },
  );

  test("because it is gone lets the others go on: an image is gone like anything else", async () => {
    const told = await tell({ ...doomed, answers: [refused("not-found")], steps: 2 });
    expect(kindsOf(told)).toEqual(["deregister-image", "delete-volume"]);
    expect(told.looks).toBe(1);
  });

  test("because somebody uses it is told for each and left to the sweep", async () => {
    const answers = [refused("in-use"), refused("in-use"), { kind: "done" }] as const;
    const told = await tell({ ...doomed, answers, steps: 4 });
    expect(told.performed).toMatchObject([
      { kind: "deregister-image", imageId: "ami-1f" },
      { kind: "delete-volume", volumeId: "vol-1" },
      { kind: "tag", resourceIds: ["ami-1f"] },
      { kind: "tag", resourceIds: ["vol-1"] },
    ]);
    expect(told.progress.filter(({ kind }) => kind === "warning")).toHaveLength(2);
  });

  test("because EC2 is busy is tried again", async () => {
    const answers = [refused("throttled"), { kind: "done" }] as const;
    const told = await tell({ ...doomed, answers, steps: 2 });
    expect(kindsOf(told)).toEqual(["deregister-image", "deregister-image"]);
    expect(told.slept).toEqual([1000, 1000]);
    expect(told.progress.filter(({ kind }) => kind === "wait")).toEqual([]);
  });
});
