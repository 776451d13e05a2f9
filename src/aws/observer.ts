/**
 * Looks at everything that belongs to one managed instance: filtered, paginated describes in
 * parallel, never a call per resource. Ids that we know of are asked for again when a tag index
 * does not show them, because it may lag (ec2-facts §9).
 */
import type * as sdk from "@aws-sdk/client-ec2";
import type {
  Anchor,
  BaseImage,
  CloudFacts,
  Instance,
  SpotMarketFacts,
  Watch,
} from "../engine/model";
import { imageNames, snapshotDescriptions } from "../engine/names";
import { CloudError, type CloudQuery } from "../engine/ports";
import { isOurAnchor, isOurVolume, tagKeys } from "../engine/tags";
import { allInstances, allPages, type Ec2 } from "./client";
import { ownImages } from "./own-images";
import {
  anchorOf,
  baseImageOf,
  healthOf,
  imageOf,
  instanceOf,
  snapshotOf,
  tagsOf,
  volumeOf,
} from "./shapes";

const filter = (name: string, ...values: string[]): sdk.Filter => ({ Name: name, Values: values });
const baseImageFreshMs = 60_000;
/** EC2 publishes no number (ec2-facts §9); an hour is far beyond the minutes that are usual. */
const longestTagLagMs = 3_600_000;

/** Facts that do not change, or not soon, are kept between looks. */
interface Kept {
  zones: Map<string, string>;
  baseImages: Map<string, { fact: BaseImage; at: number }>;
}

export interface Observer {
  observe(query: CloudQuery): Promise<CloudFacts>;
  glance(watch: Watch): Promise<string | undefined>;
}

export function createObserver(ec2: Ec2, now: () => number): Observer {
  const kept: Kept = { zones: new Map(), baseImages: new Map() };
  return {
    async observe(query) {
      const ours = [filter(`tag:${tagKeys.id}`, query.id)];
      const [anchors, instances, tagged, snapshots, images, baseImage, spotMarket] =
        await Promise.all([
          findAnchors(ec2, query, ours),
          findInstances(ec2, query),
          allVolumes(ec2, ours),
          findSnapshots(ec2, query.id),
          findImages(ec2, query.id),
          findBaseImage(ec2, query.imageId, kept, now),
          findSpotMarket(ec2, query, kept, now),
        ]);
      const roots = instances.flatMap(({ rootVolumeId, state }) =>
        rootVolumeId === undefined || state === "terminated" ? [] : rootVolumeId,
      );
      const volumes = await withDisks(ec2, query.id, tagged, {
        roots: query.rootVolumeId === undefined ? roots : [...roots, query.rootVolumeId],
        sources: recentSources(snapshots, now()),
      });
      return {
        anchors,
        instances,
        volumes: volumes.flatMap(volumeOf),
        unclaimedRoot: unclaimedAmong(volumes, roots),
        snapshots: snapshots.flatMap(snapshotOf),
        images: images.flatMap(imageOf),
        baseImage,
        zones: await findZones(ec2, query.subnetIds, kept),
        spotMarket,
      };
    },
    glance: (watch) => glance(ec2, watch),
  };
}

async function findAnchors(ec2: Ec2, query: CloudQuery, ours: sdk.Filter[]): Promise<Anchor[]> {
  const find = (Filters: sdk.Filter[]) =>
    allPages(ec2, "DescribeNetworkInterfaces", { Filters }, (page) => page.NetworkInterfaces);
  const found = await find(ours);
  const { interfaceId } = query;
  const isMissed =
    interfaceId !== undefined && !found.some((each) => each.NetworkInterfaceId === interfaceId);
  if (isMissed) found.push(...(await find([filter("network-interface-id", interfaceId)])));
  return found
    .map(anchorOf)
    .filter(({ tags }) => tags[tagKeys.id] === query.id)
    .filter(({ interfaceId, tags }) => isOurAnchor(interfaceId, tags));
}

/** By client token, which a terminated instance keeps when it loses its tags (ec2-facts §9). */
async function findInstances(ec2: Ec2, query: CloudQuery): Promise<Instance[]> {
  const find = (...Filters: sdk.Filter[]) => allInstances(ec2, Filters);
  const found = await find(filter("client-token", `${query.id}:*`));
  const { instanceId } = query;
  const isMissed =
    instanceId !== undefined && !found.some((each) => each.InstanceId === instanceId);
  if (isMissed) found.push(...(await find(filter("instance-id", instanceId))));
  return Promise.all(found.map((each) => withHealth(ec2, each)));
}

