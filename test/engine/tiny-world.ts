// The smallest EC2 that a decision can be carried out on: states move on when time passes, every
// step is applied as EC2 would, and what EC2 would refuse throws. It knows what decide cannot: which
// bytes are on which disk, so that it can tell when a state is lost.

import type {
  Anchor,
  Image,
  Instance,
  Ledger,
  Observation,
  Provenance,
  Refusal,
  Snapshot,
  Step,
  Volume,
} from "../../src/engine/model";
import type { Spec } from "../../src/engine/spec";
import { parseProvenance, tagKeys } from "../../src/engine/tags";
import { baseImage, platform, seconds, now as startAt, zones } from "./builders";

/** The bytes on a disk: each write makes the next one of what was there before. */
export interface Content {
  before?: Content;
}

/** Whether a disk holds everything that the other one held. */
export function holds(content: Content, other: Content): boolean {
  for (let each: Content | undefined = content; each !== undefined; each = each.before)
    if (each === other) return true;
  return false;
}

/** A disk that was launched, and what is known of it that EC2 would not tell. */
export interface Life {
  volumeId: string;
  lineage: number;
  baseImageId: string;
  ran: boolean;
  kept: boolean;
}

const pendingSeconds = 20;
const snapshotSeconds = 60;
const imageSeconds = 30;
const endSeconds = 25;

export class TinyWorld {
  now = startAt;
  ledger: Ledger;
  spec: Spec;
  anchors: Anchor[] = [];
  instances: Instance[] = [];
  volumes: Volume[] = [];
  snapshots: Snapshot[] = [];
  images: Image[] = [];
  refusals: Refusal[] = [];
  /** Types that have no capacity. */
  exhausted: string[] = [];
  /** How many of the next snapshots end in error. */
  failingSnapshots = 0;
  sickGenerations: number[] = [];
  lives: Life[] = [];
  private readonly contents = new Map<string, Content>();
  private readonly since = new Map<string, number>();
  private readonly doomed = new Set<string>();
  private missingSinceAt: number | undefined;
  private count = 0;

  constructor(spec: Spec, ledger: Ledger) {
    this.spec = spec;
    this.ledger = ledger;
  }

  observation(): Observation {
    return {
      anchors: this.anchors,
      instances: this.instances,
      volumes: this.volumes,
      snapshots: this.snapshots,
      images: this.images,
      baseImage: baseImage({ imageId: this.spec.imageId }),
      zones,
      spotMarket: { usdPerHour: {}, zoneScores: {} },
      refusals: this.refusals,
      anchorMissingSinceAt: this.anchorMissingSinceAt(),
    };
  }

  private anchorMissingSinceAt(): number | undefined {
    this.missingSinceAt = this.anchors.length > 0 ? undefined : (this.missingSinceAt ?? this.now);
    return this.missingSinceAt;
  }

  contentOf(resourceId: string): Content {
    const content = this.contents.get(resourceId);
    if (content === undefined) throw new Error(`${resourceId} has no content`);
    return content;
  }

  alive(): Instance[] {
    return this.instances.filter((each) => each.state !== "terminated");
  }

  /** The guest writes to the disk of whatever runs. */
  write(): void {
    for (const { rootVolumeId, state } of this.instances) {
      if (state !== "running" || rootVolumeId === undefined) continue;
      this.contents.set(rootVolumeId, { before: this.contentOf(rootVolumeId) });
      this.lives = this.lives.map((each) =>
        each.volumeId === rootVolumeId ? { ...each, ran: true } : each,
      );
    }
  }

  /** EC2 takes the running instance back without a word. */
  interrupt(): void {
    for (const each of this.alive()) this.end(each.instanceId, "Server.SpotInstanceTermination");
  }

  pass(durationMs: number): void {
    this.now += durationMs;
    this.instances = this.instances.map((each) => this.developed(each));
    this.volumes = this.volumes.flatMap((each) => this.released(each));
    this.anchors = this.anchors.map((each) => this.freed(each));
    this.snapshots = this.snapshots.map((each) => {
      if (each.state !== "pending" || !this.isOld(each.snapshotId, snapshotSeconds)) return each;
      return { ...each, state: this.doomed.has(each.snapshotId) ? "error" : "completed" };
    });
    this.images = this.images.map((each) =>
      each.state === "pending" && this.isOld(each.imageId, imageSeconds)
        ? { ...each, state: "available" }
        : each,
    );
    this.write();
  }

