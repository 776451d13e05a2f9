/**
 * The help texts, pinned as files so that a change of them is seen in review. After a change that is
 * meant, `UPDATE_PINNED=1 npx jest test/cli/help` writes them anew.
 */
import { pinned, runApart } from "./pinned";

const commands = [
  "list",
  "status",
  "history",
  "pause",
  "resume",
  "recycle",
  "snapshot",
  "gc",
  "doctor",
  "controller",
  "simulator",
  "completion",
];

test("the help of the program", async () => {
  const { exitCode, stderr, stdout } = await runApart(["--help"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  pinned("help.txt", stdout);
});

test("the pinned commands are all that there are", async () => {
  const { stdout } = await runApart(["__complete", ""]);
  expect(stdout.trim().split("\n")).toEqual(commands);
});

test.each(commands)("the help of %s", async (command) => {
  const { exitCode, stderr, stdout } = await runApart([command, "--help"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  pinned(`help-${command}.txt`, stdout);
});

test("no line of any help is longer than a wide terminal", async () => {
  for (const command of commands) {
    const { stdout } = await runApart([command, "--help"]);
    expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
  }
});

test("without a command it shows the help", async () => {
  const { exitCode, stdout } = await runApart([]);
  expect(exitCode).toBe(0);
  pinned("help.txt", stdout);
});

test("the version is the package's", async () => {
  expect(await runApart(["--version"])).toEqual({ exitCode: 0, stdout: "1.2.3\n", stderr: "" });
});
