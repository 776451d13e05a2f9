/** How an instance looks in answers. Disks, interfaces and place vanish once it is terminated. */
import type {
  _InstanceType,
  ArchitectureValues,
  BootModeValues,
  Instance,
  InstanceBlockDeviceMapping,
  InstanceMetadataOptionsResponse,
  Placement,
  PlatformValues,
  Tenancy,
} from "@aws-sdk/client-ec2";
import { instanceTypes } from "./catalog";
import {
  groupList,
  instanceInterfaceView,
  privateDnsName,
  publicDnsName,
  publicIpOf,
} from "./interface-view";
import { keptByRow, keptWithSurroundings } from "./kept-views";
import type { InstanceRecord, InstanceState, InterfaceRecord, StateReason } from "./records";
import { tagList } from "./tag-sets";
import { type World, zoneId } from "./world";

const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export function stateView(state: InstanceState) {
  return { Code: stateCodes[state], Name: state };
}

export function stateCode(state: InstanceState): number {
  return stateCodes[state];
}

/** A terminated instance shows nothing but itself. */
const terminatedView = keptByRow(writeView);
const livingView = keptWithSurroundings(writeView, (world, row) => [
  ...row.interfaceIds.map((id) => world.interfaces.get(id)),
  ...row.volumeIds.map((id) => world.volumes.get(id)?.attachment),
]);

export function instanceView(world: World, row: InstanceRecord | undefined): Instance {
  if (row === undefined) return {};
  return row.state === "terminated" ? terminatedView(world, row) : livingView(world, row);
}

/** One literal, not several spread into one: this is the most frequent answer of all. */
function writeView(world: World, row: InstanceRecord): Instance {
  const place = placeOf(world, row);
  return {
    AmiLaunchIndex: row.launchIndex,
    Architecture: row.architecture as ArchitectureValues,
    BlockDeviceMappings: blockDeviceList(world, row),
    BootMode: row.bootMode as BootModeValues | undefined,
    CapacityReservationSpecification: { CapacityReservationPreference: "open" },
    ClientToken: row.clientToken ?? "",
    CpuOptions: cpuOptions(row.instanceType),
    CurrentInstanceBootMode: row.bootMode === undefined ? "legacy-bios" : "uefi",
    EbsOptimized: row.ebsOptimized,
    EnaSupport: row.enaSupport,
    EnclaveOptions: { Enabled: false },
    HibernationOptions: { Configured: false },
    Hypervisor: "xen",
    IamInstanceProfile:
      row.profile === undefined ? undefined : { Arn: row.profile.arn, Id: row.profile.id },
    ImageId: row.imageId,
    InstanceId: row.id,
    InstanceLifecycle: row.isSpot ? "spot" : undefined,
    InstanceType: row.instanceType as _InstanceType,
    KeyName: row.keyName,
    LaunchTime: new Date(row.launchedAt),
    MaintenanceOptions: {
      AutoRecovery: row.maintenanceAutoRecovery as "default" | "disabled",
      RebootMigration: "default",
    },
    MetadataOptions: metadataView(row),
    Monitoring: { State: row.monitoring ? "enabled" : "disabled" },
    NetworkInterfaces: place.interfaces.map((each) => instanceInterfaceView(world, each)),
    Placement: placementView(world, row),
    // The model says Windows, EC2 says windows.
    Platform: row.platform.name as PlatformValues | undefined,
    PlatformDetails: row.platform.details,
    PrivateDnsName: privateDnsName(world, place.privateIp),
    PrivateDnsNameOptions: place.isThere ? DNS_OPTIONS : undefined,
    PrivateIpAddress: place.privateIp,
    ProductCodes: [],
    PublicDnsName: publicDnsName(world, place.publicIp),
    PublicIpAddress: place.publicIp,
    RootDeviceName: row.rootDeviceName,
    RootDeviceType: "ebs",
    SecurityGroups: groupList(world, place.primary?.groupIds ?? []),
    SourceDestCheck: place.primary?.sourceDestCheck ?? row.sourceDestCheck,
    SpotInstanceRequestId: row.spotRequestId,
    SriovNetSupport: row.sriovNetSupport,
    State: stateView(row.state),
    StateReason: reasonView(row.stateReason),
    StateTransitionReason: row.stateTransitionReason,
    SubnetId: place.isThere ? row.subnetId : undefined,
    Tags: tagList(row.tags),
    UsageOperation: row.platform.usageOperation,
    UsageOperationUpdateTime: new Date(row.createdAt),
    VirtualizationType: "hvm",
    VpcId: place.isThere ? row.vpcId : undefined,
  };
}

