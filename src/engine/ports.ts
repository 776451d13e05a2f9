/**
 * What the engine needs of the outside, as contracts. Every method may be called again after a
 * failure and by several processes at once; none of them waits for a state to be reached.
 */
import type { Anchor, CloudFacts, Ledger, Step, Watch } from "./model";

/** What to look for: ids that must not be missed although a tag index may lag behind them. */
export interface CloudQuery {
  id: string;
  imageId: string;
  subnetIds: readonly string[];
  instanceTypes: readonly string[];
  interfaceId?: string;
  instanceId?: string;
  rootVolumeId?: string;
  /** Prices and placement scores are asked for only before a Spot launch. */
  wantsSpotMarket: boolean;
}

/** What EC2's error codes mean to us; the engine never sees a code. */
export type Meaning =
  | "no-capacity"
  | "throttled"
  | "in-use"
  | "not-found"
  | "duplicate"
  | "token-spent"
  | "token-mismatch"
  | "too-soon"
  | "denied"
  | "invalid"
  /** No definite answer: the call may have been carried out. */
  | "unknown";

/** What no repetition changes: somebody must, and must therefore be told. */
export const isFinal = ({ meaning }: { meaning: Meaning }) =>
  meaning === "denied" || meaning === "invalid";

export type StepOutcome =
  | { kind: "done"; created?: { id: string } }
  | { kind: "refused"; meaning: Meaning; message: string };

/** Every step but the ledger's, which the Registry writes. */
export type CloudStep = Exclude<Step, { kind: "record" }>;

export interface Cloud {
  /** AWS's clock, epoch ms: expiry and deadlines are judged by it, not by this host's. */
  now(): number;
  /** Everything that belongs to one managed instance. Throws CloudError when EC2 does not answer. */
  observe(query: CloudQuery): Promise<CloudFacts>;
  /** The watched resource's state as `watchedState` words it, from one call; undefined if not shown. */
  glance(watch: Watch): Promise<string | undefined>;
  perform(step: CloudStep): Promise<StepOutcome>;
}

export interface Registry {
  /** The newest ledger known; `anchors` are the ones just observed, which may spare a call. */
  load(id: string, anchors: readonly Anchor[]): Promise<Ledger | undefined>;
  save(ledger: Ledger, interfaceId: string): Promise<void>;
}

export interface Clock {
  /** Waits; resolves early, without an error, when the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export class CloudError extends Error {
  constructor(
    readonly meaning: Meaning,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "CloudError";
  }
}

/** The state of the watched resource in a full observation, to compare a glance with. */
export function watchedState(facts: Omit<CloudFacts, "zones">, watch: Watch): string | undefined {
  switch (watch.kind) {
    case "time":
      return undefined;
    case "instance": {
      const instance = facts.instances.find((each) => each.instanceId === watch.instanceId);
      return watch.until === "health-change" ? instance?.health.kind : instance?.state;
    }
    case "volume":
      return facts.volumes.find((each) => each.volumeId === watch.volumeId)?.state;
    case "snapshot":
      return facts.snapshots.find((each) => each.snapshotId === watch.snapshotId)?.state;
    case "image":
      return facts.images.find((each) => each.imageId === watch.imageId)?.state;
    case "anchor":
      return facts.anchors.find((each) => each.interfaceId === watch.interfaceId)?.status;
  }
}
