/**
 * Builders for the simulator's tests: typed calls, a launch with defaults, and what errors look like.
 * Every test makes a simulator of its own.
 */
import type * as Sdk from "@aws-sdk/client-ec2";
import {
  createSimulator,
  DEFAULT_SUBNET_IDS,
  Ec2Error,
  IMAGE_IDS,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator";
import { renderReply } from "../../src/simulator/wire-response";
import { operationPlan } from "../../src/simulator/wire-schema";

type SdkModule = typeof Sdk;
type ActionName = {
  [Name in keyof SdkModule]: Name extends `${infer Action}Command`
    ? SdkModule[Name] extends new (
        ...args: never[]
      ) => object
      ? Action
      : never
    : never;
}[keyof SdkModule];

type CommandOf<Action extends ActionName> = InstanceType<SdkModule[`${Action}Command`]>;

type InputOf<Action extends ActionName> =
  CommandOf<Action> extends { readonly input: infer Input } ? Input : never;

type OutputOf<Action extends ActionName> =
  CommandOf<Action> extends {
    resolveMiddleware(
      ...args: [never, never, never]
    ): (args: never) => Promise<{ output: infer Output }>;
  }
    ? Output
    : never;

export interface Tester {
  readonly sim: Simulator;
  call<Action extends ActionName>(action: Action, input: InputOf<Action>): OutputOf<Action>;
  /** An error's "CODE: message". */
  refusal<Action extends ActionName>(action: Action, input: InputOf<Action>): string;
  error<Action extends ActionName>(action: Action, input: InputOf<Action>): Ec2Error;
  /** Launches one instance and gives its id. */
  launch(input?: Partial<Sdk.RunInstancesRequest>): string;
  /** Launches one instance and lets it boot. */
  boot(input?: Partial<Sdk.RunInstancesRequest>): string;
  instance(id: string): Sdk.Instance;
  rootVolumeId(instanceId: string): string;
  volume(id: string): Sdk.Volume;
  snapshot(id: string): Sdk.Snapshot;
  image(id: string): Sdk.Image;
  networkInterface(id: string): Sdk.NetworkInterface;
  /** A network interface in the first zone. */
  anchor(input?: Partial<Sdk.CreateNetworkInterfaceRequest>): string;
  /** A completed snapshot of the volume. */
  snapshotOf(volumeId: string): string;
  /** An available image registered from the snapshot as the engine does it. */
  imageOf(snapshotId: string, input?: Partial<Sdk.RegisterImageRequest>): string;
}

export const SUBNET_A = DEFAULT_SUBNET_IDS[0];
export const SUBNET_B = DEFAULT_SUBNET_IDS[1];
export const ZONE_A = "us-east-1a";
export const ZONE_B = "us-east-1b";
export const SPOT = { MarketType: "spot" } as const;
export const PERSISTENT_SPOT = {
  MarketType: "spot",
  SpotOptions: { SpotInstanceType: "persistent", InstanceInterruptionBehavior: "stop" },
} as const;
/** Keeps the root disk when its instance ends. */
export const KEEP_ROOT = [{ DeviceName: "/dev/xvda", Ebs: { DeleteOnTermination: false } }];

let imageCount = 0;

/** Writing the answer as XML throws for whatever EC2's model does not have. */
function checkShape(action: string, output: Record<string, unknown>): void {
  const plan = operationPlan(action);
  if (plan === undefined) throw new Error(`EC2's model has no ${action}.`);
  renderReply(plan, output, "request-id");
}

export function createTester(options: SimulatorOptions = {}): Tester {
  const sim = createSimulator({ throttling: false, ...options });
  const call: Tester["call"] = (action, input) => {
    const output = sim.call(action, { ...(input as object) });
    checkShape(action, output);
    return output as OutputOf<typeof action>;
  };
  const error: Tester["error"] = (action, input) => {
    try {
      call(action, input);
    } catch (thrown) {
      if (thrown instanceof Ec2Error) return thrown;
      throw thrown;
    }
    throw new Error(`${action} was expected to be refused.`);
  };
  const launch: Tester["launch"] = (input = {}) =>
    only(call("RunInstances", { ...launchDefaults, ...input }).Instances).InstanceId ?? "";
  const tester: Tester = {
    sim,
    call,
    error,
    refusal: (action, input) => {
      const { code, message } = error(action, input);
      return `${code}: ${message}`;
    },
    launch,
    boot: (input) => {
      const id = launch(input);
      sim.clock.advance(10);
      return id;
    },
    instance: (id) =>
      only(only(call("DescribeInstances", { InstanceIds: [id] }).Reservations).Instances),
    volume: (id) => only(call("DescribeVolumes", { VolumeIds: [id] }).Volumes),
    snapshot: (id) => only(call("DescribeSnapshots", { SnapshotIds: [id] }).Snapshots),
    image: (id) => only(call("DescribeImages", { ImageIds: [id] }).Images),
    networkInterface: (id) =>
      only(call("DescribeNetworkInterfaces", { NetworkInterfaceIds: [id] }).NetworkInterfaces),
    rootVolumeId: (instanceId) =>
      only(
        call("DescribeVolumes", {
          Filters: [{ Name: "attachment.instance-id", Values: [instanceId] }],
        }).Volumes?.filter((volume) => volume.Attachments?.[0]?.Device === "/dev/xvda"),
      ).VolumeId ?? "",
    anchor: (input = {}) =>
      call("CreateNetworkInterface", { SubnetId: SUBNET_A, ...input }).NetworkInterface
        ?.NetworkInterfaceId ?? "",
    snapshotOf: (volumeId) => {
      const id = call("CreateSnapshot", { VolumeId: volumeId }).SnapshotId ?? "";
      sim.clock.advance(600);
      return id;
    },
    imageOf: (snapshotId, input = {}) => {
      imageCount += 1;
      const id = call("RegisterImage", { ...imageDefaults(snapshotId), ...input }).ImageId ?? "";
      sim.clock.advance(10);
      return id;
    },
  };
  return tester;
}

const launchDefaults = {
  ImageId: IMAGE_IDS.amazonLinux,
  InstanceType: "t3.micro",
  MinCount: 1,
  MaxCount: 1,
  SubnetId: SUBNET_A,
} satisfies Sdk.RunInstancesRequest;

function imageDefaults(snapshotId: string) {
  return {
    Name: `registered-${imageCount}`,
    Architecture: "x86_64",
    VirtualizationType: "hvm",
    EnaSupport: true,
    RootDeviceName: "/dev/xvda",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: snapshotId } }],
  } satisfies Sdk.RegisterImageRequest;
}

/** A launch on an existing interface: no subnet at instance level. */
export function onAnchor(interfaceId: string) {
  return {
    SubnetId: undefined,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: interfaceId }],
  };
}

export function only<Item>(items: readonly Item[] | undefined): Item {
  const [item, ...rest] = items ?? [];
  if (item === undefined || rest.length > 0)
    throw new Error(`Expected exactly one, got ${items?.length ?? 0}.`);
  return item;
}
