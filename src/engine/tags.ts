/**
 * The tags by which we recognise our own: their keys, provenance with its operations, and the ledger
 * as it is written on the anchor. A resource is ours only when its tags *and* its own attributes
 * agree, because AWS Backup and people copy tags (design §4).
 */
import { z } from "zod";
import type { Gap, Ledger, Platform, Provenance } from "./model";

export type Tags = Readonly<Record<string, string>>;

export const tagKeys = {
  id: "pmi:id",
  creationKey: "pmi:creation-key",
  phase: "pmi:phase",
  spec: "pmi:spec",
  claim: "pmi:claim",
  lineage: "pmi:lineage",
  startedLineage: "pmi:started-lineage",
  platform: "pmi:platform",
  launch: "pmi:launch",
  launchPrint: "pmi:launch-print",
  instance: "pmi:instance",
  knownRoot: "pmi:known-root",
  stop: "pmi:stop",
  gap: "pmi:gap",
  deallocatedAt: "pmi:deallocated-at",
  moves: "pmi:moves",
  movedAt: "pmi:moved-at",
  generation: "pmi:generation",
  baseImage: "pmi:base-image",
  operation: "pmi:operation",
  marked: "pmi:marked",
  condemned: "pmi:condemned",
  deleteAfter: "pmi:delete-after",
} as const;

/** What made a resource. The subject is checked against the resource itself. */
export const operations = {
  launch: (generation: number) => `launch:${generation}`,
  periodic: (volumeId: string) => `periodic:${volumeId}`,
  final: (volumeId: string) => `final:${volumeId}`,
  register: (snapshotId: string) => `register:${snapshotId}`,
} as const;

export const isFinal = (snapshot: { operation: string }) => snapshot.operation.startsWith("final:");

export function isOurSnapshot(snapshot: { operation: string; volumeId: string }): boolean {
  const { operation, volumeId } = snapshot;
  return operation === operations.periodic(volumeId) || operation === operations.final(volumeId);
}

export const isOurImage = (image: { operation: string; snapshotId: string }) =>
  image.operation === operations.register(image.snapshotId);

export const isOurVolume = (volume: Provenance & { volumeId: string }) =>
  volume.operation === operations.launch(volume.generation) &&
  (volume.markedId === undefined || volume.markedId === volume.volumeId);

/** Told by the tags of an anchor, whatever an older ledger that was written over its end says of the phase. */
export const hasEnded = (tags: Tags) => (tags[tagKeys.deallocatedAt] ?? "") !== "";

/**
 * An anchor is marked with its own id whenever its ledger is written, so one that is marked with
 * another's is somebody's copy of our tags. Unmarked ones are ours: they were just made.
 */
export const isOurAnchor = (interfaceId: string, tags: Tags) =>
  tags[tagKeys.marked] === undefined || tags[tagKeys.marked] === interfaceId;

/**
 * `a=1 b=some+text`: readable in the console and within the characters that every AWS service
 * allows in a tag value. Values of ours hold no "+" and no "=".
 */
