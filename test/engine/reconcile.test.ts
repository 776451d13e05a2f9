// The loop: in which order it looks, decides and acts, where it stops, and how long it waits.

import { CloudError } from "../../src/engine/ports";
import { describeStep } from "../../src/engine/reconcile";
import {
  anchor,
  atRest,
  final,
  id,
  image,
  instance,
  launch,
  ledger,
  minutes,
  newborn,
  now,
  observation,
  periodic,
  pool,
  seconds,
  spec,
} from "./builders";
import { launching, recorded, registering, snapshotting } from "./expected";
import { facts, kindsOf, refused, tell } from "./loop-script";

const throttled = new CloudError("throttled", "slow down");
const paused = { options: { spec: spec({ desiredState: "paused" }) } };
/** Waits for the root volume to be free. */
const detaching = facts({ anchors: [anchor()], instances: [] });

const condemned = { condemnedAt: now - minutes };
/** Two snapshots that are to be deleted now. */
const doomed = {
  looks: [
    facts({
      snapshots: [
        periodic({ snapshotId: "snap-own" }),
        periodic({ snapshotId: "snap-8", generation: 0, volumeId: "vol-8", ...condemned }),
        periodic({ snapshotId: "snap-9", generation: 0, volumeId: "vol-9", ...condemned }),
      ],
    }),
  ],
} as const;

describe("an end", () => {
  test("is told when all is as it should be, with the next look's instant and what was seen", async () => {
    const { outcome, performed, slept } = await tell({});
    expect(outcome).toMatchObject({ kind: "done", wakeAt: now + 3 * minutes, ledger: ledger() });
    expect([performed, slept]).toEqual([[], []]);
  });

  test("is told with what to do when nothing is known of the id", async () => {
    expect((await tell({ known: undefined })).outcome).toEqual({
      kind: "stuck",
      reason: `${id} is not known in this account and Region`,
      remedy: "check the credentials and the Region",
    });
  });

  test("comes before any look once the signal is aborted", async () => {
    const { looks, outcome } = await tell({ options: { signal: AbortSignal.abort() } });
    expect(looks).toBe(0);
    expect(outcome).toMatchObject({
      kind: "stopped",
      why: "aborted",
      reason: "nothing has been looked at yet",
    });
  });

  test("comes at the deadline and not before it", async () => {
    expect((await tell({ options: { deadlineAt: now } })).outcome).toMatchObject({
      kind: "stopped",
      why: "timed-out",
    });
    expect((await tell({ options: { deadlineAt: now + 1 } })).outcome.kind).toBe("done");
  });

  test("says what was waited for last", async () => {
    const { outcome } = await tell({
      ...paused,
      looks: [detaching],
      glances: ["in-use"],
      sleeps: 1,
    });
    expect(outcome).toMatchObject({ kind: "stopped", reason: "vol-1 is still in-use" });
  });

  test("comes with the reason when the engine is stuck or superseded", async () => {
    const lost = facts({ anchors: [anchor()], instances: [], volumes: [], snapshots: [] });
    const { outcome } = await tell({ looks: [lost] });
    expect(outcome).toMatchObject({ kind: "stuck", ledger: ledger(), observation: lost });
    const newer = await tell({ known: ledger({ specVersion: 2 }) });
    expect(newer.outcome).toMatchObject({ kind: "superseded", ledger: { specVersion: 2 } });
  });
});

describe("a look without an answer", () => {
  test("is repeated after doubling pauses, at most a quarter of a minute, told from the third on", async () => {
    const failures = Array.from({ length: 6 }, () => throttled);
    const { outcome, progress, slept } = await tell({ looks: [throttled, ...failures, facts()] });
    expect(outcome.kind).toBe("done");
    expect(slept).toEqual([1, 2, 4, 8, 15, 15, 15].map((pause) => pause * seconds));
    expect(progress).toEqual(Array(5).fill({ kind: "wait", message: "slow down" }));
  });

  test("starts at the shortest pause again once one was answered", async () => {
    const { slept } = await tell({
      ...paused,
      looks: [throttled, detaching, throttled, facts()],
      glances: ["available"],
      steps: 1,
    });
    expect(slept).toEqual([1 * seconds, 500, 1 * seconds]);
  });

  test.each(["denied", "invalid"] as const)("is an error when it is %s", async (meaning) => {
    const error = new CloudError(meaning, "no");
    await expect(tell({ looks: [error] })).rejects.toBe(error);
  });

  test("is an error when it is none of EC2's", async () => {
    await expect(tell({ looks: [new TypeError("a bug")] })).rejects.toThrow("a bug");
  });
});

