/** Tags, which are the ledger (ec2-facts §10). */
import assert from "node:assert/strict";
import { scene } from "../scene";
import { expectRefused, interfaceById, newInterface, until } from "../steps";
import { RUN_TAG } from "../target";

export const tagging = scene(
  "tags",
  async (stage) => {
    const id = await newInterface(stage, "tags");
    const set = (tags: Readonly<Record<string, string>>) =>
      stage.ec2.createTags({
        Resources: [id],
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      });
    const read = async () => {
      const { TagSet = [] } = await interfaceById(stage, id);
      const tags = TagSet.map(({ Key = "", Value = "" }) => [Key, Value] as const);
      return new Map(tags.filter(([key]) => key !== RUN_TAG));
    };
    const untilRead = (tags: Readonly<Record<string, string>>) =>
      until(stage, "the tags", async () => {
        const found = await read();
        const wanted = Object.entries(tags);
        const isSame =
          found.size === wanted.length && wanted.every(([key, value]) => found.get(key) === value);
        return isSame ? found : undefined;
      });
    return { stage, id, set, read, untilRead };
  },
  [
    {
      sentence: "CreateTags adds and overwrites, and leaves the other tags alone",
      fact: "§10",
      check: async ({ set, untilRead }) => {
        await set({ one: "1", two: "2" });
        await set({ two: "zwei", three: "" });
        await untilRead({ one: "1", two: "zwei", three: "" });
      },
    },
    {
      sentence: "a tag is deleted by its key alone",
      fact: "§10",
      check: async ({ stage, id, untilRead }) => {
        await stage.ec2.deleteTags({ Resources: [id], Tags: [{ Key: "three" }] });
        await untilRead({ one: "1", two: "zwei" });
      },
    },
    {
      sentence: "a tag with another value than named is not deleted",
      fact: "§10",
      check: async ({ stage, id, read }) => {
        await stage.ec2.deleteTags({ Resources: [id], Tags: [{ Key: "one", Value: "other" }] });
        assert.equal((await read()).get("one"), "1");
      },
    },
    {
      sentence: "keys differ by capital letters",
      fact: "§10",
      check: async ({ set, untilRead }) => {
        await set({ One: "first" });
        await untilRead({ one: "1", two: "zwei", One: "first" });
      },
    },
    {
      sentence: "keys that begin with aws: are reserved",
      fact: "§10",
      check: ({ set }) => expectRefused(set({ "aws:mine": "1" }), "InvalidParameterValue"),
    },
    {
      sentence: "a value of 256 characters is kept whole",
      fact: "§10",
      check: async ({ set, read, stage }) => {
        const value = "ü".repeat(256);
        await set({ long: value });
        await until(stage, "the long value", async () =>
          (await read()).get("long") === value ? true : undefined,
        );
      },
    },
    {
      sentence: "a value of 257 characters is refused",
      fact: "§10",
      check: ({ set }) => expectRefused(set({ long: "x".repeat(257) }), "InvalidParameterValue"),
    },
    {
      sentence: "the fifty-first tag is refused",
      fact: "§10",
      check: async ({ set }) => {
        const many = Array.from({ length: 48 }, (_, index) => [`key-${index}`, ""]);
        await expectRefused(set(Object.fromEntries(many)), "TagLimitExceeded");
      },
    },
    {
      sentence: "tags of what does not exist are refused",
      fact: "§10",
      check: ({ stage }) =>
        expectRefused(
          stage.ec2.createTags({
            Resources: ["i-0123456789abcdef0"],
            Tags: [{ Key: "a", Value: "b" }],
          }),
          "InvalidInstanceID.NotFound",
          "InvalidID",
        ),
    },
    {
      sentence: "tags are found by their resource",
      fact: "§10",
      check: async ({ stage, id }) => {
        const Filters = [
          { Name: "resource-id", Values: [id] },
          { Name: "key", Values: ["one"] },
        ];
        const { Tags = [] } = await stage.ec2.describeTags({ Filters });
        assert.deepEqual(
          Tags.map((tag) => [tag.ResourceType, tag.Value]),
          [["network-interface", "1"]],
        );
      },
    },
  ],
);
