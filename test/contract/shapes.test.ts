/**
 * What the simulator answers and what it honours, against the API model that the AWS SDK carries.
 * That every member of an answer exists is the wire's own doing (test/simulator-wire); here are the
 * values of enumerations, and the parameters.
 */
import { isDeepStrictEqual } from "node:util";
import { anyOf, Enumeration } from "../../src/simulator/action";
import { actions } from "../../src/simulator/actions";
import { Ec2Error } from "../../src/simulator/errors";
import { createSimulator, type Simulator } from "../../src/simulator/simulator";
import { operationPlan, type StructurePlan } from "../../src/simulator/wire-schema";
import { type Step, tour } from "../simulator-wire/tour";
import { readEnumerations, strayValues, structureIn } from "./api-model";

const enumerations = readEnumerations();
const NONSENSE = "no-such-value";

/** Values of EC2 itself that its own model does not have, by where they stand. */
const ANSWERED_BESIDE_THE_MODEL = [
  // The model says Windows, EC2 says windows.
  "Image.Platform: windows",
];
const TAKEN_BESIDE_THE_MODEL = [
  // The documented default; the model lists only the other kinds.
  "CreateNetworkInterface.InterfaceType: interface",
];

function planOf(action: string) {
  const plan = operationPlan(action);
  if (plan === undefined) throw new Error(`EC2 has no action ${action}`);
  return plan;
}

/** Takes the walk through every action; `before` and `after` see each step. */
function walk(see: {
  before?: (simulator: Simulator, step: Step, input: Record<string, unknown>) => void;
  after?: (step: Step, output: Record<string, unknown>) => void;
}): void {
  const simulator = createSimulator({ throttling: false });
  const outputs = new Map<string, unknown>();
  const got = (as: string, path: string) =>
    String(
      path
        .split(".")
        .reduce<unknown>((part, key) => Reflect.get(Object(part), key), outputs.get(as)),
    );
  for (const step of tour()) {
    const input = step.input(got);
    see.before?.(simulator, step, input);
    if (step.fails === undefined) {
      const output = simulator.call(step.action, input);
      outputs.set(step.as, output);
      see.after?.(step, output);
    }
    simulator.clock.advance(step.thenSeconds);
  }
}

test("the declarations name the enumerations that the engine reads", () => {
  expect(enumerations.get("InstanceState.Name")).toEqual([
    "pending",
    "running",
    "shutting-down",
    "stopped",
    "stopping",
    "terminated",
  ]);
  expect(enumerations.get("Volume.State")).toContain("in-use");
  expect(enumerations.get("ProcessorInfo.SupportedArchitectures")).toContain("arm64");
  expect(enumerations.get("Instance.InstanceId")).toBeUndefined();
});

test("a value that the model does not permit is found, however deep", () => {
  const { output } = planOf("DescribeInstances");
  if (output === undefined) throw new Error("DescribeInstances answers something");
  const Instances = [{ State: { Name: "sleeping" }, Hypervisor: "xen", Colour: "red" }];
  expect(strayValues(enumerations, output, { Reservations: [{ Instances }] })).toEqual([
    "InstanceState.Name: sleeping",
    "Instance.Colour: no such member",
  ]);
});

test("every enumerated value that is answered is one of the model's", () => {
  const stray = new Set<string>();
  walk({
    after: ({ action }, answer) => {
      const { output } = planOf(action);
      if (output === undefined) return;
      for (const each of strayValues(enumerations, output, answer)) stray.add(each);
    },
  });
  expect([...stray].sort()).toEqual(ANSWERED_BESIDE_THE_MODEL);
});

/** What of the parameters that an action honours the model does not have. */
function unknownParameters(honours: object, plan: StructurePlan, path: string): string[] {
  return Object.entries(honours).flatMap(([name, rule]) => {
    const member = plan.byMemberName.get(name);
    if (member === undefined) return [`${path}.${name}`];
    if (rule === true) return [];
    const permitted = enumerations.get(`${plan.name}.${name}`);
    if (rule instanceof Enumeration)
      return isDeepStrictEqual(rule.values, permitted) ? [] : [`${path}.${name}: other values`];
    if (Array.isArray(rule)) {
      return rule
        .filter((value) => permitted !== undefined && !permitted.includes(String(value)))
        .map((value) => `${path}.${name}: ${String(value)}`);
    }
    const inner = structureIn(member.plan);
    return inner === undefined
      ? [`${path}.${name} is no structure`]
      : unknownParameters(rule, inner, `${path}.${name}`);
  });
}

