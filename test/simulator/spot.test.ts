import { IMAGE_IDS } from "../../src/simulator";
import {
  createTester,
  KEEP_ROOT,
  onAnchor,
  only,
  PERSISTENT_SPOT,
  SPOT,
  SUBNET_A,
  ZONE_A,
} from "./tester";

type SpotTester = ReturnType<typeof createTester>;

function requestOf(tester: SpotTester, instanceId: string) {
  const id = tester.instance(instanceId).SpotInstanceRequestId ?? "";
  return only(
    tester.call("DescribeSpotInstanceRequests", { SpotInstanceRequestIds: [id] })
      .SpotInstanceRequests,
  );
}

function detailTypes(tester: SpotTester) {
  return tester.sim.control.events.list().map((event) => event["detail-type"]);
}

describe("a Spot launch (ec2-facts §1.4)", () => {
  test("has a request that is active and fulfilled, with its tags", () => {
    const tester = createTester();
    const id = tester.boot({
      InstanceMarketOptions: SPOT,
      TagSpecifications: [
        { ResourceType: "spot-instances-request", Tags: [{ Key: "a", Value: "b" }] },
      ],
    });
    expect(tester.instance(id).InstanceLifecycle).toBe("spot");
    expect(requestOf(tester, id)).toMatchObject({
      State: "active",
      Status: { Code: "fulfilled" },
      Type: "one-time",
      InstanceInterruptionBehavior: "terminate",
      InstanceId: id,
      LaunchedAvailabilityZone: ZONE_A,
      Tags: [{ Key: "a", Value: "b" }],
    });
    expect(detailTypes(tester)[0]).toBe("EC2 Spot Instance Request Fulfillment");
  });

  test.each([
    [{ SpotInstanceType: "persistent" }, "InvalidParameterCombination"],
    [{ InstanceInterruptionBehavior: "stop" }, "InvalidParameterCombination"],
    [{ ValidUntil: new Date("2027-01-01") }, "InvalidParameterCombination"],
    [{ MaxPrice: "0.001" }, "InvalidParameterValue"],
    [{ MaxPrice: "0.0011" }, "SpotMaxPriceTooLow"],
  ] as const)("with %j is refused as %s", (SpotOptions, code) => {
    const { error } = createTester();
    const input = {
      ImageId: IMAGE_IDS.amazonLinux,
      InstanceType: "m5.large" as const,
      MinCount: 1,
      MaxCount: 1,
    };
    const market = { MarketType: "spot" as const, SpotOptions };
    expect(error("RunInstances", { ...input, InstanceMarketOptions: market }).code).toBe(code);
  });

  test("has no termination protection (ec2-facts §11)", () => {
    const { error } = createTester();
    const input = { ImageId: IMAGE_IDS.amazonLinux, MinCount: 1, MaxCount: 1 };
    expect(
      error("RunInstances", { ...input, InstanceMarketOptions: SPOT, DisableApiTermination: true })
        .code,
    ).toBe("InvalidParameterCombination");
  });
});

describe("an interruption (ec2-facts §1.4, §8)", () => {
  test("is announced two minutes ahead, with the odd ARN, and then terminates", () => {
    const tester = createTester();
    const { sim, instance } = tester;
    const id = tester.boot({ InstanceMarketOptions: SPOT, BlockDeviceMappings: KEEP_ROOT });
    sim.control.interrupt({ instanceId: id });
    expect(requestOf(tester, id).Status?.Code).toBe("marked-for-termination");
    const warnings = sim.control.events.list().slice(-2);
    expect(warnings.map((event) => event["detail-type"])).toEqual([
      "EC2 Instance Rebalance Recommendation",
      "EC2 Spot Instance Interruption Warning",
    ]);
    expect(warnings[1]).toMatchObject({
      source: "aws.ec2",
      account: "123456789012",
      region: "us-east-1",
      resources: [`arn:aws:ec2:us-east-1a:instance/${id}`],
      detail: { "instance-id": id, "instance-action": "terminate" },
    });
    sim.clock.advance(119);
    expect(instance(id).State?.Name).toBe("running");
    sim.clock.advance(1);
    expect(instance(id)).toMatchObject({
      State: { Name: "shutting-down" },
      StateReason: { Code: "Server.SpotInstanceTermination" },
    });
    sim.guest.write({ instanceId: id, path: "/last", content: "words" });
    sim.clock.advance(60);
    expect(instance(id).State?.Name).toBe("terminated");
    expect(requestOf(tester, id)).toMatchObject({
      State: "closed",
      Status: { Code: "instance-terminated-no-capacity" },
    });
  });

  test("without notice says nothing beforehand", () => {
    const tester = createTester();
    const id = tester.boot({ InstanceMarketOptions: SPOT });
    tester.sim.control.interrupt({ instanceId: id, noticeSeconds: 0 });
    expect(tester.instance(id).State?.Name).toBe("shutting-down");
    expect(detailTypes(tester)).not.toContain("EC2 Spot Instance Interruption Warning");
  });

  test("is forestalled by terminating in time, which is then the user's doing", () => {
    const tester = createTester();
    const id = tester.boot({ InstanceMarketOptions: SPOT });
    tester.sim.control.interrupt({ instanceId: id });
    tester.call("TerminateInstances", { InstanceIds: [id] });
    tester.sim.clock.advance(300);
    expect(tester.instance(id).StateReason?.Code).toBe("Client.UserInitiatedShutdown");
    expect(requestOf(tester, id).Status?.Code).toBe("instance-terminated-by-user");
  });

  test("does not exist for On-Demand Instances", () => {
    const tester = createTester();
    const id = tester.boot();
    expect(() => tester.sim.control.interrupt({ instanceId: id })).toThrow(
      `${id} is not a Spot instance.`,
    );
  });

  test("stops an instance of a persistent request, which EC2 alone starts again", () => {
    const tester = createTester();
    const { sim, instance } = tester;
    const id = tester.boot({ InstanceMarketOptions: PERSISTENT_SPOT });
    const pool = { instanceType: "t3.micro", zone: ZONE_A, market: "spot" as const };
    sim.control.setCapacity({ ...pool, available: 0 });
    sim.control.interrupt({ instanceId: id });
    sim.clock.advance(300);
    expect(instance(id)).toMatchObject({
      State: { Name: "stopped" },
      StateReason: { Code: "Server.SpotInstanceShutdown" },
    });
    expect(requestOf(tester, id).Status?.Code).toBe("instance-stopped-no-capacity");
    expect(tester.error("StartInstances", { InstanceIds: [id] }).code).toBe(
      "IncorrectSpotRequestState",
    );
    sim.control.setCapacity({ ...pool, available: 1 });
    sim.clock.advance(120);
    expect(instance(id).State?.Name).toBe("running");
    expect(requestOf(tester, id).State).toBe("active");
  });
});

