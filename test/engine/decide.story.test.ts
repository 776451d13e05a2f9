// Random stories on the tiny world: what users and EC2 do to a managed instance, with the loop cut
// off anywhere, and what must be true after every single step. EC2's refusals throw there, so that a
// step that EC2 would refuse fails the story, too.

import * as fc from "fast-check";
import { decide } from "../../src/engine/decide";
import type { Decision, Step } from "../../src/engine/model";
import { settleSeconds } from "../../src/engine/situation";
import { type Spec, specSchema } from "../../src/engine/spec";
import {
  hours,
  imageA,
  imageB,
  imageC,
  keepNothing,
  minutes,
  newborn,
  seconds,
  spec,
} from "./builders";
import { type Content, holds, type Life, TinyWorld } from "./tiny-world";

type Event =
  | { kind: "loop"; steps: number }
  | { kind: "settle" }
  | { kind: "interrupt" }
  | { kind: "pass"; minutes: number }
  | { kind: "change"; change: Record<string, unknown> }
  | { kind: "fail-snapshots"; count: number }
  | { kind: "exhaust"; types: string[] }
  | { kind: "sicken" }
  | { kind: "crash" };

const types = ["m5.large spot", "m6i.large spot", "m5.large on-demand", "m6i.large on-demand"];

const change = fc.oneof(
  fc.record({ imageId: fc.constantFrom(imageA, imageB, imageC) }),
  fc.record({ desiredState: fc.constantFrom("running", "paused") }),
  fc.record({ recycleToken: fc.constantFrom("a", "b", "c") }),
  fc.record({ persistRootDevice: fc.boolean() }),
  fc.record({ applyChanges: fc.constantFrom("at-once", "at-next-recycle") }),
  fc.record({ keyName: fc.constantFrom("a", "b") }),
  fc.record({ rollbackHours: fc.constantFrom(0, 24) }),
  fc.record({ instanceTypes: fc.constantFrom(["m5.large"], ["m5.large", "m6i.large"]) }),
);

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("loop" as const), steps: fc.nat(12) }) },
  { weight: 3, arbitrary: fc.constant({ kind: "settle" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "interrupt" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      minutes: fc.oneof(fc.nat(10), fc.constant(26 * 60)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("change" as const), change }) },
  fc.record({ kind: fc.constant("fail-snapshots" as const), count: fc.nat(5) }),
  fc.record({ kind: fc.constant("exhaust" as const), types: fc.subarray(types) }),
  fc.constant({ kind: "sicken" as const }),
  fc.constant({ kind: "crash" as const }),
);

const kinds = ["images", "snapshots", "volumes", "networkInterfaces"] as const;
const retention = fc.record(
  Object.fromEntries(kinds.map((kind) => [kind, fc.constantFrom(0, 96)])) as Record<
    (typeof kinds)[number],
    fc.Arbitrary<number>
  >,
);

const patience = 600;
/** More for a campaign: each run is one story. */
/** The same stories in every run, so that a change is judged by itself; others by environment. */
const runs = {
  numRuns: Number(process.env.STORY_RUNS ?? 60),
  seed: Number(process.env.STORY_SEED ?? 1),
};

/** One managed instance, its loop, and everything that must hold after each of its steps. */
class Story {
  readonly world = new TinyWorld(spec(), newborn());
  private last = "";
  private version = 1;
  deallocates = false;
  mayFail = false;

  tell(what: Event): void {
    const { world } = this;
    this.last = "";
    switch (what.kind) {
      case "loop":
        this.run(what.steps);
        break;
      case "settle":
        this.run(patience);
        break;
      case "interrupt":
        world.interrupt();
        break;
      case "pass":
        for (let each = 0; each < what.minutes; each += 10) world.pass(10 * minutes);
        break;
      case "change":
        this.order({ ...world.spec, ...what.change } as Spec);
        break;
      case "fail-snapshots":
        world.failingSnapshots = what.count;
        this.mayFail = true;
        break;
      case "exhaust":
        world.exhausted = what.types;
        break;
      case "sicken":
        world.sickGenerations.push((world.ledger.launch?.generation ?? 0) + 1);
        this.mayFail = true;
        break;
      case "crash":
        world.refusals = [];
        break;
    }
  }

