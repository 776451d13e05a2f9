// What EC2 shows of instances and disks where the ledger says otherwise or less: older instances on the
// anchor, roots that are kept against the spec, disks that no launch names.

import { tagKeys } from "../../src/engine/tags";
import {
  anchor,
  atRest,
  carriedVolume,
  heldBy,
  hours,
  imageA,
  imageB,
  imageC,
  instance,
  launch,
  ledger,
  minutes,
  now,
  observation,
  openLaunch,
  volume,
} from "./builders";
import { acts, launching, type Row, recorded, snapshotting, waits } from "./expected";

const launches = "without a live instance the next generation is launched from its root source";
const startedLineage = { number: 1, baseImageId: imageA };
const adopts = "an instance that holds the anchor and is unknown to the ledger is written into it";
const corrects = "a launch that is another than the ledger says is written down as what it is";
const records = "what became of the newest launch is written into the ledger";
const awaits = "an instance is called up when both status checks have passed";
const openSecond = (recordedAt: number) =>
  ledger({ launch: openLaunch({ generation: 2, recordedAt }) });
const watching = (instanceId: string, until: "health-change" | "state-change") =>
  ({ kind: "instance", instanceId, until }) as const;
const stillChecking = waits(
  "i-1 runs; its status checks are not through",
  watching("i-1", "health-change"),
  now + minutes,
);

/** This process meant a swap; another one, whose record it did not see, had recycled. */
const meantSwap = openLaunch({ generation: 2, lineage: 2, imageId: imageB });
const meantAsSwap = ledger({
  launch: meantSwap,
  startedLineage: { number: 2, baseImageId: imageB },
});
const asItIs = acts(
  recorded(meantAsSwap, {
    launch: openLaunch({ generation: 2, launchFingerprint: "" }),
    startedLineage,
  }),
);

/** Both meant a swap, and to different images. */
const meantAsOtherSwap = ledger({
  launch: openLaunch({ generation: 2, lineage: 2, imageId: imageC }),
  startedLineage: { number: 2, baseImageId: imageC },
});
const printedTags = { ...launching().instanceTags, "pmi:launch-print": "another" };
/** EC2 has dropped its tags and its disks. */
const endedWithoutTags = instance({
  generation: 2,
  state: "terminated",
  tags: {},
  rootVolumeId: undefined,
});
const swapped = { generation: 2, lineage: 2, baseImageId: imageB };

const elsewhere: Row[] = [
  {
    name: "what runs in another lineage than its record says is written down as what it is",
    ask: {
      ledger: meantAsSwap,
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance({ generation: 2 })],
        volumes: [carriedVolume({ generation: 2 })],
      }),
    },
    rule: corrects,
    expect: asItIs,
  },
  {
    name: "and so is what runs from another image, though both lineages got one number",
    ask: {
      ledger: meantAsOtherSwap,
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance(swapped)],
        volumes: [carriedVolume(swapped)],
      }),
    },
    rule: corrects,
    expect: acts(
      recorded(meantAsOtherSwap, {
        launch: openLaunch({ generation: 2, lineage: 2, imageId: imageB, launchFingerprint: "" }),
        startedLineage: { number: 2, baseImageId: imageB },
      }),
    ),
  },
  {
    name: "and so is what was launched with the properties of another specification",
    ask: {
      ledger: ledger({ launch: openLaunch({ generation: 2 }) }),
      observation: observation({
        anchors: [heldBy("i-2")],
        instances: [instance({ generation: 2, tags: printedTags })],
        volumes: [carriedVolume({ generation: 2 })],
      }),
    },
    rule: corrects,
    expect: acts(
      recorded(ledger(), {
        launch: openLaunch({ generation: 2, launchFingerprint: "another" }),
        startedLineage,
      }),
    ),
  },
  {
    name: "and one that has ended without its tags is told by its disk",
    ask: {
      ledger: meantAsSwap,
      observation: observation({
        anchors: [anchor()],
        instances: [instance({ generation: 2, state: "terminated", tags: {} })],
        volumes: [volume({ generation: 2 })],
      }),
    },
    rule: corrects,
    expect: asItIs,
  },
  {
    name: "and not by the disk of another generation",
    ask: {
      ledger: meantAsSwap,
      observation: observation({
        anchors: [anchor()],
        instances: [endedWithoutTags],
        volumes: [volume(), volume(swapped)],
        snapshots: [],
      }),
    },
    rule: records,
    expect: acts(recorded(meantAsSwap, { launch: { ...meantSwap, instanceId: "i-2" } })),
  },
  {
    name: "one that has ended without tags and without a disk is what the record says",
    ask: {
      ledger: meantAsSwap,
      observation: observation({
        anchors: [anchor()],
        instances: [endedWithoutTags],
        volumes: [volume()],
        snapshots: [],
      }),
    },
    rule: records,
    expect: acts(recorded(meantAsSwap, { launch: { ...meantSwap, instanceId: "i-2" } })),
  },
  {
    name: "what was written down of an instance is not rewritten by tags that somebody changed",
    ask: { observation: observation({ instances: [instance({ tags: printedTags })] }) },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
];

