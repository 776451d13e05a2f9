// Who we are and what we know: orders, claims, the anchor, its moves, its loss, and what EC2 returned.

import { fingerprint } from "../../src/engine/spec";
import { encodeLedger, tagKeys } from "../../src/engine/tags";
import {
  anchor,
  atRest,
  carriedVolume,
  claimant,
  final,
  heldBy,
  hours,
  id,
  imageA,
  imageB,
  instance,
  launch,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  openLaunch,
  periodic,
  platform,
  refusal,
  seconds,
  spec,
  subnetA,
  subnetB,
  volume,
} from "./builders";
import { acts, condemning, type Row, recorded, snapshotting, time, waits } from "./expected";

const nothing = { anchors: [], instances: [], volumes: [], snapshots: [] };

const orders: Row[] = [
  {
    name: "an older order gives way, whatever else there is to do",
    ask: { ledger: ledger({ specVersion: 3 }), specVersion: 2 },
    rule: "a newer specification supersedes this one",
    expect: {
      kind: "superseded",
      reason: "specification 3 is in force, this process knows 2",
    },
  },
  {
    name: "a newer order is written down before it is carried out",
    ask: { spec: spec({ imageId: imageB }), specVersion: 2 },
    rule: "the order that is carried out is recorded first, so that older ones stand back",
    expect: acts(
      recorded(ledger(), {
        specVersion: 2,
        specFingerprint: fingerprint(spec({ imageId: imageB })),
      }),
    ),
  },
  {
    name: "a creation that another process has claimed is left to it",
    ask: {
      ledger: newborn({ claim: { host: "other", pid: 7, touchedAt: now } }),
      observation: atRest(),
      claimant,
    },
    rule: "a creation belongs to the process that claimed it last",
    expect: { kind: "superseded", reason: "process 7 on other is creating it now" },
  },
  {
    name: "nor is it ended while another process creates it: that could write over the end",
    ask: {
      ledger: newborn({ claim: { host: "other", pid: 7, touchedAt: now } }),
      observation: atRest(),
      claimant,
      deallocate: true,
    },
    rule: "a creation belongs to the process that claimed it last",
    expect: { kind: "superseded", reason: "process 7 on other is creating it now" },
  },
  {
    name: "what is to end and has no anchor any more is ended, whoever created it",
    ask: {
      ledger: newborn({ claim: { host: "other", pid: 7, touchedAt: now } }),
      observation: observation({ ...nothing, anchorMissingSinceAt: now - 5 * minutes }),
      claimant,
      deallocate: true,
    },
    rule: "the anchor goes last, or stays as long as retention says",
    expect: { kind: "done", wakeAt: Number.MAX_SAFE_INTEGER },
  },
  {
    name: "a claim is renewed every minute of a long creation",
    ask: {
      ledger: newborn({ claim: { ...claimant, touchedAt: now - minutes } }),
      observation: atRest({ volumes: [], snapshots: [] }),
      claimant,
    },
    rule: "a creation under way is kept claimed",
    expect: acts(recorded(newborn(), { claim: { ...claimant, touchedAt: now } })),
  },
  {
    name: "a deallocated one stays as it is",
    ask: {
      ledger: ledger({ phase: "deallocated" }),
      observation: atRest({
        volumes: [volume({ state: "available", deleteAfterAt: now + hours })],
        snapshots: [periodic({ deleteAfterAt: now + hours })],
      }),
    },
    rule: "a deallocated managed instance stays deallocated",
    expect: { kind: "done", wakeAt: Number.MAX_SAFE_INTEGER },
  },
  {
    name: "an instance that somebody who stood still launches after the end is ended too",
    ask: { ledger: ledger({ phase: "deallocated" }) },
    rule: "an instance that is not wanted any more, or not as it is, is terminated",
    expect: acts(
      recorded(ledger({ phase: "deallocated" }), {
        stop: { generation: 1, reason: "deallocate", at: now },
      }),
      { kind: "terminate", instanceId: "i-1", reason: "deallocate" },
    ),
  },
  {
    name: "a snapshot that somebody who stood still takes after the end goes too",
    ask: {
      ledger: ledger({ phase: "deallocated" }),
      spec: spec({ retentionHours: { images: 0 } }),
      observation: atRest({
        volumes: [volume({ state: "available", deleteAfterAt: now + hours })],
        snapshots: [final({ deleteAfterAt: now + hours }), periodic()],
      }),
    },
    rule: "what is kept says until when, and what is not needed is deleted after two looks",
    expect: acts(condemning("snap-1-periodic")),
  },
];

const anchorStep = (change: Record<string, unknown>, tags: Record<string, string>) =>
  acts({
    kind: "create-anchor",
    token: `${id}:anchor:0`,
    subnetId: subnetA,
    securityGroupIds: [],
    tags: { Name: id, ...tags },
    ...change,
  });

