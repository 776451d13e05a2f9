/**
 * The nouns of the engine. An Observation says what is, a Ledger what we did and meant to do, a
 * Decision what comes next. All instants are epoch milliseconds by AWS's clock (names end in At).
 *
 *   managed instance  the durable identity, pmi-…; one EC2 instance carries it at a time
 *   generation        which launch of it an instance is: 1, 2, 3…
 *   lineage           which boot of a base image its root disk descends from: 1, 2, 3…
 *   anchor            its network interface: its lock and, through its tags, its ledger
 */

import type { Spec } from "./spec";

export type Market = "spot" | "on-demand";

/** What RegisterImage must be told because a snapshot does not carry it (ec2-facts §3). */
export interface Platform {
  architecture: string;
  rootDeviceName: string;
  bootMode?: string;
  enaSupport?: boolean;
  sriovNetSupport?: string;
  tpmSupport?: string;
  imdsSupport?: string;
  /** "Linux/UNIX", "Windows", "Red Hat Enterprise Linux": decides what AWS bills. */
  platformDetails: string;
}

export interface Lineage {
  number: number;
  baseImageId: string;
}

/** Where the root disk of a launch came from. */
export type RootSource =
  | { kind: "base-image"; imageId: string }
  | { kind: "persisted-image"; imageId: string; snapshotId: string; generation: number };

/** The newest generation: recorded before RunInstances is called, completed by what came of it. */
export interface Launch {
  generation: number;
  /** Advances only on a definite refusal; part of the client token. */
  attempt: number;
  lineage: number;
  imageId: string;
  instanceType: string;
  market: Market;
  launchFingerprint: string;
  /** Fingerprint of the recycle token that was in force. */
  recycleFingerprint: string;
  recordedAt: number;
  instanceId?: string;
  rootVolumeId?: string;
  /** The root volume is known to outlive the instance. */
  rootKept: boolean;
  /** Once observed running. A generation that never ran wrote nothing. */
  ran: boolean;
  /** EC2 itself ended it before it ran, and forgets that it did within an hour. */
  failed?: boolean;
  /** Once past both status checks. */
  healthy: boolean;
  /** How many generations in a row, this one not counted, were replaced as unhealthy. */
  heals: number;
}

export type StopReason =
  | "pause"
  | "deallocate"
  | "ami-swap"
  | "recycle-token"
  | "requested"
  | "changed-properties"
  | "unhealthy"
  | "stopped-outside";

/** A time span of writes that the current root disk lacks, reported and never silent. */
export interface Gap {
  fromAt: number;
  toAt: number;
  /** The volume that still holds them, if it could be kept. */
  volumeId?: string;
}

/** What people asked for at the command line, in words that are fulfilled once and for all. */
export interface Asked {
  /** In place of the specification's, until that changes. */
  desiredState?: "running" | "paused";
  /** Replace exactly this generation, after a snapshot; any later one has fulfilled it. */
  recycleGeneration?: number;
  /**
   * Snapshot the running root disk at this instant or, when it has passed, as soon as EC2 permits.
   * Fulfilled by a snapshot that was started then or later, and by the end of that disk.
   */
  snapshotAt?: number;
}

export type Phase = "creating" | "active" | "deallocating" | "deallocated";

/** Who is creating: a cut-off create is adopted only when its maker is proven gone or long silent. */
export interface Claim {
  host: string;
  pid: number;
  touchedAt: number;
}

/** What we did and what we meant to do, remembered because EC2 does not promise to (ec2-facts §9). */
export interface Ledger {
  id: string;
  creationKey: string;
  phase: Phase;
  /** Grows with every write: of two readings the higher is the newer. */
  revision: number;
  specVersion: number;
  specFingerprint: string;
  claim?: Claim;
  /** The lineage that last ran. */
  lineage?: Lineage;
  /** The highest lineage for which a launch was recorded. */
  startedLineage?: Lineage;
  platform?: Platform;
  launch?: Launch;
  /** The newest generation before that launch whose root disk is known: it was marked as ours. */
  knownRootGeneration?: number;
  stop?: { generation: number; reason: StopReason; at: number };
  gap?: Gap;
  deallocatedAt?: number;
}

