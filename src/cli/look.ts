/** A close look at one managed instance, found by its id or by the name that people know. */
import { allPages } from "../aws/client";
import { lookAt } from "../aws/look";
import { tagsOf } from "../aws/shapes";
import type { ControllerRegistry, Entry } from "../controller/registry";
import { newestLedger } from "../engine/ledgers";
import type { Anchor, Ledger, Observation } from "../engine/model";
import { hasEnded, tagKeys } from "../engine/tags";
import type { Account } from "./account";
import { Failure } from "./failure";
import { fullName, nameOf } from "./identity";

export interface Seen {
  id: string;
  ledger: Ledger;
  observation: Observation;
}

/** Undefined when neither EC2 nor the registry knows anything of it. */
export async function lookWith(
  account: Pick<Account, "anchors" | "cloud">,
  id: string,
  entry: Entry | undefined,
): Promise<Seen | undefined> {
  const request = { id, spec: entry?.spec, interfaceId: entry?.interfaceId };
  const { ledger: read, observation } = await lookAt(account, request);
  const ledger = newestLedger([read, entry?.ledger]);
  return ledger && { id, ledger, observation };
}

/** Throws a Failure when nothing, or more than one, is called so. */
export async function idOf(
  text: string,
  { ec2, region }: Pick<Account, "ec2" | "region">,
  registry: Pick<ControllerRegistry, "list"> | undefined,
): Promise<string> {
  if (/^pmi-[0-9a-f]+$/.test(text)) return text;
  const keys = new Map<string, string>();
  const damaged = () => undefined;
  for await (const { creationKey, id } of registry?.list({ damaged }) ?? [])
    keys.set(id, creationKey);
  for (const { tags } of await namedAnchors(ec2)) {
    const { [tagKeys.id]: id, [tagKeys.creationKey]: key } = tags;
    if (id !== undefined && key !== undefined && !hasEnded(tags)) keys.set(id, key);
  }
  const ids = [...keys]
    .filter(([, key]) => nameOf(key).name === text || fullName(key) === text)
    .map(([id]) => id);
  const [first, ...others] = ids;
  if (first === undefined) throw notFound(text, region);
  if (others.length === 0) return first;
  const next = `Give one of their ids: ${ids.join(", ")}.`;
  throw new Failure("usage", `${ids.length} managed instances are called ${text}.`, next);
}

export const notFound = (text: string, region: string) =>
  new Failure(
    "notFound",
    `There is no managed instance ${text} in ${region}.`,
    "`managed-instance list --all` shows all of them; another Region is chosen with --region.",
  );

async function namedAnchors(ec2: Account["ec2"]): Promise<Pick<Anchor, "tags">[]> {
  const Filters = [{ Name: "tag-key", Values: [tagKeys.creationKey] }];
  const pages = await allPages(
    ec2,
    "DescribeNetworkInterfaces",
    { Filters },
    (page) => page.NetworkInterfaces,
  );
  return pages.map((each) => ({ tags: tagsOf(each.TagSet) }));
}
