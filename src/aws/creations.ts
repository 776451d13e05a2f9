/**
 * Finds what was created with a key, by the key on its anchor: creations that were begun and not
 * completed, and completed ones that live. What is deallocated is no longer anybody's.
 */
import type { Ledger } from "../engine/model";
import { decodeLedger, hasEnded, isOurAnchor, tagKeys } from "../engine/tags";
import { allPages, type Ec2 } from "./client";
import { tagsOf } from "./shapes";

export interface Creation {
  ledger: Ledger;
  interfaceId: string;
}

export async function findCreations(ec2: Ec2, creationKey: string): Promise<Creation[]> {
  const Filters = [
    { Name: `tag:${tagKeys.creationKey}`, Values: [literal(creationKey)] },
    { Name: `tag:${tagKeys.phase}`, Values: ["creating", "active"] },
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
    .filter(({ interfaceId, tags }) => isOurAnchor(interfaceId, tags))
    .filter(({ tags }) => !hasEnded(tags))
    .map(({ tags, interfaceId }) => ({ ledger: decodeLedger(tags), interfaceId }));
}

/** Filter values may hold wildcards; a resource's name may hold their signs (ec2-facts §9). */
const literal = (text: string) => text.replace(/[*?\\]/g, (sign) => `\\${sign}`);
