// Who we are and what we know where it is in doubt: claims of others, anchors that are lost, several
// or just moved.

import { encodeLedger } from "../../src/engine/tags";
import {
  anchor,
  atRest,
  carriedVolume,
  claimant,
  final,
  heldBy,
  hours,
  id,
  image,
  imageA,
  instance,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  periodic,
  pool,
  refusal,
  seconds,
  spec,
  subnetA,
  subnetB,
  volume,
} from "./builders";
import { acts, intent, launching, type Row, recorded, time, waits } from "./expected";

const launches = "without a live instance the next generation is launched from its root source";
const rests = "all is as it should be until upkeep is due";
const terminates = "an instance that is not wanted any more, or not as it is, is terminated";
const makesAnchor = "a managed instance has an anchor before anything else";

const nothing = { anchors: [], instances: [], volumes: [], snapshots: [] };
const elsewhere = { host: "other", pid: 8, touchedAt: now - hours };
const upToNextSnapshot = { kind: "done" as const, wakeAt: now + 3 * minutes };
const startedLineage = { number: 1, baseImageId: imageA };

const making = (change: Record<string, unknown>, before = newborn()) =>
  acts({
    kind: "create-anchor",
    token: `${id}:anchor:0`,
    subnetId: subnetA,
    securityGroupIds: [],
    tags: { Name: id, ...encodeLedger(before), "pmi:moves": "0" },
    ...change,
  });

const claims: Row[] = [
  {
    name: "who made it is nobody's business once it is made",
    ask: { ledger: ledger({ claim: elsewhere }), claimant },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "a creation that nobody has claimed may be gone on with by anyone",
    ask: {
      ledger: newborn({ claim: undefined }),
      observation: observation(nothing),
      claimant,
    },
    rule: makesAnchor,
    expect: making({}, newborn({ claim: undefined })),
  },
  {
    name: "a creation that nobody has claimed is not claimed by going on with it",
    ask: {
      ledger: newborn({ claim: undefined }),
      observation: atRest({ volumes: [], snapshots: [] }),
      claimant,
    },
    rule: launches,
    expect: acts(
      recorded(newborn({ claim: undefined }), {
        launch: intent({ generation: 1, imageId: imageA }),
        platform: ledger().platform,
        startedLineage,
      }),
      launching({ generation: 1, imageId: imageA }),
    ),
  },
  {
    name: "a creation that another process has claimed is left to it before its anchor shows too",
    ask: {
      ledger: newborn({ claim: { ...elsewhere, touchedAt: now } }),
      observation: observation(nothing),
      claimant,
    },
    rule: "a creation belongs to the process that claimed it last",
    expect: { kind: "superseded", reason: "process 8 on other is creating it now" },
  },
  {
    name: "another process of the same machine is another process",
    ask: {
      ledger: newborn({ claim: { ...claimant, pid: 8, touchedAt: now } }),
      observation: atRest(),
      claimant,
    },
    rule: "a creation belongs to the process that claimed it last",
    expect: { kind: "superseded", reason: "process 8 on laptop is creating it now" },
  },
  {
    name: "an instance that comes to light after the end is ended, although all else has its time",
    ask: {
      ledger: ledger({ phase: "deallocated" }),
      observation: observation({
        volumes: [carriedVolume({ deleteAfterAt: now + hours })],
        snapshots: [periodic({ deleteAfterAt: now + hours })],
      }),
    },
    rule: terminates,
    expect: acts(
      recorded(ledger({ phase: "deallocated" }), {
        stop: { generation: 1, reason: "deallocate", at: now },
      }),
      { kind: "terminate", instanceId: "i-1", reason: "deallocate" },
    ),
  },
];

const longMissing = { ...nothing, volumes: [volume()], anchorMissingSinceAt: now - 5 * minutes };
const ending = ledger({ phase: "deallocating" });

const full = (subnetId: string) => ({ subnetId, at: now - 10 * seconds });
const noAddress = (...subnetIds: string[]) => ({
  kind: "stuck" as const,
  reason: `no private IP address is free in ${subnetIds.join(", ")}`,
  remedy: "free some, or name another subnet in subnetIds",
});