async function withHealth(ec2: Ec2, instance: sdk.Instance): Promise<Instance> {
  if (instance.State?.Name !== "running" || instance.InstanceId === undefined)
    return instanceOf(instance, {});
  const [status, spotStatusCode] = await Promise.all([
    statusOf(ec2, instance.InstanceId),
    spotStatusOf(ec2, instance.SpotInstanceRequestId),
  ]);
  return instanceOf(instance, { status, spotStatusCode });
}

async function statusOf(ec2: Ec2, instanceId: string): Promise<sdk.InstanceStatus | undefined> {
  try {
    const { InstanceStatuses } = await ec2.call("DescribeInstanceStatus", {
      InstanceIds: [instanceId],
      IncludeAllInstances: true,
    });
    return InstanceStatuses?.[0];
  } catch (error) {
    if (error instanceof CloudError && error.meaning === "not-found") return undefined;
    throw error;
  }
}

/** The one place where EC2 tells of an interruption to those who ask (ec2-facts §1.4). */
async function spotStatusOf(ec2: Ec2, requestId: string | undefined): Promise<string | undefined> {
  if (requestId === undefined) return undefined;
  const { SpotInstanceRequests } = await ec2.call("DescribeSpotInstanceRequests", {
    Filters: [filter("spot-instance-request-id", requestId)],
  });
  return SpotInstanceRequests?.[0]?.Status?.Code;
}

const allVolumes = (ec2: Ec2, Filters: sdk.Filter[]) =>
  allPages(ec2, "DescribeVolumes", { Filters }, (page) => page.Volumes);

/** A snapshot tells of a disk that the tag index may not show yet; what is older the index shows. */
const recentSources = (snapshots: readonly sdk.Snapshot[], now: number) =>
  snapshots.flatMap(({ StartTime, VolumeId }) =>
    VolumeId !== undefined && now - (StartTime?.getTime() ?? 0) < longestTagLagMs ? VolumeId : [],
  );

/**
 * Disks that no tag shows are asked for by id. One that another managed instance's tags are on is none
 * of ours, and one without any only as a root disk: a person may have taken it out of our hands.
 */
async function withDisks(
  ec2: Ec2,
  id: string,
  found: sdk.Volume[],
  { roots, sources }: { roots: readonly string[]; sources: readonly string[] },
): Promise<sdk.Volume[]> {
  const asked = [...new Set([...roots, ...sources])];
  const missed = asked.filter((each) => !found.some(({ VolumeId }) => VolumeId === each));
  if (missed.length === 0) return found;
  const others = await allVolumes(ec2, [filter("volume-id", ...missed)]);
  const isOurs = ({ Tags, VolumeId = "" }: sdk.Volume) => {
    const owner = tagsOf(Tags)[tagKeys.id];
    return owner === id || (owner === undefined && roots.includes(VolumeId));
  };
  return [...found, ...others.filter(isOurs)];
}

function unclaimedAmong(volumes: readonly sdk.Volume[], roots: readonly string[]) {
  const found = volumes.find(
    (each) =>
      roots.includes(each.VolumeId ?? "") &&
      each.State === "in-use" &&
      !volumeOf(each).some(isOurVolume),
  );
  if (found?.VolumeId === undefined) return undefined;
  return { volumeId: found.VolumeId, wearsId: tagsOf(found.Tags)[tagKeys.id] !== undefined };
}

async function findSnapshots(ec2: Ec2, id: string): Promise<sdk.Snapshot[]> {
  const Filters = [filter("description", snapshotDescriptions(id))];
  const found = await allPages(
    ec2,
    "DescribeSnapshots",
    { OwnerIds: ["self"], Filters },
    (page) => page.Snapshots,
  );
  return found.filter(({ Tags }) => tagsOf(Tags)[tagKeys.id] === id);
}

async function findImages(ec2: Ec2, id: string): Promise<sdk.Image[]> {
  const Filters = [filter("name", imageNames(id))];
  const found = await allPages(ec2, "DescribeImages", ownImages(Filters), (page) => page.Images);
  return found.filter(({ Tags }) => tagsOf(Tags)[tagKeys.id] === id);
}

async function findBaseImage(ec2: Ec2, imageId: string, kept: Kept, now: () => number) {
  const known = kept.baseImages.get(imageId);
  const isUsable = known?.fact.kind === "present" && known.fact.state === "available";
  if (isUsable && now() - known.at < baseImageFreshMs) return known.fact;
  const fact = baseImageOf(imageId, await describeImage(ec2, imageId));
  kept.baseImages.set(imageId, { fact, at: now() });
  return fact;
}

async function describeImage(ec2: Ec2, imageId: string): Promise<sdk.Image | undefined> {
  try {
    const { Images } = await ec2.call("DescribeImages", {
      ImageIds: [imageId],
      IncludeDisabled: true,
    });
    return Images?.[0];
  } catch (error) {
    if (error instanceof CloudError && error.meaning === "not-found") return undefined;
    throw error;
  }
}

