/** That the audit of dependencies passes now, and that it would say so if a rule were broken. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "../..");
const script = path.join(root, "scripts", "audit.mjs");
const readJson = (file: string) => JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));

/** The script is an ES module that runs before any build, so it is asked in a process of its own. */
function ask(name: "complaintsAbout" | "judgeAdvisories", ...args: unknown[]): unknown {
  const source = `import fs from "node:fs";
    import { ${name} } from ${JSON.stringify(`file://${script}`)};
    process.stdout.write(JSON.stringify(${name}(...JSON.parse(fs.readFileSync(0, "utf8")))));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
    input: JSON.stringify(args),
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

test("no rule is broken by what we depend on", () => {
  expect(ask("complaintsAbout", readJson("package.json"), readJson("package-lock.json"))).toEqual(
    [],
  );
});

const hash = "sha512-abc";
const good = { version: "1.0.0", license: "MIT", integrity: hash };

test.each<[string, object, object, RegExp]>([
  ["a range", { dependencies: { a: "^1.0.0" } }, good, /^a is wanted as "\^1\.0\.0"/],
  ["a tag", { devDependencies: { a: "latest" } }, good, /^a is wanted as "latest"/],
  ["no hash", {}, { ...good, integrity: undefined }, /^a@1\.0\.0 has no SHA-512 hash/],
  ["a weak hash", {}, { ...good, integrity: "sha1-abc" }, /^a@1\.0\.0 has no SHA-512 hash/],
  ["an install script", {}, { ...good, hasInstallScript: true }, /^a@1\.0\.0 runs a script/],
  ["another licence", {}, { ...good, license: "AGPL-3.0" }, /^a@1\.0\.0 has the licence AGPL-3\.0/],
  ["no licence", {}, { ...good, license: undefined }, /^a@1\.0\.0 has the licence undefined/],
  [
    "another registry",
    {},
    { ...good, resolved: "https://example.org/a.tgz" },
    /^a@1\.0\.0 comes from/,
  ],
])("%s is a broken rule", (_what, manifest, entry, sentence) => {
  const lock = { packages: { "": {}, "node_modules/a": entry } };
  expect(ask("complaintsAbout", manifest, lock)).toEqual([expect.stringMatching(sentence)]);
});

test("a script that was looked at, and a licence of a tool, are allowed", () => {
  const packages = {
    "": {},
    "node_modules/a": { ...good, hasInstallScript: true },
    "node_modules/b/node_modules/c": { ...good, license: "AGPL-3.0", dev: true },
    "node_modules/native": { ...good, integrity: undefined, optional: true },
  };
  expect(ask("complaintsAbout", { allowScripts: { a: false } }, { packages })).toEqual([]);
});

test("an answer of npm counts by severity, and none is not taken for a good one", () => {
  const metadata = { vulnerabilities: { total: 2 } };
  const vulnerabilities = {
    a: { name: "a", severity: "critical", range: "<2" },
    b: { name: "b", severity: "moderate", range: "<2" },
  };
  expect(ask("judgeAdvisories", JSON.stringify({ metadata, vulnerabilities }))).toEqual({
    complaints: ["a <2 has a critical vulnerability."],
    total: 2,
  });
  expect(ask("judgeAdvisories", '{"message":"405 Method Not Allowed"}')).toEqual({
    unknown: "405 Method Not Allowed",
  });
  expect(ask("judgeAdvisories", "")).toEqual({ unknown: "npm gave no answer" });
});
