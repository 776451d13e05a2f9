/**
 * Whether anything relevant has changed, and what becomes of it, told on the resource's row. Nothing
 * ever replaces a managed instance: all changes are updates.
 */
import {
  type ChangeEffect,
  canonicalJson,
  changeEffects,
  type Spec,
  specProperties,
} from "../engine/spec";
import type { Context } from "./context";
import { type Properties, recordedSpec } from "./inputs";
import { needsAttention } from "./outputs";
import { hasUnknown, isUnknown } from "./unknown";
import { validate } from "./validation";

export interface Change {
  property: keyof Spec;
  effect: ChangeEffect;
}

export interface DiffAnswer {
  /** Left out when inputs changed: Pulumi then compares them itself, and shows each path. */
  changes?: boolean;
}

/** `olds` are the outputs of the last update, `news` the inputs of this one. */
export function diff(context: Context, olds: Properties, news: Properties): DiffAnswer {
  const changes = changesOf(olds, news);
  for (const change of changes) context.log(describeChange(change, olds, news));
  if (changes.length > 0) return {};
  const attention = needsAttention(olds, news);
  if (attention === undefined) return { changes: false };
  context.log(`${attention}: the update brings it back`);
  return { changes: true };
}

/** Both sides with today's defaults, so that a default never shows as a change. */
export function changesOf(olds: Properties, news: Properties): Change[] {
  const before: Partial<Spec> | undefined = recordedSpec(olds);
  const after: Partial<Spec> | undefined = validate(news).spec;
  const isCompared = (name: keyof Spec) => name !== "region";
  return specProperties
    .filter(isCompared)
    .filter((name) => {
      if (hasUnknown(news[name])) return true;
      if (before === undefined || after === undefined) return differ(olds[name], news[name]);
      return differ(before[name], after[name]);
    })
    .map((property) => ({ property, effect: changeEffects[property] }));
}

const differ = (one: unknown, other: unknown) =>
  canonicalJson(one ?? null) !== canonicalJson(other ?? null);

/** Values of these are shown; others are long, or may be secret. */
const shownProperties: readonly (keyof Spec)[] = [
  "imageId",
  "instanceTypes",
  "subnetIds",
  "privateIp",
  "lifeCycle",
  "desiredState",
  "maxSpotPrice",
];

export function describeChange({ property, effect }: Change, olds: Properties, news: Properties) {
  const values = shownProperties.includes(property)
    ? ` ${show(olds[property])} → ${show(news[property])}`
    : "";
  return `${property}${values}: ${consequence(effect, olds, news)}`;
}

function show(value: unknown): string {
  if (value === undefined) return "(default)";
  if (isUnknown(value)) return "(known later)";
  if (hasUnknown(value)) return "(partly known later)";
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}

function consequence(effect: ChangeEffect, olds: Properties, news: Properties): string {
  switch (effect) {
    case "in-place":
      return "in place";
    case "pause-or-resume":
      return news.desiredState === "paused"
        ? "pause: the instance ends, its state is kept"
        : "resume: another instance starts from the kept state";
    case "recycle":
      return relaunch("recycle", news);
    case "next-launch":
      return relaunch("recycle", news, { mayWait: true });
    case "ami-swap":
      return relaunch(`AMI swap${swapNumbers(olds)}, ${keptDisk(news)}`, news, { mayWait: true });
  }
}

/** Another generation: the instance is down from its shutdown until its successor has booted. */
function relaunch(what: string, news: Properties, { mayWait = false } = {}): string {
  if (news.desiredState === "paused") return `${what} at the next launch (it is paused)`;
  if (mayWait && news.applyChanges === "at-next-recycle") return `${what} at the next recycle`;
  return `${what} now, down for some minutes`;
}

function swapNumbers({ facts }: Properties): string {
  const lineage = (facts as { lineage?: unknown } | undefined)?.lineage;
  return typeof lineage === "number" ? `: lineage ${lineage} → ${lineage + 1}` : "";
}

function keptDisk({ rollbackHours, persistRootDevice }: Properties): string {
  if (persistRootDevice === false) return "the present root disk is not kept";
  return `the present root disk is kept ${typeof rollbackHours === "number" ? rollbackHours : 24} h`;
}
