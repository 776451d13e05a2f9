/**
 * What every Describe action shares: ids, filters, pages and the limits on them (ec2-facts §9). A
 * family says how its resources are found and what each filter compares; everything else is here.
 */
import type { Filter } from "@aws-sdk/client-ec2";
import { Ec2Error } from "./errors";
import { checkId, invalidCombination, invalidValue, notFound, type ResourceNoun } from "./refusals";
import type { Row, Table } from "./table";
import type { World } from "./world";

type FilterText = string | number | boolean | undefined;

/** The values of one resource that a filter compares with; any of them may match. */
export type FilterValues<R> = (row: R, world: World) => FilterText | readonly FilterText[];

export interface Listing<R extends Row> {
  readonly table: (world: World) => Table<R>;
  readonly noun: ResourceNoun;
  readonly filters: Readonly<Record<string, FilterValues<R>>>;
  /** MaxResults' range; a listing without one does not page. */
  readonly pageSize?: readonly [number, number];
  /** Hides rows from everybody, such as other accounts' resources. */
  readonly isVisible?: (row: R, world: World) => boolean;
  /** The filter whose first word is what the table is indexed by. */
  readonly indexedFilter?: string;
  /** Some Describe calls take ids together with MaxResults. */
  readonly allowsIdsWithMaxResults?: boolean;
}

