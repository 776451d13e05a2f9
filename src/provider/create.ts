/**
 * Makes a managed instance, goes on with one whose creation was cut off, or takes an existing one
 * over. The id is made here, once; the creation key is how a later run finds what this one began.
 */
import type { Ledger } from "../engine/model";
import { type Situation, understand } from "../engine/situation";
import { fingerprint, type Spec } from "../engine/spec";
import type { Open } from "./claim";
import type { Connection, Context } from "./context";
import { leaveController } from "./controlled";
import { carryOut, type Order } from "./convergence";
import { PartialFailure } from "./failure";
import { controllerOf, creationKeyOf, type Properties, parseSpec, regionOf } from "./inputs";
import { outputsOf } from "./outputs";
import { takeOverOpen } from "./takeover";

export interface CreateAnswer {
  id: string;
  outs: Record<string, unknown>;
}

/** Creations that this process is at work on, by key. */
const inFlight = new Set<string>();

export async function create(context: Context, inputs: Properties): Promise<CreateAnswer> {
  const connection = await context.connect(regionOf(inputs, context.configuration.region));
  const spec = parseSpec(inputs);
  if (inputs.adopt !== undefined) {
    return settle(context, connection, inputs, await takeOver(connection, inputs, spec));
  }
  const key = creationKeyOf(inputs);
  const find = () => findOpen(context, connection, key);
  const open = await takeOverOpen(context, connection, { find, isInFlight: inFlight.has(key) });
  inFlight.add(key);
  try {
    const order =
      open === undefined ? begin(connection, inputs, spec) : goOn(context, inputs, spec, open);
    return await settle(context, connection, inputs, order);
  } finally {
    inFlight.delete(key);
  }
}

async function settle(
  context: Context,
  connection: Connection,
  inputs: Properties,
  order: Order,
): Promise<CreateAnswer> {
  const { facts, ledger, reason, hasBegun } = await carryOut(context, connection, order);
  const outs = outputsOf({ inputs, facts, ledger, urn: context.urn });
  if (reason === undefined) return { id: order.id, outs };
  // An id in state for something that never existed would only have to be destroyed.
  const isKnown = hasBegun || (order.initial?.revision ?? 1) > 0;
  const place = controllerOf(inputs);
  if (!isKnown && place !== undefined) await leaveController(context, connection, place, order.id);
  throw isKnown ? new PartialFailure(reason, order.id, outs) : new Error(reason);
}

function begin(connection: Connection, inputs: Properties, spec: Spec): Order {
  const id = connection.newId();
  const initial: Ledger = {
    id,
    creationKey: creationKeyOf(inputs),
    phase: "creating",
    revision: 0,
    specVersion: 1,
    specFingerprint: fingerprint(spec),
    claim: { ...connection.claimant, touchedAt: connection.now() },
  };
  return { operation: "create", id, spec, specVersion: 1, initial, properties: inputs };
}

/**
 * A completed one is never adopted by itself: it may be another stack's, or was taken out of state on
 * purpose. But it may also be one whose state was lost, so it is named.
 */
async function findOpen(context: Context, connection: Connection, key: string): Promise<Open[]> {
  const created = key === "" ? [] : await connection.findCreated(key);
  const opens = created.filter(({ ledger }) => ledger.phase === "creating");
  const completed = created.filter(({ ledger }) => ledger.phase === "active");
  for (const { ledger } of opens.length > 0 ? [] : completed) {
    context.log(
      `${ledger.id} was created under this name, too, and is not in this stack's state: another one is made now. To have that one instead, set adopt: "${ledger.id}".`,
      { severity: "warning" },
    );
  }
  return opens;
}

function goOn(
  context: Context,
  inputs: Properties,
  spec: Spec,
  { ledger, interfaceId }: Open,
): Order {
  context.log(`going on with ${ledger.id}, whose creation was cut off`);
  return {
    operation: "create",
    id: ledger.id,
    spec,
    specVersion: nextSpecVersion(ledger, spec),
    initial: ledger,
    remembered: { interfaceId },
    properties: inputs,
  };
}

/** The answer to Pulumi's `import`, which cannot work with dynamic providers. */
async function takeOver(connection: Connection, inputs: Properties, spec: Spec): Promise<Order> {
  const id = String(inputs.adopt);
  const known = await connection.look({ id, spec });
  if (known === undefined) {
    throw new Error(
      `There is no managed instance ${id} in ${spec.region}. Correct adopt, or leave it out to create one.`,
    );
  }
  const { phase } = known.ledger;
  if (phase !== "active") {
    throw new Error(
      `${id} is ${phase} and only a completed one can be adopted. Leave adopt out to create another.`,
    );
  }
  const specVersion = nextSpecVersion(known.ledger, spec);
  refuseSwap(understand({ ...known, spec, specVersion, now: connection.now() }));
  return { operation: "create", id, spec, specVersion, properties: inputs };
}

/**
 * A program that takes the newest image names another one than the disk descends from, and nobody who
 * takes a machine over means to swap its disk away. One that never ran has none to lose.
 */
function refuseSwap(situation: Situation): void {
  const { id } = situation.ledger;
  const { imageId } = situation.spec;
  const descent = baseImageInForce(situation);
  if (descent === undefined || descent === imageId) return;
  throw new Error(
    `imageId is ${imageId}, and the root disk of ${id} descends from ${descent}: adopting would swap that disk away at once. Set imageId to ${descent}, adopt, and change it in a later \`pulumi up\`.`,
  );
}

/** That of the launch that EC2 accepted last, even if nobody has seen it run yet: its disk is the newest. */
function baseImageInForce({ launchAccepted, ledger }: Situation): string | undefined {
  const { launch, lineage, startedLineage } = ledger;
  if (!launchAccepted) return lineage?.baseImageId;
  return [startedLineage, lineage].find((each) => each?.number === launch?.lineage)?.baseImageId;
}

/** A specification that differs from the one in force is a newer one; the same keeps its number. */
export const nextSpecVersion = (ledger: Ledger, spec: Spec): number =>
  fingerprint(spec) === ledger.specFingerprint ? ledger.specVersion : ledger.specVersion + 1;