  apply(step: Step): void {
    switch (step.kind) {
      case "record":
        this.ledger = step.ledger;
        this.anchorOf(step.interfaceId);
        break;
      case "create-anchor":
        this.anchors.push({
          interfaceId: this.newId("eni"),
          moves: Number(step.tags[tagKeys.moves]),
          movedAt: Date.parse(step.tags[tagKeys.movedAt] ?? "") || undefined,
          status: "available",
          subnetId: step.subnetId,
          zone: zones[step.subnetId as keyof typeof zones],
          vpcId: "vpc-1",
          privateIp: step.privateIp ?? `10.0.0.${this.count}`,
          securityGroupIds: step.securityGroupIds,
          tags: step.tags,
        });
        break;
      case "delete-anchor":
        if (this.anchorOf(step.interfaceId).status !== "available") throw new Error("in use");
        this.anchors = this.anchors.filter((each) => each.interfaceId !== step.interfaceId);
        break;
      case "set-security-groups":
        this.anchors = this.anchors.map((each) => ({
          ...each,
          securityGroupIds: step.securityGroupIds,
        }));
        break;
      case "launch":
        this.launch(step);
        break;
      case "terminate":
        this.end(step.instanceId, "Client.UserInitiatedShutdown");
        break;
      case "keep-root":
        this.keepRoot(step.instanceId);
        break;
      case "create-snapshot":
        this.snapshot(step);
        break;
      case "register-image":
        this.register(step);
        break;
      case "tag":
      case "untag":
        this.retag(step);
        break;
      case "deregister-image":
        this.images = this.images.filter((each) => each.imageId !== step.imageId);
        break;
      case "delete-snapshot":
        if (this.images.some((each) => each.snapshotId === step.snapshotId))
          throw new Error(`${step.snapshotId} is in use by an image`);
        this.snapshots = this.snapshots.filter((each) => each.snapshotId !== step.snapshotId);
        break;
      case "delete-volume":
        if (this.volumeOf(step.volumeId).state !== "available") throw new Error("volume in use");
        this.volumes = this.volumes.filter((each) => each.volumeId !== step.volumeId);
        break;
    }
  }

  private launch(step: Extract<Step, { kind: "launch" }>): void {
    const anchor = this.anchorOf(step.interfaceId);
    if (anchor.status !== "available") throw new Error(`${step.interfaceId} is in use`);
    const { attempt, generation, pool } = step;
    if (this.exhausted.includes(`${pool.instanceType} ${pool.market}`)) {
      const at = this.now;
      this.refusals.push({ pool, generation, attempt, at, kind: "no-capacity", message: "none" });
      return;
    }
    const instanceId = this.newId("i");
    const volumeId = this.newId("vol");
    this.contents.set(volumeId, this.sourceOf(step.imageId));
    const kept = !step.rootDevice.deleteOnTermination;
    this.lives.push({ ...provenanceOf(step.volumeTags), volumeId, ran: false, kept });
    this.volumes.push({
      ...provenanceOf(step.volumeTags),
      volumeId,
      state: "in-use",
      sizeGiB: 8,
      attachedInstanceId: instanceId,
      createdAt: this.now,
    });
    this.instances.push({
      instanceId,
      state: "pending",
      clientToken: step.token,
      imageId: step.imageId,
      instanceType: pool.instanceType,
      market: pool.market,
      launchedAt: this.now,
      rootVolumeId: volumeId,
      rootDeletedOnTermination: step.rootDevice.deleteOnTermination,
      platform: platform(),
      health: { kind: "initializing" },
      interruptionNoticed: false,
      tags: step.instanceTags,
    });
    this.anchors = this.anchors.map((each) =>
      each === anchor ? { ...each, status: "in-use", attachedInstanceId: instanceId } : each,
    );
  }

  sourceOf(imageId: string): Content {
    if (imageId === this.spec.imageId) return {};
    const image = this.images.find((each) => each.imageId === imageId);
    if (image?.state !== "available") throw new Error(`${imageId} cannot be launched`);
    return this.contentOf(image.snapshotId);
  }

  private keepRoot(instanceId: string): void {
    this.instances = this.instances.map((each) =>
      each.instanceId === instanceId ? { ...each, rootDeletedOnTermination: false } : each,
    );
    const { rootVolumeId } = this.instances.find((each) => each.instanceId === instanceId) ?? {};
    this.lives = this.lives.map((each) =>
      each.volumeId === rootVolumeId ? { ...each, kept: true } : each,
    );
  }

  private snapshot(step: Extract<Step, { kind: "create-snapshot" }>): void {
    const { volumeId, provenance } = step;
    const last = Math.max(
      0,
      ...this.snapshots.filter((each) => each.volumeId === volumeId).map((each) => each.startedAt),
    );
    if (this.now - last < 15 * seconds) throw new Error("two snapshots within 15 seconds");
    const isFinal = provenance.operation.startsWith("final:");
    if (isFinal && this.volumeOf(volumeId).state !== "available")
      throw new Error(`a final snapshot of ${volumeId}, which is still in use`);
    const snapshotId = this.newId("snap");
    this.contents.set(snapshotId, this.contentOf(volumeId));
    if (this.failingSnapshots > 0) {
      this.failingSnapshots -= 1;
      this.doomed.add(snapshotId);
    }
    const startedAt = this.now;
    this.snapshots.push({
      ...provenance,
      snapshotId,
      volumeId,
      state: "pending",
      startedAt,
      sizeGiB: 8,
    });
  }