export interface ListRequest {
  readonly ids?: readonly string[] | undefined;
  readonly Filters?: readonly Filter[] | undefined;
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface Page<R> {
  readonly rows: readonly R[];
  readonly nextToken?: string;
}

export function list<R extends Row>(
  world: World,
  listing: Listing<R>,
  request: ListRequest,
): Page<R> {
  const ids = request.ids !== undefined && request.ids.length > 0 ? request.ids : undefined;
  checkPaging(listing, request, ids);
  const filters = (request.Filters ?? []).map((filter) => compileFilter(listing, filter));
  checkFilterLimits(request.Filters ?? []);
  const drawn = world.faults.drawLag();
  const lag = Math.max(drawn.stateMilliseconds, world.latencies.describeLag * 1000);
  const tagLag = Math.max(lag, drawn.tagMilliseconds, world.latencies.tagLag * 1000);
  if (ids !== undefined) checkIdsExist(world, listing, { ids, lag });
  const table = listing.table(world);
  const seesTags = tagLag === 0;
  const candidates = ids ?? fewestCandidates(listing, { table, seesTags, ...request });
  const isWanted = (row: R) =>
    (listing.isVisible?.(row, world) ?? true) &&
    filters.every((filter) => {
      const compared = filter.isTag && tagLag > lag ? table.getSeen(row.id, tagLag) : row;
      return compared !== undefined && filter.matches(compared, world);
    });
  return pageOf(world, listing, { table, candidates, lag, isWanted, request });
}

function pageOf<R extends Row>(
  world: World,
  listing: Listing<R>,
  scan: {
    readonly table: Table<R>;
    readonly candidates: Iterable<string> | undefined;
    readonly lag: number;
    readonly isWanted: (row: R) => boolean;
    readonly request: ListRequest;
  },
): Page<R> {
  const after = readNextToken(listing, scan.request.NextToken);
  const isPaged = scan.request.MaxResults !== undefined;
  if (isPaged && world.faults.strikes("emptyPages"))
    return { rows: [], nextToken: writeNextToken(listing, after) };
  const limit = scan.request.MaxResults ?? Number.POSITIVE_INFINITY;
  const rows: R[] = [];
  let last = after;
  for (const { sequence, row } of scan.table.entriesSeen(scan.lag, scan.candidates)) {
    if (sequence <= after || !scan.isWanted(row)) continue;
    if (rows.length >= limit) return { rows, nextToken: writeNextToken(listing, last) };
    rows.push(row);
    last = sequence;
  }
  return { rows };
}

function checkPaging<R extends Row>(
  listing: Listing<R>,
  request: ListRequest,
  ids: readonly string[] | undefined,
): void {
  const { MaxResults: limit } = request;
  if (ids !== undefined && ids.length > 1000)
    throw invalidValue("The number of ids exceeds the maximum of 1000");
  if (limit === undefined || listing.pageSize === undefined) return;
  if (ids !== undefined && listing.allowsIdsWithMaxResults !== true)
    throw invalidCombination(
      `The parameter ${listing.noun.subject}s and the parameter maxResults cannot be used together`,
    );
  const [least, most] = listing.pageSize;
  if (limit < least || limit > most)
    throw invalidValue(
      `Value ( ${limit} ) for parameter maxResults is invalid. Expecting a value between ${least} and ${most}.`,
    );
}

function checkIdsExist<R extends Row>(
  world: World,
  listing: Listing<R>,
  { ids, lag }: { readonly ids: readonly string[]; readonly lag: number },
): void {
  for (const id of ids) checkId(listing.noun, id);
  const missing = ids.filter((id) => {
    const row = listing.table(world).getSeen(id, lag);
    return row === undefined || listing.isVisible?.(row, world) === false;
  });
  if (missing.length > 0) throw notFound(listing.noun, missing);
}

interface CompiledFilter<R> {
  readonly isTag: boolean;
  matches(row: R, world: World): boolean;
}

function compileFilter<R extends Row>(listing: Listing<R>, filter: Filter): CompiledFilter<R> {
  const name = filter.Name ?? "";
  const matchers = (filter.Values ?? []).map(matcherOf);
  const isMatch = (text: string) => matchers.some((matches) => matches(text));
  if (name.startsWith("tag:")) {
    const key = name.slice(4);
    return {
      isTag: true,
      matches: (row) => {
        const value = row.tags.get(key);
        return value !== undefined && isMatch(value);
      },
    };
  }
  if (name === "tag-key" || name === "tag-value") {
    const side = name === "tag-key" ? "keys" : "values";
    return { isTag: true, matches: (row) => [...row.tags[side]()].some(isMatch) };
  }
  const valuesOf = Object.hasOwn(listing.filters, name) ? listing.filters[name] : undefined;
  if (valuesOf === undefined) throw invalidValue(`The filter '${name}' is invalid`);
  return {
    isTag: false,
    matches: (row, world) => {
      const values = valuesOf(row, world);
      return isList(values)
        ? values.some((value) => value !== undefined && isMatch(String(value)))
        : values !== undefined && isMatch(String(values));
    },
  };
}

function isList(values: FilterText | readonly FilterText[]): values is readonly FilterText[] {
  return Array.isArray(values);
}

/** `*` is any text, `?` one character, a backslash makes either literal; case matters. */
export function matcherOf(pattern: string): (text: string) => boolean {
  if (!/[*?\\]/.test(pattern)) return (text) => text === pattern;
  const prefix = pattern.slice(0, -1);
  if (pattern.endsWith("*") && !/[*?\\]/.test(prefix)) return (text) => text.startsWith(prefix);
  const source = pattern.replace(/\\([\s\S])|[\s\S]/g, (part, literal: string | undefined) => {
    if (part === "*") return "[\\s\\S]*";
    if (part === "?") return "[\\s\\S]";
    return (literal ?? part).replace(/[.*+?^${}()|[\]\\]/, "\\$&");
  });
  const expression = new RegExp(`^${source}$`);
  return (text) => expression.test(text);
}

function checkFilterLimits(filters: readonly Filter[]): void {
  if (filters.length > 50)
    throw new Ec2Error("FilterLimitExceeded", "The maximum number of filters is 50");
  for (const { Name: name, Values: values = [] } of filters) {
    if (values.length > 200)
      throw new Ec2Error(
        "FilterLimitExceeded",
        `The maximum number of filter values specified on a single call is 200: '${name}'`,
      );
    if (values.some((value) => value.length > 255))
      throw invalidValue(`The filter '${name}' has a value of more than 255 characters`);
  }
}

/** The filter that names a resource's own id, by the prefix of its ids. */
const idFilters: Readonly<Record<string, string>> = {
  i: "instance-id",
  vol: "volume-id",
  snap: "snapshot-id",
  ami: "image-id",
  eni: "network-interface-id",
  sir: "spot-instance-request-id",
  subnet: "subnet-id",
};

/** The fewest ids that one filter leaves by itself, so that a big world is not scanned. */
function fewestCandidates<R extends Row>(
  listing: Listing<R>,
  scan: {
    readonly table: Table<R>;
    readonly seesTags: boolean;
    readonly Filters?: readonly Filter[] | undefined;
  },
): Iterable<string> | undefined {
  const sets = (scan.Filters ?? []).flatMap((filter) => {
    const ids = candidatesOf(listing, scan, filter);
    return ids === undefined ? [] : [ids];
  });
  return sets.sort((one, other) => one.length - other.length)[0];
}

function candidatesOf<R extends Row>(
  listing: Listing<R>,
  { seesTags, table }: { readonly table: Table<R>; readonly seesTags: boolean },
  { Name: name = "", Values: values = [] }: Filter,
): readonly string[] | undefined {
  const isExact = values.every((value) => !/[*?\\]/.test(value));
  if (name === idFilters[listing.noun.prefix]) return isExact ? values : undefined;
  if (name.startsWith("tag:") && isExact) {
    const ids = values.flatMap((value) => [...table.idsWithTag(name.slice(4), value)]);
    return seesTags ? ids : [...ids, ...table.idsChangedLately()];
  }
  if (name !== listing.indexedFilter) return undefined;
  const keys = values.map((value) => /^([\w-]+)[^\w*?\\-]/.exec(value)?.[1]);
  return keys.every((key) => key !== undefined)
    ? keys.flatMap((key) => [...table.idsIndexed(key)])
    : undefined;
}

function writeNextToken<R extends Row>(listing: Listing<R>, sequence: number): string {
  return Buffer.from(`${listing.noun.prefix}:${sequence}`).toString("base64");
}

function readNextToken<R extends Row>(listing: Listing<R>, token: string | undefined): number {
  if (token === undefined || token === "") return 0;
  const match = /^([a-z]+):(\d+)$/.exec(Buffer.from(token, "base64").toString());
  if (match?.[1] === listing.noun.prefix) return Number(match[2]);
  throw new Ec2Error("InvalidNextToken", "The token is invalid.");
}
