/** What is wrong with the arguments is told in two lines, before anything is called. */
import { runApart } from "./pinned";

test.each([
  [["puase", "db"], "There is no command puase. Did you mean `pause`?", "--help"],
  [["pause"], "<instance> is missing.", "pause --help"],
  [["pause", "a", "b"], "b is one argument too many.", "pause --help"],
  [["pause", "a,b"], "a,b: it is an id like pmi-0be252de362a, or the resource's name.", "pause"],
  [["list", "--regoin", "x"], "There is no option --regoin. Did you mean --region?", "list --help"],
  [["list", "-x"], "There is no option -x.", "list --help"],
  [["list", "--region", "Paris"], "--region Paris: a Region is named like eu-central-1.", "list"],
  [["list", "--endpoint", "ftp://x"], "--endpoint ftp://x: an endpoint is a URL like", "list"],
  [["list", "--table", "x"], "--table x: a DynamoDB table has 3 to 255 of", "list --help"],
  [["history", "db", "--limit", "0"], "--limit 0: it must be a whole number from 1", "history"],
  [["pause", "db", "--timeout", "5"], "--timeout 5: a span of time is a whole number", "pause"],
  [["controller", "--interval", "301"], "--interval 301: it must be a whole number", "controller"],
  [["controller", "--topic", "me"], "--topic me: a topic's ARN is like arn:aws:sns:", "controller"],
  [["simulator", "--port", "99999"], "--port 99999: it must be a whole number", "simulator"],
  [["simulator", "--speed", "0"], "--speed 0: it must be a number above 0.", "simulator"],
  [["simulator", "--seed", "1.5"], "--seed 1.5: it must be a whole number from 0", "simulator"],
])("%j", async (args, message, help) => {
  const { exitCode, stderr, stdout } = await runApart(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  const [what, next, ...rest] = stderr.split("\n");
  expect(what).toContain(message);
  expect(next).toMatch(/^`managed-instance .*--help` shows how it is used\.$/);
  expect(next).toContain(`managed-instance ${help}`);
  expect(rest).toEqual([""]);
});

test("two registries are one too many", async () => {
  const place = ["--region", "us-east-1", "--endpoint", "http://127.0.0.1:9"];
  const registries = ["--table", "abc", "--directory", "d"];
  const { exitCode, stderr } = await runApart(["list", ...place, ...registries]);
  expect(exitCode).toBe(2);
  expect(stderr).toBe("--table and --directory are both given.\nName one registry.\n");
});

test("with --json it is a document, too", async () => {
  const { exitCode, stderr, stdout } = await runApart(["pause", "--json"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({
    error: {
      ...{ ending: "usage", exitCode: 2, message: "<instance> is missing." },
      next: "`managed-instance pause --help` shows how it is used.",
    },
  });
});

test("--debug shows where a failure comes from; without it there is no trace", async () => {
  const args = ["completion", "tcsh"];
  const { stderr } = await runApart(args);
  expect(stderr).toBe("There is no completion for tcsh.\nUse bash, zsh or fish.\n");
  expect((await runApart([...args, "--debug"])).stderr).toMatch(/\n {4}at .*completion/);
});
