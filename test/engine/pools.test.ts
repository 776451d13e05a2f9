// Where to launch: the order of the pools, what rests and until when.

import type { Anchor, Observation, Refusal } from "../../src/engine/model";
import { allowedSubnets, choosePool, orderedPools } from "../../src/engine/pools";
import type { Question } from "../../src/engine/situation";
import { understand } from "../../src/engine/situation";
import {
  anchor,
  atRest,
  instance,
  minutes,
  newborn,
  now,
  pool,
  question,
  refusal,
  seconds,
  spec,
  subnetA,
  subnetB,
} from "./builders";

const here = "eu-central-1a";
const there = "eu-central-1b";

const order = (ask: Partial<Question>) =>
  orderedPools(understand(question({ observation: atRest(), ...ask }))).map(
    ({ instanceType, market, subnetId }) => `${instanceType} ${market} ${subnetId.slice(-1)}`,
  );

test("Spot comes before On-Demand", () => {
  expect(order({})).toEqual([
    "m5.large spot a",
    "m6i.large spot a",
    "m5.large on-demand a",
    "m6i.large on-demand a",
  ]);
});

test("On-Demand is no pool where it is not allowed, and Spot none where it is not wanted", () => {
  expect(order({ spec: spec({ fallbackToOnDemand: false }) })).toEqual([
    "m5.large spot a",
    "m6i.large spot a",
  ]);
  expect(order({ spec: spec({ lifeCycle: "on_demand", fallbackToOnDemand: false }) })).toEqual([
    "m5.large on-demand a",
    "m6i.large on-demand a",
  ]);
});

test("preferred types come first in the user's order, the others by their Spot price", () => {
  const observation = atRest({
    spotMarket: {
      usdPerHour: { [`a1.large ${here}`]: 3, [`c1.large ${here}`]: 2, [`d1.large ${here}`]: 1 },
      zoneScores: {},
    },
  });
  const wanted = spec({
    instanceTypes: ["a1.large", "b1.large", "c1.large", "d1.large"],
    preferredInstanceTypes: ["a1.large"],
  });
  expect(order({ spec: wanted, observation })).toEqual([
    ...["a1", "d1", "c1", "b1"].map((each) => `${each}.large spot a`),
    ...["a1", "b1", "c1", "d1"].map((each) => `${each}.large on-demand a`),
  ]);
});

const both = spec({ subnetIds: [subnetA, subnetB], persistPrivateIp: false });

test("the subnet of the anchor comes before others, whatever their scores", () => {
  const spotMarket = { usdPerHour: {}, zoneScores: { [here]: 1, [there]: 9 } };
  expect(order({ spec: both, observation: atRest({ spotMarket }) }).slice(0, 4)).toEqual([
    "m5.large spot a",
    "m6i.large spot a",
    "m5.large spot b",
    "m6i.large spot b",
  ]);
});

test("a price counts only in the zone that it is the price of", () => {
  const spotMarket = { usdPerHour: { [`m6i.large ${there}`]: 1 }, zoneScores: {} };
  expect(order({ spec: both, observation: atRest({ spotMarket }) }).slice(0, 4)).toEqual([
    "m5.large spot a",
    "m6i.large spot a",
    "m6i.large spot b",
    "m5.large spot b",
  ]);
});

test("further subnets come by their score for Spot, and in the user's order On-Demand", () => {
  const spotMarket = { usdPerHour: {}, zoneScores: { [here]: 1, [there]: 9 } };
  const subnetsOf = (subnetIds: string[], anchors: Anchor[]) => {
    const one = spec({ subnetIds, persistPrivateIp: false, instanceTypes: ["m5.large"] });
    const pools = order({ spec: one, observation: atRest({ anchors, spotMarket }) });
    return pools.map((each) => each.replace("m5.large ", ""));
  };
  expect(subnetsOf([subnetA, subnetB], [])).toEqual([
    "spot b",
    "spot a",
    "on-demand a",
    "on-demand b",
  ]);
  for (const subnetIds of [
    [subnetA, subnetB],
    [subnetB, subnetA],
  ])
    expect(subnetsOf(subnetIds, [anchor()])).toEqual([
      "spot a",
      "spot b",
      "on-demand a",
      "on-demand b",
    ]);
});

test("every Spot pool of every subnet comes before any On-Demand", () => {
  const markets = order({ spec: both }).map((each) => each.split(" ")[1]);
  expect(markets).toEqual([...Array(4).fill("spot"), ...Array(4).fill("on-demand")]);
});

describe("the subnets that are allowed", () => {
  const allowed = (ask: Partial<Question>) =>
    allowedSubnets(understand(question({ observation: atRest(), ...ask })));
  const pinned = spec({ subnetIds: [subnetA, subnetB] });

  test("are all before there is an anchor", () => {
    const observation = atRest({ anchors: [] });
    expect(allowed({ spec: pinned, observation })).toEqual([subnetA, subnetB]);
  });

  test("are all while the address is not promised: in a creation, or for good", () => {
    expect(allowed({ spec: pinned, ledger: newborn() })).toEqual([subnetA, subnetB]);
    expect(allowed({ spec: both })).toEqual([subnetA, subnetB]);
  });

  test("are the anchor's alone once the address is promised", () => {
    expect(allowed({ spec: pinned })).toEqual([subnetA]);
    const observation = atRest({ anchors: [anchor({ subnetId: subnetB })] });
    expect(allowed({ spec: spec(), observation })).toEqual([subnetB]);
  });

  test("are those of a fixed address", () => {
    const fixed = spec({ subnetIds: [subnetB], privateIp: "10.0.1.5" });
    expect(allowed({ spec: fixed })).toEqual([subnetB]);
  });
});

