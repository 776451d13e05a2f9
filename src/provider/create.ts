/**
 * Makes a managed instance, goes on with one whose creation was cut off, or takes an existing one
 * over. The id is made here, once; the creation key is how a later run finds what this one began.
 */
import type { Ledger } from "../engine/model";
import { fingerprint, type Spec } from "../engine/spec";
import { judge, type Open } from "./claim";
import type { Connection, Context } from "./context";
import { carryOut, messageOf, type Order } from "./convergence";
import { PartialFailure } from "./failure";
import { creationKeyOf, type Properties, parseSpec, regionOf } from "./inputs";
import { outputsOf } from "./outputs";

export interface CreateAnswer {
  id: string;
  outs: Record<string, unknown>;
}

const claimPollMs = 2_000;

/** Creations that this process is at work on, by key. */
const inFlight = new Set<string>();

export async function create(context: Context, inputs: Properties): Promise<CreateAnswer> {
  const connection = await context.connect(regionOf(inputs, context.configuration.region));
  const spec = parseSpec(inputs);
  if (inputs.adopt !== undefined) {
    return settle(context, connection, inputs, await takeOver(connection, inputs, spec));
  }
  const key = creationKeyOf(inputs);
  const open = await findOpen(context, connection, key);
  inFlight.add(key);
  try {
    const order =
      open === undefined
        ? begin(connection, inputs, spec)
        : await goOn(context, connection, inputs, spec, open);
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

/** Waits while the maker of an unfinished creation lives; a cut-off one is ours to finish. */
async function findOpen(
  context: Context,
  connection: Connection,
  key: string,
): Promise<Open | undefined> {
  if (key === "") return undefined;
  for (;;) {
    const verdict = judge(await connection.findOpen(key), {
      claimant: connection.claimant,
      now: connection.now(),
      isAlive: connection.isAlive,
      isInFlight: inFlight.has(key),
    });
    if (verdict.kind === "none") return undefined;
    if (verdict.kind === "adopt") return verdict.open;
    context.log(verdict.reason, { ephemeral: true });
    await connection.sleep(claimPollMs, context.signal);
    if (context.signal.aborted) {
      throw new Error(`${verdict.reason}; stopped (${messageOf(context.signal.reason)})`);
    }
  }
}

/** The claim is written first, so that whoever else still works on it finds itself superseded. */
async function goOn(
  context: Context,
  connection: Connection,
  inputs: Properties,
  spec: Spec,
  { ledger, interfaceId }: Open,
): Promise<Order> {
  context.log(`going on with ${ledger.id}, whose creation was cut off`);
  const claim = { ...connection.claimant, touchedAt: connection.now() };
  const claimed = { ...ledger, claim, revision: ledger.revision + 1 };
  await connection.save(claimed, interfaceId);
  return {
    operation: "create",
    id: ledger.id,
    spec,
    specVersion: nextSpecVersion(ledger, spec),
    initial: claimed,
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
  return { operation: "create", id, spec, specVersion, properties: inputs };
}

/** A specification that differs from the one in force is a newer one; the same keeps its number. */
export const nextSpecVersion = (ledger: Ledger, spec: Spec): number =>
  fingerprint(spec) === ledger.specFingerprint ? ledger.specVersion : ledger.specVersion + 1;
