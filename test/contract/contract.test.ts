/** The contract on the simulator, through the real SDK client and the wire protocol. */
import { clean } from "./clean";
import { LAUNCHES_AT_MOST } from "./cost";
import { discoverPlace } from "./place";
import { probes } from "./probes";
import { runProbe } from "./run";
import type { Check, Stage } from "./scene";
import { suite } from "./suite";
import { type SimulatorTarget, simulatorTarget } from "./targets";

let target: SimulatorTarget;
let stage: Stage;

beforeAll(async () => {
  target = await simulatorTarget();
  stage = { ...target, place: await discoverPlace(target.ec2) };
});

afterAll(() => target.close());

describe.each(suite.map((scene) => [scene.title, scene] as const))("%s", (_title, scene) => {
  let check: Check;

  beforeAll(async () => {
    check = await scene.open(stage);
  });

  test.each(scene.behaviours.map(({ sentence, fact }) => [sentence, fact] as const))(
    "%s (%s)",
    async (sentence) => {
      await check(sentence);
    },
  );
});

test.each(probes.map((probe) => [probe.question, probe.assumed, probe] as const))(
  "%s The simulator assumes: %s",
  async (_question, assumed, probe) => {
    expect((await runProbe(stage, probe)).observed).toBe(assumed);
  },
);

test("a run launches no more instances than its price says", () => {
  const launches = target.simulator.control
    .calls()
    .filter(({ action, outcome }) => action === "RunInstances" && outcome === "ok");
  expect(launches.length).toBeLessThanOrEqual(LAUNCHES_AT_MOST);
});

test("a run leaves nothing behind once it was cleaned up", async () => {
  const { ec2, clock, runId, simulator } = target;
  const left = await clean({ ec2, clock, runId, pollSeconds: 10, say: () => undefined });
  expect(left).toEqual([]);
  const { instances, volumes, snapshots, images, interfaces } = simulator.control.rows();
  expect([...instances()].filter(({ state }) => state !== "terminated")).toEqual([]);
  expect([...volumes()]).toEqual([]);
  expect([...interfaces()]).toEqual([]);
  expect([...snapshots()].filter(({ ownerId }) => ownerId === simulator.account)).toEqual([]);
  expect([...images()].filter(({ ownerId }) => ownerId === simulator.account)).toEqual([]);
  expect((await ec2.describeAddresses({})).Addresses).toEqual([]);
});

test("no two behaviours say the same", () => {
  const sentences = suite.flatMap((scene) => scene.behaviours.map(({ sentence }) => sentence));
  expect(sentences.filter((each, index) => sentences.indexOf(each) !== index)).toEqual([]);
});
