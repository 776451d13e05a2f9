/** `managed-instance simulator` as a process, as `npm run simulator` starts it. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";

const root = path.join(__dirname, "..", "..");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: string[], onOutput: (text: string, stop: () => void) => void = () => {}) {
  const program = spawn(
    process.execPath,
    ["node_modules/tsx/dist/cli.mjs", "src/cli/main.ts", "simulator", ...args],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  let stdout = "";
  let stderr = "";
  program.stdout.on("data", (chunk) => {
    stdout += chunk;
    onOutput(stdout, () => program.kill("SIGTERM"));
  });
  program.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise<Ended>((resolve) => {
    program.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

test("it says where it listens, how to use it, what is there, and stops on SIGTERM", async () => {
  const { code, stdout } = await run(["--port", "0", "--speed", "60"], (text, stop) => {
    if (text.includes("Stop it with Ctrl-C.")) stop();
  });
  expect(code).toBe(0);
  const [endpoint] = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout) ?? [];
  expect(stdout).toContain(`aws --endpoint-url ${endpoint} ec2 run-instances --image-id ami-`);
  expect(stdout).toContain(`${endpoint}/_simulator/interrupt`);
  expect(stdout).toContain("runs 60 times as fast as yours");
  expect(stdout.match(/^ {2}subnet-\S+ +us-east-1[abc] +172\.31\./gm)).toHaveLength(3);
  expect(stdout).toMatch(/^ {2}ami-\S+ +arm64 /m);
}, 60_000);

test("with --json it says where it listens as one document, for tests that start it", async () => {
  const { code, stdout } = await run(["--port", "0", "--json"], (text, stop) => {
    if (text.trimEnd().endsWith("}")) stop();
  });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    region: "us-east-1",
    account: "123456789012",
    speed: 1,
    seed: 1,
  });
}, 60_000);

test("a port that is taken is told in two lines, exit code 1", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { code, stderr } = await run(["--port", `${port}`]);
  await new Promise((resolve) => taken.close(resolve));
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port} is taken by another program.\nChoose another one`);
}, 60_000);
