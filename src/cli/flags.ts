/**
 * The options that commands share, and what is right for each. Wrong values are refused here, before
 * anything is called, in words that name the rule.
 */
import type { FlagParametersForType } from "@stricli/core";
import { parseDuration } from "./human-time";
import type { Invocation } from "./invocation";

export interface OutputFlags {
  json: boolean;
  color: boolean;
  debug: boolean;
}

export interface AccountFlags {
  region?: string;
  profile?: string;
  endpoint?: string;
}

export interface RegistryFlags {
  table?: string;
  directory?: string;
}

export interface CommonFlags extends OutputFlags, AccountFlags, RegistryFlags {}

type Definitions<Flags> = FlagParametersForType<Flags, Invocation>;

export const outputFlags: Definitions<OutputFlags> = {
  json: {
    kind: "boolean",
    brief: "Answer with one JSON document on standard output",
    default: false,
    withNegated: false,
  },
  color: { kind: "boolean", brief: "Colours on a terminal; NO_COLOR is honoured", default: true },
  debug: {
    kind: "boolean",
    brief: "Show where an error comes from",
    default: false,
    withNegated: false,
  },
};

export const accountFlags: Definitions<AccountFlags> = {
  region: {
    kind: "parsed",
    parse: rule(/^[a-z]{2,5}(-[a-z]+)+-\d$/, "a Region is named like eu-central-1"),
    brief: "AWS Region; else AWS_REGION, AWS_DEFAULT_REGION or the profile's",
    placeholder: "region",
    optional: true,
  },
  profile: {
    kind: "parsed",
    parse: rule(/./, "a profile has a name"),
    brief: "Profile of the AWS configuration; else AWS_PROFILE",
    placeholder: "name",
    optional: true,
  },
  endpoint: {
    kind: "parsed",
    parse: rule(/^https?:\/\/[^/\s]+\/?$/, "an endpoint is a URL like http://127.0.0.1:4599"),
    brief: "Where EC2 is, for the embedded one; else AWS_ENDPOINT_URL",
    placeholder: "url",
    optional: true,
  },
};

const registryFlags: Definitions<RegistryFlags> = {
  table: {
    kind: "parsed",
    parse: rule(/^[\w.-]{3,255}$/, "a DynamoDB table has 3 to 255 of a-z A-Z 0-9 _ . -"),
    brief: "The controller's DynamoDB table; else MANAGED_INSTANCE_TABLE",
    placeholder: "name",
    optional: true,
  },
  directory: {
    kind: "parsed",
    parse: rule(/./, "a directory has a name"),
    brief: "The controller's directory; else MANAGED_INSTANCE_DIRECTORY",
    placeholder: "path",
    optional: true,
  },
};

export const commonFlags: Definitions<CommonFlags> = {
  ...accountFlags,
  ...registryFlags,
  ...outputFlags,
};

function rule(pattern: RegExp, words: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new Refused(words);
    return text;
  };
}

export const topicArn = rule(
  /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]+$/,
  "a topic's ARN is like arn:aws:sns:eu-central-1:123456789012:instances",
);

/** A span of time in milliseconds. */
export function span(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined)
    throw new Refused("a span of time is a whole number with a unit, like 90s, 30m or 2h");
  return milliseconds;
}

export function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new Refused(`it must be a whole number from ${least} to ${most}`);
    return value;
  };
}

export function positiveNumber(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0)) throw new Refused("it must be a number above 0");
  return value;
}

/** An id `pmi-…`, or the name that the managed instance has in its program. */
export const managedInstance = {
  parse: rule(/^[^\s,]+$/, "it is an id like pmi-0be252de362a, or the resource's name"),
  brief: "Its id, pmi-…, or its name in the Pulumi program",
  placeholder: "instance",
};

/** A value that breaks a rule; the parser adds which option it was. */
class Refused extends Error {}