const makesAnchor = "a managed instance has an anchor before anything else";

const anchors: Row[] = [
  {
    name: "a creation begins with the anchor, ledger and all",
    ask: { ledger: newborn(), observation: observation(nothing), claimant },
    rule: makesAnchor,
    expect: anchorStep({}, { ...encodeLedger(newborn()), "pmi:moves": "0" }),
  },
  {
    name: "the anchor carries the user's tags, name, groups and address",
    ask: {
      ledger: newborn(),
      spec: spec({
        tags: { Name: "web", team: "core" },
        privateIp: "10.0.0.5",
        securityGroupIds: ["sg-0000000b"],
      }),
      observation: observation(nothing),
    },
    rule: makesAnchor,
    expect: anchorStep(
      { privateIp: "10.0.0.5", securityGroupIds: ["sg-0000000b"] },
      { Name: "web", team: "core", ...encodeLedger(newborn()), "pmi:moves": "0" },
    ),
  },
  {
    name: "the first anchor is made where the best Spot pool is",
    ask: {
      ledger: newborn(),
      spec: spec({ subnetIds: [subnetA, subnetB] }),
      observation: observation({
        ...nothing,
        spotMarket: { usdPerHour: {}, zoneScores: { "eu-central-1a": 2, "eu-central-1b": 9 } },
      }),
    },
    rule: makesAnchor,
    expect: anchorStep({ subnetId: subnetB }, { ...encodeLedger(newborn()), "pmi:moves": "0" }),
  },
  {
    name: "a creation whose anchor is not to be seen yet makes no other: it would be another lock",
    ask: { ledger: newborn({ revision: 1 }), observation: observation(nothing), claimant },
    rule: makesAnchor,
    expect: waits("its network interface is not to be seen", time, now + 10 * seconds),
  },
  {
    name: "an anchor that is not to be seen is looked for first",
    ask: { observation: observation({ ...nothing, anchorMissingSinceAt: now - 10 * seconds }) },
    rule: makesAnchor,
    expect: waits("its network interface is not to be seen", time, now + 10 * seconds),
  },
  {
    name: "a lost anchor is made again with the remembered address, once looked for long enough",
    ask: {
      observation: observation({
        ...nothing,
        volumes: [volume()],
        anchorMissingSinceAt: now - 5 * minutes,
        remembered: { subnetId: subnetA, privateIp: "10.0.0.10" },
      }),
    },
    rule: makesAnchor,
    expect: anchorStep(
      { token: `${id}:anchor:0:again:5`, privateIp: "10.0.0.10" },
      { ...encodeLedger(ledger()), "pmi:moves": "0" },
    ),
  },
  {
    name: "an anchor that an instance of ours still holds is never made a second time",
    ask: { observation: observation({ anchors: [], anchorMissingSinceAt: now - 5 * minutes }) },
    rule: makesAnchor,
    expect: {
      kind: "stuck",
      reason: "the network interface that i-1 holds does not show our tags",
      remedy: `write them on it again: at least pmi:id=${id}`,
    },
  },
];

const finishes =
  "of two anchors the one in force is deleted once it is free, or the other if it is not";
const moved = anchor({ interfaceId: "eni-2", moves: 1, subnetId: subnetB });
const deleting = (interfaceId: string) => acts({ kind: "delete-anchor", interfaceId });

const moves: Row[] = [
  {
    name: "a move is completed by deleting the lower anchor while nothing holds it",
    ask: { observation: atRest({ anchors: [moved, anchor()] }) },
    rule: finishes,
    expect: deleting("eni-1"),
  },
  {
    name: "a move is given up when the lower anchor carries an instance",
    ask: { observation: observation({ anchors: [moved, heldBy("i-1")] }) },
    rule: finishes,
    expect: deleting("eni-2"),
  },
  {
    name: "a move is completed late when the instance is already on the higher anchor",
    ask: {
      observation: observation({
        anchors: [anchor(), heldBy("i-1", { interfaceId: "eni-2", moves: 1 })],
      }),
    },
    rule: finishes,
    expect: deleting("eni-1"),
  },
  {
    name: "of two anchors that were made at once the first by id stays",
    ask: { observation: atRest({ anchors: [anchor({ interfaceId: "eni-2" }), anchor()] }) },
    rule: finishes,
    expect: deleting("eni-2"),
  },
  {
    name: "of two anchors that were made at once the one that carries the instance stays",
    ask: {
      observation: observation({ anchors: [anchor(), heldBy("i-1", { interfaceId: "eni-2" })] }),
    },
    rule: finishes,
    expect: deleting("eni-1"),
  },
  {
    name: "the newest ledger is written on the anchor that stays before the other goes",
    ask: {
      observation: atRest({
        anchors: [anchor(), { ...moved, tags: encodeLedger(ledger({ revision: 4 })) }],
      }),
    },
    rule: finishes,
    expect: acts(recorded(ledger(), {}, "eni-2")),
  },
  {
    name: "two anchors in use are waited for",
    ask: {
      observation: atRest({
        anchors: [anchor({ status: "in-use" }), { ...moved, status: "detaching" }],
      }),
    },
    rule: finishes,
    expect: waits("two network interfaces are in use", time, now + 10 * seconds),
  },
  {
    name: "an anchor that has just moved carries nothing before the second look",
    ask: { observation: atRest({ anchors: [{ ...moved, movedAt: now - 10 * seconds }] }) },
    rule: "an anchor that just moved is looked at twice before it carries anything",
    expect: waits("the network interface has just moved", time, now + 20 * seconds),
  },
];

