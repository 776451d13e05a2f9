/**
 * What a resource's properties are made of: the spec, which the engine reads, and a few properties of
 * the Pulumi resource alone. Values are as the program gave them; defaults are never filled in here,
 * so that a package with new defaults shows no difference.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import type { RegistryPlace } from "../controller/open-registry";
import { type Spec, specProperties, specSchema } from "../engine/spec";

export type Properties = Readonly<Record<string, unknown>>;

/** Properties of the Pulumi resource that are no part of the spec. */
export const resourceProperties = ["creationKey", "adopt", "timeouts", "controller"] as const;

/** Pulumi's own and ours, which never come from a user. */
export const isInternal = (name: string) => name.startsWith("__");

const durationRule = 'must be a duration such as "90s", "30m" or "2h"';
const duration = z.string({ error: durationRule }).regex(/^[1-9]\d{0,5}(s|m|h)$/, durationRule);

export const timeoutsSchema = z.strictObject({
  create: duration.optional(),
  update: duration.optional(),
  delete: duration.optional(),
});
export type Timeouts = z.output<typeof timeoutsSchema>;

export const adoptSchema = z
  .string({ error: "must be the id of a managed instance, such as pmi-0123456789ab" })
  .regex(/^pmi-[0-9a-f]{12}$/, "must be the id of a managed instance, such as pmi-0123456789ab");

/** Where the controller of this managed instance keeps its registry. */
export const controllerSchema = z
  .strictObject({
    table: z
      .string({ error: "must be the name of a DynamoDB table" })
      .regex(/^[\w.-]{3,255}$/, "must be the name of a DynamoDB table, 3 to 255 characters")
      .optional(),
    directory: z
      .string({ error: "must be an absolute path" })
      .refine((directory) => path.isAbsolute(directory), "must be an absolute path")
      .optional(),
  })
  .refine(
    ({ directory, table }) => (directory === undefined) !== (table === undefined),
    "must have either table or directory",
  );

/** Undefined without a controller, and where state holds something that we cannot understand. */
export function controllerOf(properties: Properties): RegistryPlace | undefined {
  const { data } = controllerSchema.safeParse(properties.controller);
  if (data?.table !== undefined) return { table: data.table };
  return data?.directory === undefined ? undefined : { directory: data.directory };
}

/** Only the properties of the spec, as given. */
export const specInputOf = (properties: Properties) => pick(properties, specProperties);

/** A null is how some languages write that nothing was given. */
function pick(properties: Properties, names: readonly string[]): Record<string, unknown> {
  const given = names.filter((name) => properties[name] !== undefined && properties[name] !== null);
  return Object.fromEntries(given.map((name) => [name, properties[name]]));
}

/**
 * zod compares the `length` and `size` of whatever stands where a text or a list belongs, and throws
 * when that is an object. What is put there instead is as wrong, and the refusal names the original.
 */
export function measurable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(measurable);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => {
    const isMeasure = key === "length" || key === "size";
    return [key, isMeasure && typeof member === "object" ? null : measurable(member)];
  });
  return Object.fromEntries(members);
}

/** What the program declared, out of what the resource's outputs hold of it. */
export const inputsOf = (properties: Properties) =>
  pick(properties, [...specProperties, ...resourceProperties]);

export const parseSpec = (properties: Properties): Spec =>
  specSchema.parse(specInputOf(properties));

/** The spec of what is in state, or undefined where nothing was declared, as after `get`. */
export function recordedSpec(properties: Properties): Spec | undefined {
  const parsed = specSchema.safeParse(measurable(specInputOf(properties)));
  return parsed.success ? parsed.data : undefined;
}

/**
 * The spec out of state that another version of this package may have written: what today's schema
 * refuses is left out, because a destroy must not fail on it.
 */
export function tolerantSpec(properties: Properties): Spec | undefined {
  const input = specInputOf(properties);
  const refused = specSchema.safeParse(measurable(input)).error?.issues ?? [];
  for (const { path } of refused) delete input[String(path[0])];
  return recordedSpec(input);
}

export const regionOf = ({ region }: Properties, fallback?: string): string => {
  if (typeof region === "string") return region;
  if (fallback !== undefined) return fallback;
  throw new Error("The Region is missing. Set it with `pulumi config set aws:region`.");
};

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

export function secondsOf(text: string): number {
  return Number(text.slice(0, -1)) * (unitSeconds[text.slice(-1)] ?? 1);
}

const longestCreationKey = 200;

/** A tag's value holds 256 characters, and a URN in deeply nested components can be longer. */
export function creationKeyOf(properties: Properties): string {
  const given = typeof properties.creationKey === "string" ? properties.creationKey : "";
  if (given.length <= longestCreationKey) return given;
  const digest = createHash("sha256").update(given).digest("hex").slice(0, 32);
  // Half of a character would come back from EC2 as another one, and the key would not be found.
  const start = given
    .slice(0, longestCreationKey - digest.length - 1)
    .replace(/[\uD800-\uDBFF]$/, "");
  return `${start}~${digest}`;
}
