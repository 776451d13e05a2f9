import { createSimulator, IMAGE_IDS } from "../../src/simulator";
import { matcherOf } from "../../src/simulator/describe";
import { createTester } from "./tester";

const tagged = (Key: string, Value: string) => ({
  TagSpecifications: [{ ResourceType: "instance" as const, Tags: [{ Key, Value }] }],
});

describe("filters (ec2-facts §9)", () => {
  test("match any of a filter's values and all of the filters", () => {
    const { boot, call } = createTester();
    const [one, two, three] = [
      boot(tagged("name", "one")),
      boot(tagged("name", "two")),
      boot({ ...tagged("name", "three"), InstanceType: "t3.large" }),
    ];
    const find = (...filters: [string, ...string[]][]) =>
      call("DescribeInstances", {
        Filters: filters.map(([Name, ...Values]) => ({ Name, Values })),
      }).Reservations?.flatMap((each) => each.Instances?.map(({ InstanceId }) => InstanceId));
    expect(find(["tag:name", "one", "two"])).toEqual([one, two]);
    expect(find(["tag:name", "t*"])).toEqual([two, three]);
    expect(find(["tag:name", "t*"], ["instance-type", "t3.large"])).toEqual([three]);
    expect(find(["tag:name", "T*"])).toEqual([]);
    expect(find(["tag-key", "na?e"])).toEqual([one, two, three]);
    expect(find(["tag:name"])).toEqual([]);
  });

  test.each([
    ["a*c", "abbc", true],
    ["a?c", "abbc", false],
    ["a?c", "abc", true],
    ["a\\*c", "a*c", true],
    ["a\\*c", "abc", false],
    ["a.c", "abc", false],
    ["(a|b)", "(a|b)", true],
    ["a\\\\", "a\\", true],
    ["*", "any\nthing", true],
  ])("with the pattern %j and the text %j match: %s", (pattern, text, expected) => {
    expect(matcherOf(pattern)(text)).toBe(expected);
  });

  test("that are unknown are refused", () => {
    const { refusal } = createTester();
    for (const action of [
      "DescribeInstances",
      "DescribeVolumes",
      "DescribeSnapshots",
      "DescribeImages",
      "DescribeNetworkInterfaces",
      "DescribeTags",
      "DescribeInstanceTypes",
    ] as const) {
      expect(refusal(action, { Filters: [{ Name: "wrong", Values: ["x"] }] })).toBe(
        "InvalidParameterValue: The filter 'wrong' is invalid",
      );
    }
  });

  test("are limited to 50, with 200 values of 255 characters each", () => {
    const { error } = createTester();
    const filter = { Name: "instance-id", Values: ["i-1"] };
    const refused = (Filters: { Name: string; Values: string[] }[]) =>
      error("DescribeInstances", { Filters }).code;
    expect(refused(Array(51).fill(filter))).toBe("FilterLimitExceeded");
    expect(refused([{ ...filter, Values: Array(201).fill("i-1") }])).toBe("FilterLimitExceeded");
    expect(refused([{ ...filter, Values: ["x".repeat(256)] }])).toBe("InvalidParameterValue");
  });
});

describe("ids", () => {
  test.each([
    [
      "DescribeInstances",
      { InstanceIds: ["x-1"] },
      'InvalidInstanceID.Malformed: Invalid id: "x-1" (expecting "i-...")',
    ],
    [
      "DescribeInstances",
      { InstanceIds: ["i-00000000", "i-11111111"] },
      "InvalidInstanceID.NotFound: The instance IDs 'i-00000000, i-11111111' do not exist",
    ],
    [
      "DescribeImages",
      { ImageIds: ["ami-00000000"] },
      "InvalidAMIID.NotFound: The image id '[ami-00000000]' does not exist",
    ],
    [
      "DescribeSnapshots",
      { SnapshotIds: ["snap-00000000"] },
      "InvalidSnapshot.NotFound: The snapshot 'snap-00000000' does not exist.",
    ],
    [
      "DescribeVolumes",
      { VolumeIds: ["vol-00000000"] },
      "InvalidVolume.NotFound: The volume 'vol-00000000' does not exist.",
    ],
    [
      "DescribeSubnets",
      { SubnetIds: ["subnet-00000000"] },
      "InvalidSubnetID.NotFound: The subnet ID 'subnet-00000000' does not exist",
    ],
  ] as const)("%s %j is refused", (action, input, expected) => {
    const sim = createSimulator();
    expect(() => sim.call(action, input)).toThrow(expected.slice(expected.indexOf(": ") + 2));
  });
});

