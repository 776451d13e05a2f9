/**
 * What an API action is here: the parameters that it honours, and a function over the world. The
 * dispatcher refuses every other parameter, so nothing that a caller says is silently ignored.
 */
import { Ec2Error } from "./errors";
import { notSimulated } from "./refusals";
import type { World } from "./world";

/**
 * Which parameters are honoured: `true` for all values, a list for the values that mean what the
 * simulator does anyway, an object for the members of a structure (or of each element of a list).
 */
type Honoured<Input> = {
  readonly [Name in keyof Input]?: Rule<NonNullable<Input[Name]>>;
};
type Rule<Value> =
  | true
  | readonly (string | number | boolean)[]
  | (Value extends readonly (infer Element)[] ? Honoured<Element> : Honoured<Value>);

interface Honours {
  readonly [name: string]: true | readonly (string | number | boolean)[] | Honours | undefined;
}

export interface Action {
  readonly honours: Honours;
  readonly run: (world: World, input: Readonly<Record<string, unknown>>) => object;
}

/** Defines an action with the SDK's types. The wire layer, or the SDK itself, has checked the types of the values. */
export function action<Input, Output extends object>(
  honours: Honoured<Omit<Input, "DryRun">>,
  run: (world: World, input: Input) => Output,
): Action {
  return {
    honours: { ...honours, DryRun: true } as Honours,
    run: (world, input) => run(world, input as Input),
  };
}

export function checkParameters(name: string, honours: Honours, input: object, path = ""): void {
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const rule = honours[key];
    if (rule === true) continue;
    if (rule === undefined) throw unknownParameter(name, path + key);
    if (isValueList(rule)) checkValues(`${path}${key}`, rule, value);
    else checkMembers(name, rule, { value, path: `${path}${key}` });
  }
}

function isValueList(rule: readonly (string | number | boolean)[] | Honours) {
  return Array.isArray(rule);
}

function checkValues(path: string, accepted: object, value: unknown): void {
  const values = Array.isArray(value) ? value : [value];
  const refused = values.find((each) => !(accepted as readonly unknown[]).includes(each));
  if (refused !== undefined) throw notSimulated(`the value ${String(refused)} of ${path}`);
}

function checkMembers(
  name: string,
  rule: object,
  { value, path }: { readonly value: unknown; readonly path: string },
): void {
  const elements = Array.isArray(value) ? value : [value];
  elements.forEach((element, index) => {
    const prefix = Array.isArray(value) ? `${path}.${index + 1}.` : `${path}.`;
    if (typeof element === "object" && element !== null)
      checkParameters(name, rule as Honours, element, prefix);
  });
}

function unknownParameter(name: string, path: string): Ec2Error {
  return new Ec2Error(
    "UnknownParameter",
    `The parameter ${path} is not recognized (the simulator does not honour it for ${name})`,
  );
}
