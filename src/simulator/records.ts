/**
 * The simulator's nouns: one plain record per kind of resource. A fact stands in one place only: an
 * attachment belongs to the volume or network interface that is attached, and an instance's lists
 * are derived from there. Instants are epoch milliseconds.
 */
import type { Row } from "./table";

export type InstanceState =
  | "pending"
  | "running"
  | "shutting-down"
  | "terminated"
  | "stopping"
  | "stopped";

/** What a disk holds. Shared by reference along volume → snapshot → image → volume, so copies cost nothing. */
export interface Disk {
  readonly files: ReadonlyMap<string, string>;
  /** How much data a full snapshot of it moves. */
  readonly dataBytes: number;
  /** Whether an operating system on it ever passes the status checks. */
  readonly boots: "healthy" | "never-healthy";
  readonly platform: Platform;
  /** Who owns the newest snapshot that it shares blocks with: only within one account are snapshots incremental. */
  readonly baseOwner?: string;
}

export interface Platform {
  readonly details: string;
  readonly usageOperation: string;
  readonly name?: string;
}

export interface StateReason {
  readonly code: string;
  readonly message: string;
}

export interface MetadataOptions {
  readonly httpTokens: string;
  readonly httpEndpoint: string;
  readonly httpPutResponseHopLimit: number;
  readonly httpProtocolIpv6: string;
  readonly instanceMetadataTags: string;
}

export interface InstanceRecord extends Row {
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly launchedAt: number;
  readonly imageId: string;
  readonly instanceType: string;
  readonly architecture: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly state: InstanceState;
  readonly stateReason?: StateReason;
  readonly stateTransitionReason: string;
  /** Since when the operating system runs; absent while it does not. */
  readonly osUpSince?: number;
  readonly impairedSince?: number;
  readonly clientToken?: string;
  /** Zonal or regional, by what its request named (ec2-facts §1.1). */
  readonly tokenScope?: string;
  readonly keyName?: string;
  readonly profile?: { readonly arn: string; readonly id: string };
  readonly userData?: string;
  readonly rootDeviceName: string;
  readonly volumeIds: readonly string[];
  readonly interfaceIds: readonly string[];
  readonly spotRequestId?: string;
  readonly isSpot: boolean;
  readonly metadata: MetadataOptions;
  readonly monitoring: boolean;
  readonly ebsOptimized: boolean;
  readonly enaSupport: boolean;
  readonly sriovNetSupport?: string;
  readonly bootMode?: string;
  readonly platform: Platform;
  readonly sourceDestCheck: boolean;
  readonly disableApiTermination: boolean;
  readonly disableApiStop: boolean;
  readonly shutdownBehavior: "stop" | "terminate";
  readonly cpuCredits?: string;
  readonly tenancy: string;
  readonly maintenanceAutoRecovery: string;
}

export type AttachmentState = "attaching" | "attached" | "detaching";

export interface VolumeAttachment {
  readonly instanceId: string;
  readonly device: string;
  readonly state: AttachmentState;
  readonly attachedAt: number;
  readonly deleteOnTermination: boolean;
}

export interface VolumeRecord extends Row {
  readonly zone: string;
  readonly sizeGib: number;
  readonly volumeType: string;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
  readonly snapshotId?: string;
  readonly initializationRate?: number;
  readonly state: "creating" | "available" | "in-use" | "deleting" | "error";
  readonly attachment?: VolumeAttachment;
  readonly disk: Disk;
  /** Data changed since the last snapshot of this lineage. */
  readonly changedBytes: number;
  readonly lastSnapshotAt?: number;
  /** Snapshots that hold one of the volume's pending slots (ec2-facts §2). */
  readonly pendingSnapshotIds: readonly string[];
}

export interface SnapshotRecord extends Row {
  readonly ownerId: string;
  readonly ownerAlias?: string;
  readonly volumeId: string;
  readonly sizeGib: number;
  readonly description: string;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
  readonly state: "pending" | "completed" | "error";
  readonly stateMessage?: string;
  /** When it will have completed; absent while it hangs. */
  readonly completesAt?: number;
  readonly disk: Disk;
  readonly fullBytes: number;
  readonly isPublic: boolean;
}

