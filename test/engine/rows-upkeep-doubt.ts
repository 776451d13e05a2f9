// Upkeep where a mutant of it would have gone unseen: what EC2 does not show, or not rightly, for the
// moment, what has been done already, and how long the checks of an instance are waited for.

import {
  carriedVolume,
  final,
  groupA,
  heldBy,
  hours,
  imageB,
  instance,
  launch,
  ledger,
  minutes,
  now,
  observation,
  openLaunch,
  periodic,
  seconds,
  spec,
  volume,
} from "./builders";
import { acts, type Row, snapshotting, waits } from "./expected";

const rests = "all is as it should be until upkeep is due";
const snapshots =
  "the running root disk is snapshotted in time, never while a snapshot of it is pending";
const groups = "the anchor has the security groups that the spec names";
const tags = "the instance, its root volume and the anchor wear the user's tags";
const awaits = "an instance is called up when both status checks have passed";

const groupB = "sg-0000000b";
const groupC = "sg-0000000c";
const wearing = (...securityGroupIds: string[]) =>
  observation({ anchors: [heldBy("i-1", { securityGroupIds })] });
const setting = (...securityGroupIds: string[]) =>
  acts({ kind: "set-security-groups", interfaceId: "eni-1", securityGroupIds });
const upToNextSnapshot = { kind: "done" as const, wakeAt: now + 3 * minutes };

const named = { Name: "web", team: "core" };

const inPlace: Row[] = [
  {
    name: "a security group that the spec does not name any more is taken off",
    ask: {
      spec: spec({ securityGroupIds: [groupA] }),
      observation: wearing(groupA, groupB),
    },
    rule: groups,
    expect: setting(groupA),
  },
  {
    name: "one security group in another's place is set, although the others are there",
    ask: {
      spec: spec({ securityGroupIds: [groupA, groupB] }),
      observation: wearing(groupA, groupC),
    },
    rule: groups,
    expect: setting(groupA, groupB),
  },
  {
    name: "tags that are there already are not written again",
    ask: {
      spec: spec({ tags: named }),
      observation: observation({
        instances: [instance({ tags: { ...instance().tags, ...named } })],
      }),
    },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "changed tags are written on what is to be seen while EC2 shows no root volume",
    ask: {
      spec: spec({ tags: named }),
      observation: observation({ instances: [instance({ rootVolumeId: undefined })] }),
    },
    rule: tags,
    expect: acts({ kind: "tag", resourceIds: ["i-1", "eni-1"], tags: named }),
  },
];

const lagging: Row[] = [
  {
    name: "a disk that EC2 does not show is not snapshotted yet",
    ask: { observation: observation({ volumes: [], snapshots: [] }) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * minutes },
  },
  {
    name: "a snapshot that was asked for comes although the last one is only half a minute old",
    ask: {
      asked: { snapshotAt: now },
      observation: observation({ snapshots: [periodic({ startedAt: now - 30 * seconds })] }),
    },
    rule: snapshots,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a running disk that EC2 still shows as free gets no final snapshot: it is written to",
    ask: { observation: observation({ volumes: [volume()] }) },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "an account that carries no more is looked at less often, snapshots or not",
    ask: { stretch: 2, spec: spec({ persistRootDevice: false }) },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 60 * minutes },
  },
];

const second = ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) });
const onSecond = {
  anchors: [heldBy("i-2")],
  instances: [instance({ generation: 2, imageId: "ami-1f" })],
};
const own = periodic({ generation: 2 });

const swapped = {
  spec: spec({ imageId: imageB }),
  ledger: ledger({
    lineage: { number: 2, baseImageId: imageB },
    startedLineage: { number: 2, baseImageId: imageB },
    launch: launch({ generation: 2, lineage: 2, imageId: imageB }),
  }),
};
const ofB = { generation: 2, lineage: 2, baseImageId: imageB };
const keptFor = (volumes = [volume()], before = [final()]) =>
  observation({
    anchors: [heldBy("i-2")],
    instances: [instance(ofB)],
    volumes: [carriedVolume(ofB), ...volumes],
    snapshots: [periodic(ofB), ...before],
  });

