import { LostReplyError } from "../../src/simulator";
import { createTester, onAnchor } from "./tester";

describe("throttling (ec2-facts §7)", () => {
  test("lets five launches through at once and then two a second", () => {
    const { launch, error, sim } = createTester({ throttling: true });
    const launchCode = () => {
      try {
        return launch() === "" ? "none" : "ok";
      } catch (thrown) {
        return String(thrown);
      }
    };
    expect(Array.from({ length: 6 }, launchCode)).toEqual([
      ...Array(5).fill("ok"),
      "RequestLimitExceeded: Request limit exceeded.",
    ]);
    sim.clock.advance(1);
    expect([launchCode(), launchCode(), launchCode()].filter((code) => code === "ok")).toHaveLength(
      2,
    );
    expect(error("RunInstances", { ImageId: "ami-0", MinCount: 1, MaxCount: 1 }).statusCode).toBe(
      503,
    );
  });

  test("gives unfiltered, unpaginated describes a smaller bucket than others", () => {
    const { sim } = createTester({ throttling: true });
    const allowed = (input: Record<string, unknown>) => {
      let count = 0;
      try {
        for (; count < 1000; count += 1) sim.call("DescribeInstances", input);
      } catch {
        return count;
      }
      return count;
    };
    expect(allowed({ InstanceIds: [] })).toBe(50);
    expect(allowed({ MaxResults: 100 })).toBe(100);
  });

  test("counts the instances of a call too", () => {
    const { error } = createTester({ throttling: true });
    const ids = Array.from({ length: 1000 }, (_, index) => `i-${String(index).padStart(8, "0")}`);
    const terminate = () => error("TerminateInstances", { InstanceIds: ids }).code;
    expect(terminate()).toBe("InvalidInstanceID.NotFound");
    expect(terminate()).toBe("RequestLimitExceeded");
  });

  test("strikes by fault, next n or by probability, at one action or at all", () => {
    const { launch, call, error, sim } = createTester();
    sim.control.setFaults({ throttle: { action: "DescribeVolumes", next: 2 } });
    launch();
    expect(error("DescribeVolumes", {}).code).toBe("RequestLimitExceeded");
    expect(error("DescribeVolumes", {}).code).toBe("RequestLimitExceeded");
    expect(call("DescribeVolumes", {}).Volumes).toHaveLength(1);
    sim.control.setFaults({ throttle: { probability: 0.5 } });
    const outcomes = Array.from({ length: 200 }, () => {
      try {
        return sim.call("DescribeRegions", {}) && "ok";
      } catch {
        return "throttled";
      }
    });
    const share = outcomes.filter((each) => each === "ok").length;
    expect(share).toBeGreaterThan(60);
    expect(share).toBeLessThan(140);
    sim.control.setFaults({});
    expect(call("DescribeVolumes", {}).Volumes).toHaveLength(1);
  });
});

describe("a lost reply", () => {
  test("has been carried out, and a token finds it again", () => {
    const tester = createTester();
    const { sim, call } = tester;
    const eni = tester.anchor();
    const input = { ClientToken: "one", ...onAnchor(eni) };
    sim.control.setFaults({ lostReply: { action: "RunInstances", next: 1 } });
    expect(() => tester.launch(input)).toThrow(LostReplyError);
    const holder = tester.networkInterface(eni).Attachment?.InstanceId;
    expect(tester.launch(input)).toBe(holder);
    expect(call("DescribeInstances", {}).Reservations).toHaveLength(1);
    expect(sim.control.calls().map((each) => each.outcome)).toContain("lost-reply");
  });

  test("of a call without a token makes a duplicate on retry (ec2-facts §1.1)", () => {
    const tester = createTester();
    const VolumeId = tester.rootVolumeId(tester.boot());
    tester.sim.control.setFaults({ lostReply: { action: "CreateSnapshot", next: 1 } });
    expect(() => tester.call("CreateSnapshot", { VolumeId })).toThrow(/socket hang up/);
    tester.sim.clock.advance(20);
    tester.call("CreateSnapshot", { VolumeId });
    expect(tester.call("DescribeSnapshots", { OwnerIds: ["self"] }).Snapshots).toHaveLength(2);
  });
});

describe("events (ec2-facts §8)", () => {
  test("are lost and repeated by fault, and the world goes on all the same", () => {
    const { boot, instance, sim } = createTester();
    sim.control.setFaults({ loseEvents: { probability: 1 } });
    const id = boot();
    expect(instance(id).State?.Name).toBe("running");
    expect(sim.control.events.list()).toEqual([]);
    sim.control.setFaults({ duplicateEvents: { probability: 1 } });
    boot();
    expect(sim.control.events.list()).toHaveLength(4);
  });

  test("reach subscribers until they leave", () => {
    const { boot, sim } = createTester();
    const seen: unknown[] = [];
    const leave = sim.control.events.subscribe((event) => seen.push(event.detail));
    const id = boot();
    leave();
    boot();
    expect(seen).toEqual([
      { "instance-id": id, state: "pending" },
      { "instance-id": id, state: "running" },
    ]);
  });
});

describe("the latency table", () => {
  test("delays request() by the length of the call", async () => {
    const { sim } = createTester({ latencies: { call: 3 } });
    const startedAt = sim.clock.now();
    await sim.request("DescribeRegions", {});
    expect(sim.clock.now() - startedAt).toBe(3000);
  });

  test("can be changed row by row", () => {
    const tester = createTester({ latencies: { pendingToRunning: 100 } });
    const id = tester.boot();
    expect(tester.instance(id).State?.Name).toBe("pending");
    tester.sim.clock.advance(100);
    expect(tester.instance(id).State?.Name).toBe("running");
  });
});

test("tags are dropped from an instance on demand", () => {
  const { boot, instance, sim } = createTester();
  const id = boot({
    TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] }],
  });
  sim.control.dropTags(id);
  expect(instance(id).Tags).toEqual([]);
});

test("the state is a plain JSON value of every resource", () => {
  const { boot, sim } = createTester();
  const id = boot();
  const state = sim.control.state();
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  expect(state).toMatchObject({ instances: [{ id, state: "running" }] });
});
