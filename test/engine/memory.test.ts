// What one running loop remembers between two looks, and for how long it believes it.

import { Memory } from "../../src/engine/memory";
import type { CloudFacts } from "../../src/engine/model";
import type { Cloud, Registry } from "../../src/engine/ports";
import type { ConvergeOptions } from "../../src/engine/reconcile";
import {
  anchor,
  atRest,
  final,
  id,
  image,
  imageA,
  instance,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  pool,
  seconds,
  spec,
  subnetA,
  subnetB,
} from "./builders";
import { launching, registering, snapshotting } from "./expected";

const unused = (): never => {
  throw new Error("memory talks to nobody");
};
const cloud: Cloud = { now: unused, observe: unused, glance: unused, perform: unused };
const registry: Registry = { load: unused, save: unused };

const memory = (change: Partial<ConvergeOptions> = {}) =>
  new Memory({
    id,
    spec: spec(),
    specVersion: 1,
    cloud,
    registry,
    clock: { sleep: unused },
    ...change,
  });

const facts = (change: Partial<CloudFacts> = {}): CloudFacts => {
  const {
    refusals: _r,
    anchorMissingSinceAt: _a,
    lookingSinceAt: _l,
    fullSubnets: _f,
    remembered: _m,
    ...found
  } = atRest(change);
  return found;
};

describe("what was made and does not show yet", () => {
  test("is taken for there: an instance", () => {
    const it = memory();
    it.rememberCreated(launching(), "i-2", now);
    expect(it.complete(facts(), now + seconds).instances).toEqual([
      {
        instanceId: "i-2",
        state: "pending",
        clientToken: `${id}:2:1`,
        imageId: "ami-1f",
        instanceType: "m5.large",
        market: "spot",
        launchedAt: now,
        rootDeletedOnTermination: false,
        platform: { architecture: "", rootDeviceName: "/dev/xvda", platformDetails: "" },
        health: { kind: "initializing" },
        interruptionNoticed: false,
        tags: launching().instanceTags,
      },
    ]);
  });

  test("is taken for there: a snapshot and an image", () => {
    const it = memory();
    it.rememberCreated(snapshotting("final", "vol-1"), "snap-new", now);
    it.rememberCreated(registering("snap-1-final"), "ami-new", now);
    const seen = it.complete(facts({ snapshots: [] }), now + seconds);
    expect(seen.snapshots).toEqual([
      expect.objectContaining({
        snapshotId: "snap-new",
        volumeId: "vol-1",
        state: "pending",
        startedAt: now,
        operation: "final:vol-1",
      }),
    ]);
    expect(seen.images).toEqual([
      expect.objectContaining({ imageId: "ami-new", snapshotId: "snap-1-final", state: "pending" }),
    ]);
  });

  test("is not doubled once EC2 shows it", () => {
    const it = memory();
    it.rememberCreated(snapshotting("final", "vol-1"), "snap-1-final", now);
    const shown = facts({ snapshots: [final()] });
    expect(it.complete(shown, now + seconds).snapshots).toEqual([final()]);
  });

  test("is under way, and nothing better, when a later answer is older and hides it again", () => {
    const it = memory();
    it.rememberCreated(snapshotting("final", "vol-1"), "snap-1-final", now);
    it.complete(facts({ snapshots: [final()] }), now + seconds);
    const seen = it.complete(facts({ snapshots: [] }), now + 2 * seconds);
    expect(seen.snapshots).toMatchObject([{ snapshotId: "snap-1-final", state: "pending" }]);
  });

  test("is gone once we have deleted it", () => {
    const it = memory();
    it.rememberCreated(snapshotting("final", "vol-1"), "snap-a", now);
    it.rememberCreated(registering("snap-a"), "ami-a", now);
    it.rememberDeleted("ami-a");
    it.rememberDeleted(undefined);
    const seen = it.complete(facts({ snapshots: [] }), now + seconds);
    expect(seen.snapshots).toMatchObject([{ snapshotId: "snap-a" }]);
    expect(seen.images).toEqual([]);
  });

  test("is not doubled once EC2 shows it: an instance and an image", () => {
    const it = memory();
    it.rememberCreated(launching(), "i-2", now);
    it.rememberCreated(registering("snap-1-final"), "ami-1f", now);
    const ended = instance({ generation: 2, state: "terminated" });
    const seen = it.complete(facts({ instances: [ended], images: [image()] }), now + seconds);
    expect(seen).toMatchObject({ instances: [ended], images: [image()] });
    expect(seen.instances).toHaveLength(1);
    expect(seen.images).toHaveLength(1);
  });

  test("is believed although EC2 shows what was made before it", () => {
    const it = memory();
    it.rememberCreated(launching(), "i-2", now);
    it.rememberCreated(snapshotting("final", "vol-1"), "snap-new", now);
    const seen = it.complete(facts({ instances: [instance()], snapshots: [final()] }), now);
    expect(seen.instances.map((each) => each.instanceId)).toEqual(["i-1", "i-2"]);
    expect(seen.snapshots.map((each) => each.snapshotId)).toEqual(["snap-1-final", "snap-new"]);
  });

  test("is believed for as long as EC2 may lag, and no longer", () => {
    const it = memory();
    it.rememberCreated(launching(), "i-2", now);
    expect(it.complete(facts(), now + 5 * minutes - 1).instances).toHaveLength(1);
    expect(it.complete(facts(), now + 5 * minutes).instances).toEqual([]);
  });

  test("that has no id is not remembered", () => {
    const it = memory();
    it.rememberCreated(launching(), undefined, now);
    expect(it.complete(facts(), now).instances).toEqual([]);
  });
});

