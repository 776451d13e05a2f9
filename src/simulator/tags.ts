/** CreateTags, DeleteTags and DescribeTags for every kind of resource (ec2-facts §10). */
import type {
  CreateTagsRequest,
  DeleteTagsRequest,
  DescribeTagsRequest,
  DescribeTagsResult,
  Filter,
  ResourceType,
  TagDescription,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { matcherOf } from "./describe";
import { Ec2Error } from "./errors";
import { invalidValue, notFound, nouns, type ResourceNoun, requiredList } from "./refusals";
import type { Row, Table, Tags } from "./table";
import { withTags } from "./tag-sets";
import type { World } from "./world";

interface Taggable {
  readonly type: ResourceType;
  readonly noun: ResourceNoun;
  readonly table: (world: World) => Pick<Table<Row>, "get" | "update" | "all">;
}

const taggables: readonly Taggable[] = [
  { type: "instance", noun: nouns.instance, table: (world) => world.instances },
  { type: "volume", noun: nouns.volume, table: (world) => world.volumes },
  { type: "snapshot", noun: nouns.snapshot, table: (world) => world.snapshots },
  { type: "image", noun: nouns.image, table: (world) => world.images },
  { type: "network-interface", noun: nouns.networkInterface, table: (world) => world.interfaces },
  { type: "elastic-ip", noun: nouns.address, table: (world) => world.addresses },
  { type: "spot-instances-request", noun: nouns.spotRequest, table: (world) => world.spotRequests },
  {
    type: "replace-root-volume-task",
    noun: nouns.replaceRootTask,
    table: (world) => world.replaceRootTasks,
  },
  { type: "vpc", noun: nouns.vpc, table: (world) => world.vpcs },
  { type: "subnet", noun: nouns.subnet, table: (world) => world.subnets },
  { type: "security-group", noun: nouns.securityGroup, table: (world) => world.securityGroups },
  { type: "key-pair", noun: nouns.keyPair, table: (world) => world.keyPairs },
];

function resourceOf(world: World, id: string) {
  const prefix = id.slice(0, id.lastIndexOf("-"));
  const taggable = taggables.find(({ noun }) => noun.prefix === prefix);
  if (taggable === undefined) throw new Ec2Error("InvalidID", `The ID '${id}' is not valid`);
  const table = taggable.table(world);
  const row = table.get(id);
  if (row === undefined) throw notFound(taggable.noun, [id]);
  return { table, row };
}

function checkedResources(world: World, ids: readonly string[] | undefined) {
  const wanted = requiredList(ids, "resourceIdSet");
  if (wanted.length > 1000) throw invalidValue("The number of resources exceeds the limit of 1000");
  return wanted.map((id) => resourceOf(world, id));
}

function createTags(world: World, input: CreateTagsRequest) {
  const resources = checkedResources(world, input.Resources);
  const added = requiredList(input.Tags, "tagSet");
  const changes = resources.map(({ table, row }) => ({
    table,
    id: row.id,
    tags: withTags(row.tags, added),
  }));
  for (const { table, id, tags } of changes) table.update(id, { tags });
  return {};
}

/** Without tags all go; with a key alone its value does not matter. */
function deleteTags(world: World, input: DeleteTagsRequest) {
  const resources = checkedResources(world, input.Resources);
  for (const { table, row } of resources)
    table.update(row.id, { tags: withoutTags(row.tags, input) });
  return {};
}

function withoutTags(tags: Tags, input: DeleteTagsRequest): Tags {
  const unwanted = input.Tags ?? [];
  if (unwanted.length === 0) return new Map([...tags].filter(([key]) => key.startsWith("aws:")));
  const goes = ([key, value]: [string, string]) =>
    unwanted.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value));
  return new Map([...tags].filter((entry) => !goes(entry)));
}

function describeTags(world: World, input: DescribeTagsRequest): DescribeTagsResult {
  const matches = (input.Filters ?? []).map(tagFilter);
  const found = [...allTags(world)].filter((tag) => matches.every((isMatch) => isMatch(tag)));
  const start = startOf(input.NextToken);
  const limit = input.MaxResults ?? found.length;
  if (input.MaxResults !== undefined && (limit < 5 || limit > 1000))
    throw invalidValue(
      `Value ( ${limit} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.`,
    );
  const end = start + limit;
  return {
    Tags: found.slice(start, end),
    NextToken: end < found.length ? tokenOf(end) : undefined,
  };
}

function* allTags(world: World): IterableIterator<TagDescription> {
  for (const { type, table } of taggables)
    for (const row of table(world).all())
      for (const [Key, Value] of row.tags)
        yield { Key, Value, ResourceId: row.id, ResourceType: type };
}

function tagFilter({ Name: name = "", Values: values = [] }: Filter) {
  const matchers = values.map(matcherOf);
  const textOf = filterTexts(name);
  return (tag: TagDescription): boolean => {
    const text = textOf(tag);
    return text !== undefined && matchers.some((matches) => matches(text));
  };
}

function filterTexts(name: string): (tag: TagDescription) => string | undefined {
  if (name === "key") return (tag) => tag.Key;
  if (name === "value") return (tag) => tag.Value;
  if (name === "resource-id") return (tag) => tag.ResourceId;
  if (name === "resource-type") return (tag) => tag.ResourceType;
  if (name.startsWith("tag:")) return (tag) => (tag.Key === name.slice(4) ? tag.Value : undefined);
  throw invalidValue(`The filter '${name}' is invalid`);
}

function tokenOf(position: number): string {
  return Buffer.from(`tags:${position}`).toString("base64");
}

function startOf(token: string | undefined): number {
  if (token === undefined || token === "") return 0;
  const match = /^tags:(\d+)$/.exec(Buffer.from(token, "base64").toString());
  if (match === null) throw new Ec2Error("InvalidNextToken", "The token is invalid.");
  return Number(match[1]);
}

export const tagActions = {
  CreateTags: action<CreateTagsRequest, object>({ Resources: true, Tags: true }, createTags),
  DeleteTags: action<DeleteTagsRequest, object>({ Resources: true, Tags: true }, deleteTags),
  DescribeTags: action<DescribeTagsRequest, DescribeTagsResult>(
    { Filters: true, MaxResults: true, NextToken: true },
    describeTags,
  ),
};
