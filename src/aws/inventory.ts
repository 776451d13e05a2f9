/**
 * Everything in the Region that is kept until some instant, found by tags alone: what `destroy`
 * lists and what the sweep goes through. Only what is ours in its own attributes too.
 */
import type { Held, RetainedAnchor } from "../engine/retention";
import {
  hasEnded,
  isOurAnchor,
  isOurImage,
  isOurSnapshot,
  isOurVolume,
  tagKeys,
} from "../engine/tags";
import { allPages, type Ec2 } from "./client";
import { ownImages } from "./own-images";
import { imageOf, snapshotOf, tagsOf, volumeOf } from "./shapes";

export type Retained = Held | RetainedAnchor;

export interface Inventory {
  retained(): Promise<Retained[]>;
}

export function createInventory(ec2: Ec2): Inventory {
  const Filters = [{ Name: "tag-key", Values: [tagKeys.deleteAfter] }];
  return {
    async retained() {
      const [images, snapshots, volumes, anchors] = await Promise.all([
        allPages(ec2, "DescribeImages", ownImages(Filters), (page) => page.Images),
        allPages(
          ec2,
          "DescribeSnapshots",
          { OwnerIds: ["self"], Filters },
          (page) => page.Snapshots,
        ),
        allPages(ec2, "DescribeVolumes", { Filters }, (page) => page.Volumes),
        allPages(ec2, "DescribeNetworkInterfaces", { Filters }, (page) => page.NetworkInterfaces),
      ]);
      return [
        ...images.flatMap(imageOf).filter(isOurImage).map(asImage),
        ...snapshots.flatMap(snapshotOf).filter(isOurSnapshot).map(asSnapshot),
        ...volumes.flatMap(volumeOf).filter(isOurVolume).map(asVolume),
        ...anchors.flatMap((anchor) =>
          asAnchor(anchor.NetworkInterfaceId ?? "", anchor.Status ?? "", tagsOf(anchor.TagSet)),
        ),
      ];
    },
  };
}

const asImage = (resource: Extract<Held, { kind: "image" }>["resource"]): Held => ({
  kind: "image",
  id: resource.imageId,
  resource,
});

const asSnapshot = (resource: Extract<Held, { kind: "snapshot" }>["resource"]): Held => ({
  kind: "snapshot",
  id: resource.snapshotId,
  resource,
});

const asVolume = (resource: Extract<Held, { kind: "volume" }>["resource"]): Held => ({
  kind: "volume",
  id: resource.volumeId,
  resource,
});

/**
 * Only of a managed instance that was deallocated: a living one's anchor is never swept. The instant of
 * its end stays on it, whatever a process that stood still meanwhile wrote over its phase.
 */
function asAnchor(id: string, status: string, tags: Record<string, string>): RetainedAnchor[] {
  const instant = (key: string) => (tags[key] === undefined ? undefined : Date.parse(tags[key]));
  if (!hasEnded(tags) || !isOurAnchor(id, tags)) return [];
  const condemnedAt = instant(tagKeys.condemned);
  const deleteAfterAt = instant(tagKeys.deleteAfter);
  return [{ kind: "anchor", id, resource: { status, condemnedAt, deleteAfterAt } }];
}
