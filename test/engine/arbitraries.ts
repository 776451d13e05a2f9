// Whole questions, likely and unlikely ones: few ids, so that things meet, and now and then tags that
// were copied, resources in odd states, ledgers that know less than there is.

import * as fc from "fast-check";
import type {
  Anchor,
  Asked,
  Health,
  Image,
  Instance,
  InstanceState,
  Launch,
  Ledger,
  Lineage,
  Observation,
  Provenance,
  Refusal,
  Snapshot,
  StopReason,
  Volume,
} from "../../src/engine/model";
import type { Question } from "../../src/engine/situation";
import { launchFingerprint, type Spec } from "../../src/engine/spec";
import { operations } from "../../src/engine/tags";
import {
  anchor,
  baseImage,
  claimant,
  hours,
  id,
  image,
  imageA,
  imageB,
  imageC,
  instance,
  launch,
  ledger,
  now,
  periodic,
  pool,
  refusal,
  spec,
  subnetA,
  subnetB,
  volume,
  zones,
} from "./builders";

/** Of ordinary objects, which equal what the engine makes itself also where prototypes count. */
const record = <T>(parts: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record<T>(parts, { noNullPrototype: true });

const generation = fc.integer({ min: 1, max: 3 });
const lineageNumber = fc.integer({ min: 1, max: 3 });
const baseImageId = fc.constantFrom(imageA, imageB, imageC);
const ago = fc.oneof(
  fc.integer({ min: 0, max: 600 }).map((seconds) => now - seconds * 1000),
  fc.integer({ min: 0, max: 200 }).map((each) => now - each * hours),
);
const soon = fc.integer({ min: -50, max: 50 }).map((each) => now + each * hours);
export const moments = fc.oneof(ago, soon);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const rarely = <T>(usual: T, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });

const volumeIds = fc.constantFrom("vol-1", "vol-2", "vol-3", "vol-4");
const snapshotIds = fc.constantFrom("snap-1", "snap-2", "snap-3", "snap-4", "snap-5");
const instanceIds = fc.constantFrom("i-1", "i-2", "i-3");

const origin = record({
  lineage: lineageNumber,
  generation,
  baseImageId,
  condemnedAt: optional(ago),
  deleteAfterAt: optional(soon),
});

const oursMostly = (operation: string) => rarely(operation, fc.constantFrom("", "copied:vol-9"));

const volumes: fc.Arbitrary<Volume> = fc
  .tuple(origin, volumeIds, fc.constantFrom("available", "in-use", "creating", "error"))
  .chain(([told, volumeId, state]) =>
    record({
      operation: oursMostly(operations.launch(told.generation)),
      markedId: fc.constantFrom<(string | undefined)[]>(volumeId, volumeId, undefined, "vol-9"),
      createdAt: ago,
      attachedInstanceId: optional(instanceIds),
    }).map((more) => volume({ ...told, volumeId, state, ...more })),
  );

const snapshots: fc.Arbitrary<Snapshot> = fc
  .tuple(origin, snapshotIds, volumeIds, fc.constantFrom("final", "periodic"))
  .chain(([told, snapshotId, volumeId, purpose]) =>
    record({
      operation: oursMostly(`${purpose}:${volumeId}`),
      state: fc.constantFrom("completed", "completed", "pending", "error", "recoverable"),
      startedAt: ago,
    }).map((more) => periodic({ ...told, snapshotId, volumeId, ...more })),
  );

const images: fc.Arbitrary<Image> = fc
  .tuple(origin, fc.constantFrom("ami-1f", "ami-2f", "ami-3f"), snapshotIds)
  .chain(([told, imageId, snapshotId]) =>
    record({
      operation: oursMostly(operations.register(snapshotId)),
      state: fc.constantFrom("available", "available", "pending", "failed"),
      platformDetails: rarely("Linux/UNIX", fc.constantFrom("Windows", "")),
    }).map((more) => image({ ...told, imageId, snapshotId, ...more })),
  );

const health: fc.Arbitrary<Health> = fc.oneof(
  fc.constantFrom<Health[]>({ kind: "ok" }, { kind: "initializing" }, { kind: "unknown" }),
  ago.map((sinceAt): Health => ({ kind: "impaired", sinceAt })),
);
const states = fc.constantFrom<InstanceState[]>(
  "pending",
  "running",
  "running",
  "shutting-down",
  "terminated",
  "stopping",
  "stopped",
);

const instances: fc.Arbitrary<Instance> = record({
  generation,
  lineage: lineageNumber,
  baseImageId,
  attempt: fc.integer({ min: 1, max: 2 }),
  instanceId: instanceIds,
  state: states,
  launchedAt: ago,
  health,
  rootVolumeId: optional(volumeIds),
  rootDeletedOnTermination: fc.boolean(),
  interruptionNoticed: fc.boolean(),
  stateReason: optional(fc.constantFrom("Client.InternalError", "Server.SpotInstanceTermination")),
}).chain((told) =>
  record({
    clientToken: rarely(
      `${id}:${told.generation}:${told.attempt}`,
      fc.constantFrom("somebody", "pmi-ffff:1:1", ""),
    ),
    tags: rarely(instance(told).tags, fc.constant({})),
  }).map((more) => instance({ ...told, ...more })),
);

const anchors: fc.Arbitrary<Anchor> = record({
  moves: fc.nat(1),
  movedAt: optional(ago),
  status: fc.constantFrom("available", "available", "in-use", "detaching"),
  subnetId: fc.constantFrom(subnetA, subnetB),
  attachedInstanceId: optional(instanceIds),
}).map((told) => anchor(told));

