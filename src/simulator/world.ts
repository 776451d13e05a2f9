/**
 * Everything there is: the tables, the indexes that need more than an id, and what moves them (time,
 * chance, faults). Actions are functions over this one value; it has no behaviour of its own besides
 * handing out ids and stopping writes during a dry run.
 */
import type { TokenRequest } from "./client-tokens";
import { createTimeline, type Timeline } from "./clock";
import { Ec2Error } from "./errors";
import { createEventBridge, type EventBridge } from "./event-bridge";
import { createFaultBox, type FaultBox } from "./faults";
import { defaultLatencies, type LatencyTable } from "./latency";
import { createRandom, type Random } from "./random";
import type {
  AddressRecord,
  ImageRecord,
  InstanceRecord,
  InterfaceRecord,
  KeyPairRecord,
  ReplaceRootTaskRecord,
  SecurityGroupRecord,
  SnapshotRecord,
  SpotRequestRecord,
  SubnetRecord,
  VolumeRecord,
  VpcRecord,
} from "./records";
import type { SimulatorOptions } from "./simulator";
import { createTable, firstWordOf, type Table, type TableHost } from "./table";

export interface RememberedToken {
  /** To tell a repeat from a different request. */
  readonly request: TokenRequest;
  readonly ids: readonly string[];
}

export interface World {
  readonly region: string;
  readonly account: string;
  readonly zones: readonly Zone[];
  readonly options: SimulatorOptions;
  readonly latencies: LatencyTable;
  readonly timeline: Timeline;
  readonly faults: FaultBox;
  readonly events: EventBridge;
  readonly ids: Random;
  readonly chance: Random;
  readonly instances: Table<InstanceRecord>;
  readonly volumes: Table<VolumeRecord>;
  readonly snapshots: Table<SnapshotRecord>;
  readonly images: Table<ImageRecord>;
  readonly interfaces: Table<InterfaceRecord>;
  readonly addresses: Table<AddressRecord>;
  readonly spotRequests: Table<SpotRequestRecord>;
  readonly replaceRootTasks: Table<ReplaceRootTaskRecord>;
  readonly vpcs: Table<VpcRecord>;
  readonly subnets: Table<SubnetRecord>;
  readonly securityGroups: Table<SecurityGroupRecord>;
  readonly keyPairs: Table<KeyPairRecord>;
  /** By action, scope and token (ec2-facts §1.1). */
  readonly tokens: Map<string, RememberedToken>;
  /** Images that hold a name, or did until a moment ago (ec2-facts §3). */
  readonly imageNames: Map<string, string>;
  /** Which images a snapshot is part of; those it may not be deleted under. */
  readonly imagesBySnapshot: Map<string, Set<string>>;
  /** Launches that a pool still takes; no entry means no limit. */
  readonly capacity: Map<string, number>;
  /** Elastic IPs' allocation ids by the network interface that carries them. */
  readonly addressesByInterface: Map<string, Set<string>>;
  /** Volumes that were an instance's root before its present one. */
  readonly formerRoots: Map<string, readonly string[]>;
  /** Addresses in use, by subnet. */
  readonly usedIps: Map<string, Set<string>>;
  /** How many writes there were to names and addresses that other resources show. */
  surroundingWrites: number;
  /** Switched on for the length of one call. */
  isDryRun: boolean;
  now(): number;
  after(seconds: number, happen: () => void): void;
  newId(prefix: string): string;
}

export interface Zone {
  readonly name: string;
  readonly id: string;
}

export function zoneId(world: World, name: string): string | undefined {
  return world.zones.find((zone) => zone.name === name)?.id;
}

export function createWorld(options: SimulatorOptions): World {
  const region = options.region ?? "us-east-1";
  const account = options.account ?? "123456789012";
  const seed = options.seed ?? 1;
  const latencies = { ...defaultLatencies, ...options.latencies };
  const timeline = createTimeline(options.clock ?? { kind: "virtual" });
  const chance = createRandom(seed, "faults");
  const ids = createRandom(seed, "ids");
  const faults = createFaultBox(chance);
  const eventIds = createRandom(seed, "events");
  const world: World = {
    region,
    account,
    zones: ["a", "b", "c"].map((letter, index) => ({
      name: `${region}${letter}`,
      id: `${shortRegion(region)}-az${index + 1}`,
    })),
    options,
    latencies,
    timeline,
    faults,
    events: createEventBridge({ account, region, timeline, faults, random: eventIds }),
    ids,
    chance,
    ...createTables({
      now: timeline.now,
      after: timeline.after,
      beforeWrite: () => refuseDuringDryRun(world),
      beforeSurroundingWrite: () => {
        refuseDuringDryRun(world);
        world.surroundingWrites += 1;
      },
      longestLagMilliseconds: () => longestLagMilliseconds(latencies, faults),
    }),
    tokens: new Map(),
    imageNames: new Map(),
    imagesBySnapshot: new Map(),
    capacity: new Map(),
    addressesByInterface: new Map(),
    formerRoots: new Map(),
    usedIps: new Map(),
    surroundingWrites: 0,
    isDryRun: false,
    now: timeline.now,
    after: (seconds, happen) => {
      refuseDuringDryRun(world);
      timeline.after(seconds, happen);
    },
    newId: (prefix) => `${prefix}-0${ids.hex(16)}`,
  };
  return world;
}

function createTables(hosts: TableHost & { beforeSurroundingWrite(): void }) {
  const { beforeSurroundingWrite, ...host } = hosts;
  const surroundings = { ...host, beforeWrite: beforeSurroundingWrite };
  return {
    instances: createTable<InstanceRecord>(host, ({ clientToken }) => firstWordOf(clientToken)),
    volumes: createTable<VolumeRecord>(host),
    snapshots: createTable<SnapshotRecord>(host, ({ description }) => firstWordOf(description)),
    images: createTable<ImageRecord>(host, ({ name }) => firstWordOf(name)),
    interfaces: createTable<InterfaceRecord>(host),
    addresses: createTable<AddressRecord>(surroundings),
    spotRequests: createTable<SpotRequestRecord>(host),
    replaceRootTasks: createTable<ReplaceRootTaskRecord>(host),
    vpcs: createTable<VpcRecord>(surroundings),
    subnets: createTable<SubnetRecord>(surroundings),
    securityGroups: createTable<SecurityGroupRecord>(surroundings),
    keyPairs: createTable<KeyPairRecord>(host),
  };
}

/** At the first write, so that a dry run has passed every check that the real call makes. */
function refuseDuringDryRun(world: World): void {
  if (world.isDryRun) throw dryRunOperation();
}

export function dryRunOperation(): Ec2Error {
  const text = "Request would have succeeded, but DryRun flag is set.";
  return new Ec2Error("DryRunOperation", text, 412);
}

function longestLagMilliseconds(latencies: LatencyTable, faults: FaultBox): number {
  const { seconds = 0, tagSeconds = 0 } = faults.current().lag ?? {};
  return Math.max(seconds, tagSeconds, latencies.describeLag, latencies.tagLag) * 1000;
}

/** us-east-1 is use1 in zone ids. */
function shortRegion(region: string): string {
  const [area = "", direction = "", number = ""] = region.split("-");
  const short = direction.replace(/(north|south|east|west|central)/g, (word) => word.slice(0, 1));
  return `${area}${short}${number}`;
}
