/**
 * What one running loop remembers between two looks: EC2 may not show yet what was just made
 * (ec2-facts §9), and a pool that refused need not be asked again at once. Losing it, as a crash
 * does, costs calls and time, never safety.
 */
import { isDeepStrictEqual } from "node:util";
import type {
  CloudFacts,
  Image,
  Instance,
  Ledger,
  Observation,
  Refusal,
  Snapshot,
  SpotMarketFacts,
  Step,
  Watch,
} from "./model";
import type { CloudQuery, Meaning } from "./ports";
import { absenceSeconds } from "./situation";
import type { Spec } from "./spec";

const spotMarketFreshMs = 300_000;
const leastRefusals = 10;
/** What is decided on a look counts for so long; then it is looked again before anything is done. */
export const staleAfterMs = 30_000;

const refusalKinds: Partial<Record<Meaning, Refusal["kind"]>> = {
  "no-capacity": "no-capacity",
  "token-spent": "token-spent",
  "token-mismatch": "token-mismatch",
  invalid: "invalid",
};

/** What one run of the loop is about. */
export interface Job {
  id: string;
  spec: Spec;
  /** The ledger to start from when the Registry has none: a creation, or an anchor that was lost. */
  initial?: Ledger;
  /** What the caller remembers; may be old. */
  remembered?: { interfaceId?: string; subnetId?: string; privateIp?: string };
}

interface Made {
  id: string;
  instances: Instance[];
  snapshots: Snapshot[];
  images: Image[];
  madeAt: number;
}

export class Memory {
  failures = 0;
  repeats = 0;
  lastSteps: unknown = undefined;
  lastReason = "nothing has been looked at yet";
  observation: Observation | undefined;
  ledger: Ledger | undefined;

