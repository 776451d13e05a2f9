/**
 * What must hold after every single call, whatever goes wrong (design §10): a simulation looks at
 * the simulator's own state, never at what our code believes.
 */

import type * as sdk from "@aws-sdk/client-ec2";
import type { Spec } from "../../src/engine/spec";
import type { Identity } from "./users";
import {
  type Doomed,
  find,
  guestFiles,
  type Life,
  noticeBoots,
  noticeLaunches,
  type SnapshotRow,
  type VolumeRow,
  type Witness,
  wasKept,
} from "./witness";
import { sweepAll, Violation, type World } from "./world";

interface SimulatedState {
  instances: { id: string; state: string; clientToken?: string }[];
  volumes: { id: string; state: string; tags: Record<string, string> }[];
  snapshots: { id: string; state: string; tags: Record<string, string> }[];
  images: { id: string; state: string; tags: Record<string, string> }[];
  interfaces: { id: string; state?: string; tags: Record<string, string> }[];
}

export const stateOf = (world: World) =>
  world.simulator.control.state() as unknown as SimulatedState;

const live = ["pending", "running", "shutting-down", "stopping", "stopped"];

/** (a) Of one managed instance there are never two instances that could write. */
function expectOneWriter(world: World): void {
  const writers = stateOf(world).instances.filter(
    (each) => live.includes(each.state) && /^pmi-/.test(each.clientToken ?? ""),
  );
  const owners = writers.map((each) => each.clientToken?.split(":")[0]);
  if (new Set(owners).size !== owners.length)
    throw new Violation(`two instances of one managed instance: ${JSON.stringify(writers)}`);
}

/** Watches (a) from now on: a writer comes into being by a launch or a start, and by nothing else. */
export function watchWriters(world: World): void {
  world.hooks.after.push((action) => {
    if (action === "RunInstances" || action === "StartInstances") expectOneWriter(world);
  });
}

/** (e) After retention has passed and the sweep has run, nothing of ours is left. */
export async function expectNothingLeft(world: World): Promise<void> {
  world.simulator.clock.advance(100 * 3600);
  await sweepAll(world);
  const { images, interfaces, snapshots, volumes } = stateOf(world);
  const gone = ["deregistered", "deleted", "deleting"];
  const left = [
    ...images,
    ...snapshots,
    ...volumes,
    ...interfaces.map((each) => ({ ...each, state: "" })),
  ]
    .filter((each) => each.tags["pmi:id"] !== undefined && !gone.includes(each.state))
    .map((each) => `${each.id} ${each.state}`);
  expect(left).toEqual([]);
}

/** One changing call of ours that has just ended, by a process with this specification in hand. */
export interface JudgedCall {
  action: string;
  input: object;
  spec: Spec;
  witness: Witness;
  identities: readonly Identity[];
  /** What the call was to delete, as it was before. */
  doomed?: Doomed;
  isCarriedOut: boolean;
}

/** All that must hold after each of our calls; adding an invariant adds a row. */
const invariants: Record<string, (call: JudgedCall) => string | undefined> = {
  "(a) one writer": oneWriter,
  "(b) every durable byte is there after the next launch": bytesSurvive,
  "(b) a persisted root outlives its instance": rootIsKept,
  "(b) a promised address stays": addressStays,
  "(c) the newest copy is deleted only after its successor is usable": successorFirst,
  "(d) nothing foreign is touched": foreignIsLeftAlone,
};

export function judgeCall(call: JudgedCall): void {
  noticeBoots(call.witness);
  for (const [name, invariant] of Object.entries(invariants)) {
    const complaint = invariant(call);
    if (complaint !== undefined) throw new Violation(`${name}: ${complaint}`);
  }
}

function oneWriter({ action, witness }: JudgedCall): string | undefined {
  if (action !== "RunInstances") return undefined;
  const owners = new Map<string, string>();
  for (const { clientToken = "", id, state } of witness.rows().instances()) {
    const [owner = ""] = clientToken.split(":");
    if (!live.includes(state) || !owner.startsWith("pmi-")) continue;
    const other = owners.get(owner);
    if (other !== undefined) return `${other} and ${id} both carry ${owner}`;
    owners.set(owner, id);
  }
  return undefined;
}

