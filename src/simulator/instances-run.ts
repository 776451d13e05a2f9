/**
 * RunInstances, and the launches that EC2 makes by itself for an open Spot request. All checks come
 * first (launch-plan), then everything appears at once.
 */
import {
  type Reservation,
  type RunInstancesRequest,
  ShutdownBehavior,
  SpotInstanceType,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { rememberedIds, rememberIds } from "./client-tokens";
import { Ec2Error } from "./errors";
import { scheduleBoot, scheduleFailure } from "./instance-states";
import { instanceView } from "./instance-view";
import { holdInterface, insertInterface } from "./interface-states";
import { takeRoom } from "./launch-market";
import { honouredMetadata, type LaunchPlan, planLaunch } from "./launch-plan";
import type { InstanceRecord, SpotRequestRecord } from "./records";
import { scheduleFulfilment, scheduleRemoval, setSpotStatus } from "./spot-states";
import { holdVolume } from "./volume-states";
import type { World } from "./world";

function runInstances(world: World, input: RunInstancesRequest): Reservation {
  const scope = tokenScope(world, input);
  // Where a launch is to happen is not one of the parameters that have to be the same.
  const request = { ...input, Placement: { ...input.Placement, AvailabilityZone: undefined } };
  const remembered = rememberedIds(world, scope, request);
  if (remembered !== undefined) return repeated(world, remembered);
  const plan = planLaunch(world, input);
  const instances = launch(world, plan, { scope });
  rememberIds(
    world,
    scope,
    request,
    instances.map(({ id }) => id),
  );
  return reservationView(world, instances);
}

/** Zonal with a zone or a subnet, else regional; an interface alone is not listed as zonal (ec2-facts §1.1). */
function tokenScope(world: World, input: RunInstancesRequest): string {
  const subnetZone =
    input.SubnetId === undefined ? undefined : world.subnets.get(input.SubnetId)?.zone;
  return `RunInstances@${input.Placement?.AvailabilityZone ?? subnetZone ?? world.region}`;
}

function repeated(world: World, ids: readonly string[]): Reservation {
  const alive = ids
    .flatMap((id) => world.instances.get(id) ?? [])
    .filter((instance) => instance.state !== "terminated");
  if (alive.length === 0)
    throw new Ec2Error(
      "IdempotentInstanceTerminated",
      "The request to launch an instance uses the same client token as a previous request for which the instance has been terminated.",
    );
  return reservationView(world, alive);
}

function reservationView(world: World, instances: readonly InstanceRecord[]): Reservation {
  return {
    ReservationId: instances[0]?.reservationId,
    OwnerId: world.account,
    Groups: [],
    Instances: instances.map(({ id }) => instanceView(world, world.instances.get(id))),
  };
}

interface LaunchContext {
  readonly scope?: string;
  /** An existing request that this launch fulfils. */
  readonly spotRequestId?: string;
}

function launch(world: World, plan: LaunchPlan, context: LaunchContext): InstanceRecord[] {
  const reservationId = world.newId("r");
  const instances = Array.from({ length: plan.count }, (_, index) =>
    launchOne(world, plan, { ...context, index, reservationId }),
  );
  const market = plan.spot === undefined ? "on-demand" : "spot";
  takeRoom(world, { instanceType: plan.facts.name, zone: plan.zone, market }, plan.count);
  return instances;
}

function launchOne(
  world: World,
  plan: LaunchPlan,
  context: LaunchContext & { readonly index: number; readonly reservationId: string },
): InstanceRecord {
  const id = world.newId("i");
  const spotRequestId =
    plan.spot === undefined
      ? undefined
      : (context.spotRequestId ?? insertSpotRequest(world, plan, id));
  world.instances.insert({
    ...instanceRow(world, plan, id),
    reservationId: context.reservationId,
    launchIndex: context.index,
    tokenScope: context.scope,
    spotRequestId,
  });
  for (const { device, deleteOnTermination, plan: planVolume } of plan.devices) {
    const volume = world.volumes.insert(planVolume());
    holdVolume(world, volume.id, { instanceId: id, device, deleteOnTermination });
  }
  const interfaceIds = plan.interfaces.map((each) => {
    const interfaceId = each.kind === "existing" ? each.id : insertInterface(world, each.plan()).id;
    const { deviceIndex, deleteOnTermination } = each;
    holdInterface(world, interfaceId, { instanceId: id, deviceIndex, deleteOnTermination });
    return interfaceId;
  });
  const instance = world.instances.update(id, { interfaceIds });
  const failure = world.faults.strikesLaunch();
  if (failure === undefined) scheduleBoot(world, id);
  else scheduleFailure(world, id, failure);
  return instance;
}

function instanceRow(world: World, plan: LaunchPlan, id: string): InstanceRecord {
  const { input, image, facts, subnet } = plan;
  return {
    id,
    tags: plan.instanceTags,
    createdAt: world.now(),
    launchedAt: world.now(),
    reservationId: "",
    launchIndex: 0,
    imageId: image.id,
    instanceType: facts.name,
    architecture: image.architecture,
    zone: plan.zone,
    subnetId: subnet.id,
    vpcId: subnet.vpcId,
    state: "pending",
    stateTransitionReason: "",
    clientToken: input.ClientToken,
    keyName: input.KeyName,
    profile: profileOf(world, input),
    userData: input.UserData,
    rootDeviceName: image.rootDeviceName,
    volumeIds: [],
    interfaceIds: [],
    isSpot: plan.spot !== undefined,
    metadata: plan.metadata,
    monitoring: input.Monitoring?.Enabled ?? false,
    ebsOptimized: input.EbsOptimized ?? false,
    enaSupport: image.enaSupport ?? false,
    sriovNetSupport: image.sriovNetSupport,
    bootMode: image.bootMode,
    platform: image.platform,
    sourceDestCheck: true,
    disableApiTermination: input.DisableApiTermination ?? false,
    disableApiStop: input.DisableApiStop ?? false,
    shutdownBehavior: input.InstanceInitiatedShutdownBehavior ?? "stop",
    cpuCredits: facts.isBurstable ? creditsOf(input, facts.name) : undefined,
    tenancy: input.Placement?.Tenancy ?? "default",
    maintenanceAutoRecovery: input.MaintenanceOptions?.AutoRecovery ?? "default",
  };
}

/** T2 starts out `standard`, all later burstable families `unlimited`. */
function creditsOf(input: RunInstancesRequest, instanceType: string): string {
  const given = input.CreditSpecification?.CpuCredits;
  return given ?? (instanceType.startsWith("t2.") ? "standard" : "unlimited");
}

/** Accepted as given: there is no IAM here to look it up in. */
function profileOf(world: World, { IamInstanceProfile: profile }: RunInstancesRequest) {
  if (profile?.Arn === undefined && profile?.Name === undefined) return undefined;
  const arn = profile.Arn ?? `arn:aws:iam::${world.account}:instance-profile/${profile.Name}`;
  return { arn, id: `AIPA${world.ids.hex(16).toUpperCase()}` };
}

function insertSpotRequest(world: World, plan: LaunchPlan, instanceId: string): string {
  const { spot, input } = plan;
  if (spot === undefined) throw new Error("A Spot request needs a Spot plan.");
  const id = `sir-${world.ids.hex(8)}`;
  const { ClientToken: _token, ...request } = input;
  world.spotRequests.insert({
    id,
    tags: plan.spotTags,
    createdAt: world.now(),
    state: "active",
    status: { code: "", message: "", updatedAt: world.now() },
    ...spot,
    instanceId,
    zone: plan.zone,
    launch: { ...request },
  });
  setSpotStatus(world, id, "fulfilled");
  publishFulfilment(world, id, instanceId);
  return id;
}

function publishFulfilment(world: World, requestId: string, instanceId: string): void {
  world.events.publish(
    "EC2 Spot Instance Request Fulfillment",
    [`arn:aws:ec2:${world.region}:${world.account}:instance/${instanceId}`],
    { "spot-instance-request-id": requestId, "instance-id": instanceId },
  );
}

/** The ghost of ec2-facts §1.4: nobody asked for this launch but an old, persistent request. */
export function fulfilSpotRequest(world: World, request: SpotRequestRecord): void {
  try {
    const plan = planLaunch(world, request.launch as unknown as RunInstancesRequest);
    const [instance] = launch(world, plan, { spotRequestId: request.id });
    const change = { state: "active", instanceId: instance?.id } as const;
    setSpotStatus(world, request.id, "fulfilled", change);
    publishFulfilment(world, request.id, instance?.id ?? "");
  } catch (error) {
    if (!(error instanceof Ec2Error)) throw error;
    if (error.code === "InsufficientInstanceCapacity") {
      setSpotStatus(world, request.id, "capacity-not-available");
      scheduleFulfilment(world, request.id);
    } else {
      setSpotStatus(world, request.id, "bad-parameters", { state: "failed" });
      scheduleRemoval(world, request.id);
    }
  }
}

export const runActions = {
  RunInstances: action<RunInstancesRequest, Reservation>(
    {
      BlockDeviceMappings: {
        DeviceName: true,
        NoDevice: true,
        VirtualName: true,
        Ebs: {
          DeleteOnTermination: true,
          Encrypted: true,
          Iops: true,
          KmsKeyId: true,
          SnapshotId: true,
          Throughput: true,
          VolumeInitializationRate: true,
          VolumeSize: true,
          VolumeType: true,
        },
      },
      ClientToken: true,
      CapacityReservationSpecification: { CapacityReservationPreference: ["open", "none"] },
      CreditSpecification: true,
      DisableApiStop: true,
      DisableApiTermination: true,
      EbsOptimized: true,
      EnclaveOptions: { Enabled: [false] },
      HibernationOptions: { Configured: [false] },
      IamInstanceProfile: true,
      ImageId: true,
      InstanceInitiatedShutdownBehavior: anyOf(ShutdownBehavior),
      InstanceMarketOptions: {
        MarketType: true,
        SpotOptions: {
          InstanceInterruptionBehavior: true,
          MaxPrice: true,
          SpotInstanceType: anyOf(SpotInstanceType),
          ValidUntil: true,
        },
      },
      InstanceType: true,
      Ipv6AddressCount: [0],
      KeyName: true,
      MaintenanceOptions: true,
      MaxCount: true,
      MetadataOptions: honouredMetadata,
      MinCount: true,
      Monitoring: true,
      NetworkInterfaces: {
        AssociatePublicIpAddress: true,
        DeleteOnTermination: true,
        Description: true,
        DeviceIndex: true,
        Groups: true,
        InterfaceType: ["interface"],
        Ipv6AddressCount: [0],
        NetworkCardIndex: [0],
        NetworkInterfaceId: true,
        PrivateIpAddress: true,
        PrivateIpAddresses: true,
        SecondaryPrivateIpAddressCount: true,
        SubnetId: true,
      },
      Placement: { AvailabilityZone: true, Tenancy: ["default"], GroupName: [""] },
      PrivateDnsNameOptions: {
        HostnameType: ["ip-name"],
        EnableResourceNameDnsARecord: [false],
        EnableResourceNameDnsAAAARecord: [false],
      },
      PrivateIpAddress: true,
      SecurityGroupIds: true,
      SecurityGroups: true,
      SubnetId: true,
      TagSpecifications: true,
      UserData: true,
    },
    runInstances,
  ),
};