/** The tags that make a resource ours; present on volumes, snapshots and images of root state. */
export interface Provenance {
  lineage: number;
  generation: number;
  baseImageId: string;
  /** What made it, checked against the resource itself: tags alone can be copied by anyone. */
  operation: string;
  platform?: Platform;
  /** The id that the resource was marked with: a copy of the tags on another resource betrays itself. */
  markedId?: string;
  condemnedAt?: number;
  deleteAfterAt?: number;
  /** A volume with writes that no later disk has: an older snapshot had to be used in its place. */
  holdsGap?: boolean;
}

export interface Anchor {
  interfaceId: string;
  /** Counts the moves to another subnet or address; of two anchors the lower is in force. */
  moves: number;
  movedAt?: number;
  status: string;
  subnetId: string;
  zone: string;
  vpcId: string;
  privateIp: string;
  securityGroupIds: readonly string[];
  attachedInstanceId?: string;
  tags: Readonly<Record<string, string>>;
}

export type InstanceState =
  | "pending"
  | "running"
  | "shutting-down"
  | "terminated"
  | "stopping"
  | "stopped";

export type Health =
  | { kind: "initializing" }
  | { kind: "ok" }
  | { kind: "impaired"; sinceAt: number }
  | { kind: "unknown" };

export interface Instance {
  instanceId: string;
  state: InstanceState;
  clientToken: string;
  imageId: string;
  instanceType: string;
  market: Market;
  launchedAt: number;
  /** EC2's StateReason code: tells an interruption from a user's termination (ec2-facts §1.4). */
  stateReason?: string;
  rootVolumeId?: string;
  rootDeletedOnTermination: boolean;
  platform: Platform;
  health: Health;
  /** Spot announced that it takes this instance. */
  interruptionNoticed: boolean;
  tags: Readonly<Record<string, string>>;
}

export interface Volume extends Provenance {
  volumeId: string;
  state: string;
  sizeGiB: number;
  attachedInstanceId?: string;
  createdAt: number;
}

export interface Snapshot extends Provenance {
  snapshotId: string;
  volumeId: string;
  state: string;
  startedAt: number;
  sizeGiB: number;
}

export interface Image extends Provenance {
  imageId: string;
  name: string;
  state: string;
  snapshotId: string;
  platformDetails: string;
  createdAt: number;
}

/** What EC2 says of the image that the user declared. */
export type BaseImage =
  | { kind: "absent"; imageId: string }
  | {
      kind: "present";
      imageId: string;
      state: string;
      platform: Platform;
      rootSizeGiB: number;
      /** Devices of the further EBS volumes that it maps: what a launch from it leaves out. */
      otherDevices: readonly string[];
    };

/** A place to launch: one instance type in one market in one subnet. */
export interface Pool {
  instanceType: string;
  market: Market;
  subnetId: string;
}

/** A launch that EC2 definitely refused, remembered by the running process only. */
export interface Refusal {
  pool: Pool;
  generation: number;
  attempt: number;
  at: number;
  kind: "no-capacity" | "token-spent" | "token-mismatch" | "invalid";
  message: string;
}

/** What decides the order of Spot pools; empty when EC2 would not say. */
export interface SpotMarketFacts {
  usdPerHour: Readonly<Record<string, number>>;
  zoneScores: Readonly<Record<string, number>>;
}

/** What EC2 shows of one managed instance. */
export interface CloudFacts {
  anchors: readonly Anchor[];
  instances: readonly Instance[];
  volumes: readonly Volume[];
  /** The root disk of a live instance that is not tagged as ours as it should be; `wearsId`: but for its pmi:id. */
  unclaimedRoot?: { volumeId: string; wearsId: boolean };
  snapshots: readonly Snapshot[];
  images: readonly Image[];
  baseImage: BaseImage;
  /** Subnet id → Availability Zone, of the spec's subnets. */
  zones: Readonly<Record<string, string>>;
  spotMarket: SpotMarketFacts;
}