const DNS_OPTIONS = {
  HostnameType: "ip-name",
  EnableResourceNameDnsARecord: false,
  EnableResourceNameDnsAAAARecord: false,
} as const;

function placementView(world: World, row: InstanceRecord): Placement {
  return {
    AvailabilityZone: row.zone,
    AvailabilityZoneId: zoneId(world, row.zone),
    GroupName: "",
    Tenancy: row.tenancy as Tenancy,
  };
}

function reasonView(reason: StateReason | undefined) {
  return reason === undefined ? undefined : { Code: reason.code, Message: reason.message };
}

interface Place {
  readonly isThere: boolean;
  readonly interfaces: readonly InterfaceRecord[];
  readonly primary?: InterfaceRecord;
  readonly privateIp?: string;
  readonly publicIp?: string;
}

const NOWHERE: Place = { isThere: false, interfaces: [] };

function placeOf(world: World, row: InstanceRecord): Place {
  if (row.state === "terminated") return NOWHERE;
  const interfaces = interfacesOf(world, row);
  const primary = interfaces.find((each) => each.attachment?.deviceIndex === 0);
  return {
    isThere: true,
    interfaces,
    primary,
    privateIp: primary?.privateIps[0],
    publicIp: primary === undefined ? undefined : publicIpOf(world, primary),
  };
}

export function interfacesOf(world: World, row: InstanceRecord): InterfaceRecord[] {
  return row.interfaceIds
    .flatMap((id) => world.interfaces.get(id) ?? [])
    .filter((each) => each.attachment?.instanceId === row.id);
}

/** Empty in RunInstances' answer and until the instance runs, and again once it is terminated. */
function blockDeviceList(world: World, row: InstanceRecord): InstanceBlockDeviceMapping[] {
  if (row.state === "pending" || row.state === "terminated") return [];
  return attachedDevices(world, row);
}

export function attachedDevices(world: World, row: InstanceRecord): InstanceBlockDeviceMapping[] {
  return row.volumeIds.flatMap((id) => {
    const attachment = world.volumes.get(id)?.attachment;
    if (attachment?.instanceId !== row.id) return [];
    return {
      DeviceName: attachment.device,
      Ebs: {
        AttachTime: new Date(attachment.attachedAt),
        DeleteOnTermination: attachment.deleteOnTermination,
        Status: attachment.state,
        VolumeId: id,
      },
    };
  });
}

export function metadataView(row: InstanceRecord): InstanceMetadataOptionsResponse {
  const { metadata } = row;
  return {
    State: "applied",
    HttpTokens: metadata.httpTokens as "optional" | "required",
    HttpEndpoint: metadata.httpEndpoint as "enabled" | "disabled",
    HttpPutResponseHopLimit: metadata.httpPutResponseHopLimit,
    HttpProtocolIpv6: metadata.httpProtocolIpv6 as "enabled" | "disabled",
    InstanceMetadataTags: metadata.instanceMetadataTags as "enabled" | "disabled",
  };
}

function cpuOptions(instanceType: string) {
  const facts = instanceTypes.get(instanceType);
  const vcpus = facts?.vcpus ?? 1;
  const hasThreads = facts?.isNitro === true && !facts.architectures.includes("arm64");
  return hasThreads && vcpus > 1
    ? { CoreCount: vcpus / 2, ThreadsPerCore: 2 }
    : { CoreCount: vcpus, ThreadsPerCore: 1 };
}
