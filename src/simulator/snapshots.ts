/** Creating, deleting and listing snapshots. */

import {
  CopyTagsFromSource,
  type CreateSnapshotRequest,
  type CreateSnapshotsRequest,
  type CreateSnapshotsResult,
  type DeleteSnapshotRequest,
  type DescribeSnapshotsRequest,
  type DescribeSnapshotsResult,
  type Snapshot,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import { keptByRow } from "./kept-views";
import type { SnapshotRecord, VolumeRecord } from "./records";
import { find, invalidCombination, nouns, required } from "./refusals";
import { checkSnapshotLimits, freeSlot, insertSnapshot, progressOf } from "./snapshot-states";
import { tagList, tagsFor, withTags } from "./tag-sets";
import type { World } from "./world";

const listing: Listing<SnapshotRecord> = {
  table: (world) => world.snapshots,
  noun: nouns.snapshot,
  pageSize: [5, 1000],
  isVisible: (row, world) => row.isPublic || row.ownerId === world.account,
  filters: {
    "snapshot-id": (row) => row.id,
    "volume-id": (row) => row.volumeId,
    "volume-size": (row) => row.sizeGib,
    "owner-id": (row) => row.ownerId,
    "owner-alias": (row) => row.ownerAlias,
    description: (row) => row.description,
    encrypted: (row) => row.encrypted,
    progress: (row, world) => progressOf(world, row),
    "start-time": (row) => new Date(row.createdAt).toISOString(),
    status: (row) => row.state,
    "storage-tier": () => "standard",
  },
  indexedFilter: "description",
};

const snapshotView = keptByRow(writeSnapshot, ({ state }) => state === "completed");

function writeSnapshot(world: World, row: SnapshotRecord): Snapshot {
  return {
    CompletionTime:
      row.state === "completed" && row.completesAt !== undefined
        ? new Date(row.completesAt)
        : undefined,
    Description: row.description,
    Encrypted: row.encrypted,
    FullSnapshotSizeInBytes: row.state === "completed" ? row.fullBytes : undefined,
    KmsKeyId: row.kmsKeyId,
    OwnerAlias: row.ownerAlias,
    OwnerId: row.ownerId,
    Progress: progressOf(world, row),
    SnapshotId: row.id,
    StartTime: new Date(row.createdAt),
    State: row.state,
    StateMessage: row.stateMessage,
    StorageTier: "standard",
    Tags: tagList(row.tags),
    VolumeId: row.volumeId,
    VolumeSize: row.sizeGib,
  };
}

function createSnapshot(world: World, input: CreateSnapshotRequest): Snapshot {
  const volume = find(world.volumes, nouns.volume, required(input.VolumeId, "VolumeId"));
  const tags = tagsFor(input.TagSpecifications, "snapshot");
  if (volume.state !== "available" && volume.state !== "in-use")
    throw new Ec2Error("IncorrectState", `The volume '${volume.id}' is '${volume.state}'`);
  checkSnapshotLimits(world, volume);
  return createdView(
    world,
    insertSnapshot(world, volume, { description: input.Description, tags }),
  );
}

/** The answer to the call itself says less than a describe does. */
function createdView(world: World, row: SnapshotRecord): Snapshot {
  return { ...snapshotView(world, row), Progress: "", StorageTier: undefined };
}

function createSnapshots(world: World, input: CreateSnapshotsRequest): CreateSnapshotsResult {
  const specification = required(input.InstanceSpecification, "InstanceSpecification");
  const id = required(specification.InstanceId, "InstanceSpecification.InstanceId");
  const instance = find(world.instances, nouns.instance, id);
  const excluded = new Set(specification.ExcludeDataVolumeIds ?? []);
  const volumes = instance.volumeIds
    .flatMap((each) => world.volumes.get(each) ?? [])
    .filter((volume) => volume.attachment?.instanceId === id && !excluded.has(volume.id))
    .filter(
      (volume) =>
        specification.ExcludeBootVolume !== true ||
        volume.attachment?.device !== instance.rootDeviceName,
    );
  // It works from the attachments, so it cannot follow a termination (ec2-facts §2).
  if (instance.state === "terminated" || volumes.length === 0)
    throw invalidCombination(`There are no volumes attached to the instance '${id}' to snapshot.`);
  for (const volume of volumes) checkSnapshotLimits(world, volume);
  const wishes = volumes.map((volume) => ({ volume, tags: copiedTags(volume, input) }));
  const snapshots = wishes.map(({ volume, tags }) =>
    insertSnapshot(world, volume, { description: input.Description, tags }),
  );
  return { Snapshots: snapshots.map((row) => snapshotInfo(world, row)) };
}

function copiedTags(volume: VolumeRecord, input: CreateSnapshotsRequest) {
  const given = tagsFor(input.TagSpecifications, "snapshot");
  return input.CopyTagsFromSource === "volume" ? withTags(volume.tags, tagList(given)) : given;
}

function snapshotInfo(world: World, row: SnapshotRecord) {
  return {
    Description: row.description,
    Encrypted: row.encrypted,
    OwnerId: row.ownerId,
    Progress: progressOf(world, row),
    SnapshotId: row.id,
    StartTime: new Date(row.createdAt),
    State: row.state,
    Tags: tagList(row.tags),
    VolumeId: row.volumeId,
    VolumeSize: row.sizeGib,
  };
}

function deleteSnapshot(world: World, input: DeleteSnapshotRequest) {
  const snapshot = find(world.snapshots, nouns.snapshot, required(input.SnapshotId, "SnapshotId"));
  if (snapshot.ownerId !== world.account)
    throw new Ec2Error("OperationNotPermitted", `You do not own the snapshot '${snapshot.id}'.`);
  const [imageId] = world.imagesBySnapshot.get(snapshot.id) ?? [];
  if (imageId !== undefined)
    throw new Ec2Error(
      "InvalidSnapshot.InUse",
      `The snapshot ${snapshot.id} is currently in use by ${imageId}`,
    );
  removeSnapshot(world, snapshot);
  return {};
}

/** A pending one keeps its volume's slot until it would have completed (ec2-facts §2). */
export function removeSnapshot(world: World, snapshot: SnapshotRecord): void {
  world.snapshots.remove(snapshot.id);
  if (snapshot.state === "error" || snapshot.completesAt === undefined) freeSlot(world, snapshot);
}

function describeSnapshots(world: World, input: DescribeSnapshotsRequest): DescribeSnapshotsResult {
  const owners = ownerMatcher(world, input.OwnerIds);
  const isRestorable = restorableMatcher(world, input.RestorableByUserIds);
  const isVisible = (row: SnapshotRecord) =>
    (row.isPublic || row.ownerId === world.account) && owners(row) && isRestorable(row);
  const page = list(world, { ...listing, isVisible }, { ...input, ids: input.SnapshotIds });
  return {
    Snapshots: page.rows.map((row) => snapshotView(world, row)),
    NextToken: page.nextToken,
  };
}

export function ownerMatcher(world: World, owners: readonly string[] | undefined) {
  if (owners === undefined || owners.length === 0) return () => true;
  const wanted = owners.map((owner) => (owner === "self" ? world.account : owner));
  return (row: { readonly ownerId: string; readonly ownerAlias?: string }) =>
    wanted.includes(row.ownerId) ||
    (row.ownerAlias !== undefined && wanted.includes(row.ownerAlias));
}

function restorableMatcher(world: World, users: readonly string[] | undefined) {
  if (users === undefined || users.length === 0) return () => true;
  const wanted = users.map((user) => (user === "self" ? world.account : user));
  return (row: SnapshotRecord) =>
    wanted.some((user) => (user === "all" ? row.isPublic : row.ownerId === user));
}

export const snapshotActions = {
  CreateSnapshot: action<CreateSnapshotRequest, Snapshot>(
    { Description: true, TagSpecifications: true, VolumeId: true },
    createSnapshot,
  ),
  CreateSnapshots: action<CreateSnapshotsRequest, CreateSnapshotsResult>(
    {
      CopyTagsFromSource: anyOf(CopyTagsFromSource),
      Description: true,
      InstanceSpecification: {
        ExcludeBootVolume: true,
        ExcludeDataVolumeIds: true,
        InstanceId: true,
      },
      TagSpecifications: true,
    },
    createSnapshots,
  ),
  DeleteSnapshot: action<DeleteSnapshotRequest, object>({ SnapshotId: true }, deleteSnapshot),
  DescribeSnapshots: action<DescribeSnapshotsRequest, DescribeSnapshotsResult>(
    {
      SnapshotIds: true,
      OwnerIds: true,
      RestorableByUserIds: true,
      Filters: true,
      MaxResults: true,
      NextToken: true,
    },
    describeSnapshots,
  ),
};