describe("the steps of a decision", () => {
  test("are taken in their order, each told before it is taken", async () => {
    const told = await tell({ ...paused, steps: 2 });
    expect(kindsOf(told)).toEqual(["record", "terminate"]);
    expect(told.progress).toEqual([
      { kind: "step", message: "recording in the ledger" },
      { kind: "step", message: "terminating i-1 (pause)" },
    ]);
  });

  test("end where the signal is aborted", async () => {
    expect(kindsOf(await tell({ ...paused, steps: 1 }))).toEqual(["record"]);
  });

  test("end where the ledger could not be written, and EC2 is looked at again", async () => {
    const told = await tell({ ...paused, savingFails: new CloudError("unknown", "?"), steps: 3 });
    expect(kindsOf(told)).toEqual(["record", "record", "terminate"]);
    expect(told.looks).toBe(2);
    expect(told.slept).toEqual([1 * seconds, 1 * seconds]);
  });

  test("end where EC2 gave no answer", async () => {
    const lost = new CloudError("unknown", "?");
    const told = await tell({ ...doomed, answers: [lost, { kind: "done" }], steps: 3 });
    expect(told.performed).toMatchObject([
      { snapshotId: "snap-8" },
      { snapshotId: "snap-8" },
      { snapshotId: "snap-9" },
    ]);
  });

  test.each(["denied", "invalid"] as const)("throw what is %s", async (meaning) => {
    const error = new CloudError(meaning, "no");
    await expect(tell({ ...paused, answers: [error] })).rejects.toBe(error);
    await expect(tell({ ...paused, answers: [refused(meaning)] })).rejects.toThrow(
      `terminating i-1 (pause): EC2 says ${meaning}`,
    );
  });

  test("throw what is denied the first time, as no repetition permits it", async () => {
    const denied = { ...paused, answers: [refused("denied"), { kind: "done" }] } as const;
    await expect(tell(denied)).rejects.toThrow("terminating i-1 (pause): EC2 says denied");
  });

  test("are decided on anew where EC2 calls one invalid that another process made so", async () => {
    const ended = facts(atRest({ snapshots: [] }));
    const told = await tell({
      ...paused,
      looks: [facts(), ended],
      answers: [refused("invalid"), { kind: "done" }],
      steps: 3,
    });
    expect(kindsOf(told)).toEqual(["record", "terminate", "create-snapshot"]);
    expect(told.slept).toEqual([1 * seconds]);
  });

  test("throw what is none of EC2's errors", async () => {
    await expect(tell({ ...paused, answers: [new TypeError("a bug")] })).rejects.toThrow("a bug");
  });

  test("are not decided on a look whose calls lay more than half a minute apart", async () => {
    const torn = await tell({ ...paused, looksTakeMs: [30 * seconds + 1, 0], steps: 2 });
    expect(torn.looks).toBe(2);
    const whole = await tell({ ...paused, looksTakeMs: [30 * seconds], steps: 1 });
    expect(whole.looks).toBe(1);
  });

  test("are decided on a second such look, and then on the second again", async () => {
    const slow = [30 * seconds + 1];
    expect((await tell({ ...paused, looksTakeMs: slow, steps: 2 })).looks).toBe(2);
    const between = [...slow, ...slow, 0, ...slow, 0];
    const told = await tell({ ...doomed, looksTakeMs: between, answers: [throttled], steps: 3 });
    expect(told.looks).toBe(5);
  });

  test("are not taken on a look that is older than half a minute", async () => {
    const late = await tell({ ...paused, savingTakesMs: 30 * seconds + 1, steps: 2 });
    expect(late.looks).toBe(2);
    const inTime = await tell({ ...paused, savingTakesMs: 30 * seconds, steps: 2 });
    expect(inTime.looks).toBe(1);
  });

  test("are paused before when they are the same again, twice as long each time", async () => {
    const { slept } = await tell({ ...paused, steps: 8 });
    expect(slept).toEqual([1, 2, 4, 8, 15].map((pause) => pause * seconds));
  });

  test("are the same again although a tag's instant is another", async () => {
    const surplus = facts({
      snapshots: [periodic(), periodic({ snapshotId: "snap-old", startedAt: now - 9 * minutes })],
    });
    const told = await tell({
      looks: [surplus],
      options: { spec: spec({ snapshots: { keep: 1, intervalMinutes: 60 } }) },
      steps: 3,
    });
    expect(kindsOf(told)).toEqual(["tag", "tag", "tag"]);
    expect(told.slept).toEqual([1 * seconds, 2 * seconds]);
  });

  test("are others, and not paused before, where other resources are tagged", async () => {
    const condemning = (snapshotId: string) =>
      facts({
        snapshots: [periodic(), periodic({ snapshotId, startedAt: now - 9 * minutes })],
      });
    const told = await tell({
      looks: [condemning("snap-8"), condemning("snap-9")],
      options: { spec: spec({ snapshots: { keep: 1, intervalMinutes: 60 } }) },
      steps: 2,
    });
    expect(told.performed).toMatchObject([
      { resourceIds: ["snap-8"] },
      { resourceIds: ["snap-9"] },
    ]);
    expect(told.slept).toEqual([]);
  });
});