  order(next: Spec): void {
    this.world.spec = specSchema.parse(next);
    this.version += 1;
  }

  /** Runs the loop until it has nothing more to do, at most so many looks. */
  run(looks: number): Decision | undefined {
    const { world } = this;
    for (let each = 0; each < looks; each += 1) {
      const decision = this.ask();
      if (decision.kind === "act") this.act(decision);
      else this.last = "";
      if (decision.kind === "done" || decision.kind === "stuck") return decision;
      if (decision.kind === "wait") {
        expect(decision.untilAt).toBeGreaterThan(world.now);
        world.pass(Math.min(decision.untilAt - world.now, 10 * seconds));
      }
    }
    return undefined;
  }

  private ask(): Decision {
    const { world } = this;
    return decide({
      spec: world.spec,
      specVersion: this.version,
      ledger: world.ledger,
      observation: world.observation(),
      now: world.now,
      deallocate: this.deallocates,
    });
  }

  private act(decision: Extract<Decision, { kind: "act" }>): void {
    const text = JSON.stringify(decision.steps);
    expect(text).not.toBe(this.last);
    this.last = text;
    for (const step of decision.steps) {
      checkStep(this.world, step, this.deallocates);
      this.world.apply(step);
      expect(this.world.alive().length).toBeLessThanOrEqual(1);
    }
    this.world.pass(seconds);
  }
}

function checkStep(world: TinyWorld, step: Step, deallocates: boolean): void {
  if (step.kind === "launch") checkLaunch(world, step);
  if (step.kind === "terminate") checkTermination(world, step.instanceId);
  if (step.kind === "delete-snapshot") checkDeletion(world, step.snapshotId, deallocates);
  if (step.kind === "delete-volume") checkDeletion(world, step.volumeId, deallocates);
}

/** The disk that a launch of this lineage must bring back: the last one that ran and was kept. */
const lastLife = (lives: readonly Life[], lineage: number) =>
  lives.filter((each) => each.lineage === lineage && each.ran).at(-1);

function checkLaunch(world: TinyWorld, step: Extract<Step, { kind: "launch" }>): void {
  expect(world.alive()).toEqual([]);
  const lineage = Number(step.instanceTags["pmi:lineage"]);
  const before = lastLife(world.lives, lineage);
  const source = world.sourceOf(step.imageId);
  const lacks = before?.kept === true && !holds(source, world.contentOf(before.volumeId));
  if (step.imageId === world.spec.imageId) expect(before?.kept ?? false).toBe(false);
  else if (lacks) expect(world.ledger.gap).toBeDefined();
}

function checkTermination(world: TinyWorld, instanceId: string): void {
  const instance = world.instances.find((each) => each.instanceId === instanceId);
  if (world.spec.persistRootDevice) expect(instance?.rootDeletedOnTermination).toBe(false);
}