const older: Row[] = [
  {
    name: "an instance that a ledger without any launch finds on its anchor is written into it",
    ask: { ledger: ledger({ launch: undefined }) },
    rule: adopts,
    expect: acts(
      recorded(ledger(), {
        launch: launch({
          launchFingerprint: "",
          recycleFingerprint: "",
          ran: false,
          healthy: false,
        }),
        startedLineage,
      }),
    ),
  },
  {
    name: "an older instance replaces no launch that EC2 may only not show yet",
    ask: { ledger: openSecond(now - 4 * minutes) },
    rule: awaits,
    expect: stillChecking,
  },
  {
    name: "an older instance replaces no launch that EC2 is known to have accepted",
    ask: { ledger: ledger({ launch: launch({ generation: 2, healthy: false }) }) },
    rule: awaits,
    expect: stillChecking,
  },
  {
    name: "an older instance that is ending replaces no launch",
    ask: {
      ledger: openSecond(now - hours),
      observation: observation({ instances: [instance({ state: "shutting-down" })] }),
    },
    rule: "an instance that is changing its state is waited for",
    expect: waits("i-1 is shutting-down", watching("i-1", "state-change"), now + 5 * minutes),
  },
  {
    name: "an older instance that does not hold the anchor replaces no launch",
    ask: {
      ledger: openSecond(now - hours),
      observation: observation({ anchors: [anchor()] }),
    },
    rule: awaits,
    expect: stillChecking,
  },
];

const unkept = (rootKept: boolean) =>
  ledger({ launch: openLaunch({ recordedAt: now - minutes, rootKept }), lineage: undefined });
const booting = (change: Parameters<typeof instance>[0] = {}) =>
  observation({ instances: [instance({ health: { kind: "initializing" }, ...change })] });
const becameOf = (before: ReturnType<typeof unkept>, change: Parameters<typeof launch>[0]) =>
  acts(
    recorded(before, {
      lineage: startedLineage,
      launch: launch({ recordedAt: now - minutes, healthy: false, ...change }),
    }),
  );
const takenBack = ledger({
  startedLineage: { number: 2, baseImageId: imageB },
  launch: openLaunch({ recordedAt: now - minutes }),
});
const unstarted = ledger({
  startedLineage: undefined,
  launch: openLaunch({ recordedAt: now - minutes }),
});
const unseen = ledger({
  launch: openLaunch({ recordedAt: now - minutes, instanceId: "i-1" }),
});
const twoAttempts = [
  instance({ instanceId: "i-gone", state: "terminated", rootVolumeId: undefined }),
  instance({ state: "terminated", rootVolumeId: undefined, attempt: 2 }),
];

const facts: Row[] = [
  {
    name: "a root that goes with its instance is written down as one",
    ask: { ledger: unkept(false), observation: booting({ rootDeletedOnTermination: true }) },
    rule: records,
    expect: becameOf(unkept(false), { rootKept: false }),
  },
  {
    name: "a root that outlives its instance is written down as one, although nobody asked for it",
    ask: { ledger: unkept(false), observation: booting() },
    rule: records,
    expect: becameOf(unkept(false), { rootKept: true }),
  },
  {
    name: "what runs is of the lineage that it was launched into, whichever was started last",
    ask: { ledger: takenBack, observation: booting() },
    rule: records,
    expect: becameOf(takenBack, {}),
  },
  {
    name: "what runs is of the recorded lineage when no other was ever started",
    ask: { ledger: unstarted, observation: booting() },
    rule: records,
    expect: becameOf(unstarted, {}),
  },
  ...(["stopped", "shutting-down"] as const).map(
    (state): Row => ({
      name: `the disk of what nobody saw running is written down while it shows: it is ${state}`,
      ask: { ledger: unseen, observation: observation({ instances: [instance({ state })] }) },
      rule: records,
      expect: acts(
        recorded(unseen, { launch: launch({ ...unseen.launch, rootVolumeId: "vol-1" }) }),
      ),
    }),
  ),
  {
    name: "the disk of what is pending is written down together with what else is told once it runs",
    ask: {
      ledger: unseen,
      observation: observation({
        instances: [instance({ state: "pending" })],
        volumes: [volume()],
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
    name: "of two attempts of one generation that have both ended the recorded one counts",
    ask: { observation: atRest({ instances: twoAttempts }) },
    rule: launches,
    expect: acts(snapshotting("final", "vol-1")),
  },
];

const marks = "a root volume is marked with its own id, so that a copy of its tags betrays itself";
const marking = (volumeId: string) =>
  acts({ kind: "tag", resourceIds: [volumeId], tags: { [tagKeys.marked]: volumeId } });
const unmarked = (generation: number) => volume({ generation, markedId: undefined });

const marked: Row[] = [
  {
    name: "a root volume that took another's place is marked, although that one is there too",
    ask: {
      ledger: ledger({ launch: launch({ rootVolumeId: "vol-9" }) }),
      observation: observation({
        instances: [instance({ rootVolumeId: "vol-9" })],
        volumes: [volume(), carriedVolume({ volumeId: "vol-9", markedId: undefined })],
      }),
    },
    rule: marks,
    expect: marking("vol-9"),
  },
  {
    name: "a volume that is alone in its generation is marked, although no launch names it",
    ask: {
      ledger: ledger({
        launch: openLaunch({ generation: 3 }),
        knownRootGeneration: undefined,
      }),
      observation: atRest({ volumes: [1, 2, 3].map(unmarked), snapshots: [] }),
    },
    rule: marks,
    expect: marking("vol-1"),
  },
];

export const carrierDoubtRows: readonly Row[] = [...elsewhere, ...older, ...facts, ...marked];
