// What a managed instance is at the moment, as outputs and listings tell it.

import { describeFacts } from "../../src/engine/facts";
import type { Ledger, StopReason } from "../../src/engine/model";
import {
  anchor,
  atRest,
  final,
  heldBy,
  hours,
  image,
  imageA,
  imageB,
  instance,
  launch,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  periodic,
  subnetA,
  volume,
} from "./builders";

const at = (instant: number) => new Date(instant).toISOString();

test("one that runs tells its instance, network interface, disk, snapshot and image", () => {
  const gap = { fromAt: now - 2 * hours, toAt: now - hours, volumeId: "vol-0" };
  const seen = observation({ images: [image({ imageId: "ami-1p" })] });
  expect(describeFacts(seen, ledger({ gap }))).toEqual({
    state: "running",
    generation: 1,
    lineage: 1,
    imageId: imageA,
    instanceId: "i-1",
    instanceType: "m5.large",
    market: "spot",
    launchedAt: at(now - hours),
    networkInterfaceId: "eni-1",
    subnetId: subnetA,
    vpcId: "vpc-1",
    availabilityZone: "eu-central-1a",
    privateIp: "10.0.0.10",
    rootVolumeId: "vol-1",
    lastSnapshotId: "snap-1-periodic",
    lastSnapshotAt: at(now - 2 * minutes),
    persistedImageId: "ami-1p",
    gap: { from: at(now - 2 * hours), to: at(now - hours), volumeId: "vol-0" },
  });
});

test("one of which nothing is known yet tells that it is being created, and no more", () => {
  const nothing = observation({ anchors: [], instances: [], volumes: [], snapshots: [] });
  const told = Object.entries(describeFacts(nothing, newborn()));
  expect(Object.fromEntries(told.filter(([, value]) => value !== undefined))).toEqual({
    state: "creating",
    generation: 0,
    lineage: 0,
  });
});

describe("the state", () => {
  const running = (change: Parameters<typeof instance>[0], known: Partial<Ledger> = {}) =>
    describeFacts(observation({ instances: [instance(change)] }), ledger(known)).state;

  test.each([
    ["launching", { state: "pending" }],
    ["running", { health: { kind: "initializing" } }],
    ["unhealthy", { health: { kind: "impaired", sinceAt: now } }],
    ["interrupted", { interruptionNoticed: true, health: { kind: "impaired", sinceAt: now } }],
    ["stopping", { state: "shutting-down" }],
    ["stopping", { state: "stopped", interruptionNoticed: true }],
    ["down", { state: "terminated" }],
    ["down", { clientToken: "somebody" }],
  ] as const)("is %s by what EC2 says of the instance", (state, change) => {
    expect(running(change)).toBe(state);
  });

  test("is that of the end, whatever still runs", () => {
    expect(running({}, { phase: "deallocating" })).toBe("deallocating");
    expect(running({}, { phase: "deallocated" })).toBe("deallocated");
  });

  const resting = (known: Partial<Ledger>) => describeFacts(atRest(), ledger(known)).state;
  const stop = (generation: number, reason: StopReason) => ({ generation, reason, at: now });

  test("is paused when we paused the last instance, or never launched one", () => {
    expect(resting({ stop: stop(1, "pause") })).toBe("paused");
    expect(resting({ launch: undefined })).toBe("paused");
  });

  test("is down when its instance went by itself, or when another is to follow", () => {
    expect(resting({})).toBe("down");
    expect(resting({ stop: stop(0, "pause") })).toBe("down");
    expect(resting({ stop: stop(1, "recycle-token") })).toBe("down");
    expect(resting({ launch: undefined, stop: stop(1, "unhealthy") })).toBe("down");
  });
});

describe("of several resources", () => {
  test("the instance is the one that the network interface carries", () => {
    const instances = [instance({ state: "shutting-down" }), instance({ generation: 2 })];
    const seen = observation({ anchors: [heldBy("i-2")], instances });
    expect(describeFacts(seen, ledger())).toMatchObject({ state: "running", instanceId: "i-2" });
  });

  test("the network interface is the one in force", () => {
    const anchors = [anchor({ interfaceId: "eni-2", moves: 1 }), anchor()];
    expect(describeFacts(atRest({ anchors }), ledger()).networkInterfaceId).toBe("eni-1");
  });

  test("the snapshot is the last completed one that is ours", () => {
    const snapshots = [
      periodic({ snapshotId: "snap-before", startedAt: now - 3 * minutes }),
      periodic({ snapshotId: "snap-last" }),
      periodic({ snapshotId: "snap-earlier", startedAt: now - 4 * minutes }),
      final({ snapshotId: "snap-pending", state: "pending" }),
      { ...final({ snapshotId: "snap-copy" }), volumeId: "vol-ffffffff" },
    ];
    expect(describeFacts(observation({ snapshots }), ledger())).toMatchObject({
      lastSnapshotId: "snap-last",
      lastSnapshotAt: at(now - 2 * minutes),
    });
  });

  test("the image is the last one that can be launched and is ours", () => {
    const images = [
      image({ imageId: "ami-before", createdAt: now - 2 * minutes }),
      image({ imageId: "ami-last", createdAt: now - minutes }),
      image({ imageId: "ami-earlier", createdAt: now - 3 * minutes }),
      image({ imageId: "ami-failed", state: "failed" }),
      { ...image({ imageId: "ami-copy" }), snapshotId: "snap-copy" },
    ];
    expect(describeFacts(observation({ images }), ledger()).persistedImageId).toBe("ami-last");
  });
});

describe("while nothing runs", () => {
  test("the disk is the one of the last launch", () => {
    expect(describeFacts(atRest({ volumes: [volume()] }), ledger()).rootVolumeId).toBe("vol-1");
  });

  test("the lineage is the one that last ran, or else the one that was launched", () => {
    const second = {
      startedLineage: { number: 2, baseImageId: imageB },
      launch: launch({ generation: 2, lineage: 2 }),
    };
    expect(describeFacts(atRest(), ledger(second))).toMatchObject({
      generation: 2,
      lineage: 1,
      imageId: imageA,
    });
    expect(describeFacts(atRest(), ledger({ ...second, lineage: undefined }))).toMatchObject({
      lineage: 2,
      imageId: imageB,
    });
  });
});