async function findZones(ec2: Ec2, subnetIds: readonly string[], { zones }: Kept) {
  if (!subnetIds.every((id) => zones.has(id))) {
    const input = { Filters: [filter("subnet-id", ...subnetIds)] };
    const found = await allPages(ec2, "DescribeSubnets", input, (page) => page.Subnets);
    for (const subnet of found) zones.set(subnet.SubnetId ?? "", subnet.AvailabilityZone ?? "");
  }
  return Object.fromEntries(zones);
}

const noMarket: SpotMarketFacts = { usdPerHour: {}, zoneScores: {} };

/** Prices and scores only order the pools: without them the user's order holds. */
async function findSpotMarket(
  ec2: Ec2,
  query: CloudQuery,
  kept: Kept,
  now: () => number,
): Promise<SpotMarketFacts> {
  if (!query.wantsSpotMarket) return noMarket;
  const zones = await findZones(ec2, query.subnetIds, kept);
  const [usdPerHour, zoneScores] = await Promise.all([
    pricesOf(ec2, query, Object.values(zones), now()).catch(ignoreRefusal),
    scoresOf(ec2, query).catch(ignoreRefusal),
  ]);
  return { usdPerHour, zoneScores };
}

function ignoreRefusal(error: unknown): Record<string, number> {
  if (error instanceof CloudError) return {};
  throw error;
}

async function pricesOf(ec2: Ec2, query: CloudQuery, zones: string[], now: number) {
  const input = {
    InstanceTypes: [...query.instanceTypes] as sdk._InstanceType[],
    ProductDescriptions: ["Linux/UNIX"],
    Filters: [filter("availability-zone", ...zones)],
    StartTime: new Date(now),
  };
  const history = await allPages(ec2, "DescribeSpotPriceHistory", input, (p) => p.SpotPriceHistory);
  return Object.fromEntries(
    history.map((each) => [
      `${each.InstanceType} ${each.AvailabilityZone}`,
      Number(each.SpotPrice),
    ]),
  );
}

/** Scores name zones by id; fewer than three types are not worth a score (ec2-facts §1.6). */
async function scoresOf(ec2: Ec2, query: CloudQuery): Promise<Record<string, number>> {
  if (query.instanceTypes.length < 3) return {};
  const { SpotPlacementScores } = await ec2.call("GetSpotPlacementScores", {
    InstanceTypes: [...query.instanceTypes],
    TargetCapacity: 1,
    SingleAvailabilityZone: true,
  });
  const { Subnets } = await ec2.call("DescribeSubnets", {
    Filters: [filter("subnet-id", ...query.subnetIds)],
  });
  const names = new Map(
    (Subnets ?? []).map((each) => [each.AvailabilityZoneId, each.AvailabilityZone ?? ""]),
  );
  return Object.fromEntries(
    (SpotPlacementScores ?? []).map((each) => [
      names.get(each.AvailabilityZoneId) ?? "",
      each.Score ?? 0,
    ]),
  );
}

async function glance(ec2: Ec2, watch: Watch): Promise<string | undefined> {
  switch (watch.kind) {
    case "time":
      return undefined;
    case "instance":
      return glanceAtInstance(ec2, watch.instanceId, watch.until);
    case "volume": {
      const Filters = [filter("volume-id", watch.volumeId)];
      return (await ec2.call("DescribeVolumes", { Filters })).Volumes?.[0]?.State;
    }
    case "snapshot": {
      const Filters = [filter("snapshot-id", watch.snapshotId)];
      return (await ec2.call("DescribeSnapshots", { Filters })).Snapshots?.[0]?.State;
    }
    case "image": {
      const Filters = [filter("image-id", watch.imageId)];
      return (await ec2.call("DescribeImages", ownImages(Filters))).Images?.[0]?.State;
    }
    case "anchor": {
      const Filters = [filter("network-interface-id", watch.interfaceId)];
      const { NetworkInterfaces } = await ec2.call("DescribeNetworkInterfaces", { Filters });
      return NetworkInterfaces?.[0]?.Status;
    }
  }
}

async function glanceAtInstance(ec2: Ec2, instanceId: string, until: string) {
  if (until === "health-change") {
    const status = await statusOf(ec2, instanceId);
    if (status?.InstanceState?.Name !== "running") return status?.InstanceState?.Name;
    return healthOf(status).kind;
  }
  const { Reservations } = await ec2.call("DescribeInstances", {
    Filters: [filter("instance-id", instanceId)],
  });
  return Reservations?.[0]?.Instances?.[0]?.State?.Name;
}
