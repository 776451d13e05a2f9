/**
 * Whose an instance, a snapshot or an image is, for events that name nothing but EC2's ids: one
 * filtered describe for all of a kind. What is not ours, or not shown yet, is absent from the answer
 * and no error, because events are hints and most of an account's are about other things.
 */
import type * as sdk from "@aws-sdk/client-ec2";
import { inBatches } from "../engine/batches";
import { ownerOfClientToken } from "../engine/names";
import { tagKeys } from "../engine/tags";
import { allInstances, allPages, type Ec2 } from "./client";
import { ownImages } from "./own-images";
import { tagsOf } from "./shapes";

export interface NamedResources {
  instanceIds: readonly string[];
  snapshotIds: readonly string[];
  imageIds: readonly string[];
}

export interface Owner {
  /** The managed instance's. */
  id: string;
  /** A periodic snapshot: nobody waits for its end. */
  isPeriodic: boolean;
}

/** Of each resource that is ours, by the resource's id. */
export type Owners = ReadonlyMap<string, Owner>;

/** A filter takes so many values (ec2-facts §9). */
const valuesPerFilter = 200;

export async function ownersOf(ec2: Ec2, named: NamedResources): Promise<Owners> {
  const found = await Promise.all([
    ...batchesOf(named.instanceIds).map((ids) => ownersOfInstances(ec2, ids)),
    ...batchesOf(named.snapshotIds).map((ids) => ownersOfSnapshots(ec2, ids)),
    ...batchesOf(named.imageIds).map((ids) => ownersOfImages(ec2, ids)),
  ]);
  return new Map(found.flat());
}

type Owned = readonly [resourceId: string, owner: Owner];

/** Each value once, as many in a batch as one filter takes. */
export const batchesOf = (values: readonly string[]) =>
  inBatches([...new Set(values)], valuesPerFilter);

/** By client token, which a terminated instance keeps when it loses its tags (ec2-facts §9). */
async function ownersOfInstances(ec2: Ec2, ids: string[]): Promise<Owned[]> {
  const Filters = [
    { Name: "instance-id", Values: ids },
    { Name: "client-token", Values: ["pmi-*"] },
  ];
  const instances = await allInstances(ec2, Filters);
  return instances.flatMap(({ ClientToken = "", InstanceId = "" }): Owned[] => {
    const owner = ownerOfClientToken(ClientToken);
    return owner === undefined ? [] : [[InstanceId, { id: owner.id, isPeriodic: false }]];
  });
}

async function ownersOfSnapshots(ec2: Ec2, ids: string[]): Promise<Owned[]> {
  const input = { OwnerIds: ["self"], Filters: tagged("snapshot-id", ids) };
  const snapshots = await allPages(ec2, "DescribeSnapshots", input, (page) => page.Snapshots);
  return snapshots.flatMap(({ SnapshotId = "", Tags }) => ownerByTag(SnapshotId, Tags));
}

async function ownersOfImages(ec2: Ec2, ids: string[]): Promise<Owned[]> {
  const input = ownImages(tagged("image-id", ids));
  const images = await allPages(ec2, "DescribeImages", input, (page) => page.Images);
  return images.flatMap(({ ImageId = "", Tags }) => ownerByTag(ImageId, Tags));
}

const tagged = (name: string, ids: string[]): sdk.Filter[] => [
  { Name: name, Values: ids },
  { Name: "tag-key", Values: [tagKeys.id] },
];

function ownerByTag(resourceId: string, list: sdk.Tag[] | undefined): Owned[] {
  const tags = tagsOf(list);
  const id = tags[tagKeys.id];
  const isPeriodic = tags[tagKeys.operation]?.startsWith("periodic:") === true;
  return id === undefined ? [] : [[resourceId, { id, isPeriodic }]];
}
