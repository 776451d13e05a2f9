import { createSurveyor, type Survey } from "../../src/controller/survey";
import { type IdleFleet, launch, openIdleFleet } from "./idle-fleet";

const minutes = 60_000;

function surveyorOf({ registry, world }: IdleFleet, options: { mostUpkeep?: number } = {}) {
  const { clock, ec2 } = world;
  return createSurveyor({ ec2, registry, now: () => clock.now(), ...options });
}

const wantedIn = ({ wanted }: Survey) =>
  wanted.map(({ id, reason, urgency }) => `${id.slice(-1)} ${urgency}: ${reason}`);

/** The calls and reads that something takes. */
async function costOf(fleet: IdleFleet, act: () => Promise<unknown>) {
  const actions: string[] = [];
  const count = (action: string) => void actions.push(action);
  fleet.world.hooks.before.push(count);
  await act();
  fleet.world.hooks.before.splice(fleet.world.hooks.before.indexOf(count), 1);
  return actions;
}

describe("what a survey costs", () => {
  test("2,500 idle instances take six describes, and no read of the registry but of what is due", async () => {
    const fleet = await openIdleFleet(2500);
    const get = jest.spyOn(fleet.registry, "get");
    const list = jest.spyOn(fleet.registry, "list");
    const surveyor = surveyorOf(fleet);
    await surveyor.survey();
    expect(list).toHaveBeenCalledTimes(1);
    const calls = await costOf(fleet, async () => {
      expect(await surveyor.survey()).toMatchObject({ wanted: [], shown: 2500, isThorough: false });
    });
    expect(calls.sort()).toEqual([
      "DescribeInstanceStatus",
      "DescribeInstanceStatus",
      "DescribeInstances",
      "DescribeInstances",
      "DescribeInstances",
      "DescribeSpotInstanceRequests",
    ]);
    expect(get).not.toHaveBeenCalled();
    expect(list).toHaveBeenCalledTimes(1);
  });

  test("every ten minutes all entries are read", async () => {
    const fleet = await openIdleFleet(2);
    const surveyor = surveyorOf(fleet);
    const told: boolean[] = [];
    for (let minute = 0; minute <= 20; minute += 1) {
      told.push((await surveyor.survey()).isThorough);
      fleet.world.simulator.clock.advance(60);
    }
    expect(told.flatMap((isThorough, minute) => (isThorough ? minute : []))).toEqual([0, 10, 20]);
  });
});

describe("whom a survey wakes", () => {
  test("an instance that Spot takes back", async () => {
    const fleet = await openIdleFleet(3);
    const [, id = ""] = fleet.ids;
    const surveyor = surveyorOf(fleet);
    expect(wantedIn(await surveyor.survey())).toEqual([]);
    const instanceId = fleet.instanceIdOf(id);
    fleet.world.simulator.control.interrupt({ instanceId });
    expect(wantedIn(await surveyor.survey())).toEqual([
      `2 recovery: Spot takes ${instanceId} back`,
    ]);
  });

  test.each([
    ["terminated", "TerminateInstances", "shutting-down"],
    ["terminated long ago", "TerminateInstances", "terminated"],
  ])("an instance that somebody %s", async (_name, action, state) => {
    const fleet = await openIdleFleet(2);
    const [id = ""] = fleet.ids;
    const instanceId = fleet.instanceIdOf(id);
    fleet.world.simulator.call(action, { InstanceIds: [instanceId] });
    if (state === "terminated") fleet.world.simulator.clock.advance(600);
    expect(wantedIn(await surveyorOf(fleet).survey())).toEqual([
      `1 recovery: ${instanceId} is ${state}`,
    ]);
  });

  test("an instance that fails its status checks, again and again while it heals itself", async () => {
    const fleet = await openIdleFleet(2);
    const [id = ""] = fleet.ids;
    const surveyor = surveyorOf(fleet);
    fleet.world.simulator.control.impair(fleet.instanceIdOf(id));
    const text = `1 recovery: ${fleet.instanceIdOf(id)} fails its status checks`;
    expect(wantedIn(await surveyor.survey())).toEqual([text]);
    await fleet.settle(id);
    expect(wantedIn(await surveyor.survey())).toEqual([text]);
  });

  test("an instance that fails its status checks only once where nobody wants it healed", async () => {
    const fleet = await openIdleFleet(2, { autoHealing: false });
    const [id = ""] = fleet.ids;
    const surveyor = surveyorOf(fleet);
    fleet.world.simulator.control.impair(fleet.instanceIdOf(id));
    expect((await surveyor.survey()).wanted).toHaveLength(1);
    fleet.world.simulator.clock.advance(60);
    await fleet.settle(id);
    expect(wantedIn(await surveyor.survey())).toEqual([]);
  });

  test("one that EC2 has forgotten, found when all entries are read", async () => {
    const fleet = await openIdleFleet(2);
    const [id = ""] = fleet.ids;
    const InstanceIds = [fleet.instanceIdOf(id)];
    fleet.world.simulator.call("TerminateInstances", { InstanceIds });
    fleet.world.simulator.clock.advance(2 * 3600);
    expect(wantedIn(await surveyorOf(fleet).survey())).toEqual([
      "1 recovery: EC2 shows no instance of it",
    ]);
  });

  test("an instance that runs although it is to be paused", async () => {
    const fleet = await openIdleFleet(2);
    const [id = ""] = fleet.ids;
    await fleet.registry.ask(id, { desiredState: "paused" }, fleet.world.clock.now());
    await fleet.settle(id);
    expect(wantedIn(await surveyorOf(fleet).survey())).toEqual([
      `1 upkeep: ${fleet.instanceIdOf(id)} is running, and it is to be paused`,
    ]);
  });

  test("what is due, recovery first and then the longest overdue", async () => {
    const fleet = await openIdleFleet(4);
    const [one = "", two = "", three = ""] = fleet.ids;
    const now = fleet.world.clock.now();
    await fleet.settle(one, {}, now - minutes);
    await fleet.settle(two, {}, now - 3 * minutes);
    await fleet.settle(three, { kind: "stuck" }, now);
    fleet.world.simulator.call("TerminateInstances", { InstanceIds: [fleet.instanceIdOf(three)] });
    const surveyor = surveyorOf(fleet);
    const expected = [
      `3 recovery: ${fleet.instanceIdOf(three)} is shutting-down`,
      "2 upkeep: it is due",
      "1 upkeep: it is due",
    ];
    expect(wantedIn(await surveyor.survey())).toEqual(expected);
    expect(wantedIn(await surveyor.survey())).toEqual(expected);
  });

  test("of what is merely due only so many at once", async () => {
    const fleet = await openIdleFleet(5);
    const now = fleet.world.clock.now();
    for (const [index, id] of fleet.ids.entries()) await fleet.settle(id, {}, now - index);
    const survey = await surveyorOf(fleet, { mostUpkeep: 2 }).survey();
    expect(wantedIn(survey)).toEqual(["5 upkeep: it is due", "4 upkeep: it is due"]);
  });
});

