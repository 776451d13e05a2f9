import { readFileSync } from "node:fs";
import path from "node:path";
import { type Bug, LostPlaceError, withBug } from "./bug";
import { bugs } from "./bugs";

const sourceOf = ({ file }: Bug) => readFileSync(path.resolve(__dirname, "../..", file), "utf8");

test.each(bugs)("$name: has its place in $file", (bug) => {
  const text = sourceOf(bug);
  expect(withBug(bug, text)).not.toBe(text);
});

test("a bug whose text the source has no more, or twice, is an error and no catch", () => {
  const [bug] = bugs;
  if (bug === undefined) throw new Error("there is no bug");
  expect(() => withBug(bug, "")).toThrow(LostPlaceError);
  expect(() => withBug(bug, bug.find + bug.find)).toThrow("has lost its place");
});

test("no two bugs have the same name or make the same change", () => {
  const names = new Set(bugs.map(({ name }) => name));
  const changes = new Set(
    bugs.map(({ file, find, replace }) => JSON.stringify([file, find, replace])),
  );
  expect([names.size, changes.size]).toEqual([bugs.length, bugs.length]);
});