describe("pages (ec2-facts §9)", () => {
  const five = () => {
    const tester = createTester();
    const ids = Array.from({ length: 12 }, () => tester.launch());
    return { tester, ids };
  };

  test("hold MaxResults items and a token for the rest, stable under insertion", () => {
    const { tester, ids } = five();
    const page = (NextToken?: string) =>
      tester.call("DescribeInstances", { MaxResults: 5, NextToken });
    const first = page();
    tester.launch();
    const second = page(first.NextToken);
    const third = page(second.NextToken);
    const seen = [first, second, third].flatMap((each) =>
      each.Reservations?.map((reservation) => reservation.Instances?.[0]?.InstanceId),
    );
    expect(seen.slice(0, 12)).toEqual(ids);
    expect(seen).toHaveLength(13);
    expect(third.NextToken).toBeUndefined();
  });

  test("refuse sizes out of range, ids beside MaxResults, and foreign tokens", () => {
    const { tester, ids } = five();
    const { error } = tester;
    expect(error("DescribeInstances", { MaxResults: 4 }).code).toBe("InvalidParameterValue");
    expect(error("DescribeInstances", { MaxResults: 1001 }).code).toBe("InvalidParameterValue");
    expect(error("DescribeInstances", { MaxResults: 5, InstanceIds: ids }).code).toBe(
      "InvalidParameterCombination",
    );
    expect(error("DescribeInstances", { MaxResults: 5, NextToken: "xyz" }).code).toBe(
      "InvalidNextToken",
    );
  });

  test("may be empty and still have a token, by fault", () => {
    const { tester, ids } = five();
    tester.sim.control.setFaults({ emptyPages: { next: 1 } });
    const first = tester.call("DescribeInstances", { MaxResults: 100 });
    expect(first.Reservations).toEqual([]);
    const second = tester.call("DescribeInstances", {
      MaxResults: 100,
      NextToken: first.NextToken,
    });
    expect(second.Reservations).toHaveLength(ids.length);
    expect(second.NextToken).toBeUndefined();
  });
});

