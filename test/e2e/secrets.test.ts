/** That the search for secrets finds them: the other tests rely on it and only ever see it silent. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { createProject } from "./project";
import { leaksIn, leaksUnder, secretWord } from "./secrets";
import { LeakError } from "./watched-stack";

const around = fc.tuple(fc.string(), fc.string());

test.each<[string, (text: string) => string]>([
  ["in clear", (text) => text],
  ["in clear", (text) => text.toUpperCase()],
  ["in clear", (text) => JSON.stringify({ text })],
  ["in base64", (text) => Buffer.from(text).toString("base64")],
  ["in base64", (text) => Buffer.from(text).toString("base64url")],
  ["in hexadecimal", (text) => Buffer.from(text).toString("hex")],
  ["in UTF-16", (text) => Buffer.from(text, "utf16le").toString("latin1")],
])("the word is found %s wherever it stands", (how, encode) => {
  fc.assert(
    fc.property(around, ([before, after]) => {
      expect(leaksIn(encode(`${before}${secretWord}${after}`))).toContain(how);
    }),
  );
});

test("a text without the word has no leak", () => {
  expect(leaksIn("correct horse, battery staple")).toEqual([]);
});

test("files are searched at any depth and named", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "secrets-"));
  fs.mkdirSync(path.join(folder, "deep", "er"), { recursive: true });
  fs.writeFileSync(path.join(folder, "deep", "er", "state.json"), `{"a":"${secretWord}"}`);
  expect(leaksUnder(folder)).toEqual([`${path.join("deep", "er", "state.json")}: in clear`]);
  fs.rmSync(folder, { recursive: true });
});

test("an operation of a stack that shows the secret fails", async () => {
  const project = await createProject("leaky");
  const stack = await project.stack("dev", async () => ({ shown: secretWord }));
  await expect(stack.up()).rejects.toThrow(LeakError);
  project.remove();
}, 60_000);
