// What decide is asked about, with defaults: a managed instance whose first generation has been
// running for an hour. A row of a test says only what is different from that.

import type {
  Anchor,
  BaseImage,
  Decision,
  Image,
  Instance,
  Launch,
  Ledger,
  Observation,
  Platform,
  Pool,
  Refusal,
  Snapshot,
  Step,
  Volume,
} from "../../src/engine/model";
import { clientToken } from "../../src/engine/names";
import type { Question } from "../../src/engine/situation";
import { fingerprint, launchFingerprint, type Spec, specSchema } from "../../src/engine/spec";
import { encodeLedger, operations, provenanceTags } from "../../src/engine/tags";

export const id = "pmi-0123456789ab";
export const now = Date.parse("2026-03-01T12:00:00Z");
export const seconds = 1000;
export const minutes = 60 * seconds;
export const hours = 60 * minutes;

export const imageA = "ami-0000000a";
export const imageB = "ami-0000000b";
export const imageC = "ami-0000000c";
export const subnetA = "subnet-0000000a";
export const subnetB = "subnet-0000000b";
export const groupA = "sg-0000000a";
export const claimant = { host: "laptop", pid: 7 };

export type SpecChange = Omit<Partial<Spec>, "snapshots" | "retentionHours" | "rootVolume"> & {
  snapshots?: Partial<Spec["snapshots"]>;
  retentionHours?: Partial<Spec["retentionHours"]>;
  rootVolume?: Partial<Spec["rootVolume"]>;
};

export const spec = (change: SpecChange = {}): Spec =>
  specSchema.parse({
    imageId: imageA,
    instanceTypes: ["m5.large", "m6i.large"],
    subnetIds: [subnetA],
    ...change,
  });

export const keepNothing = { images: 0, snapshots: 0, volumes: 0, networkInterfaces: 0 };

export const platform = (change: Partial<Platform> = {}): Platform => ({
  architecture: "x86_64",
  rootDeviceName: "/dev/xvda",
  enaSupport: true,
  platformDetails: "Linux/UNIX",
  ...change,
});

/** A launch that has been healthy for an hour; its print is that of the default spec. */
export const launch = (change: Partial<Launch> = {}): Launch => {
  const generation = change.generation ?? 1;
  return {
    generation,
    attempt: 1,
    lineage: 1,
    imageId: imageA,
    instanceType: "m5.large",
    market: "spot",
    launchFingerprint: launchFingerprint(spec()),
    recycleFingerprint: fingerprint(""),
    recordedAt: now - hours,
    instanceId: `i-${generation}`,
    rootVolumeId: `vol-${generation}`,
    rootKept: true,
    ran: true,
    healthy: true,
    heals: 0,
    ...change,
  };
};

/** Recorded, and nothing known of what came of it. */
export const openLaunch = (change: Partial<Launch> = {}): Launch =>
  launch({ instanceId: undefined, rootVolumeId: undefined, ran: false, healthy: false, ...change });

export const ledger = (change: Partial<Ledger> = {}): Ledger => ({
  id,
  creationKey: "organisation/project/stack/name",
  phase: "active",
  revision: 5,
  specVersion: 1,
  specFingerprint: fingerprint(spec()),
  lineage: { number: 1, baseImageId: imageA },
  startedLineage: { number: 1, baseImageId: imageA },
  platform: platform(),
  launch: launch(),
  knownRootGeneration: 1,
  ...change,
});

/** A creation of which nothing has been done yet. */
export const newborn = (change: Partial<Ledger> = {}): Ledger =>
  ledger({
    phase: "creating",
    revision: 0,
    claim: { ...claimant, touchedAt: now },
    lineage: undefined,
    startedLineage: undefined,
    platform: undefined,
    launch: undefined,
    knownRootGeneration: undefined,
    ...change,
  });

export const anchor = (change: Partial<Anchor> = {}): Anchor => ({
  interfaceId: "eni-1",
  moves: 0,
  status: "available",
  subnetId: subnetA,
  zone: "eu-central-1a",
  vpcId: "vpc-1",
  privateIp: "10.0.0.10",
  securityGroupIds: [groupA],
  tags: encodeLedger(ledger()),
  ...change,
});

export const heldBy = (instanceId: string, change: Partial<Anchor> = {}): Anchor =>
  anchor({ status: "in-use", attachedInstanceId: instanceId, ...change });

interface Origin {
  generation?: number;
  lineage?: number;
  baseImageId?: string;
}

const origin = ({ generation = 1, lineage = 1, baseImageId = imageA }: Origin) => ({
  generation,
  lineage,
  baseImageId,
});

