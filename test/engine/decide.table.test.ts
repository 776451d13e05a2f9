// The decision table: every row a sentence with a question and the exact answer. What a row leaves
// out is the default of builders.ts: generation 1 of lineage 1 has been running healthily for an hour.

import { decide, rules } from "../../src/engine/decide";
import { question } from "./builders";
import { rows } from "./rows";

test.each(rows)("$name", ({ ask, expect: expected, rule }) => {
  expect(decide(question(ask))).toEqual({ ...expected, rule });
});

test("every rule wins in at least one row", () => {
  const winners = new Set(rows.map(({ rule }) => rule));
  expect(rules.map(({ name }) => name).filter((name) => !winners.has(name))).toEqual([]);
});

test("every row names a rule that there is, or the end of a creation", () => {
  const names = rules.map(({ name }) => name);
  const known = [...names, "a creation is complete once the desired state is reached"];
  expect(rows.map(({ rule }) => rule).filter((rule) => !known.includes(rule))).toEqual([]);
});

test("no two rules have the same name, or two would share one row", () => {
  const names = rules.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test("no two rows have the same name", () => {
  const names = rows.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});
