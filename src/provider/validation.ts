/**
 * Turns what is wrong with a program's properties into sentences for its author: each names the
 * property, what was given, the rule and what to do next. What a preview cannot know yet is never
 * called wrong, and the text of a secret is never repeated.
 */
import { z } from "zod";
import { type Spec, specProperties, specSchema } from "../engine/spec";
import {
  adoptSchema,
  controllerSchema,
  isInternal,
  measurable,
  type Properties,
  resourceProperties,
  specInputOf,
  timeoutsSchema,
} from "./inputs";
import { shorten } from "./shown";
import { suggestFor } from "./suggestion";
import { hasUnknown, isUnknown, withoutUnknowns } from "./unknown";

export interface Failure {
  /** The path to it, joined with dots; empty where Pulumi must not show the value. */
  property: string;
  reason: string;
}

export interface Validation {
  failures: Failure[];
  /** Present without failures; holds stand-ins where a value is unknown. */
  spec?: Spec;
  /** Top-level properties that are unknown, or have something unknown in them. */
  unknown: ReadonlySet<string>;
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * May hold secrets, so their values are never shown. Pulumi shows the value of the property that a
 * failure names, secret or not: such a failure names it in its reason only.
 */
const hiddenProperties = new Set<string>(["userData", "tags"]);

/** Stand-ins for required properties that a preview cannot know. */
const standIns: Readonly<Record<string, unknown>> = {
  imageId: "ami-00000000",
  instanceTypes: ["m5.large"],
  subnetIds: ["subnet-00000000"],
};

/** Which other properties the rules about a property read. */
const rulePartners: Readonly<Record<string, readonly string[]>> = {
  persistRootDevice: ["persistPrivateIp"],
  preferredInstanceTypes: ["instanceTypes"],
  privateIp: ["persistPrivateIp", "subnetIds"],
  maxSpotPrice: ["lifeCycle"],
};

const nextSteps: Readonly<Record<string, string>> = {
  region: "Set it to the Region of the subnets, or `pulumi config set aws:region`.",
  imageId: "Find one with aws.ec2.getAmi or `aws ec2 describe-images`.",
  instanceTypes: 'List the types that may carry it, for example ["m6i.large", "m5.large"].',
  preferredInstanceTypes: "Add it there, or remove it here.",
  subnetIds: "Find one with aws.ec2.getSubnets or `aws ec2 describe-subnets`.",
  securityGroupIds: "Give ids (sg-…), not names.",
  privateIp: "Give an address of the subnet, or leave it out and EC2 chooses one.",
  userData: "Give a text; a short script can fetch what is larger from S3.",
  maxSpotPrice: "Leave it out to pay at most the On-Demand price.",
  persistRootDevice: "It and persistPrivateIp are on by default; one of them may be false.",
  tags: "Rename or remove the tag.",
  adopt: "Take it from the `id` of the managed instance, or from the tag pmi:id.",
  controller:
    "Give { table } for a table in DynamoDB, { directory } for one on this machine, or leave it out.",
};

export function validate(inputs: Properties): Validation {
  const unknown = new Set(Object.keys(inputs).filter((name) => hasUnknown(inputs[name])));
  const parsed = specSchema.safeParse(withStandIns(specInputOf(inputs)));
  const issues = (parsed.error?.issues ?? []).filter((issue) => !isUndecided(issue, unknown));
  const failures = [
    ...strangers(inputs),
    ...issues.flatMap((issue) => describe(issue, inputs)),
    ...resourceFailures(inputs),
  ];
  return { failures, spec: failures.length === 0 ? parsed.data : undefined, unknown };
}

function withStandIns(input: Properties): Properties {
  const pruned = Object.entries(input).map(([name, value]) => {
    if (isUnknown(value)) return [name, standIns[name]];
    const known = withoutUnknowns(value);
    const isEmptied = Array.isArray(known) && known.length === 0 && hasUnknown(value);
    return [name, isEmptied ? standIns[name] : measurable(known)];
  });
  return Object.fromEntries(pruned);
}

/** A rule that reads something unknown, itself or a partner, has not been broken yet. */
function isUndecided(issue: Issue, unknown: ReadonlySet<string>): boolean {
  if (issue.code !== "custom") return false;
  const property = String(issue.path[0]);
  return [property, ...(rulePartners[property] ?? [])].some((name) => unknown.has(name));
}

/** Unnamed for Pulumi, since a misspelt userData is as secret as a well spelt one. */
function strangers(inputs: Properties): Failure[] {
  const known: readonly string[] = [...specProperties, ...resourceProperties];
  return Object.keys(inputs)
    .filter((name) => !known.includes(name) && !isInternal(name))
    .map((name) => ({ ...stranger(name, known), property: "" }));
}

const stranger = (property: string, known: readonly string[]): Failure => ({
  property,
  reason: `There is no property ${shorten(property)}. ${suggestFor(property.split(".").at(-1) ?? "", known)}`,
});

function resourceFailures(inputs: Properties): Failure[] {
  const schemas = {
    adopt: adoptSchema.optional(),
    timeouts: timeoutsSchema.optional(),
    controller: controllerSchema.optional(),
  };
  return Object.entries(schemas).flatMap(([name, schema]) => {
    if (name === "controller" && hasUnknown(inputs[name])) return [];
    const parsed = schema.safeParse(measurable(withoutUnknowns(inputs[name])) ?? undefined);
    const issues = parsed.error?.issues ?? [];
    return issues.flatMap((issue) =>
      describe({ ...issue, path: [name, ...issue.path] } as Issue, inputs),
    );
  });
}

function describe(issue: Issue, inputs: Properties): Failure[] {
  const property = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known = membersOf(String(issue.path[0]));
    return issue.keys.map((key) => stranger(`${property}.${key}`, known));
  }
  const next = nextSteps[String(issue.path[0])] ?? "Correct it in the program.";
  const reason = `${property} ${given(issue.path, inputs)}${ruleOf(issue)}. ${next}`;
  return [{ property: hiddenProperties.has(property) ? "" : property, reason }];
}

/** "is 5 and ", "is missing and ", or nothing where the value must not be told. */
function given(path: Path, inputs: Properties): string {
  const value = path.reduce<unknown>(
    (holder, key) => (holder as Record<PropertyKey, unknown> | undefined)?.[key],
    inputs,
  );
  if (value === undefined || value === null) return "is missing and ";
  if (hiddenProperties.has(String(path[0]))) return "";
  return `is ${shorten(JSON.stringify(value))} and `;
}

/** zod's own sentences speak of types; those of our schema are in the user's words already. */
function ruleOf(issue: Issue): string {
  // A rule may name the value that breaks it.
  if (!/^(Invalid|Too |Unrecognized)/.test(issue.message)) return shorten(issue.message, 300);
  switch (issue.code) {
    case "invalid_type":
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case "too_small":
      return `must ${measure(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `must ${measure(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    default:
      return `is not valid (${issue.message})`;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const measure = (origin: string) => (origin === "string" || origin === "array" ? "have" : "be");

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " elements" : "";
}

/** The member names of a property that is an object, from the schema. */
function membersOf(property: string): readonly string[] {
  if (property === "timeouts") return Object.keys(timeoutsSchema.shape);
  if (property === "controller") return Object.keys(controllerSchema.shape);
  const member = Object.entries(specSchema.shape).find(([name]) => name === property)?.[1];
  const inner: unknown = member instanceof z.ZodPrefault ? member.unwrap() : member;
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