export const instance = (change: Partial<Instance> & Origin & { attempt?: number } = {}) => {
  const { generation: _g, lineage: _l, baseImageId: _b, attempt = 1, ...own } = change;
  const { generation, lineage, baseImageId } = origin(change);
  const operation = operations.launch(generation);
  const built: Instance = {
    instanceId: `i-${generation}`,
    state: "running",
    clientToken: clientToken(id, generation, attempt),
    imageId: baseImageId,
    instanceType: "m5.large",
    market: "spot",
    launchedAt: now - hours,
    rootVolumeId: `vol-${generation}`,
    rootDeletedOnTermination: false,
    platform: platform(),
    health: { kind: "ok" },
    interruptionNoticed: false,
    tags: provenanceTags(id, { generation, lineage, baseImageId, operation }, {}),
    ...own,
  };
  return built;
};

export const volume = (change: Partial<Volume> = {}): Volume => {
  const { generation, lineage, baseImageId } = origin(change);
  const volumeId = change.volumeId ?? `vol-${generation}`;
  return {
    volumeId,
    state: "available",
    sizeGiB: 8,
    createdAt: now - hours,
    lineage,
    generation,
    baseImageId,
    operation: operations.launch(generation),
    platform: platform(),
    markedId: volumeId,
    ...change,
  };
};

export const carriedVolume = (change: Partial<Volume> = {}): Volume =>
  volume({ state: "in-use", attachedInstanceId: `i-${change.generation ?? 1}`, ...change });

export const periodic = (change: Partial<Snapshot> = {}): Snapshot => {
  const { generation, lineage, baseImageId } = origin(change);
  const volumeId = change.volumeId ?? `vol-${generation}`;
  return {
    snapshotId: `snap-${generation}-periodic`,
    volumeId,
    state: "completed",
    startedAt: now - 2 * minutes,
    sizeGiB: 8,
    lineage,
    generation,
    baseImageId,
    operation: operations.periodic(volumeId),
    platform: platform(),
    ...change,
  };
};

export const final = (change: Partial<Snapshot> = {}): Snapshot => {
  const volumeId = change.volumeId ?? `vol-${change.generation ?? 1}`;
  return periodic({
    snapshotId: `snap-${change.generation ?? 1}-final`,
    operation: operations.final(volumeId),
    startedAt: now - minutes,
    ...change,
  });
};

export const image = (change: Partial<Image> = {}): Image => {
  const { generation, lineage, baseImageId } = origin(change);
  const snapshotId = change.snapshotId ?? `snap-${generation}-final`;
  return {
    imageId: `ami-${generation}f`,
    name: `${id}/${snapshotId}`,
    state: "available",
    snapshotId,
    platformDetails: "Linux/UNIX",
    createdAt: now - 30 * seconds,
    lineage,
    generation,
    baseImageId,
    operation: operations.register(snapshotId),
    platform: platform(),
    ...change,
  };
};

type PresentImage = Extract<BaseImage, { kind: "present" }>;

export const baseImage = (change: Partial<PresentImage> = {}): BaseImage => ({
  kind: "present",
  imageId: imageA,
  state: "available",
  platform: platform(),
  rootSizeGiB: 8,
  otherDevices: [],
  ...change,
});

export const pool = (change: Partial<Pool> = {}): Pool => ({
  instanceType: "m5.large",
  market: "spot",
  subnetId: subnetA,
  ...change,
});

export const refusal = (change: Partial<Refusal> = {}): Refusal => ({
  pool: pool(),
  generation: 2,
  attempt: 1,
  at: now,
  kind: "no-capacity",
  message: "no capacity",
  ...change,
});

export const zones = { [subnetA]: "eu-central-1a", [subnetB]: "eu-central-1b" };

export const observation = (change: Partial<Observation> = {}): Observation => ({
  anchors: [heldBy("i-1")],
  instances: [instance()],
  volumes: [carriedVolume()],
  snapshots: [periodic()],
  images: [],
  baseImage: baseImage(),
  zones,
  spotMarket: { usdPerHour: {}, zoneScores: {} },
  refusals: [],
  ...change,
});

/** Nobody carries it: its volume and its anchor are free. */
export const atRest = (change: Partial<Observation> = {}): Observation =>
  observation({ anchors: [anchor()], instances: [], volumes: [volume()], ...change });

export const question = (change: Partial<Question> = {}): Question => ({
  spec: spec(),
  specVersion: change.ledger?.specVersion ?? 1,
  ledger: ledger(),
  observation: observation(),
  now,
  ...change,
});

export const stepsOf = (decision: Decision): readonly Step[] =>
  decision.kind === "act" ? decision.steps : [];
