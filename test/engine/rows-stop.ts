// When an instance has to go and how: its disk is kept, what follows it is possible, and only then
// it is terminated. Interruptions are met here too.

import type { Health, Ledger, StopReason } from "../../src/engine/model";
import {
  atRest,
  baseImage,
  carriedVolume,
  heldBy,
  hours,
  image,
  imageA,
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
  subnetA,
  subnetB,
} from "./builders";
import { acts, type Row, recorded, snapshotting, time, waits } from "./expected";

const tells = "a change that is not possible is told, and the instance is kept up meanwhile";
const rests = "all is as it should be until upkeep is due";
const stops = "an instance that is not wanted any more, or not as it is, is terminated";
const keeps = "a persisted root volume outlives its instance";

const ending = (reason: StopReason, before: Ledger = ledger()) =>
  acts(recorded(before, { stop: { generation: 1, reason, at: now } }), {
    kind: "terminate",
    instanceId: "i-1",
    reason,
  });

const keptRoots: Row[] = [
  {
    name: "a root that would be deleted with its instance is kept, first of all",
    ask: {
      spec: spec({ desiredState: "paused" }),
      observation: observation({ instances: [instance({ rootDeletedOnTermination: true })] }),
    },
    rule: keeps,
    expect: acts({ kind: "keep-root", instanceId: "i-1", deviceName: "/dev/xvda" }),
  },
  {
    name: "an instance whose root is not to be seen is not terminated",
    ask: {
      spec: spec({ desiredState: "paused" }),
      observation: observation({ instances: [instance({ rootVolumeId: undefined })] }),
    },
    rule: stops,
    expect: waits(
      "i-1 does not show a root volume that outlives it; it is not terminated before",
      time,
      now + 10 * seconds,
    ),
  },
  {
    name: "a pending instance whose root is not to be seen is let come up first",
    ask: {
      spec: spec({ desiredState: "paused" }),
      observation: observation({
        instances: [instance({ state: "pending", rootVolumeId: undefined })],
      }),
    },
    rule: "an instance that is changing its state is waited for",
    expect: waits(
      "i-1 is pending",
      { kind: "instance", instanceId: "i-1", until: "state-change" },
      now + 5 * minutes,
    ),
  },
  {
    name: "without root persistence the root goes with its instance",
    ask: {
      spec: spec({ persistRootDevice: false, desiredState: "paused" }),
      observation: observation({ instances: [instance({ rootDeletedOnTermination: true })] }),
    },
    rule: stops,
    expect: ending("pause"),
  },
];

const wanted: Row[] = [
  {
    name: "a pause terminates, and says so first",
    ask: { spec: spec({ desiredState: "paused" }) },
    rule: stops,
    expect: ending("pause"),
  },
  {
    name: "a pause is no question of what could come next",
    ask: {
      spec: spec({ desiredState: "paused", subnetIds: [subnetB], imageId: imageB }),
      observation: observation({ baseImage: { kind: "absent", imageId: imageB } }),
    },
    rule: stops,
    expect: ending("pause"),
  },
  {
    name: "a termination that was begun is repeated without another word",
    ask: {
      spec: spec({ desiredState: "paused" }),
      ledger: ledger({ stop: { generation: 1, reason: "pause", at: now - minutes } }),
    },
    rule: stops,
    expect: acts({ kind: "terminate", instanceId: "i-1", reason: "pause" }),
  },
  {
    name: "an instance that is coming up is paused too",
    ask: {
      spec: spec({ desiredState: "paused" }),
      observation: observation({ instances: [instance({ state: "pending" })] }),
    },
    rule: stops,
    expect: ending("pause"),
  },
  {
    name: "a deallocation terminates",
    ask: { ledger: ledger({ phase: "deallocating" }) },
    rule: stops,
    expect: ending("deallocate", ledger({ phase: "deallocating" })),
  },
  {
    name: "the order to deallocate is written down before anything is ended",
    ask: { deallocate: true },
    rule: "the order that is carried out is recorded first, so that older ones stand back",
    expect: acts(recorded(ledger(), { phase: "deallocating" })),
  },
  {
    name: "an instance that somebody stopped is terminated, so that another can come",
    ask: { observation: observation({ instances: [instance({ state: "stopped" })] }) },
    rule: stops,
    expect: ending("stopped-outside"),
  },
  {
    name: "an instance that is shutting down is waited for",
    ask: { observation: observation({ instances: [instance({ state: "shutting-down" })] }) },
    rule: "an instance that is changing its state is waited for",
    expect: waits(
      "i-1 is shutting-down",
      { kind: "instance", instanceId: "i-1", until: "state-change" },
      now + 5 * minutes,
    ),
  },
];

