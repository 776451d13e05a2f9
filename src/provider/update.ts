/**
 * Carries a changed specification out, or the same one again after a failure or a drift. State may be
 * a week old: what is in force is read from the ledger and not from there.
 */
import { isDeepStrictEqual } from "node:util";
import type { Ledger } from "../engine/model";
import { fingerprint, type Spec } from "../engine/spec";
import type { Connection, Context } from "./context";
import { leaveController } from "./controlled";
import { carryOut, type Order } from "./convergence";
import { nextSpecVersion } from "./create";
import { PartialFailure } from "./failure";
import { controllerOf, creationKeyOf, type Properties, parseSpec, regionOf } from "./inputs";
import { outputsOf, recordedLedger, remembered } from "./outputs";
import { ledgerInForce } from "./takeover";

export interface UpdateAnswer {
  outs: Record<string, unknown>;
}

export async function update(
  context: Context,
  id: string,
  olds: Properties,
  news: Properties,
): Promise<UpdateAnswer> {
  const connection = await context.connect(regionOf(news, context.configuration.region));
  const order = await orderOf(context, connection, id, olds, news);
  const former = controllerOf(olds);
  if (former !== undefined && !isDeepStrictEqual(former, controllerOf(news)))
    await leaveController(context, connection, former, id);
  const { facts, ledger, reason } = await carryOut(context, connection, order);
  const outs = outputsOf({
    inputs: news,
    facts: facts ?? (olds.facts as typeof facts),
    ledger: ledger ?? recordedLedger(id, olds),
    urn: context.urn,
  });
  if (reason === undefined) return { outs };
  throw new PartialFailure(reason, id, outs);
}

async function orderOf(
  context: Context,
  connection: Connection,
  id: string,
  olds: Properties,
  news: Properties,
): Promise<Order> {
  const spec = parseSpec(news);
  const memory = remembered(olds);
  const request = { id, spec, interfaceId: memory.interfaceId };
  const ledger =
    (await ledgerInForce(context, connection, request)) ??
    lostLedger(connection, id, olds) ??
    neverBegun(connection, id, spec, news);
  refuseEnded(ledger);
  return {
    operation: "update",
    id,
    spec,
    specVersion: nextSpecVersion(ledger, spec),
    initial: ledger,
    remembered: memory,
    properties: news,
  };
}

/** What was ended does not come back under its id: an image of it may be all that is left. */
function refuseEnded({ id, phase }: Ledger): void {
  if (phase === "deallocating")
    throw new Error(
      `${id} is deallocating: a \`pulumi destroy\` of it was cut off, or is still under way. Wait for it, or complete it with \`pulumi destroy\` (\`--target\` its URN keeps the rest of the stack); the next \`pulumi up\` creates another.`,
    );
  if (phase === "deallocated")
    throw new Error(
      `${id} is deallocated: somebody ended it outside this program. Run \`pulumi refresh\`, and the next \`pulumi up\` creates another.`,
    );
}

/** State's copy, where the network interface that carried the true ledger was deleted. */
function lostLedger(connection: Connection, id: string, olds: Properties): Ledger | undefined {
  const ledger = recordedLedger(id, olds);
  if (ledger?.phase !== "creating") return ledger;
  return { ...ledger, claim: { ...connection.claimant, touchedAt: connection.now() } };
}

/** A create that failed before anything was made left its id in state, and nothing else. */
const neverBegun = (connection: Connection, id: string, spec: Spec, news: Properties): Ledger => ({
  id,
  creationKey: creationKeyOf(news),
  phase: "creating",
  revision: 0,
  specVersion: 1,
  specFingerprint: fingerprint(spec),
  claim: { ...connection.claimant, touchedAt: connection.now() },
});
