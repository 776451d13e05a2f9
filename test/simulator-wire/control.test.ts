import { createControlApi } from "../../src/simulator/control";
import { createSimulator, type Simulator } from "../../src/simulator/simulator";

function controlled() {
  const simulator = createSimulator();
  const api = createControlApi(simulator);
  const send = (method: string, path: string, body: unknown) =>
    api.answer({
      method,
      path: `/_simulator/${path}`,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return {
    simulator,
    post: (path: string, body: unknown = {}) => send("POST", path, body),
    get: (path: string) => send("GET", path, ""),
  };
}

function launch(simulator: Simulator, market?: "spot"): string {
  const { Images } = simulator.call("DescribeImages", {
    Owners: ["amazon"],
    Filters: [{ Name: "architecture", Values: ["x86_64"] }],
  });
  const { Instances } = simulator.call("RunInstances", {
    ImageId: member(Images, "ImageId"),
    InstanceType: "t3.micro",
    MinCount: 1,
    MaxCount: 1,
    ...(market === undefined ? {} : { InstanceMarketOptions: { MarketType: market } }),
  });
  simulator.clock.advance(120);
  return String(member(Instances, "InstanceId"));
}

function member(list: unknown, name: string): unknown {
  return Array.isArray(list) ? list[0]?.[name] : undefined;
}

test("what the guest writes it reads back, on the root device unless another is named", () => {
  const { simulator, post } = controlled();
  const instanceId = launch(simulator);
  expect(post("guest/write", { instanceId, path: "/etc/motd", content: "grüße" })).toEqual({
    statusCode: 200,
    content: {},
  });
  expect(post("guest/read", { instanceId, path: "/etc/motd" })).toEqual({
    statusCode: 200,
    content: { content: "grüße" },
  });
});

test("a guest that is not there, and a file that is not there, are told in words", () => {
  const { simulator, post } = controlled();
  const noInstance = post("guest/read", { instanceId: "i-0123456789abcdef0", path: "/x" });
  expect(noInstance.statusCode).toBe(400);
  expect(noInstance.content).toMatchObject({
    error: expect.stringContaining("i-0123456789abcdef0"),
  });
  const instanceId = launch(simulator);
  const noFile = post("guest/read", { instanceId, path: "/nowhere" });
  expect(noFile.statusCode).toBe(400);
  expect(noFile.content).toMatchObject({ error: expect.stringContaining("/nowhere") });
});

test("an interruption gives its notice, then takes the instance", () => {
  const { simulator, post, get } = controlled();
  const instanceId = launch(simulator, "spot");
  expect(post("interrupt", { instanceId, noticeSeconds: 60 }).statusCode).toBe(200);
  expect(JSON.stringify(get("events").content)).toContain("EC2 Spot Instance Interruption Warning");
  expect(post("advance", { seconds: 180 })).toMatchObject({ statusCode: 200 });
  const { InstanceStatuses } = simulator.call("DescribeInstanceStatus", {
    InstanceIds: [instanceId],
    IncludeAllInstances: true,
  });
  expect(member(InstanceStatuses, "InstanceState")).toMatchObject({ Name: "terminated" });
});

test("capacity that is taken away refuses the next launch", () => {
  const { simulator, post } = controlled();
  const pools = ["a", "b", "c"].map((zone) => ({
    instanceType: "t3.micro",
    zone: `us-east-1${zone}`,
    market: "on-demand",
    available: 0,
  }));
  for (const pool of pools) expect(post("capacity", pool).statusCode).toBe(200);
  expect(() => launch(simulator)).toThrow(
    expect.objectContaining({ code: "InsufficientInstanceCapacity" }),
  );
});

test("faults strike, and an empty setting heals", () => {
  const { simulator, post } = controlled();
  expect(post("faults", { throttle: { action: "DescribeVpcs" } }).statusCode).toBe(200);
  expect(() => simulator.call("DescribeVpcs", {})).toThrow(
    expect.objectContaining({ code: "RequestLimitExceeded" }),
  );
  expect(post("faults").statusCode).toBe(200);
  expect(simulator.call("DescribeVpcs", {})).toHaveProperty("Vpcs");
});

test("an image can be made one that never passes its checks, and healthy again", () => {
  const { simulator, post } = controlled();
  const { Images } = simulator.call("DescribeImages", {
    Owners: ["amazon"],
    Filters: [{ Name: "architecture", Values: ["x86_64"] }],
  });
  const imageId = String(member(Images, "ImageId"));
  const systemStatusAfterLaunch = () => {
    const instanceId = launch(simulator);
    simulator.clock.advance(600);
    const { InstanceStatuses } = simulator.call("DescribeInstanceStatus", {
      InstanceIds: [instanceId],
    });
    return member(InstanceStatuses, "InstanceStatus");
  };
  post("image", { imageId, boots: "never-healthy" });
  expect(systemStatusAfterLaunch()).toMatchObject({ Status: "impaired" });
  post("image", { imageId, boots: "healthy" });
  expect(systemStatusAfterLaunch()).toMatchObject({ Status: "ok" });
  post("faults", { unhealthyImages: [imageId] });
  expect(systemStatusAfterLaunch()).toMatchObject({ Status: "impaired" });
  post("faults", {});
  expect(systemStatusAfterLaunch()).toMatchObject({ Status: "ok" });
});

test("time moves by as much as was asked, and the answer says what it is now", () => {
  const { post } = controlled();
  expect(post("advance", { seconds: 3600 }).content).toEqual({ now: "2026-01-01T01:00:00.000Z" });
});

test("calls are listed with their time, action, parameters and outcome", () => {
  const { simulator, get } = controlled();
  simulator.call("DescribeVpcs", { MaxResults: 5 });
  expect(get("calls").content).toEqual({
    calls: [
      {
        time: Date.UTC(2026, 0, 1),
        action: "DescribeVpcs",
        parameters: { MaxResults: 5 },
        outcome: "ok",
      },
    ],
  });
});

test("the state is every resource, ready for JSON", () => {
  const { simulator, get } = controlled();
  const instanceId = launch(simulator);
  const state = JSON.parse(JSON.stringify(get("state").content));
  expect(JSON.stringify(state)).toContain(instanceId);
  expect(Object.keys(state)).toEqual(
    expect.arrayContaining(["instances", "volumes", "snapshots", "images", "interfaces"]),
  );
});

describe("a body that breaks a rule is refused with property, value and rule", () => {
  test.each<[path: string, body: unknown, sentence: string]>([
    [
      "guest/write",
      { path: "/x", content: "" },
      "instanceId is missing: Invalid input: expected string",
    ],
    ["guest/read", { instanceId: "", path: "/x" }, 'instanceId is "": Too small'],
    ["interrupt", { instanceId: "i-1", noticeSeconds: -1 }, "noticeSeconds is -1: Too small"],
    ["interrupt", { instanceId: "i-1", notice: 5 }, 'Unrecognized key: "notice"'],
    [
      "capacity",
      { instanceType: "t3.micro", zone: "us-east-1a", market: "reserved", available: 1 },
      'market is "reserved": Invalid option: expected one of "spot"|"on-demand"',
    ],
    ["advance", { seconds: "ten" }, 'seconds is "ten": Invalid input: expected number'],
    ["advance", {}, "seconds is missing"],
    ["advance", { seconds: 1e15 }, "seconds is 1000000000000000: at most ten years at once"],
    [
      "faults",
      { throttle: { action: "RunInstancez" } },
      'throttle.action is "RunInstancez": must be',
    ],
    ["faults", { lostReply: [{ action: "Run" }] }, 'lostReply.action is "Run": must be one of'],
    ["faults", { slowDetach: { seconds: null } }, "slowDetach.seconds is null"],
    ["faults", { failLaunches: { code: "Server.Oops" } }, 'failLaunches.code is "Server.Oops"'],
    ["faults", { throttle: { probability: 2 } }, "throttle.probability is 2: Too big"],
    ["faults", { throttle: [{ next: -1 }] }, "throttle.0.next is -1: Too small"],
    [
      "capacity",
      { instanceType: "t3.micro", zone: "us-east-1a", market: "spot", available: "many" },
      'available is "many": Invalid input: expected number, received string, or ',
    ],
    ["image", { imageId: "ami-1", boots: "sometimes" }, 'boots is "sometimes"'],
    ["advance", "{seconds: 1}", "the body is not JSON"],
    ["advance", "[]", "the body is []: Invalid input: expected object"],
  ])("%s %j", (path, body, sentence) => {
    const { post } = controlled();
    const { statusCode, content } = post(path, body);
    expect(statusCode).toBe(400);
    expect(content).toMatchObject({ error: expect.stringContaining(sentence) });
  });
});

test("an unknown route lists the known ones, a wrong method the right one", () => {
  const { post, get } = controlled();
  expect(post("explode")).toMatchObject({
    statusCode: 404,
    content: { error: expect.stringContaining("POST /_simulator/guest/write") },
  });
  expect(get("advance")).toEqual({
    statusCode: 405,
    content: { error: "GET is not possible here; use POST /_simulator/advance" },
  });
});
