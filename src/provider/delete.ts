/**
 * Deallocates: ends the managed instance and keeps what retention says, for as long as it says. Can
 * be repeated at any point, and succeeds at once where nothing is left.
 */
import type { Anchor, Observation } from "../engine/model";
import type { Spec } from "../engine/spec";
import { tagKeys } from "../engine/tags";
import type { Connection, Context } from "./context";
import { carryOut } from "./convergence";
import { type Properties, regionOf, tolerantSpec } from "./inputs";
import { recordedLedger, remembered } from "./outputs";
import { ledgerInForce } from "./takeover";

export async function deallocate(context: Context, id: string, props: Properties): Promise<void> {
  const region = regionOf(props, context.configuration.region);
  const connection = await context.connect(region);
  const spec = tolerantSpec(props);
  if (spec === undefined) {
    throw new Error(
      `State holds no usable properties of ${id}. Run \`pulumi up\` once with this version of the package, then destroy.`,
    );
  }
  const memory = remembered(props);
  const request = { id, spec, interfaceId: memory.interfaceId };
  const known = await ledgerInForce(context, connection, request);
  if (known === undefined) await refuseElsewhere(connection, { id, region, spec });
  const ledger = known ?? recordedLedger(id, props);
  if (ledger === undefined) {
    context.log(`nothing of ${id} is left in ${region}`, { severity: "warning" });
    return;
  }
  const { observation, reason } = await carryOut(context, connection, {
    operation: "delete",
    id,
    spec,
    specVersion: ledger.specVersion,
    initial: ledger,
    remembered: memory,
    properties: props,
  });
  if (reason !== undefined) throw new Error(reason);
  if (observation !== undefined) tellKept(context, observation);
}

/**
 * With another account's credentials nothing is found either, and the state would be given up while
 * the instance runs on.
 */
async function refuseElsewhere(
  { preflight }: Connection,
  { id, region, spec }: { id: string; region: string; spec: Spec },
): Promise<void> {
  const found = await preflight.subnets(spec.subnetIds);
  if (found.length > 0) return;
  throw new Error(
    `Nothing of ${id} is to be found in ${region}, nor any of its subnetIds (${spec.subnetIds.join(", ")}): these are the credentials of another account. Use those that it was created with; if it and its subnets are really gone, \`pulumi state delete\` it. Nothing was changed.`,
  );
}

/** What is left and for how long: it costs money until then. */
function tellKept(context: Context, { anchors, images, snapshots, volumes }: Observation): void {
  const kept = [
    ...images.map((each) => [each.imageId, each.deleteAfterAt] as const),
    ...snapshots.map((each) => [each.snapshotId, each.deleteAfterAt] as const),
    ...volumes.map((each) => [each.volumeId, each.deleteAfterAt] as const),
    ...anchors.map((each) => [each.interfaceId, expiryOf(each.tags)] as const),
  ];
  const told = kept.flatMap(([id, at]) =>
    at === undefined ? [] : [`${id} until ${new Date(at).toISOString()}`],
  );
  if (told.length > 0) context.log(`kept: ${told.join(", ")}`);
}

function expiryOf(tags: Anchor["tags"]): number | undefined {
  const text = tags[tagKeys.deleteAfter];
  return text === undefined ? undefined : Date.parse(text);
}