describe("what is waited for", () => {
  test("is waited for since it first was, until something else is", () => {
    const it = memory();
    const snapshot = { kind: "snapshot", snapshotId: "snap-1" } as const;
    expect(it.waitsSince(snapshot, now)).toBe(now);
    expect(it.waitsSince({ ...snapshot }, now + minutes)).toBe(now);
    const image = { kind: "image", imageId: "ami-1" } as const;
    expect(it.waitsSince(image, now + minutes)).toBe(now + minutes);
    expect(it.waitsSince(snapshot, now + 2 * minutes)).toBe(now + 2 * minutes);
  });
});

describe("the ledger", () => {
  test("that was written last is the newer one while the tags still show the old one", () => {
    const it = memory();
    it.remember(ledger({ revision: 7 }));
    expect(it.newestLedger(ledger({ revision: 6 }))?.revision).toBe(7);
    expect(it.newestLedger(undefined)?.revision).toBe(7);
  });

  test("that somebody else wrote since is the newer one", () => {
    const it = memory();
    it.remember(ledger({ revision: 7 }));
    expect(it.newestLedger(ledger({ revision: 8 }))?.revision).toBe(8);
    expect(it.newestLedger(ledger({ revision: 7 }))?.revision).toBe(8);
  });

  test("that is read is the one in force when another process wrote at the same time", () => {
    const it = memory();
    it.remember(ledger({ revision: 7 }));
    const written = ledger({ revision: 7, specVersion: 2 });
    expect(it.newestLedger(written)).toBe(written);
    expect(it.newestLedger(undefined)).toBe(written);
  });

  test("of a creation is the one to begin with", () => {
    const it = memory({ initial: ledger({ phase: "creating", revision: 0 }) });
    expect(it.newestLedger(undefined)?.phase).toBe("creating");
  });

  test("of a creation that has launched nothing names nothing to look for", () => {
    const { instanceId, rootVolumeId } = memory({ initial: newborn() }).query(now);
    expect([instanceId, rootVolumeId]).toEqual([undefined, undefined]);
  });

  test("tells which ids must not be missed", () => {
    const it = memory({ remembered: { interfaceId: "eni-9" } });
    it.remember(ledger());
    expect(it.query(now)).toMatchObject({
      id,
      imageId: imageA,
      interfaceId: "eni-9",
      instanceId: "i-1",
      rootVolumeId: "vol-1",
    });
  });
});

