/**
 * The component that a Pulumi program declares: one EC2 instance with a durable identity. It is a
 * thin shell around one custom resource, so that its outputs are typed and documented, and so that
 * other languages can have it later without another name.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Facts } from "../src/engine/facts";
import { COMPONENT_TYPE, PROVIDER_STUB, RESOURCE_TYPE } from "../src/provider/stub";

/** The root disk. Changing it recycles the managed instance; its contents stay. */
export interface RootVolumeArgs {
  /** GiB. Default: what the image says; never smaller than the disk that it continues. */
  sizeGiB?: pulumi.Input<number>;
  /** "gp3" (default), "gp2", "io1", "io2" or "standard". */
  volumeType?: pulumi.Input<string>;
  /** I/O operations per second; required with io1 and io2. */
  iops?: pulumi.Input<number>;
  /** MiB per second, 125 to 2000; gp3 only. */
  throughput?: pulumi.Input<number>;
  /** Default: true. */
  encrypted?: pulumi.Input<boolean>;
  /** Default: the account's key for EBS. */
  kmsKeyId?: pulumi.Input<string>;
}

/** How programs on the instance may ask for its metadata (IMDS). */
export interface MetadataOptionsArgs {
  /** "required" (default) allows IMDSv2 only, "optional" both. */
  httpTokens?: pulumi.Input<string>;
  /** 1 to 64. Default: 2, which reaches containers. */
  httpPutResponseHopLimit?: pulumi.Input<number>;
  /** "enabled" or "disabled" (default). */
  instanceMetadataTags?: pulumi.Input<string>;
}

/** Periodic snapshots of the running root disk, and the final one after each instance. */
export interface SnapshotsArgs {
  /** Minutes between two periodic snapshots. Default: 5. */
  intervalMinutes?: pulumi.Input<number>;
  /** Completed periodic snapshots that are kept. Default: 3. */
  keep?: pulumi.Input<number>;
  /** Minutes that a final snapshot may take before the latest completed one is used. Default: 120. */
  finalDeadlineMinutes?: pulumi.Input<number>;
}

/** Hours that each kind is kept after the managed instance was destroyed; 0 deletes at once. */
export interface RetentionHoursArgs {
  /** Default: 96. */
  images?: pulumi.Input<number>;
  /** Default: 96. */
  snapshots?: pulumi.Input<number>;
  /** Default: 96. */
  volumes?: pulumi.Input<number>;
  /** Default: 96. */
  networkInterfaces?: pulumi.Input<number>;
}

/** How long each operation may take, such as "90s", "30m" or "2h". Default of each: 60 minutes. */
export interface TimeoutsArgs {
  create?: pulumi.Input<string>;
  update?: pulumi.Input<string>;
  delete?: pulumi.Input<string>;
}

/** Who keeps the managed instance between two `pulumi up`s. Give exactly one of them. */
export interface ControllerArgs {
  /** The DynamoDB table of the controller in this account and Region. */
  table?: pulumi.Input<string>;
  /** The directory of a daemon on this machine, an absolute path. */
  directory?: pulumi.Input<string>;
}

/**
 * Names and defaults are those of Spot.io's Managed Instance where it has them. No change of any of
 * them replaces the managed instance; preview says of each what it does.
 */
export interface ManagedInstanceArgs {
  /** The base image. Another one is an AMI swap: it boots with a fresh root disk, and the previous disk is kept for `rollbackHours`. */
  imageId: pulumi.Input<string>;
  /** The types that may carry it, all of the image's architecture. */
  instanceTypes: pulumi.Input<pulumi.Input<string>[]>;
  /** Subnets of one VPC in which it may run. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** Default: `aws:region` of the stack. Can not be changed. */
  region?: pulumi.Input<string>;
  /** Tried before the others, in this order, and used for On-Demand. Each must be in `instanceTypes`. */
  preferredInstanceTypes?: pulumi.Input<pulumi.Input<string>[]>;
  /** At most 16. Default: the VPC's default security group. */
  securityGroupIds?: pulumi.Input<pulumi.Input<string>[]>;
  /** A fixed private IPv4 address. Default: EC2 chooses one at creation, and it stays. */
  privateIp?: pulumi.Input<string>;
  /** An EC2 key pair. */
  keyName?: pulumi.Input<string>;
  /** Name or ARN of an instance profile. */
  iamInstanceProfile?: pulumi.Input<string>;
  /** Plain text of at most 16 KiB, encoded for EC2 by us. Always kept as a secret. */
  userData?: pulumi.Input<string>;
  /** Default: as the instance type has it. */
  ebsOptimized?: pulumi.Input<boolean>;
  /** Detailed monitoring. Default: false. */
  monitoring?: pulumi.Input<boolean>;
  metadataOptions?: pulumi.Input<MetadataOptionsArgs>;
  rootVolume?: pulumi.Input<RootVolumeArgs>;
  /** "spot" (default) or "on_demand". */
  lifeCycle?: pulumi.Input<string>;
  /** On-Demand when no Spot pool has capacity. Default: true. */
  fallbackToOnDemand?: pulumi.Input<boolean>;
  /** USD per hour. Default: the On-Demand price, as EC2 does. */
  maxSpotPrice?: pulumi.Input<number>;
  /** The root disk outlives its instance. Default: true. */
  persistRootDevice?: pulumi.Input<boolean>;
  /** The private address outlives its instance. Default: true. */
  persistPrivateIp?: pulumi.Input<boolean>;
  /** "running" (default), or "paused": terminated with its state kept. */
  desiredState?: pulumi.Input<string>;
  /** At most 64 characters. Any change of this text recycles the managed instance once. */
  recycleToken?: pulumi.Input<string>;
  /** When changes that need another launch take effect: "at-once" (default) or "at-next-recycle". */
  applyChanges?: pulumi.Input<string>;
  /** Recycle when the status checks stay failed. Default: true. */
  autoHealing?: pulumi.Input<boolean>;
  /** Seconds after a launch in which health is not judged. Default: 120. */
  gracePeriodSeconds?: pulumi.Input<number>;
  /** Seconds of failed status checks until it is healed, at least 60. Default: 120. */
  unhealthyDurationSeconds?: pulumi.Input<number>;
  snapshots?: pulumi.Input<SnapshotsArgs>;
  /** Hours that the previous root disk is kept after an AMI swap. Default: 24. */
  rollbackHours?: pulumi.Input<number>;
  retentionHours?: pulumi.Input<RetentionHoursArgs>;
  /** At most 30, on everything that is made for it. */
  tags?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  timeouts?: pulumi.Input<TimeoutsArgs>;
  /** A running controller answers interruptions and takes snapshots on time. Default: none, and both happen during `pulumi up` only. */
  controller?: pulumi.Input<ControllerArgs>;
  /** The id (`pmi-…`) of an existing managed instance to take over instead of creating one: what `import` is for other resources. `imageId` must be the one that its root disk descends from. May be removed afterwards. */
  adopt?: pulumi.Input<string>;
}