const lineages: fc.Arbitrary<Lineage> = record({ number: lineageNumber, baseImageId });

const launches: fc.Arbitrary<Launch> = record({
  generation,
  attempt: fc.integer({ min: 1, max: 2 }),
  lineage: lineageNumber,
  imageId: fc.constantFrom(imageA, imageB, "ami-1f", "ami-2f"),
  recordedAt: ago,
  instanceId: optional(instanceIds),
  rootVolumeId: optional(volumeIds),
  rootKept: fc.boolean(),
  ran: fc.boolean(),
  failed: optional(fc.constant(true)),
  healthy: fc.boolean(),
  heals: fc.nat(4),
  launchFingerprint: rarely(launchFingerprint(spec()), fc.constant("other")),
}).map((told) => launch(told));

const reasons = fc.constantFrom<StopReason[]>(
  "pause",
  "deallocate",
  "unhealthy",
  "ami-swap",
  "requested",
);

export const ledgers: fc.Arbitrary<Ledger> = record({
  phase: fc.constantFrom<Ledger["phase"][]>("creating", "active", "active", "deallocating"),
  claim: optional(ago.map((touchedAt) => ({ ...claimant, touchedAt }))),
  lineage: optional(lineages),
  startedLineage: optional(lineages),
  launch: optional(launches),
  knownRootGeneration: optional(generation),
  stop: optional(record({ generation, reason: reasons, at: ago })),
  gap: optional(record({ fromAt: ago, toAt: ago, volumeId: optional(volumeIds) })),
}).map((told) => ledger(told));

const refusals: fc.Arbitrary<Refusal> = record({
  generation,
  attempt: fc.integer({ min: 1, max: 2 }),
  at: ago,
  kind: fc.constantFrom<Refusal["kind"][]>(
    "no-capacity",
    "invalid",
    "token-spent",
    "token-mismatch",
  ),
  pool: fc.constantFrom(pool(), pool({ market: "on-demand" }), pool({ instanceType: "m6i.large" })),
}).map((told) => refusal(told));

const some = <T>(arbitrary: fc.Arbitrary<T>, key: (each: T) => string, maxLength: number) =>
  fc.uniqueArray(arbitrary, { selector: key, maxLength });

const observations = (wanted: Spec): fc.Arbitrary<Observation> =>
  record({
    anchors: fc
      .array(anchors, { maxLength: 2 })
      .map((found) => found.map((each, at) => ({ ...each, interfaceId: `eni-${at + 1}` }))),
    instances: some(instances, (each) => each.instanceId, 3),
    volumes: some(volumes, (each) => each.volumeId, 4),
    snapshots: some(snapshots, (each) => each.snapshotId, 5),
    images: some(images, (each) => each.imageId, 3),
    baseImage: fc.oneof(
      fc.constant(baseImage({ imageId: wanted.imageId })),
      fc.constant({ kind: "absent", imageId: wanted.imageId } as const),
      fc.constant(baseImage({ imageId: wanted.imageId, state: "pending" })),
    ),
    zones: fc.constant(zones),
    spotMarket: fc.constant({ usdPerHour: {}, zoneScores: {} }),
    refusals: fc.array(refusals, { maxLength: 2 }),
    anchorMissingSinceAt: optional(ago),
    lookingSinceAt: optional(ago),
    fullSubnets: optional(
      fc.constantFrom([{ subnetId: subnetA, at: now }], [{ subnetId: subnetB, at: now }]),
    ),
  });

const someHours = fc.constantFrom(0, 24, 96);

export const specs: fc.Arbitrary<Spec> = record({
  imageId: baseImageId,
  subnetIds: fc.constantFrom<string[][]>([subnetA], [subnetA, subnetB], [subnetB]),
  desiredState: fc.constantFrom<Spec["desiredState"][]>("running", "running", "paused"),
  persistRootDevice: rarely<boolean>(true, fc.constant(false)),
  recycleToken: optional(fc.constantFrom("a", "b")),
  applyChanges: fc.constantFrom<Spec["applyChanges"][]>("at-once", "at-next-recycle"),
  autoHealing: fc.boolean(),
  fallbackToOnDemand: fc.boolean(),
  rollbackHours: someHours,
  retentionHours: record({
    images: someHours,
    snapshots: someHours,
    volumes: someHours,
    networkInterfaces: someHours,
  }),
  tags: fc.constantFrom<Record<string, string>[]>({}, { Name: "web" }),
}).map((told) => spec(told));

const requests: fc.Arbitrary<Asked> = fc.record(
  {
    desiredState: fc.constantFrom("running", "paused"),
    recycleGeneration: generation,
    snapshotAt: ago,
  },
  { requiredKeys: [], noNullPrototype: true },
);

export const wildQuestions: fc.Arbitrary<Question> = specs.chain((wanted) =>
  record({
    spec: fc.constant(wanted),
    specVersion: fc.constantFrom(1, 1, 1, 2),
    ledger: ledgers,
    observation: observations(wanted),
    now: fc.constant(now),
    asked: optional(requests),
    deallocate: fc.constantFrom<(boolean | undefined)[]>(undefined, undefined, undefined, true),
    claimant: optional(fc.constant(claimant)),
  }),
);

export type Resource = Provenance & { id: string; kind: "image" | "snapshot" | "volume" };

export const resourcesOf = ({ images: found, snapshots: made, volumes: kept }: Observation) => [
  ...found.map((each): Resource => ({ ...each, id: each.imageId, kind: "image" })),
  ...made.map((each): Resource => ({ ...each, id: each.snapshotId, kind: "snapshot" })),
  ...kept.map((each): Resource => ({ ...each, id: each.volumeId, kind: "volume" })),
];
