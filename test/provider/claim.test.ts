/** Which unfinished creation may be gone on with. */
import type { Ledger } from "../../src/engine/model";
import { judge, type Open, silenceSeconds, type Witness } from "../../src/provider/claim";

const now = 1_800_000_000_000;
const living = 100;
const dead = 200;
const us = { host: "here", pid: 1 };

const witness = (overrides: Partial<Witness> = {}): Witness => ({
  claimant: us,
  now,
  isAlive: (pid) => pid === living,
  isInFlight: false,
  ...overrides,
});

function open(claim: Partial<Ledger["claim"]> & object, overrides: Partial<Ledger> = {}): Open {
  const ledger: Ledger = {
    id: "pmi-000000000001",
    creationKey: "key",
    phase: "creating",
    revision: 1,
    specVersion: 1,
    specFingerprint: "00000000",
    claim: { host: "here", pid: dead, touchedAt: now - 1000, ...claim },
    ...overrides,
  };
  return { ledger, interfaceId: `eni-${ledger.id}` };
}

test.each<[string, Open[], Partial<Witness>, "none" | "adopt" | "wait"]>([
  ["nothing was begun", [], {}, "none"],
  ["its maker on this host is dead", [open({ pid: dead })], {}, "adopt"],
  ["its maker on this host lives", [open({ pid: living })], {}, "wait"],
  ["its maker is this process, which is done with it", [open(us)], {}, "adopt"],
  ["its maker is this process, still at work", [open(us)], { isInFlight: true }, "wait"],
  ["its maker is on another host and was heard of just now", [open({ host: "there" })], {}, "wait"],
  [
    "its maker is on another host and has been silent for five minutes",
    [open({ host: "there", touchedAt: now - silenceSeconds * 1000 })],
    {},
    "adopt",
  ],
  [
    "its maker's number lives on this host but has been silent for five minutes, so it was given anew",
    [open({ pid: living, touchedAt: now - silenceSeconds * 1000 })],
    {},
    "adopt",
  ],
  [
    "one of two is free",
    [open({ pid: living }, { id: "pmi-000000000002", revision: 9 }), open({ pid: dead })],
    {},
    "adopt",
  ],
])("when %s", (_case, opens, overrides, kind) => {
  expect(judge(opens, witness(overrides)).kind).toBe(kind);
});

test("of several free ones the one that got furthest is gone on with", () => {
  const near = open({}, { id: "pmi-00000000000a", revision: 2 });
  const far = open({}, { id: "pmi-00000000000b", revision: 5 });
  expect(judge([near, far], witness())).toEqual({ kind: "adopt", open: far });
  expect(judge([far, near], witness())).toEqual({ kind: "adopt", open: far });
});

test("a wait says for whom", () => {
  expect(judge([open({ pid: living })], witness())).toEqual({
    kind: "wait",
    reason: "pmi-000000000001 is being created by process 100 on here; waiting until that ends",
  });
});
