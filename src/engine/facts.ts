/**
 * What a managed instance is at the moment, in words and plain values: the outputs of the Pulumi
 * resource and the rows of the CLI. Derived from observation and ledger, never remembered.
 */
import type { Instance, Ledger, Observation } from "./model";
import { anchorInForce, findCarrier } from "./situation";
import { isOurImage, isOurSnapshot } from "./tags";

export interface Facts {
  /** creating, launching, running, unhealthy, interrupted, stopping, paused, down, deallocating, deallocated. */
  state: string;
  generation: number;
  lineage: number;
  /** The base image of the current lineage. */
  imageId?: string;
  instanceId?: string;
  instanceType?: string;
  market?: string;
  launchedAt?: string;
  networkInterfaceId?: string;
  subnetId?: string;
  vpcId?: string;
  availabilityZone?: string;
  privateIp?: string;
  rootVolumeId?: string;
  lastSnapshotId?: string;
  lastSnapshotAt?: string;
  persistedImageId?: string;
  /** Writes that the present root disk lacks because an older snapshot had to be used. */
  gap?: { from: string; to: string; volumeId?: string };
}

const iso = (at: number) => new Date(at).toISOString();

export function describeFacts(observation: Observation, ledger: Ledger): Facts {
  const { launch, gap } = ledger;
  const anchor = anchorInForce(ledger, observation);
  const carrier = findCarrier(ledger, observation, anchor);
  const completed = observation.snapshots.filter(
    (each) => isOurSnapshot(each) && each.state === "completed",
  );
  const snapshot = newest(completed, (each) => each.startedAt);
  const available = observation.images.filter(
    (each) => isOurImage(each) && each.state === "available",
  );
  const image = newest(available, (each) => each.createdAt);
  return {
    state: stateOf(carrier, ledger),
    generation: launch?.generation ?? 0,
    lineage: ledger.lineage?.number ?? launch?.lineage ?? 0,
    imageId: (ledger.lineage ?? ledger.startedLineage)?.baseImageId,
    instanceId: carrier?.instanceId,
    instanceType: carrier?.instanceType,
    market: carrier?.market,
    launchedAt: carrier && iso(carrier.launchedAt),
    networkInterfaceId: anchor?.interfaceId,
    subnetId: anchor?.subnetId,
    vpcId: anchor?.vpcId,
    availabilityZone: anchor?.zone,
    privateIp: anchor?.privateIp,
    rootVolumeId: carrier?.rootVolumeId ?? launch?.rootVolumeId,
    lastSnapshotId: snapshot?.snapshotId,
    lastSnapshotAt: snapshot && iso(snapshot.startedAt),
    persistedImageId: image?.imageId,
    gap: gap && { from: iso(gap.fromAt), to: iso(gap.toAt), volumeId: gap.volumeId },
  };
}

function newest<Item>(items: readonly Item[], at: (item: Item) => number): Item | undefined {
  return items.reduce<Item | undefined>(
    (best, item) => (best === undefined || at(item) > at(best) ? item : best),
    undefined,
  );
}

function stateOf(carrier: Instance | undefined, ledger: Ledger): string {
  if (ledger.phase === "deallocated" || ledger.phase === "deallocating") return ledger.phase;
  if (carrier === undefined) return restingState(ledger);
  if (carrier.state === "pending") return "launching";
  if (carrier.state !== "running") return "stopping";
  if (carrier.interruptionNoticed) return "interrupted";
  return carrier.health.kind === "impaired" ? "unhealthy" : "running";
}

/** Paused when we paused it; down when its instance went by itself and none has followed yet. */
function restingState({ launch, phase, stop }: Ledger): string {
  if (phase === "creating") return "creating";
  const wasPaused = launch === undefined || stop?.generation === launch.generation;
  return wasPaused && (stop === undefined || stop.reason === "pause") ? "paused" : "down";
}
