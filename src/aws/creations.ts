/**
 * Finds creations that were begun and not completed, by the key on their anchors. A completed or
 * deallocated one with the same key is never among them (design §3).
 */
import type { Ledger } from "../engine/model";
import { decodeLedger, tagKeys } from "../engine/tags";
import { allPages, type Ec2 } from "./client";
import { tagsOf } from "./shapes";

export interface OpenCreation {
  ledger: Ledger;
  interfaceId: string;
}

export async function findOpenCreations(ec2: Ec2, creationKey: string): Promise<OpenCreation[]> {
  const Filters = [
    { Name: `tag:${tagKeys.creationKey}`, Values: [literal(creationKey)] },
    { Name: `tag:${tagKeys.phase}`, Values: ["creating"] },
  ];
  const found = await allPages(
    ec2,
    "DescribeNetworkInterfaces",
    { Filters },
    (page) => page.NetworkInterfaces,
  );
  return found
    .map((each) => ({ tags: tagsOf(each.TagSet), interfaceId: each.NetworkInterfaceId ?? "" }))
    .filter(({ tags }) => tags[tagKeys.creationKey] === creationKey)
    .map(({ tags, interfaceId }) => ({ ledger: decodeLedger(tags), interfaceId }));
}

/** Filter values may hold wildcards; a resource's name may hold their signs (ec2-facts §9). */
const literal = (text: string) => text.replace(/[*?\\]/g, (sign) => `\\${sign}`);