describe("an anchor", () => {
  test("that was made or seen is asked for by its id from then on", () => {
    const it = memory();
    expect(it.query(now).interfaceId).toBeUndefined();
    const step = {
      kind: "create-anchor",
      token: "t",
      subnetId: subnetA,
      securityGroupIds: [],
      tags: {},
    } as const;
    it.rememberCreated(step, "eni-2", now);
    expect(it.query(now).interfaceId).toBe("eni-2");
    it.complete(facts({ anchors: [anchor({ interfaceId: "eni-3" })] }), now);
    expect(it.query(now).interfaceId).toBe("eni-3");
    it.rememberCreated(launching(), "i-2", now);
    expect(it.query(now).interfaceId).toBe("eni-3");
    it.complete(facts({ anchors: [] }), now);
    expect(it.query(now).interfaceId).toBe("eni-3");
  });

  test("that is not to be seen is missing since it was first missed, until it is seen", () => {
    const it = memory();
    const lost = facts({ anchors: [] });
    expect(it.complete(lost, now).anchorMissingSinceAt).toBe(now);
    expect(it.complete(lost, now + minutes).anchorMissingSinceAt).toBe(now);
    expect(it.complete(facts(), now + minutes).anchorMissingSinceAt).toBeUndefined();
    expect(it.complete(lost, now + 2 * minutes).anchorMissingSinceAt).toBe(now + 2 * minutes);
  });

  test("and all else has been looked for since the first look", () => {
    const it = memory();
    expect(it.complete(facts(), now).lookingSinceAt).toBe(now);
    expect(it.complete(facts(), now + minutes).lookingSinceAt).toBe(now);
  });

  test("and a step is refused for good after five minutes and ten times, not by a leap of the clock", () => {
    const it = memory();
    const refusals = (count: number, at: number) =>
      Array.from({ length: count }, () => it.isRefusedForGood("a step", at));
    expect(refusals(10, now)).not.toContain(true);
    expect(refusals(1, now + 5 * minutes - 1)).toEqual([false]);
    expect(refusals(1, now + 5 * minutes)).toEqual([true]);
    it.forgetRefusal("a step");
    expect(refusals(1, now + 5 * minutes)).toEqual([false]);
    expect(refusals(9, now + 60 * minutes)).not.toContain(true);
    expect(refusals(1, now + 60 * minutes)).toEqual([true]);
    expect(it.isRefusedForGood("another step", now + 60 * minutes)).toBe(false);
  });

  test("is remembered with its address only where the spec still allows its subnet", () => {
    const known = { remembered: { subnetId: subnetB, privateIp: "10.0.0.10" } };
    expect(memory(known).complete(facts(), now).remembered).toBeUndefined();
    const allowed = memory({ ...known, spec: spec({ subnetIds: [subnetB] }) });
    expect(allowed.complete(facts(), now).remembered).toEqual(known.remembered);
  });

  test.each([
    ["a subnet without an address", { subnetId: subnetA }],
    ["an address without a subnet", { privateIp: "10.0.0.10" }],
  ])("is not remembered by %s", (_name, remembered) => {
    expect(memory({ remembered }).complete(facts(), now).remembered).toBeUndefined();
  });
});

describe("a refusal", () => {
  const refuse = (meaning: "no-capacity" | "token-spent" | "invalid" | "in-use" | "throttled") => {
    const it = memory();
    const isTold = it.rememberRefusal(launching({ attempt: 3 }), { meaning, message: "no" }, now);
    return { isTold, refusals: it.complete(facts(), now).refusals };
  };

  test.each(["no-capacity", "token-spent", "invalid"] as const)(
    "because of %s says something about the launch",
    (kind) => {
      const told = { pool: pool(), generation: 2, attempt: 3, at: now, kind, message: "no" };
      expect(refuse(kind)).toEqual({ isTold: true, refusals: [told] });
    },
  );

  test.each(["in-use", "throttled"] as const)("because of %s says nothing about it", (meaning) => {
    expect(refuse(meaning)).toEqual({ isTold: false, refusals: [] });
  });
});

describe("prices and scores", () => {
  const market = { usdPerHour: { "m5.large eu-central-1a": 1 }, zoneScores: {} };

  test("are asked for before a Spot launch, once in five minutes, and kept meanwhile", () => {
    const it = memory();
    expect(it.query(now).wantsSpotMarket).toBe(true);
    it.complete(facts({ spotMarket: market }), now);
    expect(it.query(now + minutes).wantsSpotMarket).toBe(false);
    expect(it.complete(facts(), now + minutes).spotMarket).toEqual(market);
    expect(it.query(now + 5 * minutes).wantsSpotMarket).toBe(true);
  });

  test("are not asked for by a first look at what its ledger calls healthy", () => {
    const it = memory({ initial: ledger() });
    expect(it.query(now).wantsSpotMarket).toBe(false);
    it.complete(facts(), now);
    expect(it.query(now).wantsSpotMarket).toBe(true);
  });

  test("are not asked for while an instance runs, nor for On-Demand", () => {
    const it = memory();
    const { instances } = observation({ instances: [instance()] });
    it.complete(facts({ instances }), now);
    expect(it.query(now).wantsSpotMarket).toBe(false);
    it.complete(facts({ instances: [instance({ state: "terminated" })] }), now);
    expect(it.query(now).wantsSpotMarket).toBe(true);
    const onDemand = memory({ spec: spec({ lifeCycle: "on_demand" }) });
    expect(onDemand.query(now).wantsSpotMarket).toBe(false);
  });
});
