/**
 * The quick start as a user runs it, in a process of its own: that it succeeds, that it can fail, and
 * that nothing of it is left.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const repository = path.resolve(__dirname, "../..");
const tsx = require.resolve("tsx");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "quickstart-test-"));
const minutes = 60_000;

// The story's provider process loads the built package, as a user's would.
beforeAll(() => {
  execFileSync(process.execPath, [path.join(repository, "scripts", "bootstrap.mjs")]);
}, 5 * minutes);

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

interface Told {
  exitCode: number | null;
  text: string;
}

function tell(file: string, hear: (text: string, story: ChildProcess) => void = () => {}) {
  const story = spawn(process.execPath, ["--import", tsx, path.join(repository, file)], {
    cwd: repository,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const add = (chunk: Buffer) => {
    text += chunk.toString("utf8");
    hear(text, story);
  };
  story.stdout.on("data", add);
  story.stderr.on("data", add);
  return new Promise<Told>((resolve, reject) => {
    story.on("error", reject);
    story.on("close", (exitCode) => resolve({ exitCode, text }));
  });
}

const leftFolders = () =>
  fs.readdirSync(folder).filter((name) => name.startsWith("managed-instance-quickstart-"));

const story = "examples/quickstart/main.ts";

test(
  "the quick start ends with exit code 0 when every claim was checked and held",
  async () => {
    const { exitCode, text } = await tell(story);
    expect({ exitCode, text }).toEqual({
      exitCode: 0,
      text: expect.stringMatching(/\n26 claims checked, all held\.\n$/),
    });
    expect(text).toMatch(/^interruption +\d+\.\d s +64\.\d s /m);
    expect(text).not.toContain("\u001b[");
    expect(leftFolders()).toEqual([]);
  },
  5 * minutes,
);

test(
  "on an EC2 that boots the base image in place of the kept disk it ends with exit code 1 and names the claim",
  async () => {
    const { exitCode, text } = await tell("test/e2e/forgetful-quickstart.ts");
    expect({ exitCode, text }).toEqual({
      exitCode: 1,
      text: expect.stringMatching(/this does not hold: every byte is there/),
    });
    expect(text).toMatch(/expected {2}"00000 a line that only this disk has/);
    expect(text).toMatch(/found {5}"\(There is no file \/srv\/journal\.txt/);
    expect(leftFolders()).toEqual([]);
  },
  5 * minutes,
);

test(
  "Ctrl-C in the middle of pulumi up ends it soon and clears everything away",
  async () => {
    let isStopped = false;
    const { exitCode, text } = await tell(story, (told, running) => {
      if (isStopped || !told.includes("launching generation 1")) return;
      isStopped = true;
      running.kill("SIGINT");
    });
    expect({ exitCode, text }).toEqual({
      exitCode: 130,
      text: expect.stringContaining("Stopping at a safe point"),
    });
    expect(leftFolders()).toEqual([]);
  },
  5 * minutes,
);