/** A copy of a state may go when another holds all of it, when its time is over, or none was given. */
function checkDeletion(world: TinyWorld, id: string, deallocates: boolean): void {
  const resource = [
    ...world.snapshots.map((each) => ({ ...each, id: each.snapshotId, isVolume: false })),
    ...world.volumes.map((each) => ({ ...each, id: each.volumeId, isVolume: true })),
  ].find((each) => each.id === id);
  if (resource?.condemnedAt === undefined) throw new Error(`${id} is not condemned`);
  expect(world.now - resource.condemnedAt).toBeGreaterThanOrEqual(settleSeconds * seconds);
  const content = world.contentOf(id);
  const isUsable = resource.isVolume || resource.state === "completed";
  if (!isUsable || heldElsewhere(world, id, content)) return;
  const isOver = resource.deleteAfterAt !== undefined && resource.deleteAfterAt <= world.now;
  const isGivenUp = resource.lineage !== world.lives.filter((each) => each.ran).at(-1)?.lineage;
  const { images, snapshots, volumes } = world.spec.retentionHours;
  const keepsNone = resource.isVolume
    ? images + snapshots + volumes === 0
    : images + snapshots === 0;
  const isAllowed =
    isOver ||
    (deallocates && keepsNone) ||
    (!deallocates && isGivenUp && world.spec.rollbackHours === 0);
  if (!isAllowed)
    throw new Error(`${id} is the only copy of a state of lineage ${resource.lineage}`);
}

function heldElsewhere(world: TinyWorld, id: string, content: Content): boolean {
  const others = [
    ...world.volumes.filter((each) => each.state !== "error").map((each) => each.volumeId),
    ...world.snapshots.filter((each) => each.state === "completed").map((each) => each.snapshotId),
  ].filter((each) => each !== id);
  return others.some((other) => holds(world.contentOf(other), content));
}

const stories = fc.array(event, { minLength: 5, maxLength: 40 });

function tellAll(events: readonly Event[]): Story {
  const story = new Story();
  for (const each of events) story.tell(each);
  // What failed is over, so that whatever is wanted can be reached.
  story.world.exhausted = [];
  story.world.failingSnapshots = 0;
  story.world.sickGenerations = [];
  return story;
}

test("whatever happens, the disk comes back or what it lacks is told, and the loop comes to an end", () => {
  fc.assert(
    fc.property(stories, (events) => {
      const story = tellAll(events);
      const end = story.run(patience);
      if (story.mayFail) expect(["done", "stuck"]).toContain(end?.kind);
      else expect(end?.kind).toBe("done");
      if (end?.kind !== "done") return;
      const { spec: wanted } = story.world;
      expect(story.world.alive().length).toBe(wanted.desiredState === "running" ? 1 : 0);
    }),
    runs,
  );
});

test("whatever happened, a deallocation ends with nothing that has no expiry", () => {
  fc.assert(
    fc.property(stories, retention, (events, retentionHours) => {
      const story = tellAll(events);
      const { world } = story;
      world.spec = { ...world.spec, retentionHours };
      const wasMade = world.anchors.length > 0;
      story.deallocates = true;
      expect(story.run(patience)?.kind).toBe("done");
      expect(world.alive()).toEqual([]);
      const left = [...world.images, ...world.snapshots, ...world.volumes];
      expect(left.filter((each) => each.deleteAfterAt === undefined)).toEqual([]);
      expect(world.anchors.length).toBe(wasMade && retentionHours.networkInterfaces > 0 ? 1 : 0);
      const last = lastLife(world.lives, world.ledger.lineage?.number ?? 0);
      const keeps = retentionHours.images + retentionHours.snapshots + retentionHours.volumes > 0;
      if (keeps && last?.kept === true && !story.mayFail)
        expect(heldElsewhere(world, "", world.contentOf(last.volumeId))).toBe(true);
    }),
    runs,
  );
});

test("keeping nothing leaves nothing, whatever happened", () => {
  fc.assert(
    fc.property(stories, (events) => {
      const story = tellAll(events);
      const { world } = story;
      world.spec = { ...world.spec, retentionHours: keepNothing, rollbackHours: 0 };
      story.deallocates = true;
      expect(story.run(patience)?.kind).toBe("done");
      world.pass(30 * hours);
      const left = [...world.images, ...world.snapshots, ...world.volumes, ...world.anchors];
      const unaccounted = left.filter(
        (each) => !("deleteAfterAt" in each) || (each.deleteAfterAt ?? world.now + 1) > world.now,
      );
      expect(unaccounted).toEqual([]);
    }),
    runs,
  );
});
