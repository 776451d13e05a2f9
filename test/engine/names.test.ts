// The texts that carry a managed instance's id are read back and found by it alone, and fit into EC2's
// limits: 64 characters a client token (ec2-facts §1.1), 128 a name, 255 a description.

import * as fc from "fast-check";
import {
  clientToken,
  imageName,
  imageNames,
  parseClientToken,
  snapshotDescription,
  snapshotDescriptions,
} from "../../src/engine/names";
import { matcherOf } from "../../src/simulator/describe";
import { id } from "./builders";

describe("a client token", () => {
  test("tells the generation and attempt of its launch", () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (generation, attempt) => {
        const token = clientToken(id, generation, attempt);
        expect(parseClientToken(id, token)).toEqual({ generation, attempt });
        expect(token.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  test("of anything else is not ours", () => {
    for (const token of [
      "",
      id,
      `${id}:1`,
      `${id}:1:1:1`,
      `${id}:a:1`,
      "pmi-ffff:1:1",
      `x${id}:1:1`,
      `${id}:1:1x`,
    ])
      expect(parseClientToken(id, token)).toBeUndefined();
  });
});

test("an image's name is within EC2's limits and tells its snapshot", () => {
  const name = imageName(id, `snap-${"f".repeat(17)}`, 2);
  expect(name).toMatch(/^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/);
  expect(name).toContain("f".repeat(17));
  expect(imageName(id, "snap-1", 0)).not.toBe(imageName(id, "snap-1", 1));
});

const longest = { lineage: 999_999_999, generation: 999_999_999 };

test("a snapshot's description is within EC2's limit", () => {
  expect(snapshotDescription(id, longest, "periodic").length).toBeLessThanOrEqual(255);
});

test("snapshots and images are found by their own managed instance's id, and by no other", () => {
  const ids = ["pmi-1", "pmi-12", "pmi-2"];
  const found = (patternOf: (id: string) => string, textOf: (id: string) => string) =>
    ids.map((wanted) => ids.filter((each) => matcherOf(patternOf(wanted))(textOf(each))));
  const alone = ids.map((each) => [each]);
  expect(
    found(snapshotDescriptions, (each) => snapshotDescription(each, longest, "final")),
  ).toEqual(alone);
  expect(found(imageNames, (each) => imageName(each, "snap-1", 0))).toEqual(alone);
});
