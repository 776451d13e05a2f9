/**
 * Deallocates: ends the managed instance and keeps what retention says, for as long as it says. Can
 * be repeated at any point, and succeeds at once where nothing is left.
 */
import type { Ledger } from "../engine/model";
import type { Connection, Context, Known } from "./context";
import { carryOut } from "./convergence";
import { type Properties, regionOf, tolerantSpec } from "./inputs";
import { remembered } from "./outputs";

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
  const known = await connection.look({ id, spec, interfaceId: memory.interfaceId });
  if (known === undefined) {
    context.log(`nothing of ${id} is left in ${region}`, { severity: "warning" });
    return;
  }
  const ledger = await begin(connection, known);
  const { reason } = await carryOut(context, connection, {
    operation: "delete",
    id,
    spec,
    specVersion: ledger.specVersion,
    initial: ledger,
    remembered: memory,
    properties: props,
  });
  if (reason !== undefined) throw new Error(reason);
}

/** Written down before anything is done, so that every process from now on carries it on. */
async function begin(connection: Connection, { ledger, observation }: Known): Promise<Ledger> {
  const interfaceId = observation.anchors[0]?.interfaceId;
  const isBegun = ledger.phase === "deallocating" || ledger.phase === "deallocated";
  if (isBegun || interfaceId === undefined) return ledger;
  const begun: Ledger = { ...ledger, phase: "deallocating", revision: ledger.revision + 1 };
  await connection.save(begun, interfaceId);
  return begun;
}
