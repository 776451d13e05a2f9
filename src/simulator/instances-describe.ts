/** Listing instances and their status checks. */
import type {
  DescribeInstanceStatusRequest,
  DescribeInstanceStatusResult,
  DescribeInstancesRequest,
  DescribeInstancesResult,
  InstanceStatus,
  Reservation,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { type FilterValues, type Listing, list } from "./describe";
import { instanceView, interfacesOf, stateCode, stateView } from "./instance-view";
import { privateDnsName, publicDnsName, publicIpOf } from "./interface-view";
import type { InstanceRecord, VolumeRecord } from "./records";
import { nouns } from "./refusals";
import { type World, zoneId } from "./world";

type InstanceFilter = FilterValues<InstanceRecord>;

/** What a terminated instance no longer shows does not match a filter either. */
function whileThere(values: InstanceFilter): InstanceFilter {
  return (row, world) => (row.state === "terminated" ? undefined : values(row, world));
}

function ofVolumes(value: (volume: VolumeRecord) => string | boolean | undefined): InstanceFilter {
  return whileThere((row, world) =>
    row.volumeIds.flatMap((id) => {
      const volume = world.volumes.get(id);
      return volume === undefined ? [] : value(volume);
    }),
  );
}

const primaryIp: InstanceFilter = whileThere((row, world) => primary(row, world)?.privateIps[0]);

function primary(row: InstanceRecord, world: World) {
  return interfacesOf(world, row).find((each) => each.attachment?.deviceIndex === 0);
}

const publicIp: InstanceFilter = whileThere((row, world) => {
  const found = primary(row, world);
  return found === undefined ? undefined : publicIpOf(world, found);
});

const groupIds: InstanceFilter = whileThere((row, world) => primary(row, world)?.groupIds ?? []);

const groupNames: InstanceFilter = whileThere((row, world) =>
  (primary(row, world)?.groupIds ?? []).map((id) => world.securityGroups.get(id)?.name),
);

const instanceFilters: Readonly<Record<string, InstanceFilter>> = {
  architecture: (row) => row.architecture,
  "availability-zone": (row) => row.zone,
  "availability-zone-id": (row, world) => zoneId(world, row.zone),
  "block-device-mapping.volume-id": ofVolumes((volume) => volume.id),
  "block-device-mapping.device-name": ofVolumes((volume) => volume.attachment?.device),
  "block-device-mapping.status": ofVolumes((volume) => volume.attachment?.state),
  "block-device-mapping.delete-on-termination": ofVolumes(
    (volume) => volume.attachment?.deleteOnTermination,
  ),
  "client-token": (row) => row.clientToken ?? "",
  "dns-name": whileThere((row, world) => {
    const found = primary(row, world);
    return found === undefined ? "" : publicDnsName(world, publicIpOf(world, found));
  }),
  hypervisor: () => "xen",
  "iam-instance-profile.arn": (row) => row.profile?.arn,
  "iam-instance-profile.id": (row) => row.profile?.id,
  "image-id": (row) => row.imageId,
  "instance-id": (row) => row.id,
  "instance-lifecycle": (row) => (row.isSpot ? "spot" : undefined),
  "instance-state-code": (row) => stateCode(row.state),
  "instance-state-name": (row) => row.state,
  "instance-type": (row) => row.instanceType,
  "instance.group-id": groupIds,
  "instance.group-name": groupNames,
  "ip-address": publicIp,
  "key-name": (row) => row.keyName,
  "launch-index": (row) => row.launchIndex,
  "launch-time": (row) => new Date(row.launchedAt).toISOString(),
  "metadata-options.http-tokens": (row) => row.metadata.httpTokens,
  "monitoring-state": (row) => (row.monitoring ? "enabled" : "disabled"),
  "network-interface.network-interface-id": whileThere((row) => row.interfaceIds),
  "network-interface.addresses.private-ip-address": whileThere((row, world) =>
    interfacesOf(world, row).flatMap((each) => each.privateIps),
  ),
  "network-interface.group-id": groupIds,
  "network-interface.subnet-id": whileThere((row) => row.subnetId),
  "network-interface.vpc-id": whileThere((row) => row.vpcId),
  "owner-id": (_, world) => world.account,
  platform: (row) => row.platform.name,
  "platform-details": (row) => row.platform.details,
  "private-dns-name": whileThere((row, world) =>
    privateDnsName(world, primary(row, world)?.privateIps[0]),
  ),
  "private-ip-address": primaryIp,
  "reservation-id": (row) => row.reservationId,
  "root-device-name": (row) => row.rootDeviceName,
  "root-device-type": () => "ebs",
  "spot-instance-request-id": (row) => row.spotRequestId,
  "state-reason-code": (row) => row.stateReason?.code,
  "state-reason-message": (row) => row.stateReason?.message,
  "subnet-id": whileThere((row) => row.subnetId),
  tenancy: (row) => row.tenancy,
  "usage-operation": (row) => row.platform.usageOperation,
  "virtualization-type": () => "hvm",
  "vpc-id": whileThere((row) => row.vpcId),
};

const listing: Listing<InstanceRecord> = {
  table: (world) => world.instances,
  noun: nouns.instance,
  pageSize: [5, 1000],
  filters: instanceFilters,
  indexedFilter: "client-token",
};

function describeInstances(world: World, input: DescribeInstancesRequest): DescribeInstancesResult {
  const page = list(world, listing, { ...input, ids: input.InstanceIds });
  const reservations = new Map<string, Reservation & { Instances: object[] }>();
  for (const row of page.rows) {
    const reservation = reservations.get(row.reservationId) ?? {
      ReservationId: row.reservationId,
      OwnerId: world.account,
      Groups: [],
      Instances: [],
    };
    reservation.Instances.push(instanceView(world, row));
    reservations.set(row.reservationId, reservation);
  }
  return { Reservations: [...reservations.values()], NextToken: page.nextToken };
}

type Check = "ok" | "impaired" | "initializing" | "not-applicable" | "insufficient-data";

/** Both checks follow the boot; a disk that does not boot fails them (ec2-facts §9). */
function checkOf(world: World, row: InstanceRecord): Check {
  if (row.state !== "running") return "not-applicable";
  if (row.impairedSince !== undefined && world.now() >= row.impairedSince) return "impaired";
  if (row.osUpSince === undefined) return "initializing";
  const isUp =
    row.impairedSince === undefined &&
    world.now() >= row.osUpSince + world.latencies.bootToStatusOk * 1000;
  return isUp ? "ok" : "initializing";
}

function statusView(world: World, row: InstanceRecord): InstanceStatus {
  const check = checkOf(world, row);
  const detail = {
    passed: "passed",
    ok: "passed",
    impaired: "failed",
    initializing: "initializing",
  } as const;
  const status =
    check === "not-applicable" || check === "insufficient-data"
      ? { Status: check }
      : {
          Status: check,
          Details: [
            {
              Name: "reachability" as const,
              Status: detail[check],
              ImpairedSince:
                check === "impaired" ? new Date(row.impairedSince ?? world.now()) : undefined,
            },
          ],
        };
  return {
    AvailabilityZone: row.zone,
    AvailabilityZoneId: zoneId(world, row.zone),
    InstanceId: row.id,
    InstanceState: stateView(row.state),
    InstanceStatus: status,
    SystemStatus: status,
    AttachedEbsStatus:
      check === "ok" || check === "impaired" ? { Status: "ok" } : { Status: check },
    Events: [],
  };
}

const statusListing: Listing<InstanceRecord> = {
  ...listing,
  filters: {
    "availability-zone": (row) => row.zone,
    "instance-state-code": (row) => stateCode(row.state),
    "instance-state-name": (row) => row.state,
    "instance-status.reachability": (row, world) => reachability(world, row),
    "instance-status.status": (row, world) => checkOf(world, row),
    "system-status.reachability": (row, world) => reachability(world, row),
    "system-status.status": (row, world) => checkOf(world, row),
  },
};

function reachability(world: World, row: InstanceRecord): string | undefined {
  const check = checkOf(world, row);
  if (check === "ok") return "passed";
  return check === "impaired" ? "failed" : check;
}

function describeInstanceStatus(
  world: World,
  input: DescribeInstanceStatusRequest,
): DescribeInstanceStatusResult {
  const isVisible = (row: InstanceRecord) =>
    input.IncludeAllInstances === true || row.state === "running";
  // An instance that is not running is left out, not missing.
  const ids = input.InstanceIds;
  const page = list(world, statusListing, { ...input, ids });
  return {
    InstanceStatuses: page.rows.filter(isVisible).map((row) => statusView(world, row)),
    NextToken: page.nextToken,
  };
}

export const describeInstanceActions = {
  DescribeInstances: action<DescribeInstancesRequest, DescribeInstancesResult>(
    { InstanceIds: true, Filters: true, MaxResults: true, NextToken: true },
    describeInstances,
  ),
  DescribeInstanceStatus: action<DescribeInstanceStatusRequest, DescribeInstanceStatusResult>(
    {
      InstanceIds: true,
      Filters: true,
      IncludeAllInstances: true,
      MaxResults: true,
      NextToken: true,
    },
    describeInstanceStatus,
  ),
};