describe("eventual consistency (ec2-facts §9)", () => {
  test("hides a new resource from Describe for the length of the lag", () => {
    const { launch, error, call, sim } = createTester();
    sim.control.setFaults({ lag: { seconds: 10 } });
    const id = launch();
    expect(error("DescribeInstances", { InstanceIds: [id] }).code).toBe(
      "InvalidInstanceID.NotFound",
    );
    expect(call("DescribeInstances", {}).Reservations).toEqual([]);
    sim.clock.advance(10);
    expect(call("DescribeInstances", { InstanceIds: [id] }).Reservations).toHaveLength(1);
  });

  test("shows a resource's own state as it was", () => {
    const { boot, instance, call, sim } = createTester();
    const id = boot();
    sim.control.setFaults({ lag: { seconds: 10 } });
    sim.clock.advance(60);
    call("TerminateInstances", { InstanceIds: [id] });
    expect(instance(id).State?.Name).toBe("running");
    sim.clock.advance(10);
    expect(instance(id).State?.Name).toBe("shutting-down");
  });

  test("shows a deleted resource a while longer", () => {
    const { anchor, call, error, sim } = createTester();
    const eni = anchor();
    sim.clock.advance(60);
    sim.control.setFaults({ lag: { seconds: 10 } });
    call("DeleteNetworkInterface", { NetworkInterfaceId: eni });
    const ids = { NetworkInterfaceIds: [eni] };
    expect(call("DescribeNetworkInterfaces", ids).NetworkInterfaces).toHaveLength(1);
    sim.clock.advance(10);
    expect(error("DescribeNetworkInterfaces", ids).code).toBe("InvalidNetworkInterfaceID.NotFound");
  });

  test("lags longer in the tag index than by id", () => {
    const { launch, call, sim } = createTester();
    sim.control.setFaults({ lag: { tagSeconds: 30 } });
    const id = launch(tagged("owner", "pmi-1"));
    const byTag = () =>
      call("DescribeInstances", { Filters: [{ Name: "tag:owner", Values: ["pmi-1"] }] })
        .Reservations?.length;
    expect(call("DescribeInstances", { InstanceIds: [id] }).Reservations).toHaveLength(1);
    expect(byTag()).toBe(0);
    sim.clock.advance(30);
    expect(byTag()).toBe(1);
  });

  test("may be a constant of the latency table", () => {
    const { launch, error } = createTester({ latencies: { describeLag: 5 } });
    expect(error("DescribeInstances", { InstanceIds: [launch()] }).code).toBe(
      "InvalidInstanceID.NotFound",
    );
  });

  test("that varies is drawn anew by each call, from the seed", () => {
    const views = (seed: number) => {
      const { launch, call, sim } = createTester({ seed });
      sim.control.setFaults({ lag: { seconds: 10, varies: true } });
      launch();
      sim.clock.advance(5);
      return Array.from({ length: 20 }, () => call("DescribeInstances", {}).Reservations?.length);
    };
    expect(new Set(views(1))).toEqual(new Set([0, 1]));
    expect(views(1)).toEqual(views(1));
    expect(views(1)).not.toEqual(views(2));
  });
});

test("one seed gives one world, another seed another", () => {
  const ids = (seed: number) => {
    const tester = createTester({ seed });
    return [tester.boot(), tester.anchor(), JSON.stringify(tester.sim.control.state())];
  };
  expect(ids(7)).toEqual(ids(7));
  expect(ids(7)[0]).not.toBe(ids(8)[0]);
});

describe("unknown things", () => {
  test("are answered with AWS's InvalidAction", () => {
    const { sim } = createTester();
    expect(() => sim.call("MakeCoffee", {})).toThrow(
      "The action MakeCoffee is not valid for this web service.",
    );
    expect(() => sim.call("CreateVpnGateway", {})).toThrow(/The simulator does not simulate it\.$/);
  });

  test("every action refuses a parameter that it does not know", () => {
    const { sim } = createTester();
    for (const action of sim.actions)
      expect(() => sim.call(action, { Nonsense: 1 })).toThrow(
        "The parameter Nonsense is not recognized",
      );
  });

  test("every action without required parameters honours DryRun", () => {
    const { sim } = createTester();
    for (const action of sim.actions.filter((name) => name.startsWith("Describe"))) {
      try {
        sim.call(action, { DryRun: true });
      } catch (error) {
        expect([action, String(error)]).toEqual([
          action,
          expect.stringMatching(/^(DryRunOperation|MissingParameter)/),
        ]);
      }
    }
  });
});

test("what was called is remembered with time, parameters and outcome", () => {
  const { sim, launch, error } = createTester();
  launch();
  error("DescribeInstances", { InstanceIds: ["i-00000000"] });
  expect(sim.control.calls()).toMatchObject([
    { action: "RunInstances", parameters: { ImageId: IMAGE_IDS.amazonLinux }, outcome: "ok" },
    { action: "DescribeInstances", outcome: "InvalidInstanceID.NotFound" },
  ]);
  sim.control.clearCalls();
  expect(sim.control.calls()).toEqual([]);
});