function encode(pairs: Record<string, string | number | boolean | undefined>): string {
  return Object.entries(pairs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${String(value).replaceAll(" ", "+")}`)
    .join(" ");
}

function decode(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of text.split(" ")) {
    const at = pair.indexOf("=");
    pairs[pair.slice(0, at)] = pair.slice(at + 1).replaceAll("+", " ");
  }
  return pairs;
}

const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const instant = z.iso.datetime().transform((text) => Date.parse(text));
const iso = (at: number) => new Date(at).toISOString();

const platformSchema = z.object({
  arch: z.string(),
  root: z.string(),
  boot: z.string().optional(),
  ena: flag.optional(),
  sriov: z.string().optional(),
  tpm: z.string().optional(),
  imds: z.string().optional(),
  os: z.string(),
});

export const encodePlatform = (platform: Platform) =>
  encode({
    arch: platform.architecture,
    root: platform.rootDeviceName,
    boot: platform.bootMode,
    ena: platform.enaSupport,
    sriov: platform.sriovNetSupport,
    tpm: platform.tpmSupport,
    imds: platform.imdsSupport,
    os: platform.platformDetails,
  });

const platformText = z
  .string()
  .transform(decode)
  .pipe(platformSchema)
  .transform(
    ({ arch, root, boot, ena, sriov, tpm, imds, os }): Platform => ({
      architecture: arch,
      rootDeviceName: root,
      bootMode: boot,
      enaSupport: ena,
      sriovNetSupport: sriov,
      tpmSupport: tpm,
      imdsSupport: imds,
      platformDetails: os,
    }),
  );

export const decodePlatform = (text: string): Platform => platformText.parse(text);

const provenanceSchema = z.object({
  [tagKeys.lineage]: count,
  [tagKeys.generation]: count,
  [tagKeys.baseImage]: z.string(),
  [tagKeys.operation]: z.string(),
  [tagKeys.platform]: platformText.optional(),
  [tagKeys.marked]: z.string().optional(),
  [tagKeys.condemned]: instant.optional().catch(undefined),
  [tagKeys.deleteAfter]: instant.optional().catch(undefined),
  [tagKeys.gap]: z.string().optional(),
});

/** The provenance that a resource's tags tell, or undefined when they are not whole. */
export function parseProvenance(tags: Tags): Provenance | undefined {
  const parsed = provenanceSchema.safeParse(tags);
  if (!parsed.success) return undefined;
  return {
    lineage: parsed.data[tagKeys.lineage],
    generation: parsed.data[tagKeys.generation],
    baseImageId: parsed.data[tagKeys.baseImage],
    operation: parsed.data[tagKeys.operation],
    platform: parsed.data[tagKeys.platform],
    markedId: parsed.data[tagKeys.marked],
    condemnedAt: parsed.data[tagKeys.condemned],
    deleteAfterAt: parsed.data[tagKeys.deleteAfter],
    holdsGap: parsed.data[tagKeys.gap] === undefined ? undefined : true,
  };
}

export function provenanceTags(id: string, provenance: Provenance, userTags: Tags): Tags {
  return {
    ...userTags,
    [tagKeys.id]: id,
    [tagKeys.lineage]: String(provenance.lineage),
    [tagKeys.generation]: String(provenance.generation),
    [tagKeys.baseImage]: provenance.baseImageId,
    [tagKeys.operation]: provenance.operation,
    ...(provenance.platform === undefined
      ? {}
      : { [tagKeys.platform]: encodePlatform(provenance.platform) }),
  };
}

export const condemnedTag = (at: number): Tags => ({ [tagKeys.condemned]: iso(at) });
export const deleteAfterTag = (at: number): Tags => ({ [tagKeys.deleteAfter]: iso(at) });

const lineageSchema = z.object({ number: count, image: z.string() }).transform((lineage) => ({
  number: lineage.number,
  baseImageId: lineage.image,
}));

const launchSchema = z.object({
  generation: count,
  attempt: count,
  lineage: count,
  image: z.string(),
  type: z.string(),
  market: z.enum(["spot", "on-demand"]),
  print: z.string(),
  recycle: z.string(),
  at: instant,
});

const instanceSchema = z.object({
  generation: count,
  id: z.string().optional(),
  root: z.string().optional(),
  kept: flag,
  ran: flag,
  failed: flag.optional(),
  healthy: flag,
  heals: count,
});

const text = <Output>(schema: z.ZodType<Output>) =>
  z
    .string()
    .transform(decode)
    .pipe(schema as z.ZodType<Output, Record<string, string>>);

const ledgerSchema = z.object({
  [tagKeys.id]: z.string(),
  [tagKeys.creationKey]: z.string(),
  [tagKeys.phase]: z.enum(["creating", "active", "deallocating", "deallocated"]),
  [tagKeys.spec]: text(z.object({ revision: count, version: count, print: z.string() })),
  [tagKeys.claim]: text(z.object({ host: z.string(), pid: count, at: instant })).optional(),
  [tagKeys.lineage]: text(lineageSchema).optional(),
  [tagKeys.startedLineage]: text(lineageSchema).optional(),
  [tagKeys.platform]: platformText.optional(),
  [tagKeys.launch]: text(launchSchema).optional(),
  [tagKeys.instance]: text(instanceSchema).optional(),
  [tagKeys.knownRoot]: count.optional(),
  [tagKeys.stop]: text(
    z.object({
      generation: count,
      reason: z.enum([
        "pause",
        "deallocate",
        "ami-swap",
        "recycle-token",
        "requested",
        "changed-properties",
        "unhealthy",
        "stopped-outside",
      ]),
      at: instant,
    }),
  ).optional(),
  [tagKeys.gap]: text(
    z.object({ from: instant, to: instant, volume: z.string().optional() }),
  ).optional(),
  [tagKeys.deallocatedAt]: instant.optional(),
});

/** Says which tag and what to do: guessing what it said would be worse. */
export class DamagedLedgerError extends Error {
  constructor(id: string, cause: z.ZodError) {
    const keys = [...new Set(cause.issues.map((issue) => String(issue.path[0])))].join(", ");
    super(
      `Somebody changed the tags of the network interface of ${id}: ${keys} cannot be read. Put them back as they were (CloudTrail shows the CreateTags or DeleteTags), then run it again; nothing was changed.`,
      { cause },
    );
    this.name = "DamagedLedgerError";
  }
}

/** The ledger on an anchor's tags. Throws a DamagedLedgerError when they cannot be read. */
export function decodeLedger(tags: Tags): Ledger {
  const isTold = ([key, value]: [string, string]) => value !== "" || key === tagKeys.creationKey;
  const told = Object.fromEntries(Object.entries(tags).filter(isTold));
  const parsed = ledgerSchema.safeParse(told);
  if (!parsed.success) throw new DamagedLedgerError(tags[tagKeys.id] ?? "?", parsed.error);
  const read = parsed.data;
  const { revision, version, print } = read[tagKeys.spec];
  const claim = read[tagKeys.claim];
  const gap = read[tagKeys.gap];
  return {
    id: read[tagKeys.id],
    creationKey: read[tagKeys.creationKey],
    phase: phaseOf(read),
    revision,
    specVersion: version,
    specFingerprint: print,
    claim: claim && { host: claim.host, pid: claim.pid, touchedAt: claim.at },
    lineage: read[tagKeys.lineage],
    startedLineage: read[tagKeys.startedLineage],
    platform: read[tagKeys.platform],
    launch: decodeLaunch(read[tagKeys.launch], read[tagKeys.instance]),
    knownRootGeneration: read[tagKeys.knownRoot],
    stop: read[tagKeys.stop],
    gap: gap && { fromAt: gap.from, toAt: gap.to, volumeId: gap.volume },
    deallocatedAt: read[tagKeys.deallocatedAt],
  };
}

const phaseOf = (read: z.output<typeof ledgerSchema>) =>
  read[tagKeys.deallocatedAt] === undefined ? read[tagKeys.phase] : "deallocated";

function decodeLaunch(
  launch: z.output<typeof launchSchema> | undefined,
  instance: z.output<typeof instanceSchema> | undefined,
): Ledger["launch"] {
  if (launch === undefined) return undefined;
  const known = instance?.generation === launch.generation ? instance : undefined;
  return {
    generation: launch.generation,
    attempt: launch.attempt,
    lineage: launch.lineage,
    imageId: launch.image,
    instanceType: launch.type,
    market: launch.market,
    launchFingerprint: launch.print,
    recycleFingerprint: launch.recycle,
    recordedAt: launch.at,
    instanceId: known?.id,
    rootVolumeId: known?.root,
    rootKept: known?.kept ?? false,
    ran: known?.ran ?? false,
    failed: known?.failed,
    healthy: known?.healthy ?? false,
    heals: known?.heals ?? 0,
  };
}

/**
 * Every tag of the ledger; the caller writes them in one CreateTags. What there is none of is written
 * empty: CreateTags never takes an old tag away, and a tag that came later might find no room on the
 * network interface, which EC2 gives 50.
 */
export function encodeLedger(ledger: Ledger): Tags {
  const { revision, specVersion: version, specFingerprint: print } = ledger;
  const { claim, lineage, startedLineage, platform, launch, stop, gap, deallocatedAt } = ledger;
  const told: [string, string | undefined][] = [
    [tagKeys.id, ledger.id],
    [tagKeys.creationKey, ledger.creationKey],
    [tagKeys.phase, ledger.phase],
    [tagKeys.spec, encode({ revision, version, print })],
    [
      tagKeys.claim,
      claim && encode({ host: claim.host, pid: claim.pid, at: iso(claim.touchedAt) }),
    ],
    [tagKeys.lineage, lineage && encodeLineage(lineage)],
    [tagKeys.startedLineage, startedLineage && encodeLineage(startedLineage)],
    [tagKeys.platform, platform && encodePlatform(platform)],
    [tagKeys.launch, launch && encodeLaunch(launch)],
    [tagKeys.instance, launch && encodeInstance(launch)],
    [tagKeys.knownRoot, ledger.knownRootGeneration?.toString()],
    [tagKeys.stop, stop && encode({ ...stop, at: iso(stop.at) })],
    [tagKeys.gap, gap && encodeGap(gap)],
  ];
  const tags = Object.fromEntries(told.map(([key, value]) => [key, value ?? ""]));
  // Never taken back: a process that stood still may write an older ledger over the end.
  return deallocatedAt === undefined
    ? tags
    : { ...tags, [tagKeys.deallocatedAt]: iso(deallocatedAt) };
}

const encodeGap = (gap: Gap) =>
  encode({ from: iso(gap.fromAt), to: iso(gap.toAt), volume: gap.volumeId });

/** Put on the volume that holds the gap: it outlasts the ledger's memory of it. */
export const gapTag = (gap: Gap): Tags => ({ [tagKeys.gap]: encodeGap(gap) });

const encodeLineage = (lineage: { number: number; baseImageId: string }) =>
  encode({ number: lineage.number, image: lineage.baseImageId });

const encodeLaunch = (launch: NonNullable<Ledger["launch"]>) =>
  encode({
    generation: launch.generation,
    attempt: launch.attempt,
    lineage: launch.lineage,
    image: launch.imageId,
    type: launch.instanceType,
    market: launch.market,
    print: launch.launchFingerprint,
    recycle: launch.recycleFingerprint,
    at: iso(launch.recordedAt),
  });

const encodeInstance = (launch: NonNullable<Ledger["launch"]>) =>
  encode({
    generation: launch.generation,
    id: launch.instanceId,
    root: launch.rootVolumeId,
    kept: launch.rootKept,
    ran: launch.ran,
    failed: launch.failed,
    healthy: launch.healthy,
    heals: launch.heals,
  });