export interface ImageMapping {
  readonly deviceName: string;
  readonly virtualName?: string;
  readonly noDevice?: string;
  readonly snapshotId?: string;
  readonly sizeGib?: number;
  readonly volumeType?: string;
  readonly iops?: number;
  readonly throughput?: number;
  readonly deleteOnTermination?: boolean;
  readonly encrypted?: boolean;
}

export interface ImageRecord extends Row {
  readonly name: string;
  readonly description?: string;
  readonly ownerId: string;
  readonly ownerAlias?: string;
  readonly isPublic: boolean;
  readonly state: "pending" | "available" | "failed" | "deregistered" | "disabled";
  readonly stateReason?: StateReason;
  readonly architecture: string;
  readonly virtualizationType: string;
  readonly enaSupport?: boolean;
  readonly sriovNetSupport?: string;
  readonly bootMode?: string;
  readonly tpmSupport?: string;
  readonly imdsSupport?: string;
  readonly uefiData?: string;
  readonly rootDeviceName: string;
  readonly mappings: readonly ImageMapping[];
  readonly platform: Platform;
  readonly sourceInstanceId?: string;
  readonly sourceImageId?: string;
  readonly deprecationAt?: number;
  readonly isProtected: boolean;
}

export interface InterfaceAttachment {
  readonly id: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly state: AttachmentState;
  readonly attachedAt: number;
  readonly deleteOnTermination: boolean;
}

export interface InterfaceRecord extends Row {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly description: string;
  readonly status: "available" | "attaching" | "in-use" | "detaching";
  /** The first one is the primary address. */
  readonly privateIps: readonly string[];
  readonly mac: string;
  readonly groupIds: readonly string[];
  readonly sourceDestCheck: boolean;
  readonly attachment?: InterfaceAttachment;
  /** An address of EC2's own pool, lost when the instance ends. */
  readonly publicIp?: string;
  readonly wantsPublicIp: boolean;
}

export interface AddressRecord extends Row {
  readonly publicIp: string;
  readonly associationId?: string;
  readonly interfaceId?: string;
  readonly privateIp?: string;
}

export interface SpotRequestRecord extends Row {
  readonly state: "open" | "active" | "closed" | "cancelled" | "failed" | "disabled";
  readonly status: { readonly code: string; readonly message: string; readonly updatedAt: number };
  readonly type: "one-time" | "persistent";
  readonly interruptionBehavior: "terminate" | "stop" | "hibernate";
  readonly maxPrice: string;
  readonly validUntil?: number;
  readonly instanceId?: string;
  readonly zone: string;
  /** The request that EC2 repeats for a persistent Spot request. */
  readonly launch: Readonly<Record<string, unknown>>;
}

export interface ReplaceRootTaskRecord extends Row {
  readonly instanceId: string;
  readonly state: "pending" | "in-progress" | "succeeded" | "failing" | "failed";
  readonly completedAt?: number;
  readonly imageId?: string;
  readonly snapshotId?: string;
  readonly volumeId?: string;
  readonly deleteReplacedRootVolume: boolean;
}

export interface VpcRecord extends Row {
  readonly cidr: string;
  readonly isDefault: boolean;
  readonly enableDnsSupport: boolean;
  readonly enableDnsHostnames: boolean;
}

export interface SubnetRecord extends Row {
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
  readonly isDefault: boolean;
  readonly mapPublicIp: boolean;
}

export interface SecurityRule {
  readonly id: string;
  readonly isEgress: boolean;
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly cidr?: string;
  readonly cidr6?: string;
  readonly groupId?: string;
  readonly prefixListId?: string;
  readonly description?: string;
}

export interface SecurityGroupRecord extends Row {
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  readonly rules: readonly SecurityRule[];
}

export interface KeyPairRecord extends Row {
  readonly name: string;
  readonly fingerprint: string;
  readonly type: string;
  readonly publicKey: string;
}