const earlier: Row[] = [
  {
    name: "the final snapshot of the disk of before is waited for while the instance runs",
    ask: {
      ledger: second,
      observation: observation({
        ...onSecond,
        volumes: [carriedVolume({ generation: 2 }), volume()],
        snapshots: [own, final({ state: "pending" })],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 30 * seconds },
  },
  {
    name: "a disk of before that is not free yet is waited for while the instance runs",
    ask: {
      ledger: second,
      observation: observation({
        ...onSecond,
        volumes: [carriedVolume({ generation: 2 }), volume({ state: "in-use" })],
        snapshots: [own],
      }),
    },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "a disk of before gets its final snapshot while another one is still waited for",
    ask: {
      ledger: ledger({ launch: launch({ generation: 3, imageId: "ami-2f" }) }),
      observation: observation({
        anchors: [heldBy("i-3")],
        instances: [instance({ generation: 3, imageId: "ami-2f" })],
        volumes: [
          carriedVolume({ generation: 3 }),
          volume({ state: "in-use" }),
          volume({ generation: 2 }),
        ],
        snapshots: [periodic({ generation: 3 })],
      }),
    },
    rule: "a free volume of an earlier generation or lineage gets its final snapshot",
    expect: acts(snapshotting("final", "vol-2", { generation: 2 })),
  },
  {
    name: "a disk of before that is kept for a while as it is gets no snapshot any more",
    ask: { ...swapped, observation: keptFor([volume({ deleteAfterAt: now + hours })], []) },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "a snapshot that is kept for a while is not looked after meanwhile",
    ask: { ...swapped, observation: keptFor([], [final({ deleteAfterAt: now + hours })]) },
    rule: rests,
    expect: upToNextSnapshot,
  },
];

const booting = (change: Parameters<typeof instance>[0] & object) =>
  observation({ instances: [instance(change)] });
const young = ledger({ launch: launch({ healthy: false }) });
const impairedFor = (span: number) =>
  booting({ health: { kind: "impaired", sinceAt: now - span } });
const unknownSince = (launchedAt: number) => booting({ launchedAt, health: { kind: "unknown" } });
const fails = {
  kind: "stuck" as const,
  reason: "i-1 fails its status checks",
  remedy: "look at its console output; set imageId back, recycle (recycleToken) or set autoHealing",
};
const stillChecking = waits(
  "i-1 runs; its status checks are not through",
  { kind: "instance", instanceId: "i-1", until: "health-change" },
  now + minutes,
);

const checks: Row[] = [
  {
    name: "without auto-healing a failing instance is reported as soon as its patience is over",
    ask: {
      spec: spec({ autoHealing: false }),
      ledger: young,
      observation: impairedFor(2 * minutes),
    },
    rule: awaits,
    expect: fails,
  },
  {
    name: "without auto-healing it is this instance that fails, however many were replaced before",
    ask: {
      spec: spec({ autoHealing: false }),
      ledger: ledger({ launch: launch({ healthy: false, heals: 3 }) }),
      observation: impairedFor(2 * hours),
    },
    rule: awaits,
    expect: fails,
  },
  {
    name: "an older instance that fails is not told as one that was replaced too often",
    ask: {
      ledger: ledger({ launch: openLaunch({ generation: 2, recordedAt: now - minutes }) }),
      observation: impairedFor(hours),
    },
    rule: awaits,
    expect: fails,
  },
  {
    name: "checks that EC2 does not tell of are waited for for ten minutes",
    ask: { ledger: young, observation: unknownSince(now - 9 * minutes) },
    rule: awaits,
    expect: stillChecking,
  },
  {
    name: "checks that EC2 does not tell of are waited for no longer than ten minutes",
    ask: { ledger: young, observation: unknownSince(now - 10 * minutes) },
    rule: rests,
    expect: upToNextSnapshot,
  },
  {
    name: "checks that EC2 does not tell of are waited for for as long as the grace lasts",
    ask: {
      spec: spec({ gracePeriodSeconds: 1800 }),
      ledger: young,
      observation: unknownSince(now - 20 * minutes),
    },
    rule: awaits,
    expect: stillChecking,
  },
];

export const upkeepDoubtRows: readonly Row[] = [...inPlace, ...lagging, ...earlier, ...checks];
