/**
 * What is, for refresh and for `ManagedInstance.get`. A managed instance is gone only when it was
 * deallocated: that EC2 does not find something proves nothing (ec2-facts §9).
 */
import { describeFacts } from "../engine/facts";
import type { Context } from "./context";
import { inputsOf, type Properties, regionOf, tolerantSpec } from "./inputs";
import { outputsOf, recordedFacts } from "./outputs";

/** An empty id tells Pulumi that the resource is gone. */
export interface ReadAnswer {
  id: string;
  props: Record<string, unknown>;
  inputs?: Record<string, unknown>;
}

export async function read(context: Context, id: string, props: Properties): Promise<ReadAnswer> {
  const region = regionOf(props, context.configuration.region);
  const connection = await context.connect(region);
  const { networkInterfaceId: interfaceId, generation } = recordedFacts(props);
  const known = await connection.look({ id, spec: tolerantSpec(props), interfaceId });
  if (known?.ledger.phase === "deallocated") return { id: "", props: {} };
  if (known === undefined) {
    if (generation === undefined) {
      throw new Error(
        `There is no managed instance ${id} in ${region}. Check the id and the Region.`,
      );
    }
    context.log(
      `Nothing of ${id} is to be found in ${region}. Its state is kept, because that proves nothing; if it is really gone, \`pulumi state delete\` it.`,
      { severity: "warning" },
    );
    return { id, props: { ...props }, inputs: inputsOf(props) };
  }
  const { ledger } = known;
  const facts = describeFacts(known.observation, ledger);
  const urn = context.urn ?? (typeof props.__urn === "string" ? props.__urn : undefined);
  return { id, props: outputsOf({ inputs: props, facts, ledger, urn }), inputs: inputsOf(props) };
}
