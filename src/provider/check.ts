/**
 * Judges a program's properties before anything is done: against the schema, against what state holds
 * of them, and against EC2. It fills in only what must not change later: Region and creation key.
 */
import { messageOf } from "../engine/error-text";
import { canonicalJson } from "../engine/spec";
import type { Context } from "./context";
import { controllerOf, type Properties, specInputOf } from "./inputs";
import { askedOnce, runPreflight } from "./preflight";
import { hasUnknown, isUnknown } from "./unknown";
import { type Failure, type Validation, validate } from "./validation";

export interface CheckAnswer {
  inputs: Record<string, unknown>;
  failures: Failure[];
}

/** `olds` are the inputs of the last update; empty for a new resource. */
export async function check(
  context: Context,
  olds: Properties,
  news: Properties,
): Promise<CheckAnswer> {
  const inputs = withFixed(context, olds, news);
  const validation = validate(inputs);
  const failures = [
    ...configurationFailures(context),
    ...validation.failures,
    ...regionFailures(olds, inputs),
  ];
  if (failures.length > 0 || validation.spec === undefined) return { inputs, failures };
  const failed = await ask(context, olds, inputs, validation);
  return { inputs, failures: [...failed, ...(await askController(context, olds, inputs))] };
}

/**
 * The creation key of a resource stays what it was when a URN changes, by an alias for example. The
 * program's and the stack's Region go before the recorded one, so that a change of theirs is noticed.
 */
function withFixed({ configuration }: Context, olds: Properties, news: Properties) {
  const region = [
    news.region,
    configuration.region,
    olds.region,
    configuration.environmentRegion,
  ].find((each) => each !== undefined && each !== "");
  const fixed: Record<string, unknown> = { ...news };
  if (region !== undefined) fixed.region = region;
  if (olds.creationKey !== undefined) fixed.creationKey = olds.creationKey;
  return fixed;
}

function configurationFailures({ configuration }: Context): Failure[] {
  return configuration.unsupported.map((key) => ({
    property: "region",
    reason: `The stack's configuration sets ${key}, which managed instances do not support: credentials come from AWS's own chain. Remove it and set AWS_PROFILE, aws:profile or AWS_* variables; a profile may assume a role.`,
  }));
}

function regionFailures(olds: Properties, inputs: Properties): Failure[] {
  const { region } = inputs;
  if (region === undefined) {
    const reason =
      "The Region is missing. Set it with `pulumi config set aws:region eu-central-1`, or as the property region.";
    return [{ property: "region", reason }];
  }
  if (olds.region === undefined || isUnknown(region) || region === olds.region) return [];
  const reason = `region is ${JSON.stringify(region)} and was ${JSON.stringify(olds.region)}: a managed instance does not move between Regions. Set it back, or declare another managed instance there.`;
  return [{ property: "region", reason }];
}

async function ask(
  context: Context,
  olds: Properties,
  inputs: Record<string, unknown>,
  { spec, unknown }: Validation,
): Promise<Failure[]> {
  const { region } = inputs;
  const changed = changedProperties(olds, inputs);
  if (spec === undefined || typeof region !== "string" || isUnknown(region)) return [];
  if (changed.size === 0) return [];
  const { preflight } = await context.connect(region);
  return runPreflight({
    spec,
    region,
    preflight: askedOnce(preflight),
    changed,
    takesOver: inputs.adopt !== undefined && olds.imageId === undefined,
    unknown,
    warn: (message) => context.log(message, { severity: "warning" }),
    skip: (question, error) =>
      context.log(`did not check ${question}: ${error.message}`, { severity: "debug" }),
  });
}

/** Before anything is made: what is registered nowhere would not be kept. */
async function askController(
  context: Context,
  olds: Properties,
  inputs: Readonly<Record<string, unknown>>,
): Promise<Failure[]> {
  const { region } = inputs;
  const place = hasUnknown(inputs.controller) ? undefined : controllerOf(inputs);
  const isSame = textOf(olds.controller) === textOf(inputs.controller);
  if (place === undefined || isSame || typeof region !== "string" || isUnknown(region)) return [];
  const property = place.table === undefined ? "controller.directory" : "controller.table";
  try {
    const registry = (await context.connect(region)).registryAt(place);
    await registry.get(nobody);
    return [];
  } catch (error) {
    const value = JSON.stringify(place.table ?? place.directory);
    const why = messageOf(error);
    const reason = `${property} is ${value} and must be the registry of a controller in ${region} that may be read and written (${why}). Deploy the controller first, correct the name, or allow this user to use it.`;
    return [{ property, reason }];
  }
}

/** An id that no managed instance has: reading it shows whether the registry can be read. */
const nobody = "pmi-000000000000";

function changedProperties(olds: Properties, inputs: Properties): ReadonlySet<string> {
  const before = specInputOf(olds);
  const after = specInputOf(inputs);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return new Set(names.filter((name) => textOf(before[name]) !== textOf(after[name])));
}

const textOf = (value: unknown) => (value === undefined ? "" : canonicalJson(value));
