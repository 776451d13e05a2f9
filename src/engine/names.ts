/**
 * The texts other than tags that carry a managed instance's id: client tokens, names of images and
 * descriptions of snapshots. They are part of a resource from the start and cannot be changed.
 */
import type { Provenance } from "./model";

export const clientToken = (id: string, generation: number, attempt: number) =>
  `${id}:${generation}:${attempt}`;

/** Whose launch a client token names, and which; undefined for a token that is not of our making. */
export function ownerOfClientToken(token: string) {
  const match = /^(pmi-[0-9a-f]+):(\d+):(\d+)$/.exec(token);
  if (match?.[1] === undefined) return undefined;
  return { id: match[1], generation: Number(match[2]), attempt: Number(match[3]) };
}

/** The generation and attempt of a client token of this managed instance, or undefined. */
export function parseClientToken(id: string, token: string) {
  const owned = ownerOfClientToken(token);
  return owned?.id === id ? { generation: owned.generation, attempt: owned.attempt } : undefined;
}

/** Filters that find snapshots and images: tags may be indexed minutes later (ec2-facts §9). */
export const snapshotDescriptions = (id: string) => `${id} *`;
export const imageNames = (id: string) => `${id}/*`;

export const snapshotDescription = (
  id: string,
  { lineage, generation }: Pick<Provenance, "lineage" | "generation">,
  purpose: string,
) => `${id} lineage ${lineage} generation ${generation} ${purpose}`;

/** Names are unique per account and Region; the snapshot's id in them makes a repeat find itself. */
export const imageName = (id: string, snapshotId: string, failures: number) =>
  failures === 0 ? `${id}/${snapshotId}` : `${id}/${snapshotId}/${failures}`;
