/** One whole look at a managed instance, without deciding anything: what `refresh` and people ask for. */
import type { Ledger, Observation } from "../engine/model";
import type { Cloud, Registry } from "../engine/ports";
import type { Spec } from "../engine/spec";

export interface LookRequest {
  id: string;
  spec?: Pick<Spec, "imageId" | "instanceTypes" | "subnetIds">;
  /** The interface that was the anchor when it was written down; a tag query may miss it. */
  interfaceId?: string;
}

/** Stands in where no image is known; one that does not exist is a fact like any other. */
const anyImageId = "ami-00000000";

/** The ledger is undefined when no anchor shows one. */
export async function lookAt(
  { cloud, anchors }: { cloud: Cloud; anchors: Registry },
  { id, spec, interfaceId }: LookRequest,
): Promise<{ ledger: Ledger | undefined; observation: Observation }> {
  const { imageId = anyImageId, instanceTypes = [], subnetIds = [] } = spec ?? {};
  const query = { id, imageId, instanceTypes, subnetIds, interfaceId, wantsSpotMarket: false };
  const facts = await cloud.observe(query);
  const ledger = await anchors.load(id, facts.anchors);
  return { ledger, observation: { ...facts, refusals: [] } };
}