test.each([...actions])("every parameter that %s honours is in the model", (name, { honours }) => {
  const unknown = unknownParameters(honours, planOf(name).input, name);
  const known = TAKEN_BESIDE_THE_MODEL.filter((each) => each.startsWith(`${name}.`));
  expect(unknown).toEqual(known);
});

test("a parameter that the model does not have is found", () => {
  const honours = {
    Colour: true,
    Placement: { Tenancy: ["default", "friendly"], Floor: true },
    InstanceInitiatedShutdownBehavior: anyOf({ sleep: "sleep" }),
  };
  expect(unknownParameters(honours, planOf("RunInstances").input, "RunInstances")).toEqual([
    "RunInstances.Colour",
    "RunInstances.Placement.Tenancy: friendly",
    "RunInstances.Placement.Floor",
    "RunInstances.InstanceInitiatedShutdownBehavior: other values",
  ]);
});

/** Each request that differs from a good one in one enumerated, honoured parameter. */
function nonsensical(
  honours: object,
  plan: StructurePlan,
  input: Record<string, unknown>,
): { path: string; input: Record<string, unknown> }[] {
  return Object.entries(honours).flatMap(([name, rule]) => {
    const member = plan.byMemberName.get(name);
    if (member === undefined) return [];
    if (enumerations.has(`${plan.name}.${name}`)) {
      const value = member.plan.kind === "list" ? [NONSENSE] : NONSENSE;
      return [{ path: name, input: { ...input, [name]: value } }];
    }
    const inner = structureIn(member.plan);
    if (inner === undefined) return [];
    const innerRule = typeof rule === "object" && !Array.isArray(rule) ? rule : allOf(inner);
    const given = input[name];
    const isList = Array.isArray(given);
    const [first] = isList ? given : [given];
    if (typeof first !== "object" || first === null) return [];
    return nonsensical(innerRule, inner, { ...first }).map((each) => ({
      path: `${name}.${each.path}`,
      input: { ...input, [name]: isList ? [each.input, ...given.slice(1)] : each.input },
    }));
  });
}

const allOf = (plan: StructurePlan) =>
  Object.fromEntries([...plan.byMemberName.keys()].map((name) => [name, true]));

/** EC2 says nowhere what it answers to these; here, that nothing is known of such a value. */
const WITHOUT_REFUSAL = ["DescribeSpotPriceHistory InstanceTypes"];

test("an enumerated parameter with a value that is none is refused, and named", () => {
  const answers = new Map<string, string[]>();
  walk({
    before: (simulator, { action, fails }, input) => {
      const honours = actions.get(action)?.honours;
      if (honours === undefined || fails !== undefined) return;
      for (const wrong of nonsensical(honours, planOf(action).input, input)) {
        const what = `${action} ${wrong.path}`;
        const answer = answerTo(simulator, action, wrong.input);
        answers.set(what, [...(answers.get(what) ?? []), answer]);
      }
    },
  });
  // In one of the walk's requests at least: in another one something else may be refused before it.
  const accepted = [...answers]
    .filter(([, each]) => !each.some((answer) => answer.includes(NONSENSE)))
    .map(([what]) => what);
  expect(accepted.sort()).toEqual(WITHOUT_REFUSAL);
  expect(answers.size).toBeGreaterThan(20);
});

/** A dry run where EC2 has one, so that what is wrongly accepted does not disturb the walk. */
function answerTo(simulator: Simulator, action: string, input: Record<string, unknown>): string {
  const dryRun = planOf(action).input.byMemberName.has("DryRun") ? { DryRun: true } : {};
  try {
    simulator.call(action, { ...input, ...dryRun });
    return "accepted";
  } catch (error) {
    if (error instanceof Ec2Error) return `${error.code}: ${error.message}`;
    throw error;
  }
}
