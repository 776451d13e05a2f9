/** How an instance looks in answers. Disks, interfaces and place vanish once it is terminated. */
import type {
  _InstanceType,
  ArchitectureValues,
  BootModeValues,
  Instance,
  InstanceBlockDeviceMapping,
  InstanceMetadataOptionsResponse,
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
import type { InstanceRecord, InstanceState, InterfaceRecord } from "./records";
import { tagList } from "./tag-sets";
import type { World } from "./world";

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

export function instanceView(world: World, row: InstanceRecord | undefined): Instance {
  if (row === undefined) return {};
  return {
    ...identityView(world, row),
    ...placeView(world, row),
    AmiLaunchIndex: row.launchIndex,
    Architecture: row.architecture as ArchitectureValues,
    BlockDeviceMappings: blockDeviceList(world, row),
    BootMode: row.bootMode as BootModeValues | undefined,
    CapacityReservationSpecification: { CapacityReservationPreference: "open" },
    CpuOptions: cpuOptions(row.instanceType),
    CurrentInstanceBootMode: row.bootMode === undefined ? "legacy-bios" : "uefi",
    EbsOptimized: row.ebsOptimized,
    EnaSupport: row.enaSupport,
    EnclaveOptions: { Enabled: false },
    HibernationOptions: { Configured: false },
    Hypervisor: "xen",
    MaintenanceOptions: {
      AutoRecovery: row.maintenanceAutoRecovery as "default" | "disabled",
      RebootMigration: "default",
    },
    MetadataOptions: metadataView(row),
    Monitoring: { State: row.monitoring ? "enabled" : "disabled" },
    // The model says Windows, EC2 says windows.
    Platform: row.platform.name as PlatformValues | undefined,
    PlatformDetails: row.platform.details,
    ProductCodes: [],
    RootDeviceName: row.rootDeviceName,
    RootDeviceType: "ebs",
    SriovNetSupport: row.sriovNetSupport,
    UsageOperation: row.platform.usageOperation,
    UsageOperationUpdateTime: new Date(row.createdAt),
    VirtualizationType: "hvm",
  };
}

function identityView(world: World, row: InstanceRecord): Instance {
  return {
    ClientToken: row.clientToken ?? "",
    IamInstanceProfile:
      row.profile === undefined ? undefined : { Arn: row.profile.arn, Id: row.profile.id },
    ImageId: row.imageId,
    InstanceId: row.id,
    InstanceLifecycle: row.isSpot ? "spot" : undefined,
    InstanceType: row.instanceType as _InstanceType,
    KeyName: row.keyName,
    LaunchTime: new Date(row.launchedAt),
    Placement: {
      AvailabilityZone: row.zone,
      AvailabilityZoneId: world.zones.find((zone) => zone.name === row.zone)?.id,
      GroupName: "",
      Tenancy: row.tenancy as Tenancy,
    },
    SpotInstanceRequestId: row.spotRequestId,
    State: stateView(row.state),
    StateReason:
      row.stateReason === undefined
        ? undefined
        : { Code: row.stateReason.code, Message: row.stateReason.message },
    StateTransitionReason: row.stateTransitionReason,
    Tags: tagList(row.tags),
  };
}

function placeView(world: World, row: InstanceRecord): Instance {
  if (row.state === "terminated")
    return { NetworkInterfaces: [], SecurityGroups: [], PrivateDnsName: "", PublicDnsName: "" };
  const interfaces = interfacesOf(world, row);
  const primary = interfaces.find((each) => each.attachment?.deviceIndex === 0);
  const ip = primary?.privateIps[0];
  const publicIp = primary === undefined ? undefined : publicIpOf(world, primary);
  return {
    NetworkInterfaces: interfaces.map((each) => instanceInterfaceView(world, each)),
    PrivateDnsName: privateDnsName(world, ip),
    PrivateDnsNameOptions: {
      HostnameType: "ip-name",
      EnableResourceNameDnsARecord: false,
      EnableResourceNameDnsAAAARecord: false,
    },
    PrivateIpAddress: ip,
    PublicDnsName: publicDnsName(world, publicIp),
    PublicIpAddress: publicIp,
    SecurityGroups: groupList(world, primary?.groupIds ?? []),
    SourceDestCheck: primary?.sourceDestCheck ?? row.sourceDestCheck,
    SubnetId: row.subnetId,
    VpcId: row.vpcId,
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