const records = "what became of the newest launch is written into the ledger";
const adopts = "an instance that holds the anchor and is unknown to the ledger is written into it";
const opened = ledger({ launch: openLaunch({ recordedAt: now - minutes }), lineage: undefined });

const facts: Row[] = [
  {
    name: "the id that EC2 returned is written down at once",
    ask: {
      ledger: opened,
      observation: observation({
        instances: [instance({ state: "pending", rootVolumeId: undefined })],
      }),
    },
    rule: records,
    expect: acts(
      recorded(opened, {
        launch: { ...openLaunch({ recordedAt: now - minutes }), instanceId: "i-1" },
      }),
    ),
  },
  {
    name: "once it runs its lineage is the one that ran, and its platform is known",
    ask: {
      ledger: opened,
      observation: observation({
        instances: [
          instance({ health: { kind: "initializing" }, platform: platform({ bootMode: "uefi" }) }),
        ],
      }),
    },
    rule: records,
    expect: acts(
      recorded(opened, {
        lineage: { number: 1, baseImageId: imageA },
        platform: platform({ bootMode: "uefi" }),
        launch: launch({ recordedAt: now - minutes, healthy: false }),
      }),
    ),
  },
  {
    name: "passing both checks is written down and ends a row of unhealthy generations",
    ask: { ledger: ledger({ launch: launch({ healthy: false, heals: 2 }) }) },
    rule: records,
    expect: acts(recorded(ledger(), { launch: launch({ heals: 0 }) })),
  },
  {
    name: "a root volume that was replaced is known from now on",
    ask: {
      observation: observation({
        instances: [instance({ rootVolumeId: "vol-9" })],
        volumes: [volume(), carriedVolume({ volumeId: "vol-9" })],
      }),
    },
    rule: records,
    expect: acts(recorded(ledger(), { launch: launch({ rootVolumeId: "vol-9" }) })),
  },
  {
    name: "of two attempts of one generation the one that is alive counts",
    ask: {
      ledger: opened,
      observation: observation({
        instances: [
          instance({ instanceId: "i-gone", state: "terminated", rootVolumeId: undefined }),
          instance({ state: "pending", attempt: 2 }),
        ],
      }),
    },
    rule: records,
    expect: acts(
      recorded(opened, {
        launch: {
          ...openLaunch({ recordedAt: now - minutes }),
          instanceId: "i-1",
          rootVolumeId: "vol-1",
        },
      }),
    ),
  },
  {
    name: "an instance that is newer than the ledger is adopted by its tags",
    ask: {
      ledger: ledger({ knownRootGeneration: undefined }),
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance({ generation: 2, lineage: 2, baseImageId: imageB })],
        volumes: [volume(), carriedVolume({ generation: 2, lineage: 2, baseImageId: imageB })],
      }),
    },
    rule: adopts,
    expect: acts(
      recorded(ledger(), {
        launch: launch({
          generation: 2,
          lineage: 2,
          imageId: imageB,
          ran: false,
          healthy: false,
        }),
        startedLineage: { number: 2, baseImageId: imageB },
      }),
    ),
  },
  {
    name: "an instance that does not show its tags yet is waited for",
    ask: {
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance({ generation: 2, tags: {} })],
      }),
    },
    rule: adopts,
    expect: waits("i-2 does not show its tags yet", time, now + 5 * seconds),
  },
  {
    name: "an older instance that still holds the anchor when EC2's lag is over replaces a launch that cannot have been",
    ask: {
      ledger: ledger({ launch: openLaunch({ generation: 2, recordedAt: now - 5 * minutes }) }),
    },
    rule: adopts,
    expect: acts(
      recorded(ledger(), {
        launch: launch({ ran: false, healthy: false }),
        startedLineage: { number: 1, baseImageId: imageA },
      }),
    ),
  },
];

