// Of several readings of one ledger the newest counts.

import { newestLedger } from "../../src/engine/ledgers";
import { ledger } from "./builders";

const old = ledger({ revision: 3 });
const young = ledger({ revision: 4 });

test("the newest has the highest revision, wherever it was read", () => {
  expect(newestLedger([old, young])).toBe(young);
  expect(newestLedger([young, old])).toBe(young);
});

test("of two that were written at once the one that is asked for first counts", () => {
  expect(newestLedger([young, ledger({ revision: 4 })])).toBe(young);
});

test("a place that has none says nothing", () => {
  expect(newestLedger([undefined, old, undefined])).toBe(old);
  expect(newestLedger([undefined])).toBeUndefined();
  expect(newestLedger([])).toBeUndefined();
});