describe("a refusal", () => {
  const free = facts(atRest({ snapshots: [final()], images: [image()] }));

  test("of a launch for want of capacity leads to the next pool at once", async () => {
    const told = await tell({ looks: [free], answers: [refused("no-capacity")], steps: 6 });
    const launches = told.performed.filter((step) => step.kind === "launch");
    expect(launches.map(({ pool: asked }) => asked)).toEqual([
      pool(),
      pool({ instanceType: "m6i.large" }),
      pool({ market: "on-demand" }),
    ]);
    expect(told.slept).toEqual([]);
    expect(told.progress).toContainEqual({ kind: "wait", message: "EC2 says no-capacity" });
  });

  test("of a network interface for want of an address is told, once no subnet is left", async () => {
    const none = facts(observation({ anchors: [], instances: [], volumes: [], snapshots: [] }));
    const told = await tell({
      looks: [none],
      known: newborn(),
      answers: [refused("no-capacity")],
    });
    expect(kindsOf(told)).toEqual(["create-anchor"]);
    expect(told.outcome).toMatchObject({
      kind: "stuck",
      reason: expect.stringContaining("no private IP address is free in"),
    });
    expect(told.progress).toContainEqual({ kind: "wait", message: "EC2 says no-capacity" });
  });

  test("of a network interface that says nothing of its subnet is answered with the same again", async () => {
    const none = facts(observation({ anchors: [], instances: [], volumes: [], snapshots: [] }));
    const answers = [refused("throttled")];
    const told = await tell({ looks: [none], known: newborn(), answers, steps: 2 });
    expect(kindsOf(told)).toEqual(["create-anchor", "create-anchor"]);
  });

  test("of a launch that says nothing about it is answered with the same launch again", async () => {
    const told = await tell({ looks: [free], answers: [refused("throttled")], steps: 3 });
    expect(kindsOf(told)).toEqual(["record", "launch", "launch"]);
    expect(told.performed[2]).toEqual(told.performed[1]);
  });

  test.each(["in-use", "invalid"] as const)(
    "of a deletion because it is %s is told, the others go on, and it is not tried again",
    async (meaning) => {
      const told = await tell({
        ...doomed,
        answers: [refused(meaning), { kind: "done" }],
        steps: 3,
      });
      expect(kindsOf(told)).toEqual(["delete-snapshot", "delete-snapshot", "tag"]);
      expect(told.performed[2]).toMatchObject({ resourceIds: ["snap-8"] });
      expect(told.progress).toContainEqual({
        kind: "warning",
        message: `deleting snap-8: EC2 says ${meaning}`,
      });
    },
  );

  test("of a deletion because it is gone lets the others go on", async () => {
    const told = await tell({ ...doomed, answers: [refused("not-found")], steps: 2 });
    expect(told.performed).toMatchObject([{ snapshotId: "snap-8" }, { snapshotId: "snap-9" }]);
    expect(told.looks).toBe(1);
  });

  test("of anything else because it is not found makes the loop look again", async () => {
    const told = await tell({ ...paused, answers: [refused("not-found")], steps: 3 });
    expect(told.looks).toBe(2);
    expect(told.slept[0]).toBe(1 * seconds);
  });

  test.each(["not-found", "in-use", "duplicate"] as const)(
    "because it is %s, each time for as long as EC2 may lag, is an error",
    async (meaning) => {
      const told = tell({ ...paused, answers: [refused(meaning)], steps: 1000 });
      await expect(told).rejects.toThrow(`terminating i-1 (pause): EC2 says ${meaning}`);
    },
  );

  test("that EC2 took back in between counts from its next one", async () => {
    const answers = [...Array(10).fill(refused("not-found")), { kind: "done" }];
    const told = await tell({
      ...paused,
      answers: [...answers, ...answers, ...answers],
      steps: 64,
    });
    expect(told.endedAt - now).toBeGreaterThan(5 * minutes);
    expect(told.outcome.kind).toBe("stopped");
  });

  test("that may pass is told with its step from the third on", async () => {
    const told = await tell({ ...paused, answers: [refused("too-soon")], steps: 5 });
    const waits = told.progress.filter(({ kind }) => kind === "wait");
    expect(waits).toEqual([
      { kind: "wait", message: "terminating i-1 (pause): EC2 says too-soon" },
    ]);
    expect(told.looks).toBeGreaterThan(3);
  });
});