const marks = "a root volume is marked with its own id, so that a copy of its tags betrays itself";
const marking = (volumeId: string) =>
  acts({ kind: "tag", resourceIds: [volumeId], tags: { [tagKeys.marked]: volumeId } });

const marked: Row[] = [
  {
    name: "the carrier's root volume is marked",
    ask: { observation: observation({ volumes: [carriedVolume({ markedId: undefined })] }) },
    rule: marks,
    expect: marking("vol-1"),
  },
  {
    name: "of an original and its copy, both unmarked, only the known original is marked",
    ask: {
      observation: observation({
        volumes: [
          volume({ volumeId: "vol-copy", markedId: undefined }),
          carriedVolume({ markedId: undefined }),
        ],
      }),
    },
    rule: marks,
    expect: marking("vol-1"),
  },
  {
    name: "a copy that wears the original's mark is nobody's root disk",
    ask: {
      observation: atRest({
        instances: [instance({ state: "terminated" })],
        volumes: [volume({ volumeId: "vol-copy", markedId: "vol-1" }), volume()],
        snapshots: [],
      }),
    },
    rule: "without a live instance the next generation is launched from its root source",
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a copy that was made before the original was marked is nobody's root disk either",
    ask: {
      observation: atRest({
        instances: [instance({ state: "terminated" })],
        volumes: [volume({ volumeId: "vol-copy", markedId: undefined }), volume()],
        snapshots: [],
      }),
    },
    rule: "without a live instance the next generation is launched from its root source",
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "a copy is nobody's root disk either where only the mark tells the original",
    ask: {
      ledger: ledger({
        launch: launch({ rootVolumeId: undefined }),
        knownRootGeneration: undefined,
      }),
      observation: atRest({
        instances: [instance({ state: "terminated", rootVolumeId: undefined })],
        volumes: [volume({ volumeId: "vol-copy", markedId: undefined }), volume()],
        snapshots: [],
      }),
    },
    rule: "without a live instance the next generation is launched from its root source",
    expect: acts(snapshotting("final", "vol-1")),
  },
  {
    name: "of two unmarked volumes of one generation that nobody knows the older is the original",
    ask: {
      ledger: ledger({
        launch: launch({ rootVolumeId: undefined }),
        knownRootGeneration: undefined,
      }),
      observation: atRest({
        instances: [],
        volumes: [
          volume({ volumeId: "vol-copy", markedId: undefined, createdAt: now - minutes }),
          volume({ markedId: undefined, createdAt: now - hours }),
        ],
        snapshots: [periodic()],
        refusals: [refusal()],
      }),
    },
    rule: "without a live instance the next generation is launched from its root source",
    expect: acts(snapshotting("final", "vol-1")),
  },
];

const unmarked = (change: Parameters<typeof volume>[0]) =>
  volume({ markedId: undefined, ...change });
const isPending = "an instance that is changing its state is waited for";
const pending = (generation: number, volumes: ReturnType<typeof volume>[]) =>
  observation({
    anchors: [heldBy(`i-${generation}`)],
    instances: [instance({ generation, state: "pending", rootVolumeId: undefined })],
    volumes,
  });
const awaited = (generation: number) =>
  waits(
    `i-${generation} is pending`,
    { kind: "instance", instanceId: `i-${generation}`, until: "state-change" },
    now + 5 * minutes,
  );
const launchedAgain = (generation: number) =>
  ledger({
    launch: openLaunch({ generation, instanceId: `i-${generation}` }),
    knownRootGeneration: generation - 1,
  });

const copies: Row[] = [
  {
    name: "a copy of a disk that two generations have followed is not marked while the newest is pending",
    ask: {
      ledger: launchedAgain(3),
      observation: pending(3, [unmarked({ volumeId: "vol-copy" }), volume({ generation: 2 })]),
    },
    rule: isPending,
    expect: awaited(3),
  },
  {
    name: "a copy of a disk that went with its instance is not marked once the next one is launched",
    ask: {
      ledger: launchedAgain(2),
      observation: pending(2, [unmarked({ volumeId: "vol-copy" })]),
    },
    rule: isPending,
    expect: awaited(2),
  },
  {
    name: "the only disk of a generation that nobody saw is marked",
    ask: {
      ledger: ledger({ launch: launch({ generation: 2, rootVolumeId: undefined }) }),
      observation: atRest({ volumes: [volume(), unmarked({ generation: 2 })] }),
    },
    rule: marks,
    expect: marking("vol-2"),
  },
];

export const identityRows: readonly Row[] = [
  ...orders,
  ...anchors,
  ...moves,
  ...facts,
  ...marked,
  ...copies,
];
