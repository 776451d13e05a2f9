// The decision table: every row a sentence with a question and the exact answer. What a row leaves
// out is the default of builders.ts: generation 1 of lineage 1 has been running healthily for an hour.

import { decide, rules } from "../../src/engine/decide";
import { question } from "./builders";
import { identityRows } from "./rows-identity";
import { launchRows } from "./rows-launch";
import { rootRows } from "./rows-root";
import { stopRows } from "./rows-stop";

const rows = [...identityRows, ...rootRows, ...launchRows, ...stopRows];

test.each(rows)("$name", ({ ask, expect: expected, rule }) => {
  expect(decide(question(ask))).toEqual({ ...expected, rule });
});

test("no two rows have the same name", () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

test("no two rules have the same name, or two would share one row", () => {
  const names = rules.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});