const onB = observation({ baseImage: baseImage({ imageId: imageB }) });
const absentB = observation({ baseImage: { kind: "absent", imageId: imageB } });

const changes: Row[] = [
  {
    name: "another base image ends the instance at once",
    ask: { spec: spec({ imageId: imageB }), observation: onB },
    rule: stops,
    expect: ending("ami-swap"),
  },
  {
    name: "an instance is not ended for a base image that does not exist",
    ask: { spec: spec({ imageId: imageB }), observation: absentB },
    rule: tells,
    expect: {
      kind: "stuck",
      reason: `image ${imageB} does not exist`,
      remedy: "set imageId to an image that does",
    },
  },
  {
    name: "a recycle needs no base image, so one that is gone is no obstacle",
    ask: {
      spec: spec({ recycleToken: "again" }),
      observation: observation({ baseImage: { kind: "absent", imageId: imageA } }),
    },
    rule: stops,
    expect: ending("recycle-token"),
  },
  {
    name: "without root persistence a recycle needs the base image",
    ask: {
      spec: spec({ recycleToken: "again", persistRootDevice: false }),
      observation: observation({ baseImage: { kind: "absent", imageId: imageA } }),
    },
    rule: tells,
    expect: {
      kind: "stuck",
      reason: `image ${imageA} does not exist`,
      remedy: "set imageId to an image that does",
    },
  },
  {
    name: "another recycle token ends the instance",
    ask: { spec: spec({ recycleToken: "again" }) },
    rule: stops,
    expect: ending("recycle-token"),
  },
  {
    name: "with changes due at the next recycle another base image waits for one",
    ask: { spec: spec({ imageId: imageB, applyChanges: "at-next-recycle" }), observation: onB },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "and the recycle then is the swap",
    ask: {
      spec: spec({ imageId: imageB, applyChanges: "at-next-recycle", recycleToken: "again" }),
      observation: onB,
    },
    rule: stops,
    expect: ending("ami-swap"),
  },
  {
    name: "a changed property of a launch ends the instance",
    ask: { spec: spec({ keyName: "mine" }) },
    rule: stops,
    expect: ending("changed-properties"),
  },
  {
    name: "a type that is not allowed any more ends the instance",
    ask: { spec: spec({ instanceTypes: ["c5.large"] }) },
    rule: stops,
    expect: ending("changed-properties"),
  },
  {
    name: "a changed property waits for the next recycle when the spec says so",
    ask: { spec: spec({ keyName: "mine", applyChanges: "at-next-recycle" }) },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "a subnet that is not allowed any more is no reason to break the promised address",
    ask: { spec: spec({ subnetIds: [subnetB] }) },
    rule: tells,
    expect: {
      kind: "stuck",
      reason: `subnetIds no longer contains ${subnetA}, to which the persisted private IP 10.0.0.10 belongs`,
      remedy:
        "add that subnet to subnetIds again, or set persistPrivateIp to false to give the address up",
    },
  },
  {
    name: "nor to wait for ever for an instance that somebody stopped",
    ask: {
      spec: spec({ subnetIds: [subnetB] }),
      observation: observation({ instances: [instance({ state: "stopped" })] }),
    },
    rule: "a stopped instance that cannot be replaced is told of",
    expect: {
      kind: "stuck",
      reason: `subnetIds no longer contains ${subnetA}, to which the persisted private IP 10.0.0.10 belongs`,
      remedy:
        "add that subnet to subnetIds again, or set persistPrivateIp to false to give the address up",
    },
  },
  {
    name: "without a promised address a subnet that is not allowed any more is left",
    ask: { spec: spec({ subnetIds: [subnetB], persistPrivateIp: false }) },
    rule: stops,
    expect: ending("changed-properties"),
  },
];

