// When an instance has to go, where what is to be kept of it is in doubt: roots that are not shown or
// go with a stopped instance, orders that change meanwhile, snapshots of the right disk.

import type { Ledger, StopReason } from "../../src/engine/model";
import {
  carriedVolume,
  heldBy,
  hours,
  instance,
  launch,
  ledger,
  minutes,
  now,
  observation,
  periodic,
  spec,
  volume,
} from "./builders";
import { acts, type Row, recorded, snapshotting, waits } from "./expected";

const stops = "an instance that is not wanted any more, or not as it is, is terminated";
const meets = "an interruption notice is met with a snapshot, which shortens the final one";
const again = spec({ recycleToken: "again" });

const ending = (reason: StopReason, before: Ledger = ledger()) =>
  acts(recorded(before, { stop: { generation: 1, reason, at: now } }), {
    kind: "terminate",
    instanceId: "i-1",
    reason,
  });

const endingPaused = ledger({
  phase: "deallocating",
  stop: { generation: 1, reason: "pause", at: now - minutes },
});

const orders: Row[] = [
  {
    name: "the root of an instance that somebody stopped is kept before that is terminated",
    ask: {
      observation: observation({
        instances: [instance({ state: "stopped", rootDeletedOnTermination: true })],
      }),
    },
    rule: "a persisted root volume outlives its instance",
    expect: acts({ kind: "keep-root", instanceId: "i-1", deviceName: "/dev/xvda" }),
  },
  {
    name: "nothing is asked of a root that is not to be seen",
    ask: {
      observation: observation({
        instances: [instance({ rootVolumeId: undefined, rootDeletedOnTermination: true })],
      }),
    },
    rule: "all is as it should be until upkeep is due",
    expect: { kind: "done", wakeAt: now + 30 * minutes },
  },
  {
    name: "a pause that becomes the end is written down as the end",
    ask: { ledger: endingPaused },
    rule: stops,
    expect: ending("deallocate", endingPaused),
  },
  {
    name: "an instance that is coming up is let come up before it is replaced",
    ask: {
      spec: spec({ keyName: "mine" }),
      observation: observation({ instances: [instance({ state: "pending" })] }),
    },
    rule: "an instance that is changing its state is waited for",
    expect: waits(
      "i-1 is pending",
      { kind: "instance", instanceId: "i-1", until: "state-change" },
      now + 5 * minutes,
    ),
  },
];

const second = ledger({ launch: launch({ generation: 2, imageId: "ami-1f" }) });
const onSecond = (change: Parameters<typeof instance>[0] & object = {}) =>
  observation({
    anchors: [heldBy("i-2")],
    instances: [instance({ generation: 2, imageId: "ami-1f", ...change })],
    volumes: [volume(), carriedVolume({ generation: 2 })],
    snapshots: [periodic()],
  });
const ofSecond = acts(snapshotting("periodic", "vol-2", { generation: 2 }));
const pendingSince = (span: number) =>
  observation({ snapshots: [periodic({ state: "pending", startedAt: now - span })] });

const warmUp: Row[] = [
  {
    name: "a planned recycle snapshots the disk that is to be continued, not one of before",
    ask: { spec: again, ledger: second, observation: onSecond() },
    rule: stops,
    expect: ofSecond,
  },
  {
    name: "a planned recycle does without a snapshot of a disk that EC2 does not show",
    ask: { spec: again, observation: observation({ volumes: [], snapshots: [] }) },
    rule: stops,
    expect: ending("recycle-token"),
  },
  {
    name: "a planned recycle takes another snapshot when the pending one has taken ten minutes",
    ask: { spec: again, observation: pendingSince(10 * minutes) },
    rule: stops,
    expect: acts(snapshotting("periodic", "vol-1")),
  },
  {
    name: "one snapshot as young as the interval is enough, however old the others are",
    ask: {
      spec: again,
      observation: observation({
        snapshots: [
          periodic({ startedAt: now - 5 * minutes }),
          periodic({ snapshotId: "snap-0", startedAt: now - hours }),
        ],
      }),
    },
    rule: stops,
    expect: ending("recycle-token"),
  },
];

const noticed = { instances: [instance({ interruptionNoticed: true })] };
const going = waits(
  "EC2 takes i-1 back",
  { kind: "instance", instanceId: "i-1", until: "state-change" },
  now + minutes,
);

const interruptions: Row[] = [
  {
    name: "an interruption notice is met with a snapshot of the disk that runs",
    ask: { ledger: second, observation: onSecond({ interruptionNoticed: true }) },
    rule: meets,
    expect: ofSecond,
  },
  {
    name: "a notice is met with no other snapshot while one is pending, whatever came before it",
    ask: {
      observation: observation({
        ...noticed,
        snapshots: [
          periodic({ snapshotId: "snap-2", state: "pending", startedAt: now - 10 * minutes }),
          periodic({ startedAt: now - 20 * minutes }),
        ],
      }),
    },
    rule: meets,
    expect: going,
  },
  {
    name: "a notice is met with no snapshot of a disk that is not to be kept",
    ask: {
      spec: spec({ persistRootDevice: false }),
      observation: observation({ ...noticed, snapshots: [] }),
    },
    rule: meets,
    expect: going,
  },
  {
    name: "a notice is met with no snapshot of a disk that EC2 does not show",
    ask: { observation: observation({ ...noticed, volumes: [], snapshots: [] }) },
    rule: meets,
    expect: going,
  },
];

export const stopDoubtRows: readonly Row[] = [...orders, ...warmUp, ...interruptions];
