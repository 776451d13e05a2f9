/** Tags as requests write them and answers show them, with AWS's limits (ec2-facts §10). */
import type { Tag, TagSpecification } from "@aws-sdk/client-ec2";
import { Ec2Error } from "./errors";
import { invalidValue } from "./refusals";
import type { Tags } from "./table";

export const NO_TAGS: Tags = new Map();

const lists = new WeakMap<Tags, Tag[]>();

/** Written once for each set of tags, as views are, and shared by the callers. */
export function tagList(tags: Tags): Tag[] {
  const known = lists.get(tags);
  if (known !== undefined) return known;
  const list = [...tags].map(([Key, Value]) => ({ Key, Value }));
  lists.set(tags, list);
  return list;
}

/** The tags for one resource type; other types than the operation can create are refused. */
export function tagsFor(
  specifications: readonly TagSpecification[] | undefined,
  type: string,
  permitted: readonly string[] = [type],
): Tags {
  if (specifications === undefined || specifications.length === 0) return NO_TAGS;
  const tags = new Map<string, string>();
  for (const { ResourceType: given, Tags: list = [] } of specifications) {
    if (given === undefined)
      throw invalidValue("Tag specification resource type must have a value");
    if (!permitted.includes(given))
      throw invalidValue(`'${given}' is not a valid taggable resource type for this operation.`);
    if (given !== type) continue;
    for (const tag of list) addTag(tags, tag);
  }
  checkCount(tags);
  return tags;
}

function addTag(tags: Map<string, string>, { Key: key, Value: value }: Tag): void {
  if (key !== undefined && tags.has(key))
    throw invalidValue(`Duplicate tag key '${key}' specified.`);
  checkTag(key, value);
  tags.set(key ?? "", value ?? "");
}

/** Existing tags with others laid over them. */
export function withTags(before: Tags, added: readonly Tag[]): Tags {
  const tags = new Map(before);
  for (const { Key: key, Value: value } of added) {
    checkTag(key, value);
    tags.set(key ?? "", value ?? "");
  }
  checkCount(tags);
  return tags;
}

function checkTag(key: string | undefined, value: string | undefined): void {
  if (key === undefined || key === "") throw invalidValue("Tag key cannot be null or empty");
  if ([...key].length > 128)
    throw invalidValue(`Tag key exceeds the maximum length of 128 characters`);
  if (key.toLowerCase().startsWith("aws:"))
    throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
  if (value !== undefined && [...value].length > 256)
    throw invalidValue(`Tag value exceeds the maximum length of 256 characters`);
}

function checkCount(tags: Tags): void {
  const own = [...tags.keys()].filter((key) => !key.startsWith("aws:")).length;
  if (own > 50)
    throw new Ec2Error(
      "TagLimitExceeded",
      "The maximum number of Tags for a resource has been reached.",
    );
}