const requests: Row[] = [
  {
    name: "a pause that was asked for terminates, whatever the spec says",
    ask: { asked: { desiredState: "paused" } },
    rule: stops,
    expect: ending("pause"),
  },
  {
    name: "a managed instance that the spec pauses runs on when that was asked for",
    ask: { spec: spec({ desiredState: "paused" }), asked: { desiredState: "running" } },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "what is ended stays ended, whatever was asked for",
    ask: { asked: { desiredState: "running" }, ledger: ledger({ phase: "deallocating" }) },
    rule: stops,
    expect: ending("deallocate", ledger({ phase: "deallocating" })),
  },
  {
    name: "a recycle that was asked for ends the generation that it names",
    ask: { asked: { recycleGeneration: 1 } },
    rule: stops,
    expect: ending("requested"),
  },
  {
    name: "a recycle that was asked for takes a snapshot first, while the instance runs on",
    ask: {
      asked: { recycleGeneration: 1 },
      observation: observation({ snapshots: [periodic({ startedAt: now - 6 * minutes })] }),
    },
    rule: stops,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a recycle that was asked for twice is begun once",
    ask: {
      asked: { recycleGeneration: 1 },
      ledger: ledger({ stop: { generation: 1, reason: "requested", at: now - minutes } }),
    },
    rule: stops,
    expect: acts({ kind: "terminate", instanceId: "i-1", reason: "requested" }),
  },
  {
    name: "a recycle that is fulfilled by a later generation is harmless when it is asked for again",
    ask: {
      asked: { recycleGeneration: 1 },
      ledger: ledger({ launch: launch({ generation: 2 }) }),
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance({ generation: 2 })],
        volumes: [carriedVolume({ generation: 2 })],
        snapshots: [periodic({ generation: 2 })],
      }),
    },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "a recycle of a generation that is still to come does not recycle this one",
    ask: { asked: { recycleGeneration: 2 } },
    rule: rests,
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "with changes due at the next recycle one that was asked for is the swap",
    ask: {
      asked: { recycleGeneration: 1 },
      spec: spec({ imageId: imageB, applyChanges: "at-next-recycle" }),
      observation: onB,
    },
    rule: stops,
    expect: ending("ami-swap"),
  },
  {
    name: "without root persistence a recycle that was asked for needs the base image",
    ask: {
      asked: { recycleGeneration: 1 },
      spec: spec({ persistRootDevice: false }),
      observation: observation({ baseImage: { kind: "absent", imageId: imageA } }),
    },
    rule: tells,
    expect: {
      kind: "stuck",
      reason: `image ${imageA} does not exist`,
      remedy: "set imageId to an image that does",
    },
  },
];

const warmUp: Row[] = [
  {
    name: "a planned recycle takes a snapshot first, while the instance runs on",
    ask: {
      spec: spec({ recycleToken: "again" }),
      observation: observation({ snapshots: [periodic({ startedAt: now - 6 * minutes })] }),
    },
    rule: stops,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "a planned recycle waits for a snapshot that is pending, for ten minutes at most",
    ask: {
      spec: spec({ recycleToken: "again" }),
      observation: observation({ snapshots: [periodic({ state: "pending" })] }),
    },
    rule: stops,
    expect: waits(
      "snapshot snap-1-periodic is pending; the instance runs on meanwhile",
      { kind: "snapshot", snapshotId: "snap-1-periodic" },
      now + 8 * minutes,
    ),
  },
  {
    name: "an AMI swap needs no warm disk",
    ask: {
      spec: spec({ imageId: imageB }),
      observation: { ...onB, snapshots: [] },
    },
    rule: stops,
    expect: ending("ami-swap"),
  },
];

const sick = (health: Health, launchedAt = now - hours) =>
  observation({ instances: [instance({ health, launchedAt })] });
const impairedFor = (duration: number): Health => ({ kind: "impaired", sinceAt: now - duration });
const neverHealthy = (heals: number) => ledger({ launch: launch({ healthy: false, heals }) });
const awaits = "an instance is called up when both status checks have passed";
const failing = "i-1 fails its status checks";
const watchHealth = { kind: "instance", instanceId: "i-1", until: "health-change" } as const;

