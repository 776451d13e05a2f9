/**
 * What Pulumi's state holds of a managed instance: the properties as declared, and beside them the
 * facts, under a name of their own so that a fact never shadows what was declared. A cache only.
 */
import type { Ledger, Observation } from "../engine/model";
import { inputsOf, type Properties } from "./inputs";

export interface Facts {
  state: string;
  generation: number;
  lineage: number;
  imageId: string;
  privateIp: string;
  networkInterfaceId: string;
  subnetId: string;
  availabilityZone: string;
  instanceId?: string;
  instanceType?: string;
  market?: string;
  persistedImageId?: string;
  rootVolumeId?: string;
  lastSnapshotAt?: string;
  gap?: string;
}

export function factsOf(observation: Observation, ledger: Ledger): Facts {
  const anchor = observation.anchors[0];
  const { launch } = ledger;
  const carrier = observation.instances.find(
    ({ instanceId, state }) => instanceId === launch?.instanceId && state !== "terminated",
  );
  return {
    state: carrier?.state ?? (ledger.stop?.reason === "pause" ? "paused" : "absent"),
    generation: launch?.generation ?? 0,
    lineage: ledger.lineage?.number ?? 0,
    imageId: ledger.lineage?.baseImageId ?? "",
    privateIp: anchor?.privateIp ?? "",
    networkInterfaceId: anchor?.interfaceId ?? "",
    subnetId: anchor?.subnetId ?? "",
    availabilityZone: anchor?.zone ?? "",
    instanceId: carrier?.instanceId,
    instanceType: carrier?.instanceType,
    market: carrier?.market,
    rootVolumeId: carrier?.rootVolumeId,
  };
}

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
  return `it is ${state} and should be ${String(wanted)}`;
}
