/** The contract on the simulator, through the real SDK client and the wire protocol. */
import { discoverPlace } from "./place";
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

test("no two behaviours say the same", () => {
  const sentences = suite.flatMap((scene) => scene.behaviours.map(({ sentence }) => sentence));
  expect(sentences.filter((each, index) => sentences.indexOf(each) !== index)).toEqual([]);
});