describe("whom a survey leaves alone", () => {
  async function down(fleet: IdleFleet, id: string) {
    const InstanceIds = [fleet.instanceIdOf(id)];
    fleet.world.simulator.call("TerminateInstances", { InstanceIds });
    fleet.world.simulator.clock.advance(120);
  }

  test("one that somebody is at work on", async () => {
    const fleet = await openIdleFleet(1);
    const [id = ""] = fleet.ids;
    await down(fleet, id);
    const now = fleet.world.clock.now();
    await fleet.registry.acquire(id, "worker", { now, untilAt: now + 2 * minutes });
    const surveyor = surveyorOf(fleet);
    expect(wantedIn(await surveyor.survey())).toEqual([]);
    fleet.world.simulator.clock.advance(121);
    expect((await surveyor.survey()).wanted).toHaveLength(1);
  });

  test("one that is down, known to be, and not due: a drought is not looked at every minute", async () => {
    const fleet = await openIdleFleet(1);
    const [id = ""] = fleet.ids;
    await down(fleet, id);
    const surveyor = surveyorOf(fleet);
    expect((await surveyor.survey()).wanted).toHaveLength(1);
    fleet.world.simulator.clock.advance(30);
    await fleet.settle(id, { kind: "waiting", reason: "EC2 has no capacity" });
    fleet.world.simulator.clock.advance(30);
    expect(wantedIn(await surveyor.survey())).toEqual([]);
    const now = fleet.world.clock.now();
    await fleet.settle(id, { kind: "waiting", reason: "EC2 has no capacity" }, now);
    expect(wantedIn(await surveyor.survey())).toEqual(["1 recovery: it is due"]);
  });

  test("but one that was called done while EC2 shows it down is woken again and again", async () => {
    const fleet = await openIdleFleet(1);
    const [id = ""] = fleet.ids;
    await down(fleet, id);
    const surveyor = surveyorOf(fleet);
    for (let time = 0; time < 3; time += 1) {
      expect((await surveyor.survey()).wanted).toHaveLength(1);
      await fleet.settle(id);
      fleet.world.simulator.clock.advance(60);
    }
  });

  test("and one whose wake was lost is woken again", async () => {
    const fleet = await openIdleFleet(1);
    const [id = ""] = fleet.ids;
    await fleet.settle(id, { kind: "stuck", reason: "the image is gone" });
    await down(fleet, id);
    const surveyor = surveyorOf(fleet);
    expect((await surveyor.survey()).wanted).toHaveLength(1);
    expect((await surveyor.survey()).wanted).toHaveLength(1);
  });

  test("a managed instance of another controller, which is reported", async () => {
    const fleet = await openIdleFleet(1);
    const id = "pmi-00000000ffff";
    const instanceId = launch(fleet.world, id);
    fleet.world.simulator.clock.advance(60);
    expect(await surveyorOf(fleet).survey()).toMatchObject({
      wanted: [],
      strangers: [{ id, instanceId, state: "running" }],
    });
  });
});

describe("what a survey bears", () => {
  test("empty pages, and tags that are gone", async () => {
    const fleet = await openIdleFleet(1200);
    const [id = ""] = fleet.ids;
    const { control } = fleet.world.simulator;
    control.dropTags(fleet.instanceIdOf(id));
    control.setFaults({ emptyPages: { probability: 0.5 } });
    expect(await surveyorOf(fleet).survey()).toMatchObject({ wanted: [], shown: 1200 });
  });

  test("an entry that cannot be read, which it reports", async () => {
    const fleet = await openIdleFleet(3);
    const [one = "", two = ""] = fleet.ids;
    const surveyor = surveyorOf(fleet);
    await surveyor.survey();
    for (const id of [one, two])
      fleet.world.simulator.control.interrupt({ instanceId: fleet.instanceIdOf(id) });
    const get = fleet.registry.get.bind(fleet.registry);
    jest.spyOn(fleet.registry, "get").mockImplementation(async (id) => {
      if (id === one) throw new Error(`the entry of ${one} cannot be read`);
      return get(id);
    });
    const survey = await surveyor.survey();
    expect(survey.wanted.map(({ id }) => id)).toEqual([two]);
    expect(survey.damaged).toEqual([`the entry of ${one} cannot be read`]);
  });
});