const health: Row[] = [
  {
    name: "an instance that is unhealthy for as long as asked for is replaced",
    ask: { observation: sick(impairedFor(2 * minutes)) },
    rule: stops,
    expect: ending("unhealthy"),
  },
  {
    name: "an instance that was healthy and is impaired for a moment is left alone",
    ask: { observation: sick(impairedFor(minutes)) },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "the grace of a young instance comes first",
    ask: {
      ledger: neverHealthy(0),
      observation: sick(impairedFor(3 * minutes), now - 3 * minutes),
    },
    rule: awaits,
    expect: waits(failing, watchHealth, now + minutes),
  },
  {
    name: "each replacement in a row doubles the patience",
    ask: { ledger: neverHealthy(2), observation: sick(impairedFor(7 * minutes)) },
    rule: awaits,
    expect: waits(failing, watchHealth, now + minutes),
  },
  {
    name: "a patience that is over replaces again",
    ask: { ledger: neverHealthy(2), observation: sick(impairedFor(8 * minutes)) },
    rule: stops,
    expect: ending("unhealthy", neverHealthy(2)),
  },
  {
    name: "patience never grows beyond an hour",
    ask: {
      spec: spec({ unhealthyDurationSeconds: 3600 }),
      ledger: neverHealthy(2),
      observation: sick(impairedFor(hours), now - 3 * hours),
    },
    rule: stops,
    expect: ending("unhealthy", neverHealthy(2)),
  },
  {
    name: "after three replacements in a row the user is asked",
    ask: { ledger: neverHealthy(3), observation: sick(impairedFor(hours)) },
    rule: awaits,
    expect: {
      kind: "stuck",
      reason: "4 generations in a row never passed their status checks",
      remedy:
        "look at its console output; set imageId back, recycle (recycleToken) or set autoHealing",
    },
  },
  {
    name: "without auto-healing a failing instance is reported and left running",
    ask: {
      spec: spec({ autoHealing: false }),
      ledger: neverHealthy(0),
      observation: sick(impairedFor(hours)),
    },
    rule: awaits,
    expect: {
      kind: "stuck",
      reason: failing,
      remedy:
        "look at its console output; set imageId back, recycle (recycleToken) or set autoHealing",
    },
  },
  {
    name: "a new instance is waited for until its checks are through",
    ask: { ledger: neverHealthy(0), observation: sick({ kind: "initializing" }, now - minutes) },
    rule: awaits,
    expect: waits("i-1 runs; its status checks are not through", watchHealth, now + minutes),
  },
  {
    name: "checks that EC2 will not tell of are not waited for without end",
    ask: { ledger: neverHealthy(0), observation: sick({ kind: "unknown" }) },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
];

const noticed = [instance({ interruptionNoticed: true })];
const meets = "an interruption notice is met with a snapshot, which shortens the final one";
const going = waits(
  "EC2 takes i-1 back",
  { kind: "instance", instanceId: "i-1", until: "state-change" },
  now + minutes,
);

const interruptions: Row[] = [
  {
    name: "an interruption notice is met with a snapshot",
    ask: {
      observation: observation({
        instances: noticed,
        snapshots: [periodic({ startedAt: now - 4 * minutes })],
      }),
    },
    rule: meets,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "one snapshot within the notice is enough",
    ask: { observation: observation({ instances: noticed }) },
    rule: meets,
    expect: going,
  },
  {
    name: "no second snapshot is asked for while one is pending",
    ask: {
      observation: observation({
        instances: noticed,
        snapshots: [periodic({ state: "pending", startedAt: now - hours })],
      }),
    },
    rule: meets,
    expect: going,
  },
  {
    name: "an older instance is not judged by the order for a newer one",
    ask: {
      ledger: ledger({ launch: openLaunch({ generation: 2, recordedAt: now }) }),
      spec: spec({ keyName: "mine" }),
      observation: observation({ anchors: [heldBy("i-1")], volumes: [carriedVolume()] }),
    },
    rule: awaits,
    expect: waits("i-1 runs; its status checks are not through", watchHealth, now + minutes),
  },
  {
    name: "an instance of somebody else is not ours to end, whatever tags it wears",
    ask: {
      spec: spec({ desiredState: "paused" }),
      observation: atRest({
        instances: [instance({ clientToken: "somebody" })],
        snapshots: [{ ...periodic(), operation: "final:vol-1" }],
        images: [image({ snapshotId: "snap-1-periodic" })],
        volumes: [],
      }),
    },
    rule: "a paused managed instance rests with its latest snapshot and image",
    expect: { kind: "done", wakeAt: Number.MAX_SAFE_INTEGER },
  },
];

export const stopRows: readonly Row[] = [
  ...keptRoots,
  ...wanted,
  ...changes,
  ...requests,
  ...warmUp,
  ...health,
  ...interruptions,
];