  private register(step: Extract<Step, { kind: "register-image" }>): void {
    const { name, platform: told, provenance, snapshotId } = step;
    const source = this.snapshots.find((each) => each.snapshotId === snapshotId);
    if (source?.state !== "completed") throw new Error(`${snapshotId} is not completed`);
    if (this.images.some((each) => each.name === name)) throw new Error(`${name} is taken`);
    this.images.push({
      ...provenance,
      imageId: this.newId("ami"),
      name,
      state: "pending",
      snapshotId,
      platformDetails: told.platformDetails,
      createdAt: this.now,
    });
  }

  private retag(step: Extract<Step, { kind: "tag" | "untag" }>): void {
    const marks = <T extends Provenance>(id: string, resource: T): T => {
      if (!step.resourceIds.includes(id)) return resource;
      if (step.kind === "untag") {
        const keys: readonly string[] = step.keys;
        return {
          ...resource,
          condemnedAt: keys.includes(tagKeys.condemned) ? undefined : resource.condemnedAt,
          deleteAfterAt: keys.includes(tagKeys.deleteAfter) ? undefined : resource.deleteAfterAt,
        };
      }
      const { [tagKeys.condemned]: condemned, [tagKeys.deleteAfter]: deleteAfter } = step.tags;
      return {
        ...resource,
        markedId: step.tags[tagKeys.marked] ?? resource.markedId,
        holdsGap: step.tags[tagKeys.gap] === undefined ? resource.holdsGap : true,
        condemnedAt: condemned ? Date.parse(condemned) : resource.condemnedAt,
        deleteAfterAt: deleteAfter ? Date.parse(deleteAfter) : resource.deleteAfterAt,
      };
    };
    this.volumes = this.volumes.map((each) => marks(each.volumeId, each));
    this.snapshots = this.snapshots.map((each) => marks(each.snapshotId, each));
    this.images = this.images.map((each) => marks(each.imageId, each));
    if (step.kind === "tag")
      this.instances = this.instances.map((each) =>
        step.resourceIds.includes(each.instanceId)
          ? { ...each, tags: { ...each.tags, ...step.tags } }
          : each,
      );
  }

  private end(instanceId: string, stateReason: string): void {
    this.since.set(instanceId, this.now);
    this.instances = this.instances.map((each) =>
      each.instanceId === instanceId && each.state !== "terminated"
        ? { ...each, state: "shutting-down", stateReason }
        : each,
    );
  }

  private developed(each: Instance): Instance {
    const age = this.now - each.launchedAt;
    if (each.state === "shutting-down" && this.isOld(each.instanceId, endSeconds))
      return { ...each, state: "terminated", rootVolumeId: undefined, tags: {} };
    if (each.state !== "pending" && each.state !== "running") return each;
    if (age < pendingSeconds * seconds) return each;
    const isSick = this.sickGenerations.includes(Number(each.clientToken.split(":")[1]));
    if (age < 60 * seconds) return { ...each, state: "running" };
    if (!isSick) return { ...each, state: "running", health: { kind: "ok" } };
    const health = { kind: "impaired", sinceAt: each.launchedAt + 60 * seconds } as const;
    return { ...each, state: "running", health };
  }

  private released(volume: Volume): Volume[] {
    const holder = this.instances.find((each) => each.instanceId === volume.attachedInstanceId);
    if (holder?.state !== "terminated") return [volume];
    if (holder.rootDeletedOnTermination) return [];
    return [{ ...volume, state: "available", attachedInstanceId: undefined }];
  }

  private freed(anchor: Anchor): Anchor {
    const holder = this.instances.find((each) => each.instanceId === anchor.attachedInstanceId);
    if (holder?.state !== "terminated") return anchor;
    return { ...anchor, status: "available", attachedInstanceId: undefined };
  }

  private anchorOf(interfaceId: string): Anchor {
    const found = this.anchors.find((each) => each.interfaceId === interfaceId);
    if (found === undefined) throw new Error(`${interfaceId} does not exist`);
    return found;
  }

  private volumeOf(volumeId: string): Volume {
    const found = this.volumes.find((each) => each.volumeId === volumeId);
    if (found === undefined) throw new Error(`${volumeId} does not exist`);
    return found;
  }

  private isOld(id: string, ageSeconds: number): boolean {
    return this.now - (this.since.get(id) ?? this.now) >= ageSeconds * seconds;
  }

  private newId(kind: string): string {
    this.count += 1;
    const id = `${kind}-${this.count}`;
    this.since.set(id, this.now);
    return id;
  }
}

function provenanceOf(tags: Readonly<Record<string, string>>): Provenance {
  const provenance = parseProvenance(tags);
  if (provenance === undefined) throw new Error("a volume without a provenance");
  return provenance;
}
