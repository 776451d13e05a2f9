/** What a test or a demonstration may do to the world besides calling the API. */
import { dropTags } from "./instance-states";
import { interrupt } from "./interruption";
import { setRoom } from "./launch-market";
import type { CallRecord, RowSet, Rows, SimulatorControl } from "./simulator";
import { releaseHangingSnapshots } from "./snapshot-states";
import type { Row, Table } from "./table";
import type { World } from "./world";

export interface CallLog {
  list(): readonly CallRecord[];
  clear(): void;
}

export function createControl(world: World, calls: CallLog): SimulatorControl {
  const rows = rowsOf(world);
  return {
    interrupt: (request) => interrupt(world, request),
    setCapacity: ({ available, ...pool }) => setRoom(world, pool, available),
    setFaults: (faults) => {
      world.timeline.settle();
      world.faults.set(faults);
      releaseHangingSnapshots(world);
    },
    markImage: (request) => markImage(world, request),
    impair: (instanceId) => impair(world, instanceId),
    dropTags: (instanceId) => {
      world.timeline.settle();
      dropTags(world, instanceId);
    },
    calls: calls.list,
    clearCalls: calls.clear,
    state: () => stateOf(world),
    rows: () => {
      world.timeline.settle();
      return rows;
    },
    events: world.events,
  };
}

function rowsOf({ images, instances, interfaces, snapshots, volumes }: World): Rows {
  const sets = {
    instances: rowSet(instances),
    volumes: rowSet(volumes),
    snapshots: rowSet(snapshots),
    images: rowSet(images),
    interfaces: rowSet(interfaces),
  };
  return {
    instances: () => sets.instances,
    volumes: () => sets.volumes,
    snapshots: () => sets.snapshots,
    images: () => sets.images,
    interfaces: () => sets.interfaces,
  };
}

const rowSet = <R extends Row>(table: Table<R>): RowSet<R> => ({
  [Symbol.iterator]: () => table.all(),
  get: (id) => table.get(id),
  withTag: (key, value) => [...table.idsWithTag(key, value)].flatMap((id) => table.get(id) ?? []),
});

/** A mark belongs to the disk: it follows volumes, snapshots and images made from it. */
function markImage(
  world: World,
  request: { readonly imageId: string; readonly boots: "never-healthy" | "healthy" },
): void {
  world.timeline.settle();
  const image = world.images.get(request.imageId);
  if (image === undefined) throw new Error(`There is no image ${request.imageId}.`);
  const root = image.mappings.find((mapping) => mapping.deviceName === image.rootDeviceName);
  const snapshot = world.snapshots.get(root?.snapshotId ?? "");
  if (snapshot === undefined) throw new Error(`${image.id} has no root snapshot.`);
  world.snapshots.update(snapshot.id, { disk: { ...snapshot.disk, boots: request.boots } });
}

function impair(world: World, instanceId: string): void {
  world.timeline.settle();
  const instance = world.instances.get(instanceId);
  if (instance?.state !== "running") throw new Error(`${instanceId} is not running.`);
  const impairedSince = world.now() + world.latencies.impairedDetection * 1000;
  world.instances.update(instanceId, { impairedSince });
}

const tableNames = [
  "instances",
  "volumes",
  "snapshots",
  "images",
  "interfaces",
  "addresses",
  "spotRequests",
  "replaceRootTasks",
  "vpcs",
  "subnets",
  "securityGroups",
  "keyPairs",
] as const;

function stateOf(world: World): Record<string, unknown> {
  world.timeline.settle();
  const tables = tableNames.map((name) => [name, [...world[name].all()].map(jsonOf)]);
  return { now: new Date(world.now()).toISOString(), ...Object.fromEntries(tables) };
}

function jsonOf(value: unknown): unknown {
  if (value instanceof Map) return jsonOf(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(jsonOf);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, jsonOf(member)]));
}