describe("a persistent request (ec2-facts §1.4, §11)", () => {
  test("lets its user stop and start the instance", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot({ InstanceMarketOptions: PERSISTENT_SPOT });
    call("StopInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    expect(requestOf(tester, id)).toMatchObject({
      State: "disabled",
      Status: { Code: "instance-stopped-by-user" },
    });
    call("StartInstances", { InstanceIds: [id] });
    sim.clock.advance(10);
    expect(tester.instance(id).State?.Name).toBe("running");
    expect(requestOf(tester, id).State).toBe("active");
  });

  test("launches a ghost when its instance is terminated", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot({ InstanceMarketOptions: PERSISTENT_SPOT });
    const requestId = tester.instance(id).SpotInstanceRequestId;
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(120);
    const ghosts = call("DescribeInstances", {
      Filters: [
        { Name: "spot-instance-request-id", Values: [requestId ?? ""] },
        { Name: "instance-state-name", Values: ["running"] },
      ],
    }).Reservations;
    expect(only(only(ghosts).Instances).InstanceId).not.toBe(id);
  });

  test("launches none when it was cancelled first, which leaves a running instance alone", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot({ InstanceMarketOptions: PERSISTENT_SPOT });
    const SpotInstanceRequestIds = [tester.instance(id).SpotInstanceRequestId ?? ""];
    call("CancelSpotInstanceRequests", { SpotInstanceRequestIds });
    expect(requestOf(tester, id).Status?.Code).toBe("request-canceled-and-instance-running");
    sim.clock.advance(60);
    expect(tester.instance(id).State?.Name).toBe("running");
    call("TerminateInstances", { InstanceIds: [id] });
    sim.clock.advance(120);
    const { Reservations } = call("DescribeInstances", {
      Filters: [{ Name: "instance-state-name", Values: ["pending", "running"] }],
    });
    expect(Reservations).toEqual([]);
  });

  test("that is cancelled while disabled takes its stopped instance along", () => {
    const tester = createTester();
    const { call, sim } = tester;
    const id = tester.boot({ InstanceMarketOptions: PERSISTENT_SPOT });
    call("StopInstances", { InstanceIds: [id] });
    sim.clock.advance(60);
    const SpotInstanceRequestIds = [tester.instance(id).SpotInstanceRequestId ?? ""];
    call("CancelSpotInstanceRequests", { SpotInstanceRequestIds });
    sim.clock.advance(60);
    expect(tester.instance(id).State?.Name).toBe("terminated");
  });
});

describe("Spot prices and scores", () => {
  test("differ by type and zone and lie below On-Demand", () => {
    const { call } = createTester();
    const { SpotPriceHistory = [] } = call("DescribeSpotPriceHistory", {
      InstanceTypes: ["m5.large", "c5.large"],
      ProductDescriptions: ["Linux/UNIX"],
      StartTime: new Date(),
    });
    expect(SpotPriceHistory).toHaveLength(6);
    expect(new Set(SpotPriceHistory.map((each) => each.SpotPrice)).size).toBe(6);
    expect(SpotPriceHistory.every((each) => Number(each.SpotPrice) < 0.096)).toBe(true);
  });

  test("follow capacity and like three types or more (ec2-facts §1.6)", () => {
    const { call, sim } = createTester();
    const scores = (InstanceTypes: string[]) =>
      call("GetSpotPlacementScores", {
        InstanceTypes,
        TargetCapacity: 1,
        SingleAvailabilityZone: true,
      }).SpotPlacementScores?.map((each) => each.Score);
    const types = ["m5.large", "m6i.large", "c5.large"];
    for (const instanceType of types)
      sim.control.setCapacity({ instanceType, zone: ZONE_A, market: "spot", available: 0 });
    expect(scores(types)).toEqual([1, 9, 9]);
    expect(scores(["m5.large"])).toEqual([1, 3, 3]);
  });
});

test("an interrupted instance frees its anchor for the next one", () => {
  const tester = createTester();
  const eni = tester.anchor({ SubnetId: SUBNET_A });
  const id = tester.boot({ ...onAnchor(eni), InstanceMarketOptions: SPOT });
  tester.sim.control.interrupt({ instanceId: id, noticeSeconds: 0 });
  tester.sim.clock.advance(60);
  const next = tester.boot({ ...onAnchor(eni), InstanceMarketOptions: SPOT });
  expect(tester.networkInterface(eni).Attachment?.InstanceId).toBe(next);
});