describe("a launch that EC2 ended before it ran", () => {
  const both = spec({
    subnetIds: [subnetA, subnetB],
    instanceTypes: ["m5.large"],
    persistPrivateIp: false,
  });
  const choice = (stateReason: string, anchors: Anchor[] = [anchor()]) => {
    const failed = instance({ state: "terminated", stateReason, launchedAt: now - 5 * minutes });
    const ask = { spec: both, observation: atRest({ anchors, instances: [failed] }) };
    return choosePool(understand(question(ask)));
  };
  const elsewhere = { kind: "pool", pool: pool({ subnetId: subnetB }) };

  test("for EC2's own reasons counts as refused where the interface is", () => {
    expect(choice("Server.InternalError")).toEqual(elsewhere);
  });

  test("counts for the subnet that the interface was in, once that has moved", () => {
    const moved = (minutesAgo: number) =>
      anchor({ subnetId: subnetB, moves: 1, movedAt: now - minutesAgo * minutes });
    expect(choice("Server.InternalError", [moved(4)])).toEqual(elsewhere);
    expect(choice("Server.InternalError", [moved(5)])).toEqual({ kind: "pool", pool: pool() });
  });

  test.each(["Client.InternalError", "Server.SpotInstanceTermination"])(
    "says nothing of the pool where EC2 says %s",
    (reason) => {
      expect(choice(reason)).toEqual({ kind: "pool", pool: pool() });
    },
  );
});

describe("a subnet without a free address", () => {
  const both = spec({
    subnetIds: [subnetA, subnetB],
    instanceTypes: ["m5.large"],
    persistPrivateIp: false,
  });
  const full = (subnetId: string, ago: number) => ({ subnetId, at: now - ago * seconds });
  const choice = (fullSubnets: Observation["fullSubnets"], refusals: Refusal[] = []) =>
    choosePool(
      understand(question({ spec: both, observation: atRest({ fullSubnets, refusals }) })),
    );

  test("is left for On-Demand where the interface is, and asked again after ten minutes", () => {
    const refusals = [refusal({ at: now - 30 * seconds })];
    const here = pool({ market: "on-demand" });
    expect(choice([], refusals)).toEqual({ kind: "pool", pool: pool({ subnetId: subnetB }) });
    expect(choice([full(subnetB, 10)], refusals)).toEqual({ kind: "pool", pool: here });
    expect(choice([full(subnetB, 599)], refusals)).toEqual({ kind: "pool", pool: here });
    expect(choice([full(subnetB, 600)], refusals)).toEqual({
      kind: "pool",
      pool: pool({ subnetId: subnetB }),
    });
  });

  test("is no obstacle to the interface that is in it already", () => {
    expect(choice([full(subnetA, 10)])).toEqual({ kind: "pool", pool: pool() });
  });
});

describe("a pool that EC2 refused", () => {
  const choice = (refusals: Parameters<typeof refusal>[0][]) => {
    const observation = atRest({ refusals: refusals.map(refusal) });
    return choosePool(understand(question({ observation })));
  };
  const all = (["spot", "on-demand"] as const).flatMap((market) =>
    ["m5.large", "m6i.large"].map((instanceType) => pool({ market, instanceType })),
  );

  const refusedAgo = (ago: number, ...pools: readonly ReturnType<typeof pool>[]) =>
    pools.map((each) => ({ pool: each, at: now - ago * seconds }));

  test("rests for a minute", () => {
    const only = spec({ instanceTypes: ["m5.large"], fallbackToOnDemand: false });
    const at = (ago: number) => {
      const observation = atRest({ refusals: refusedAgo(ago, pool()).map(refusal) });
      return choosePool(understand(question({ observation, spec: only })));
    };
    expect(at(59)).toEqual({ kind: "resting", untilAt: now + 1 * seconds });
    expect(at(60)).toEqual({ kind: "pool", pool: pool() });
  });

  test("comes after all others for ten minutes, so that On-Demand gets its turn however long a round takes", () => {
    const spot = all.slice(0, 2);
    expect(choice(refusedAgo(90, ...spot))).toEqual({ kind: "pool", pool: all[2] });
    expect(choice(refusedAgo(599, ...spot))).toEqual({ kind: "pool", pool: all[2] });
    expect(choice(refusedAgo(600, ...spot))).toEqual({ kind: "pool", pool: all[0] });
  });

  test("has its next turn in the order of the refusals where all were refused", () => {
    const refusals = [61, 90, 75, 30].flatMap((ago, at) =>
      refusedAgo(ago, ...all.slice(at, at + 1)),
    );
    expect(choice(refusals)).toEqual({ kind: "pool", pool: all[1] });
  });

  test("rests from its last refusal on", () => {
    const twice = [{ at: now - 90 * seconds }, { at: now - 10 * seconds }];
    expect(choice(twice)).toEqual({ kind: "pool", pool: pool({ instanceType: "m6i.large" }) });
  });

  test("for another reason than capacity does not rest", () => {
    expect(choice([{ kind: "token-mismatch" }])).toEqual({ kind: "pool", pool: pool() });
  });

  test("is asked again first where all rest", () => {
    const refusals = all.map((each, at) => ({
      pool: each,
      at: now - (at === 2 ? 40 : 5) * seconds,
    }));
    expect(choice(refusals)).toEqual({ kind: "resting", untilAt: now + 20 * seconds });
  });
});