function bytesSurvive(call: JudgedCall): string | undefined {
  if (call.action !== "RunInstances") return undefined;
  const before = [...call.witness.lives];
  for (const life of noticeLaunches(call.witness)) {
    const complaint = lossIn(call, before, life);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function lossIn(
  { spec, witness }: JudgedCall,
  before: readonly Life[],
  life: Life,
): string | undefined {
  const earlier = before.filter(({ owner }) => owner === life.owner);
  const ofLineage = earlier.findLast(({ lineage }) => lineage === life.lineage);
  // One that was booted from another image lies between, though nobody wrote on it.
  const last = earlier.findLast((each) => each.files.size > 0 || each.hasBooted);
  const isAgain = last !== undefined && last.files.size > 0;
  if (ofLineage === undefined && isAgain && last.baseImageId === life.baseImageId) {
    const isAsked = !spec.persistRootDevice || !wasKept(witness, last);
    if (!isAsked)
      return `${life.instanceId} boots ${life.imageId} in lineage ${life.lineage} although ${last.volumeId} of lineage ${last.lineage} has state`;
  }
  if (ofLineage === undefined || !wasKept(witness, ofLineage)) return undefined;
  const missing = [...ofLineage.files].filter((path) => !life.files.has(path));
  if (missing.length === 0) return undefined;
  return gapCovers(witness, ofLineage, life)
    ? undefined
    : `${life.instanceId} (lineage ${life.lineage}, from ${life.imageId}) lacks ${missing.join(", ")} of ${ofLineage.volumeId}, and no true gap is told`;
}

const decisionAgeMs = 60_000;

/** The ledger tells since when writes are missing, truly, and there was a reason to fall back. */
function gapCovers({ now, rows, unfinished }: Witness, lost: Life, life: Life): boolean {
  const image = find(rows().images(), life.imageId);
  const snapshot = find(rows().snapshots(), image?.mappings[0]?.snapshotId);
  const anchors = [...rows().interfaces()].filter((each) => each.tags.get("pmi:id") === life.owner);
  const told = anchors.map((each) => /from=(\S+)/.exec(each.tags.get("pmi:gap") ?? "")?.[1]);
  const isTrue =
    snapshot !== undefined && told.includes(new Date(snapshot.createdAt).toISOString());
  // A decision may be a moment older than the launch, and a snapshot completed in that moment.
  const isLate = ({ completesAt = now(), state }: SnapshotRow) =>
    state !== "completed" || completesAt > now() - decisionAgeMs;
  const isForced =
    unfinished.has(lost.volumeId) ||
    [...rows().snapshots()].some((each) => each.volumeId === lost.volumeId && isLate(each));
  return isTrue && isForced;
}

function rootIsKept(call: JudgedCall): string | undefined {
  const { action, input, spec, witness } = call;
  if (!spec.persistRootDevice) return undefined;
  const deletes = ({ volumeId }: Life) =>
    find(witness.rows().volumes(), volumeId)?.attachment?.deleteOnTermination === true;
  const ended = (input as { InstanceIds?: string[] }).InstanceIds ?? [];
  if (action === "TerminateInstances" && call.isCarriedOut) {
    const life = witness.lives.find(({ instanceId }) => ended.includes(instanceId));
    if (life !== undefined && deletes(life)) return `${life.instanceId} takes its root along`;
  }
  const launched = witness.lives.at(-1);
  const isNew = action === "RunInstances" && launched?.launchedAt === witness.now();
  return isNew && deletes(launched)
    ? `${launched.instanceId} would take its root along`
    : undefined;
}

/** Until a creation is complete it may move to another subnet, and what ran before promised no address. */
function noteMove({ input, witness }: JudgedCall): undefined {
  const { TagSpecifications = [] } = input as { TagSpecifications?: { Tags: sdk.Tag[] }[] };
  const tags = new Map(
    TagSpecifications.flatMap(({ Tags }) => Tags).map(({ Key, Value }) => [Key, Value]),
  );
  if (tags.get("pmi:phase") !== "creating") return;
  for (const life of witness.lives)
    if (life.owner === tags.get("pmi:id")) life.promisesAddress = false;
}

function addressStays(call: JudgedCall): string | undefined {
  const { action, identities, witness } = call;
  if (action === "CreateNetworkInterface") return noteMove(call);
  const life = witness.lives.at(-1);
  if (action !== "RunInstances" || life?.launchedAt !== witness.now()) return undefined;
  const before = witness.lives.slice(0, -1).findLast(({ owner }) => owner === life.owner);
  const identity = identities.find(({ id }) => id === life.owner);
  // Somebody who does not know yet that all has been destroyed may make its interface again.
  if (identity === undefined || identity.destroyedAt !== undefined) return undefined;
  const isPromised = identity.specs.every((spec) => spec.persistPrivateIp);
  const isOpen = [...witness.rows().interfaces()].some(
    (each) => each.tags.get("pmi:id") === life.owner && each.tags.get("pmi:phase") === "creating",
  );
  if (before?.promisesAddress !== true || !isPromised || isOpen) return undefined;
  if (before.privateIp === life.privateIp) return undefined;
  return `${before.privateIp} became ${life.privateIp}`;
}

function successorFirst(call: JudgedCall): string | undefined {
  const { doomed, isCarriedOut, witness } = call;
  if (doomed === undefined || !isCarriedOut) return undefined;
  if (doomed.state === "pending" || doomed.state === "error") return undefined;
  const files = guestFiles(doomed.disk.files);
  const owner = doomed.tags.get("pmi:id") ?? "";
  if (files.size === 0 || isGivenUp(call, owner, Number(doomed.tags.get("pmi:lineage"))))
    return undefined;
  const holds = (disk: { files: ReadonlyMap<string, string> }) =>
    [...files].every((path) => disk.files.has(path));
  const isOwn = ({ id }: { id: string }) => id !== doomed.id && witness.madeByUs.has(id);
  const { snapshots, volumes } = witness.rows();
  for (const row of snapshots().withTag("pmi:id", owner))
    if (isOwn(row) && row.state === "completed" && holds(row.disk)) return undefined;
  for (const row of volumes().withTag("pmi:id", owner))
    if (isOwn(row) && holds(row.disk) && isUsable(witness, row)) return undefined;
  return `${doomed.id} is the last with ${[...files].at(-1)} of ${owner}`;
}

function isUsable(witness: Witness, volume: VolumeRow): boolean {
  if (volume.state === "available") return true;
  const instance = find(witness.rows().instances(), volume.attachment?.instanceId);
  if (instance?.state !== "running") return volume.attachment?.deleteOnTermination === false;
  return (instance.osUpSince ?? Number.MAX_VALUE) + witness.bootToOkMs <= witness.now();
}

const hours = 3_600_000;

/** What retention allows to go: an older lineage after rollbackHours, all of it some time after destroy. */
function isGivenUp({ identities, witness }: JudgedCall, owner: string, lineage: number): boolean {
  const identity = identities.find(({ id }) => id === owner);
  if (identity === undefined) return true;
  const least = (of: (spec: Spec) => number) => Math.min(...identity.specs.map(of));
  const now = witness.now();
  const lives = witness.lives.filter((life) => life.owner === owner);
  const last = lives.findLastIndex((life) => life.lineage === lineage);
  const successor = last < 0 ? undefined : lives[last + 1];
  const isOld = successor !== undefined;
  if (isOld && now >= successor.launchedAt + least((spec) => spec.rollbackHours) * hours)
    return true;
  if (identity.destroyedAt === undefined) return false;
  const keptHours = least(({ retentionHours: { images, snapshots, volumes } }) =>
    isOld ? snapshots : Math.max(images, snapshots, volumes),
  );
  return now >= identity.destroyedAt + keptHours * hours;
}

function foreignIsLeftAlone({ action, input, witness }: JudgedCall): string | undefined {
  const touched = targetsOf(action, input).find((id) => witness.foreign.has(id));
  return touched === undefined ? undefined : `${action} of ${touched}`;
}

/** What a call works on; a base image is anybody's to launch from. */
function targetsOf(action: string, input: object): string[] {
  const { Resources = [], InstanceIds = [], ...single } = input as Record<string, unknown>;
  const { ImageId, InstanceId, NetworkInterfaceId, SnapshotId, VolumeId } = single;
  const image = action === "RunInstances" ? undefined : ImageId;
  return [Resources, InstanceIds, image, InstanceId, NetworkInterfaceId, SnapshotId, VolumeId]
    .flat()
    .filter((id): id is string => typeof id === "string");
}

/** (e) Of all that our calls ever made, and of all that wears our tags, nothing is left. */
export function leftOver({ foreign, madeByUs, rows }: Witness): string[] {
  const { images, instances, interfaces, snapshots, volumes } = rows();
  const isOurs = (row: { id: string; tags: ReadonlyMap<string, string> }) =>
    !foreign.has(row.id) && (madeByUs.has(row.id) || row.tags.has("pmi:id"));
  const gone = ["deregistered", "deleting", "terminated"];
  const stateful = [...instances(), ...volumes(), ...snapshots(), ...images()]
    .filter((row) => isOurs(row) && !gone.includes(row.state))
    .map((row) => `${row.id} ${row.state}`);
  return [...stateful, ...[...interfaces()].filter(isOurs).map((row) => row.id)];
}