describe("a wait", () => {
  test("for an instant ends at that instant", async () => {
    const { endedAt, slept } = await tell({ looks: [facts({ anchors: [] })], sleeps: 1 });
    expect([slept, endedAt]).toEqual([[10 * seconds], now + 10 * seconds]);
  });

  test("never outlasts the deadline", async () => {
    const deadlineAt = now + 4 * seconds;
    const { outcome, slept } = await tell({
      looks: [facts({ anchors: [] })],
      options: { deadlineAt },
    });
    expect(slept).toEqual([4 * seconds]);
    expect(outcome).toMatchObject({ kind: "stopped", why: "timed-out" });
    const watching = await tell({
      looks: [detaching],
      glances: ["in-use"],
      options: { ...paused.options, deadlineAt: now + 1200 },
    });
    expect(watching.slept).toEqual([500, 500, 200]);
  });

  test("for a resource ends when its state is another, and one that is not shown is no other", async () => {
    const told = await tell({
      ...paused,
      looks: [detaching, facts()],
      glances: ["in-use", undefined, "available"],
      steps: 1,
    });
    expect(told.slept).toEqual([500, 500, 500]);
    expect(told.looks).toBe(2);
    expect(told.progress[0]).toEqual({ kind: "wait", message: "vol-1 is still in-use" });
  });

  test("is polled after a twentieth of what it has lasted, at most every five seconds", async () => {
    const terminating = facts({
      instances: [instance({ state: "shutting-down" })],
    });
    const { endedAt, looks, slept } = await tell({
      looks: [terminating],
      glances: ["shutting-down"],
      options: { deadlineAt: now + 5 * minutes },
      sleeps: 1000,
    });
    expect(endedAt).toBe(now + 5 * minutes);
    expect(looks).toBe(1);
    expect(slept.slice(0, 20)).toEqual(Array(20).fill(500));
    expect(slept[40]).toBeGreaterThan(1000);
    expect(slept[40]).toBeLessThan(2000);
    expect(Math.max(...slept)).toBeLessThanOrEqual(5000);
  });

  test("for what is not shown any more ends in a fresh look after half a minute", async () => {
    const told = await tell({
      ...paused,
      looks: [detaching, facts()],
      glances: ["in-use", undefined],
      steps: 1,
    });
    expect(told.looks).toBe(2);
    expect(told.endedAt - now).toBeGreaterThan(30 * seconds);
    expect(told.endedAt - now).toBeLessThan(33 * seconds);
  });

  test("that comes again at once is polled as one that has lasted since it first came", async () => {
    const told = await tell({
      ...paused,
      looks: [detaching],
      glances: ["available"],
      sleeps: 60,
    });
    const { slept } = told;
    expect(slept[0]).toBe(500);
    expect(slept[59]).toBeGreaterThan(2000);
  });

  test("for the status checks is polled every ten seconds, because nobody is down", async () => {
    const booting = facts({
      instances: [instance({ launchedAt: now, health: { kind: "initializing" } })],
    });
    const told = await tell({
      looks: [booting, facts()],
      known: ledger({ launch: launch({ healthy: false }) }),
      glances: ["initializing", "initializing", "ok"],
    });
    expect(told.slept).toEqual([10 * seconds, 10 * seconds, 10 * seconds]);
  });

  test("goes on after a poll without an answer, and ends with the signal", async () => {
    const told = await tell({ ...paused, looks: [detaching], glances: [throttled], sleeps: 2 });
    expect(told.slept).toEqual([500, 1 * seconds]);
    expect(told.outcome).toMatchObject({ kind: "stopped", why: "aborted" });
  });

  test("ends with what is none of EC2's errors", async () => {
    const bug = { ...paused, looks: [detaching], glances: [new TypeError("a bug")] } as const;
    await expect(tell(bug)).rejects.toThrow("a bug");
  });
});

