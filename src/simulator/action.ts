/**
 * What an API action is here: the parameters that it honours, and a function over the world. The
 * dispatcher refuses every other parameter, so nothing that a caller says is silently ignored.
 */
import { Ec2Error } from "./errors";
import { invalidValue, notSimulated } from "./refusals";
import type { World } from "./world";

/** Every value of one of EC2's enumerations; any other is refused as EC2 refuses it. */
export class Enumeration {
  constructor(readonly values: readonly string[]) {}
}

/** For an enumeration that the SDK exports: `anyOf(HttpTokensState)`. */
export function anyOf(enumeration: Readonly<Record<string, string>>): Enumeration {
  return new Enumeration(Object.values(enumeration));
}

/**
 * Which parameters are honoured: `true` for all values, `anyOf` for all that EC2 has, a list for the
 * values that mean what the simulator does anyway, an object for the members of a structure (or of
 * each element of a list).
 */
type Honoured<Input> = {
  readonly [Name in keyof Input]?: Rule<NonNullable<Input[Name]>>;
};
type Rule<Value> =
  | true
  | Enumeration
  | readonly (string | number | boolean)[]
  | (Value extends readonly (infer Element)[] ? Honoured<Element> : Honoured<Value>);

interface Honours {
  readonly [name: string]:
    | true
    | Enumeration
    | readonly (string | number | boolean)[]
    | Honours
    | undefined;
}

export interface Action {
  readonly honours: Honours;
  readonly run: (world: World, input: Readonly<Record<string, unknown>>) => object;
}

/** Defines an action with the SDK's types; EC2 has no dry run of a few. The wire layer, or the SDK itself, has checked the types of the values. */
export function action<Input, Output extends object>(
  honours: Honoured<Omit<Input, "DryRun">>,
  run: (world: World, input: Input) => Output,
  ...[dryRun]: "DryRun" extends keyof Input ? [] : ["no dry run"]
): Action {
  return {
    honours: (dryRun === undefined ? { ...honours, DryRun: true } : honours) as Honours,
    run: (world, input) => run(world, input as Input),
  };
}

export function checkParameters(name: string, honours: Honours, input: object, path = ""): void {
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const rule = honours[key];
    if (rule === true) continue;
    if (rule === undefined) throw unknownParameter(name, path + key);
    if (rule instanceof Enumeration) checkEnumerated(`${path}${key}`, rule, value);
    else if (isValueList(rule)) checkValues(`${path}${key}`, rule, value);
    else checkMembers(name, rule, { value, path: `${path}${key}` });
  }
}

function isValueList(rule: readonly (string | number | boolean)[] | Honours) {
  return Array.isArray(rule);
}

function checkEnumerated(path: string, { values }: Enumeration, value: unknown): void {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const refused = given.find((each) => typeof each !== "string" || !values.includes(each));
  if (refused !== undefined)
    throw invalidValue(
      `Value (${String(refused)}) for parameter ${path} is invalid. Expecting one of: ${values.join(", ")}.`,
    );
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