const lost: Row[] = [
  {
    name: "the first anchor is made although every pool rests",
    ask: {
      ledger: newborn(),
      spec: spec({ instanceTypes: ["m5.large"], fallbackToOnDemand: false }),
      observation: observation({ ...nothing, refusals: [refusal()] }),
    },
    rule: makesAnchor,
    expect: making({}),
  },
  {
    name: "the first anchor goes to another subnet where the best one has no free address",
    ask: {
      ledger: newborn(),
      spec: spec({ subnetIds: [subnetA, subnetB] }),
      observation: observation({ ...nothing, fullSubnets: [full(subnetA)] }),
    },
    rule: makesAnchor,
    expect: making({ subnetId: subnetB }),
  },
  {
    name: "where no subnet has a free address that is told, and nothing is made",
    ask: {
      ledger: newborn(),
      spec: spec({ subnetIds: [subnetA, subnetB] }),
      observation: observation({ ...nothing, fullSubnets: [full(subnetB), full(subnetA)] }),
    },
    rule: makesAnchor,
    expect: noAddress(subnetA, subnetB),
  },
  {
    name: "a lost anchor whose address is promised is made in no other subnet than its full one",
    ask: {
      spec: spec({ subnetIds: [subnetA, subnetB] }),
      observation: observation({
        ...longMissing,
        remembered: { subnetId: subnetB, privateIp: "10.0.1.10" },
        fullSubnets: [full(subnetB)],
      }),
    },
    rule: makesAnchor,
    expect: noAddress(subnetB),
  },
  {
    name: "without a subnet there is nowhere to make an anchor",
    ask: {
      ledger: newborn(),
      spec: { ...spec(), subnetIds: [] },
      observation: observation(nothing),
    },
    rule: makesAnchor,
    expect: { kind: "stuck", reason: "no subnet is given", remedy: "name one in subnetIds" },
  },
  {
    name: "a lost anchor is made again in the subnet of its address, wherever the best pool is",
    ask: {
      spec: spec({ subnetIds: [subnetA, subnetB] }),
      observation: observation({
        ...longMissing,
        remembered: { subnetId: subnetB, privateIp: "10.0.1.10" },
      }),
    },
    rule: makesAnchor,
    expect: making(
      { token: `${id}:anchor:0:again:5`, subnetId: subnetB, privateIp: "10.0.1.10" },
      ledger(),
    ),
  },
  {
    name: "a lost anchor of which nothing is remembered is made again where the best pool is",
    ask: { observation: observation(longMissing) },
    rule: makesAnchor,
    expect: making({ token: `${id}:anchor:0:again:5` }, ledger()),
  },
  {
    name: "a move before anything was recorded names the subnet that it goes to",
    ask: {
      ledger: newborn(),
      spec: spec({
        subnetIds: [subnetA, subnetB],
        instanceTypes: ["m5.large"],
        fallbackToOnDemand: false,
      }),
      observation: atRest({ volumes: [], snapshots: [], refusals: [refusal()] }),
    },
    rule: launches,
    expect: making({
      token: `${id}:anchor:1:${subnetB}:0`,
      subnetId: subnetB,
      tags: {
        Name: id,
        ...encodeLedger(newborn()),
        "pmi:moves": "1",
        "pmi:moved-at": new Date(now).toISOString(),
      },
    }),
  },
  {
    name: "a creation that is taken back before its anchor shows waits for it and claims nothing",
    ask: {
      ledger: newborn({ claim: { ...claimant, touchedAt: now - hours } }),
      observation: observation(nothing),
      deallocate: true,
      claimant,
    },
    rule: "the anchor goes last, or stays as long as retention says",
    expect: waits("its network interface is not to be seen", time, now + 30 * seconds),
  },
  {
    name: "what is ended without its anchor ends an instance that its ledger does not know",
    ask: {
      ledger: ending,
      observation: observation({ anchors: [], instances: [instance({ generation: 2 })] }),
    },
    rule: terminates,
    expect: acts({ kind: "terminate", instanceId: "i-2", reason: "deallocate" }),
  },
];

const finishes =
  "of two anchors the one in force is deleted once it is free, or the other if it is not";
const moved = anchor({ interfaceId: "eni-2", moves: 1, subnetId: subnetB });
const twin = anchor({ interfaceId: "eni-3" });
const deleting = (interfaceId: string) => acts({ kind: "delete-anchor", interfaceId });
const saved = { volumes: [volume()], snapshots: [final()], images: [image()] };

const moves: Row[] = [
  {
    name: "of two anchors that were made at once the first by id stays, whichever EC2 shows first",
    ask: { observation: atRest({ anchors: [anchor(), anchor({ interfaceId: "eni-2" })] }) },
    rule: finishes,
    expect: deleting("eni-2"),
  },
  {
    name: "of three anchors the lowest goes while nothing holds it, although another is as low",
    ask: { observation: atRest({ anchors: [anchor(), twin, moved] }) },
    rule: finishes,
    expect: deleting("eni-1"),
  },
  {
    name: "the lower anchor stays while an instance is there that EC2 does not show on it yet",
    ask: { observation: observation({ anchors: [anchor(), moved] }) },
    rule: finishes,
    expect: deleting("eni-2"),
  },
  {
    name: "an anchor that has just moved and carries an instance is not waited for",
    ask: { observation: observation({ anchors: [heldBy("i-1", { movedAt: now - seconds })] }) },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "an anchor that moved half a minute ago carries the next instance",
    ask: {
      observation: atRest({ ...saved, anchors: [{ ...moved, movedAt: now - 30 * seconds }] }),
      spec: spec({ subnetIds: [subnetB] }),
    },
    rule: launches,
    expect: acts(
      recorded(ledger(), { launch: intent(), startedLineage }, "eni-2"),
      launching({ interfaceId: "eni-2", pool: pool({ subnetId: subnetB }) }),
    ),
  },
];

export const identityDoubtRows: readonly Row[] = [...claims, ...lost, ...moves];