/** What is decided on: EC2's facts and what the running loop remembers. */
export interface Observation extends CloudFacts {
  refusals: readonly Refusal[];
  /** Subnets in which EC2 had no address left for a network interface, and when. */
  fullSubnets?: readonly { subnetId: string; at: number }[];
  /** Ids that EC2 refused to delete, because somebody else uses or has locked them. */
  undeletable?: readonly string[];
  /** Since when this process has been looking at all. */
  lookingSinceAt?: number;
  /** Since when this process has been looking for a lost anchor in vain. */
  anchorMissingSinceAt?: number;
  /** What the caller remembers of the anchor, to make a lost one again. */
  remembered?: { subnetId: string; privateIp: string };
}

export interface RootDevice {
  deviceName: string;
  sizeGiB?: number;
  volumeType: string;
  iops?: number;
  throughput?: number;
  encrypted: boolean;
  kmsKeyId?: string;
  deleteOnTermination: boolean;
}

/** What the user says of an instance that only a launch can give it. */
export type LaunchProperties = Pick<
  Spec,
  | "keyName"
  | "iamInstanceProfile"
  | "userData"
  | "ebsOptimized"
  | "monitoring"
  | "metadataOptions"
  | "maxSpotPrice"
>;

/** Each step is one AWS call, safe to repeat and to run in two places at once (design §5). */
export type Step =
  | { kind: "record"; ledger: Ledger; interfaceId: string }
  | {
      kind: "create-anchor";
      token: string;
      subnetId: string;
      privateIp?: string;
      securityGroupIds: readonly string[];
      tags: Readonly<Record<string, string>>;
    }
  | { kind: "delete-anchor"; interfaceId: string }
  | { kind: "set-security-groups"; interfaceId: string; securityGroupIds: readonly string[] }
  | {
      kind: "launch";
      token: string;
      pool: Pool;
      imageId: string;
      interfaceId: string;
      rootDevice: RootDevice;
      /** What the image maps besides: made, it would wear our tags and end with the instance. */
      omittedDevices: readonly string[];
      generation: number;
      attempt: number;
      /** May hold secrets (user data): never logged. */
      properties: LaunchProperties;
      instanceTags: Readonly<Record<string, string>>;
      volumeTags: Readonly<Record<string, string>>;
    }
  | { kind: "terminate"; instanceId: string; reason: StopReason }
  | { kind: "keep-root"; instanceId: string; deviceName: string }
  | {
      kind: "create-snapshot";
      volumeId: string;
      description: string;
      provenance: Provenance;
      tags: Readonly<Record<string, string>>;
    }
  | {
      kind: "register-image";
      name: string;
      snapshotId: string;
      platform: Platform;
      provenance: Provenance;
      tags: Readonly<Record<string, string>>;
    }
  | { kind: "tag"; resourceIds: readonly string[]; tags: Readonly<Record<string, string>> }
  | { kind: "untag"; resourceIds: readonly string[]; keys: readonly string[] }
  | { kind: "deregister-image"; imageId: string }
  | { kind: "delete-snapshot"; snapshotId: string }
  | { kind: "delete-volume"; volumeId: string };

/** The one resource whose change ends a wait: polled alone, so that waiting costs one call. */
export type Watch =
  | { kind: "time" }
  | { kind: "instance"; instanceId: string; until: "state-change" | "health-change" }
  | { kind: "volume"; volumeId: string }
  | { kind: "snapshot"; snapshotId: string }
  | { kind: "image"; imageId: string }
  | { kind: "anchor"; interfaceId: string };

/** `rule` is the sentence of the rule that decided. */
export type Decision =
  | { kind: "act"; rule: string; steps: readonly [Step, ...Step[]] }
  | { kind: "wait"; rule: string; reason: string; watch: Watch; untilAt: number }
  /** The desired state is reached; upkeep wants another look at `wakeAt`. */
  | { kind: "done"; rule: string; wakeAt: number }
  /** Nothing that we may do leads on; `remedy` is what the user can do. */
  | { kind: "stuck"; rule: string; reason: string; remedy: string }
  /** Somebody else carries a newer specification out: this process has nothing to say any more. */
  | { kind: "superseded"; rule: string; reason: string };