/** A time span whose writes are missing because an older snapshot had to be used. */
export interface Gap {
  /** ISO 8601. */
  from: string;
  /** ISO 8601. */
  to: string;
  /** The volume that still holds them, if it could be kept. */
  volumeId?: string;
}

/** One EC2 instance whose root disk and private address outlive every instance that carries them. */
export class ManagedInstance extends pulumi.ComponentResource {
  /** The durable identity, `pmi-…`. */
  readonly id: pulumi.Output<string>;
  /** The EC2 instance that carries it now; absent while it is paused. */
  readonly instanceId: pulumi.Output<string | undefined>;
  /** Which launch the present instance is: 1, 2, 3… */
  readonly generation: pulumi.Output<number>;
  /** Which boot of a base image the root disk descends from: 1, 2, 3… */
  readonly lineage: pulumi.Output<number>;
  readonly privateIp: pulumi.Output<string>;
  /** "running", "paused", or where it is on the way: "launching", "stopping", "interrupted", "unhealthy". */
  readonly state: pulumi.Output<string>;
  /** The base image of the present lineage. */
  readonly imageId: pulumi.Output<string>;
  /** The newest image registered from the root disk. */
  readonly persistedImageId: pulumi.Output<string | undefined>;
  readonly rootVolumeId: pulumi.Output<string | undefined>;
  /** When the newest completed snapshot of the root disk was started, ISO 8601. */
  readonly lastSnapshotAt: pulumi.Output<string | undefined>;
  /** "spot" or "on-demand": how the present instance is paid for. */
  readonly market: pulumi.Output<string | undefined>;
  readonly instanceType: pulumi.Output<string | undefined>;
  readonly availabilityZone: pulumi.Output<string>;
  readonly networkInterfaceId: pulumi.Output<string>;
  readonly subnetId: pulumi.Output<string>;
  /** A time span of writes that the present root disk lacks, if there is one. */
  readonly gap: pulumi.Output<Gap | undefined>;

  constructor(name: string, args: ManagedInstanceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(COMPONENT_TYPE, name, {}, opts);
    const id = (args as Partial<Existing>)[existingId];
    const creationKey = pulumi.interpolate`${pulumi.getOrganization()}/${this.urn}`;
    const identity = new Identity(name, id === undefined ? { ...args, creationKey } : {}, {
      parent: this,
      id,
      // Pulumi hands most options of a component on to its children, but not these.
      customTimeouts: opts?.customTimeouts,
      ignoreChanges: opts?.ignoreChanges,
      retainOnDelete: opts?.retainOnDelete,
    });
    // Unit tests with Pulumi's mocks need not answer with facts.
    const fact = <Value>(name: keyof Facts) =>
      identity.facts.apply((facts) => facts?.[name] as Value);
    this.id = identity.id;
    this.instanceId = fact("instanceId");
    this.generation = fact("generation");
    this.lineage = fact("lineage");
    this.privateIp = fact("privateIp");
    this.state = fact("state");
    this.imageId = fact("imageId");
    this.persistedImageId = fact("persistedImageId");
    this.rootVolumeId = fact("rootVolumeId");
    this.lastSnapshotAt = fact("lastSnapshotAt");
    this.market = fact("market");
    this.instanceType = fact("instanceType");
    this.availabilityZone = fact("availabilityZone");
    this.networkInterfaceId = fact("networkInterfaceId");
    this.subnetId = fact("subnetId");
    this.gap = fact("gap");
    this.registerOutputs({ id: this.id, facts: identity.facts });
  }

  /** An existing managed instance by its id (`pmi-…`), to read its outputs; nothing of it is changed. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    opts?: pulumi.ComponentResourceOptions,
  ): ManagedInstance {
    const existing: Existing = { [existingId]: id };
    return new ManagedInstance(name, existing as unknown as ManagedInstanceArgs, opts);
  }
}

/** How `get` tells the one constructor that other languages allow that nothing is to be declared. */
const existingId = Symbol("existing id");

interface Existing {
  [existingId]: pulumi.Input<pulumi.ID>;
}

/** The one custom resource. What Pulumi's state holds of our code is a constant text. */
class Identity extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<Facts | undefined>;

  constructor(name: string, props: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    const userData = props.userData === undefined ? undefined : pulumi.secret(props.userData);
    super(
      RESOURCE_TYPE,
      name,
      { ...props, userData, facts: undefined, __provider: PROVIDER_STUB },
      { ...opts, additionalSecretOutputs: ["userData"] },
    );
  }
}
