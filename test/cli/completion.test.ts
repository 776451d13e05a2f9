/** The completion scripts, in the shells that are there. */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runApart } from "./pinned";

const root = path.join(__dirname, "..", "..");
const proposalsFor = async (...words: string[]) =>
  (await runApart(["__complete", ...words])).stdout.split("\n").filter((line) => line !== "");

test("commands, options and fixed values are proposed", async () => {
  expect(await proposalsFor("re")).toEqual(["resume", "recycle"]);
  expect(await proposalsFor("gc", "--dr")).toEqual(["--dry-run"]);
  expect(await proposalsFor("pause", "db", "--w")).toEqual(["--wait"]);
  expect(await proposalsFor("completion", "z")).toEqual(["zsh"]);
  expect(await proposalsFor("no-such-command", "")).toEqual([]);
});

const isInstalled = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

test.each(["bash", "zsh", "fish"])("%s takes the script", async (shell) => {
  const { exitCode, stdout } = await runApart(["completion", shell]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("managed-instance __complete");
  if (isInstalled(shell)) execFileSync(shell, ["-n"], { input: stdout });
});

test("bash completes through the script and the real program", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "completion-"));
  const program = path.join(folder, "managed-instance");
  const tsx = path.join(root, "node_modules/tsx/dist/cli.mjs");
  const main = path.join(root, "src/cli/main.ts");
  fs.writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${tsx}" "${main}" "$@"\n`, {
    mode: 0o755,
  });
  const { stdout: script } = await runApart(["completion", "bash"]);
  const asked = `${script}
COMP_WORDS=(managed-instance pause --ti)
COMP_CWORD=2
_managed_instance
printf '%s\\n' "\${COMPREPLY[@]}"
complete -p managed-instance`;
  const env = { ...process.env, PATH: `${folder}${path.delimiter}${process.env.PATH}` };
  const answer = execFileSync("bash", ["--norc", "-s"], { input: asked, env, encoding: "utf8" });
  fs.rmSync(folder, { recursive: true, force: true });
  expect(answer).toBe("--timeout\ncomplete -o default -F _managed_instance managed-instance\n");
}, 60_000);