test("what was made and does not show yet is not made again", async () => {
  const due = facts({ snapshots: [] });
  const told = await tell({
    looks: [due],
    answers: [{ kind: "done", created: { id: "snap-new" } }],
  });
  expect(kindsOf(told)).toEqual(["create-snapshot"]);
  expect(told.outcome.kind).toBe("done");
});

test("each decision is told before it is carried out", async () => {
  const decided: string[] = [];
  await tell({
    ...paused,
    steps: 1,
    options: { ...paused.options, decided: ({ kind }) => decided.push(kind) },
  });
  expect(decided).toEqual(["act"]);
});

test.each([
  ["recording in the ledger", recorded(ledger(), {})],
  [
    "creating the network interface in subnet-1",
    { kind: "create-anchor", token: "", subnetId: "subnet-1", securityGroupIds: [], tags: {} },
  ],
  ["deleting network interface eni-1", { kind: "delete-anchor", interfaceId: "eni-1" }],
  [
    "setting the security groups of eni-1",
    { kind: "set-security-groups", interfaceId: "eni-1", securityGroupIds: [] },
  ],
  ["launching generation 2 from ami-1f as spot m5.large", launching()],
  ["terminating i-1 (pause)", { kind: "terminate", instanceId: "i-1", reason: "pause" }],
  [
    "keeping the root volume of i-1 past its termination",
    { kind: "keep-root", instanceId: "i-1", deviceName: "/dev/xvda" },
  ],
  ["snapshotting vol-1 (final)", snapshotting("final", "vol-1")],
  ["registering an image of snap-1", registering("snap-1")],
  ["tagging a, b", { kind: "tag", resourceIds: ["a", "b"], tags: {} }],
  ["untagging a, b", { kind: "untag", resourceIds: ["a", "b"], keys: [] }],
  ["deregistering ami-1", { kind: "deregister-image", imageId: "ami-1" }],
  ["deleting snap-1", { kind: "delete-snapshot", snapshotId: "snap-1" }],
  ["deleting vol-1", { kind: "delete-volume", volumeId: "vol-1" }],
] as const)("a step in words: %s", (words, step) => {
  expect(describeStep(step)).toBe(words);
});
