/**
 * What a bystander knows, without asking the engine: which instance had which disk with which
 * bytes, what was made by whom, what was deleted by us. The invariants are judged by it.
 */
import type { RowSet, Rows, Simulator } from "../../src/simulator";

type RowOf<Name extends keyof Rows> = ReturnType<Rows[Name]> extends Iterable<infer R> ? R : never;
export type VolumeRow = RowOf<"volumes">;
export type SnapshotRow = RowOf<"snapshots">;

/** One instance of a managed instance, from its launch on. */
export interface Life {
  instanceId: string;
  owner: string;
  lineage: number;
  baseImageId: string;
  imageId: string;
  volumeId: string;
  /** The paths on its root disk that guests have written, by itself or before it. */
  files: Set<string>;
  /** Its operating system was seen up, whatever has become of it since. */
  hasBooted: boolean;
  launchedAt: number;
  privateIp: string;
  /** The next one has to have the same, where the program says so. */
  promisesAddress: boolean;
}

export interface Witness {
  rows(): Rows;
  now(): number;
  bootToOkMs: number;
  lives: Life[];
  /** Everything that came to be by our calls, and everything that others made. */
  madeByUs: Set<string>;
  foreign: Set<string>;
  deletedByUs: Set<string>;
  /** Volumes of which a snapshot failed or was still pending when it was deleted. */
  unfinished: Set<string>;
}

export function createWitness(simulator: Simulator): Witness {
  return {
    rows: () => simulator.control.rows(),
    now: () => simulator.clock.now(),
    bootToOkMs: simulator.latencies.bootToStatusOk * 1000,
    lives: [],
    madeByUs: new Set(),
    foreign: new Set(),
    deletedByUs: new Set(),
    unfinished: new Set(),
  };
}

export const allIds = (rows: Rows): string[] =>
  [rows.instances(), rows.volumes(), rows.snapshots(), rows.images(), rows.interfaces()].flatMap(
    (each) => [...each].map(({ id }) => id),
  );

export const find = <R>(rows: RowSet<R>, id: string | undefined): R | undefined =>
  id === undefined ? undefined : rows.get(id);

/** Guests only ever add files, so of two disks of one lineage the newer holds the older's paths. */
export function guestFiles(files: ReadonlyMap<string, string>): Set<string> {
  const paths = new Set<string>();
  for (const path of files.keys()) if (path.startsWith("/srv/")) paths.add(path);
  return paths;
}

/** Notices an instance that came to be, as EC2 has it. */
export function noticeLaunches({ lives, now, rows }: Witness): Life[] {
  const known = new Set(lives.map((life) => life.instanceId));
  const fresh: Life[] = [];
  for (const instance of rows().instances()) {
    const [owner, generation] = (instance.clientToken ?? "").split(":");
    if (known.has(instance.id) || owner === undefined || generation === undefined) continue;
    const volume = find(rows().volumes(), instance.volumeIds[0]);
    if (!owner.startsWith("pmi-") || volume === undefined) continue;
    fresh.push({
      instanceId: instance.id,
      owner,
      lineage: Number(volume.tags.get("pmi:lineage")),
      baseImageId: volume.tags.get("pmi:base-image") ?? "",
      imageId: instance.imageId,
      volumeId: volume.id,
      files: guestFiles(volume.disk.files),
      hasBooted: false,
      launchedAt: now(),
      privateIp: find(rows().interfaces(), instance.interfaceIds[0])?.privateIps[0] ?? "",
      promisesAddress: true,
    });
  }
  lives.push(...fresh);
  return fresh;
}

/** Noticed while it is up: an instance that has ended does not tell it any more. */
export function noticeBoots({ lives, rows }: Witness): void {
  const waiting = lives.filter(({ hasBooted }) => !hasBooted);
  if (waiting.length === 0) return;
  const up = new Set<string>();
  for (const { id, osUpSince } of rows().instances()) if (osUpSince !== undefined) up.add(id);
  for (const life of waiting) life.hasBooted = up.has(life.instanceId);
}

/** The volume outlived its instance: it is there, or we deleted it. */
export function wasKept({ deletedByUs, rows }: Witness, { volumeId }: Life): boolean {
  if (deletedByUs.has(volumeId)) return true;
  const volume = find(rows().volumes(), volumeId);
  if (volume === undefined || volume.state === "deleting") return false;
  return volume.attachment?.deleteOnTermination !== true;
}

export type Doomed = VolumeRow | SnapshotRow;

/** What a call is to delete, as it is before. */
export function doomedBy({ rows }: Witness, action: string, input: object): Doomed | undefined {
  const { SnapshotId, VolumeId } = input as Record<string, string | undefined>;
  if (action === "DeleteSnapshot") return find(rows().snapshots(), SnapshotId);
  return action === "DeleteVolume" ? find(rows().volumes(), VolumeId) : undefined;
}

/** Once the call was carried out. */
export function noteDeleted({ deletedByUs, unfinished }: Witness, doomed: Doomed): void {
  deletedByUs.add(doomed.id);
  if ("volumeId" in doomed && doomed.state !== "completed") unfinished.add(doomed.volumeId);
}
