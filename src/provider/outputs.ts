/**
 * What Pulumi's state holds of a managed instance: the properties as declared, and beside them the
 * facts, under a name of their own so that a fact never shadows what was declared. A cache only.
 */
import type { Facts } from "../engine/facts";
import type { Ledger } from "../engine/model";
import { inputsOf, type Properties } from "./inputs";
import { shown } from "./shown";

export interface Outputs {
  inputs: Properties;
  facts: Facts | undefined;
  ledger: Ledger | undefined;
  urn: string | undefined;
}

/**
 * `__urn` serves a refresh or destroy, whose first call comes before the URN can be picked up;
 * `__ledger` serves when somebody has deleted the network interface that carries the true one.
 */
export function outputsOf({ inputs, facts, ledger, urn }: Outputs): Record<string, unknown> {
  return { ...inputsOf(inputs), facts, __ledger: ledger, __urn: urn };
}

/** The ledger as it was when state was written. */
export function recordedLedger(id: string, { __ledger }: Properties): Ledger | undefined {
  const ledger = __ledger as Ledger | undefined;
  return ledger?.id === id ? ledger : undefined;
}

export function remembered(properties: Properties) {
  const { networkInterfaceId, subnetId, privateIp } = recordedFacts(properties);
  return { interfaceId: networkInterfaceId, subnetId, privateIp };
}

export const recordedFacts = (properties: Properties): Partial<Facts> =>
  typeof properties.facts === "object" && properties.facts !== null ? properties.facts : {};

/** Why a resource needs an update although its inputs are the same, if it does. */
export function needsAttention(olds: Properties, news: Properties): string | undefined {
  const { state } = recordedFacts(olds);
  const wanted = news.desiredState ?? "running";
  if (state === undefined || state === wanted) return undefined;
  return `it is ${state} and should be ${shown(wanted)}`;
}
