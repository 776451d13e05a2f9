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
  specSchema,
} from "../engine/spec";
import type { Context } from "./context";
import { type Properties, recordedSpec } from "./inputs";
import { needsAttention, recordedFacts } from "./outputs";
import { shown } from "./shown";
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
  const isMoved = hasUnknown(news.controller) || differ(olds.controller, news.controller);
  if (isMoved) context.log("controller: in place, who keeps it between two updates");
  if (changes.length > 0 || isMoved) return {};
  const attention = needsAttention(olds, news);
  if (attention === undefined) return { changes: false };
  context.log(`${attention}: the update sees to it`);
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

function describeChange({ property, effect }: Change, olds: Properties, news: Properties) {
  const values = shownProperties.includes(property)
    ? ` ${show(olds[property])} → ${show(news[property])}`
    : "";
  const consequenceText = stillFits(property, olds, news)
    ? "in place: what runs now still fits"
    : consequence(effect, olds, news);
  return `${property}${values}: ${consequenceText}`;
}

/** Properties that allow several values need another launch only when the present one is not among them. */
function stillFits(property: keyof Spec, olds: Properties, news: Properties): boolean {
  const { instanceType, subnetId, privateIp } = recordedFacts(olds);
  const holds = (list: unknown, value: string | undefined) =>
    value !== undefined && Array.isArray(list) && list.includes(value);
  if (property === "instanceTypes") return holds(news.instanceTypes, instanceType);
  if (property === "subnetIds") return holds(news.subnetIds, subnetId);
  return property === "privateIp" && [undefined, privateIp].includes(news.privateIp as string);
}

function show(value: unknown): string {
  if (value === undefined) return "(default)";
  if (isUnknown(value)) return "(known later)";
  if (hasUnknown(value)) return "(partly known later)";
  return shown(value);
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
      return relaunch("recycle", news, { mayWait: false });
    case "next-launch":
      return relaunch("recycle", news, { mayWait: true });
    case "ami-swap":
      return `${relaunch("AMI swap", news, { mayWait: true })}; ${swapDetails(olds, news)}`;
  }
}

/** Another generation: the instance is down from its shutdown until its successor has booted. */
function relaunch(what: string, news: Properties, { mayWait }: { mayWait: boolean }): string {
  if (news.desiredState === "paused") return `${what} at the next launch (it is paused)`;
  if (mayWait && news.applyChanges === "at-next-recycle") return `${what} at the next recycle`;
  return `${what} now, down for some minutes`;
}

function swapDetails(olds: Properties, news: Properties): string {
  const { lineage } = recordedFacts(olds);
  const numbers = lineage === undefined ? "a new lineage" : `lineage ${lineage} → ${lineage + 1}`;
  if (news.persistRootDevice === false) return `${numbers}, the present root disk is not kept`;
  const hours = typeof news.rollbackHours === "number" ? news.rollbackHours : defaultRollbackHours;
  return `${numbers}, the present root disk is kept ${hours} h`;
}

const defaultRollbackHours = specSchema.shape.rollbackHours.parse(undefined);
