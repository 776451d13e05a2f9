// What is kept and what goes (design §4, §7), where a mutant of retention.ts would have gone unseen.

import {
  atRest,
  carriedVolume,
  final,
  heldBy,
  hours,
  image,
  imageB,
  instance,
  keepNothing,
  launch,
  ledger,
  minutes,
  now,
  observation,
  periodic,
  spec,
  volume,
} from "./builders";
import { acts, condemning, type Row, waits } from "./expected";

const clearsAway = "what nothing needs any more is deleted after two looks";
const concludes = "the anchor goes last, or stays as long as retention says";

/** Generation 2 runs healthily; what generation 1 left is there besides. */
const second = {
  ledger: ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) }),
  carried: { anchors: [heldBy("i-2")], instances: [instance({ generation: 2 })] },
};
const twin = (volumeId: string) =>
  volume({ volumeId, markedId: undefined, condemnedAt: now - minutes });

export const keptRows: readonly Row[] = [
  {
    name: "a volume with missing writes stays although its final snapshot was completed late",
    ask: {
      ledger: second.ledger,
      observation: observation({
        ...second.carried,
        volumes: [volume({ holdsGap: true }), carriedVolume({ generation: 2 })],
        snapshots: [periodic({ generation: 2 }), final()],
      }),
    },
    rule: clearsAway,
    expect: acts(condemning("snap-1-final")),
  },
  {
    name: "an instance that is still pending is not ended while its root would go with it",
    ask: {
      spec: spec({ desiredState: "paused" }),
      observation: observation({
        instances: [instance({ state: "pending", rootDeletedOnTermination: true })],
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
    name: "of two disks that cannot be told apart neither is deleted",
    ask: {
      spec: spec({ retentionHours: keepNothing }),
      ledger: ledger({ phase: "deallocating", launch: launch({ rootVolumeId: undefined }) }),
      observation: atRest({ snapshots: [], volumes: [twin("vol-a"), twin("vol-b")] }),
    },
    rule: concludes,
    expect: acts({ kind: "delete-anchor", interfaceId: "eni-1" }),
  },
  {
    name: "while it runs, a snapshot that somebody's image uses waits for that one and gets no end",
    ask: {
      ledger: second.ledger,
      observation: observation({
        ...second.carried,
        volumes: [carriedVolume({ generation: 2 })],
        snapshots: [periodic({ generation: 2 }), final({ condemnedAt: now - minutes })],
        images: [image({ operation: "somebody's" })],
      }),
    },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 3 * minutes },
  },
  {
    name: "whoever keeps nothing keeps nothing of an earlier lineage, however long a rollback had",
    ask: {
      spec: spec({ imageId: imageB, retentionHours: keepNothing }),
      ledger: ledger({
        phase: "deallocating",
        lineage: { number: 2, baseImageId: imageB },
        startedLineage: { number: 2, baseImageId: imageB },
        launch: launch({ generation: 2, lineage: 2, imageId: imageB }),
      }),
      observation: atRest({ volumes: [], snapshots: [final({ deleteAfterAt: now + hours })] }),
    },
    rule: "what is kept says until when, and what is not needed is deleted after two looks",
    expect: acts(condemning("snap-1-final")),
  },
  {
    name: "at rest a disk that holds missing writes gets no snapshot, because it is kept itself",
    ask: {
      spec: spec({ desiredState: "paused" }),
      ledger: second.ledger,
      observation: atRest({
        volumes: [volume({ holdsGap: true })],
        snapshots: [final({ generation: 2 })],
        images: [image({ generation: 2 })],
      }),
    },
    rule: "a paused managed instance rests with its latest snapshot and image",
    expect: { kind: "done", wakeAt: Number.MAX_SAFE_INTEGER },
  },
];