  private readonly refusals: Refusal[] = [];
  private readonly fullSubnets = new Map<string, number>();
  private readonly undeletable = new Set<string>();
  private readonly refused = new Map<string, { sinceAt: number; times: number }>();
  private made: Made[] = [];
  private waiting: { watch: Watch; sinceAt: number } | undefined;
  private wasSlow = false;
  private interfaceId: string | undefined;
  private lookingSinceAt: number | undefined;
  private anchorMissingSinceAt: number | undefined;
  private spotMarket: SpotMarketFacts = { usdPerHour: {}, zoneScores: {} };
  private spotMarketAskedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: Job) {
    this.interfaceId = options.remembered?.interfaceId;
    this.ledger = options.initial;
  }

  query(now: number): CloudQuery {
    const { id, spec } = this.options;
    const isFresh = now - this.spotMarketAskedAt < spotMarketFreshMs;
    const wantsSpotMarket = spec.lifeCycle === "spot" && !this.isUp() && !isFresh;
    if (wantsSpotMarket) this.spotMarketAskedAt = now;
    return {
      id,
      imageId: spec.imageId,
      subnetIds: spec.subnetIds,
      instanceTypes: spec.instanceTypes,
      interfaceId: this.interfaceId,
      instanceId: this.ledger?.launch?.instanceId,
      rootVolumeId: this.ledger?.launch?.rootVolumeId,
      wantsSpotMarket,
    };
  }

  /** As last seen; before the first look as the caller's ledger says. */
  private isUp(): boolean {
    if (this.observation === undefined) return this.ledger?.launch?.healthy === true;
    return this.observation.instances.some((each) => each.state === "running");
  }

  /** Of two readings the one with the higher revision is the newer: tags may lag behind a write. */
  newestLedger(read: Ledger | undefined): Ledger | undefined {
    if (read !== undefined && read.revision >= (this.ledger?.revision ?? 0)) this.ledger = read;
    return this.ledger;
  }

  remember(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** The facts together with what was made and does not show yet. */
  complete(facts: CloudFacts, now: number): Observation {
    const { remembered, spec } = this.options;
    this.lookingSinceAt ??= now;
    const isKnown = facts.anchors.length > 0;
    this.anchorMissingSinceAt = isKnown ? undefined : (this.anchorMissingSinceAt ?? now);
    this.interfaceId = facts.anchors[0]?.interfaceId ?? this.interfaceId;
    if (Object.keys(facts.spotMarket.usdPerHour).length > 0) this.spotMarket = facts.spotMarket;
    const hidden = this.hiddenIn(facts, now);
    const { privateIp, subnetId } = remembered ?? {};
    this.observation = {
      ...facts,
      instances: [...facts.instances, ...hidden.flatMap((each) => each.instances)],
      snapshots: [...facts.snapshots, ...hidden.flatMap((each) => each.snapshots)],
      images: [...facts.images, ...hidden.flatMap((each) => each.images)],
      spotMarket: this.spotMarket,
      refusals: this.refusals,
      fullSubnets: [...this.fullSubnets].map(([subnetId, at]) => ({ subnetId, at })),
      undeletable: [...this.undeletable],
      lookingSinceAt: this.lookingSinceAt,
      anchorMissingSinceAt: this.anchorMissingSinceAt,
      remembered:
        privateIp !== undefined && subnetId !== undefined && spec.subnetIds.includes(subnetId)
          ? { privateIp, subnetId }
          : undefined,
    };
    return this.observation;
  }

  /**
   * Made lately, and not shown; also when a look before this one did show it, because of two answers
   * the later one may be the older (ec2-facts §9). It stands for itself as it was made: something is
   * under way, and nothing is proven.
   */
  private hiddenIn(facts: CloudFacts, now: number): Made[] {
    this.made = this.made.filter(({ madeAt }) => now - madeAt < absenceSeconds * 1000);
    const shown = new Set([
      ...facts.instances.map((each) => each.instanceId),
      ...facts.snapshots.map((each) => each.snapshotId),
      ...facts.images.map((each) => each.imageId),
    ]);
    return this.made.filter(({ id }) => !shown.has(id));
  }

  /**
   * A look whose calls lie far apart shows what never was at one time, as when the process stood still
   * within it. Two of them in a row are how long a look takes here, and must do.
   */
  isTorn(tookMs: number): boolean {
    const isSlow = tookMs > staleAfterMs;
    const isTorn = isSlow && !this.wasSlow;
    this.wasSlow = isSlow;
    return isTorn;
  }

  /** Since when this has been waited for without a break. */
  waitsSince(watch: Watch, now: number): number {
    if (!isDeepStrictEqual(this.waiting?.watch, watch)) this.waiting = { watch, sinceAt: now };
    return this.waiting?.sinceAt ?? now;
  }

  /** A launch that EC2 definitely refused; false when the refusal says nothing about the launch. */
  rememberRefusal(
    step: Extract<Step, { kind: "launch" }>,
    refused: { meaning: Meaning; message: string },
    at: number,
  ): boolean {
    const kind = refusalKinds[refused.meaning];
    if (kind === undefined) return false;
    const { pool, generation, attempt } = step;
    this.refusals.push({ pool, generation, attempt, at, kind, message: refused.message });
    return true;
  }

  rememberFullSubnet(subnetId: string, at: number) {
    this.fullSubnets.set(subnetId, at);
  }

  /**
   * Refused for longer than EC2's lag lasts, each time that it was tried. Often, too, because the
   * computer may have been suspended, or its clock set, between two times.
   */
  isRefusedForGood(step: string, now: number): boolean {
    const { sinceAt, times } = this.refused.get(step) ?? { sinceAt: now, times: 0 };
    this.refused.set(step, { sinceAt, times: times + 1 });
    return now - sinceAt >= absenceSeconds * 1000 && times >= leastRefusals;
  }

  forgetRefusal(step: string) {
    this.refused.delete(step);
  }

  rememberUndeletable(id: string) {
    this.undeletable.add(id);
  }

  rememberDeleted(id: string | undefined) {
    this.made = this.made.filter((each) => each.id !== id);
  }

  rememberCreated(step: Step, id: string | undefined, now: number) {
    if (id === undefined) return;
    const made: Made = { id, instances: [], snapshots: [], images: [], madeAt: now };
    if (step.kind === "create-anchor") this.interfaceId = id;
    if (step.kind === "launch") made.instances.push(pendingInstance(step, id, now));
    if (step.kind === "create-snapshot")
      made.snapshots.push({
        ...step.provenance,
        snapshotId: id,
        volumeId: step.volumeId,
        state: "pending",
        startedAt: now,
        sizeGiB: 0,
      });
    if (step.kind === "register-image")
      made.images.push({
        ...step.provenance,
        imageId: id,
        name: step.name,
        state: "pending",
        snapshotId: step.snapshotId,
        platformDetails: step.platform.platformDetails,
        createdAt: now,
      });
    this.made.push(made);
  }
}

function pendingInstance(
  step: Extract<Step, { kind: "launch" }>,
  instanceId: string,
  now: number,
): Instance {
  return {
    instanceId,
    state: "pending",
    clientToken: step.token,
    imageId: step.imageId,
    instanceType: step.pool.instanceType,
    market: step.pool.market,
    launchedAt: now,
    rootDeletedOnTermination: step.rootDevice.deleteOnTermination,
    platform: { architecture: "", rootDeviceName: step.rootDevice.deviceName, platformDetails: "" },
    health: { kind: "initializing" },
    interruptionNoticed: false,
    tags: step.instanceTags,
  };
}
