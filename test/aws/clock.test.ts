// AWS's clock as learnt from its answers, on hosts whose own clocks are wrong, stand still or jump.

import { AwsClock } from "../../src/aws/clock";

const awsNow = Date.parse("2026-03-01T12:00:00Z");
const hours = 3_600_000;

/** The host's two clocks, as the test moves them. */
const host = { wallMs: 0, monotonicMs: 0 };

const own = { wall: Date.now, monotonic: performance.now };

function pass(milliseconds: number): void {
  host.wallMs += milliseconds;
  host.monotonicMs += milliseconds;
}

const answered = (awsMs: number) => ({ date: new Date(awsMs).toUTCString() });

function learntClock(): AwsClock {
  const clock = new AwsClock();
  clock.learn(answered(awsNow));
  return clock;
}

beforeEach(() => {
  host.wallMs = awsNow - 5 * hours;
  host.monotonicMs = 1000;
  Date.now = () => host.wallMs;
  performance.now = () => host.monotonicMs;
});

afterEach(() => {
  Object.assign(Date, { now: own.wall });
  Object.assign(performance, { now: own.monotonic });
});

test("is the host's until the first answer, and AWS's from then on", () => {
  const clock = new AwsClock();
  expect(clock.now()).toBe(awsNow - 5 * hours);
  clock.learn(answered(awsNow));
  pass(1500);
  expect(clock.now()).toBe(awsNow + 1500);
});

test("keeps its own milliseconds while answers agree with it, and follows them when they do not", () => {
  const clock = learntClock();
  pass(700);
  clock.learn(answered(awsNow));
  expect(clock.now()).toBe(awsNow + 700);
  clock.learn(answered(awsNow + 60_000));
  expect(clock.now()).toBe(awsNow + 60_000);
});

test("learns nothing from an answer without a date", () => {
  const clock = learntClock();
  clock.learn({});
  clock.learn({ date: "soon" });
  expect(clock.now()).toBe(awsNow);
});

test("counts the time for which the computer was suspended, although the monotonic clock stood still", () => {
  const clock = learntClock();
  host.wallMs += 2 * hours;
  expect(clock.now()).toBe(awsNow + 2 * hours);
});

test("does not go back when somebody sets the host's clock back", () => {
  const clock = learntClock();
  pass(10_000);
  host.wallMs -= 3 * hours;
  expect(clock.now()).toBe(awsNow + 10_000);
});

test("is right again with the first answer after the host's clock was set ahead", () => {
  const clock = learntClock();
  host.wallMs += hours;
  clock.learn(answered(awsNow));
  expect(clock.now()).toBe(awsNow);
  pass(5000);
  expect(clock.now()).toBe(awsNow + 5000);
});

test("runs as fast as an embedded EC2 says that it does", () => {
  const clock = new AwsClock();
  clock.learn({ ...answered(awsNow), "x-simulator-speed": "60" });
  pass(1000);
  expect(clock.now()).toBe(awsNow + 60_000);
  clock.learn({ ...answered(awsNow + 60_000), "x-simulator-speed": "nonsense" });
  pass(1000);
  expect(clock.now()).toBe(awsNow + 61_000);
});
