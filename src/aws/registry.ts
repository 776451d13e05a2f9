/**
 * The Registry without a controller: the ledger on the anchor's tags. Reading it costs nothing when
 * the anchor was just observed; writing it is one CreateTags.
 */
import { derived } from "../engine/derived";
import { newestLedger } from "../engine/ledgers";
import type { Registry } from "../engine/ports";
import { decodeLedger, encodeLedger, tagKeys } from "../engine/tags";
import type { Ec2 } from "./client";

export function createAnchorRegistry(ec2: Ec2): Registry {
  return {
    async load(_id, anchors) {
      return newestLedger(anchors.map(({ tags }) => ledgerOn(tags)));
    },
    async save(ledger, interfaceId) {
      const tags = Object.entries({ ...encodeLedger(ledger), [tagKeys.marked]: interfaceId });
      await ec2.call("CreateTags", {
        Resources: [interfaceId],
        Tags: tags.map(([Key, Value]) => ({ Key, Value })),
      });
    },
  };
}

const ledgerOn = derived(decodeLedger);
