import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "..", "..");
let program: ChildProcess;
let endpoint: string;

// Fast enough that clients which poll every few seconds do not wait long, slow enough that a
// terminated instance is still listed (an hour, ec2-facts §9) when a slow client looks for it.
const speed = 60;

beforeAll(async () => {
  program = spawn(
    process.execPath,
    [
      "node_modules/tsx/dist/cli.mjs",
      "src/cli/main.ts",
      "simulator",
      "--port",
      "0",
      "--speed",
      `${speed}`,
    ],
    { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
  );
  endpoint = await announcedEndpoint(program);
}, 60_000);

afterAll(async () => {
  const ended = new Promise((resolve) => program.once("exit", resolve));
  program.kill("SIGTERM");
  expect(await ended).toBe(0);
});

test("the AWS CLI uses the simulator unmodified, when it is installed", () => {
  if (!isInstalled("aws", ["--version"])) return sayNotRun("the AWS CLI is not installed");
  const { status, text } = drive("bash", ["test/contract/aws-cli.sh", endpoint]);
  expect(text).not.toContain("not ok");
  expect({ status, text }).toMatchObject({ status: 0 });
}, 300_000);

test("boto3 uses the simulator unmodified, when it is installed", () => {
  if (!isInstalled("python3", ["-c", "import boto3"])) return sayNotRun("boto3 is not installed");
  const { status, text } = drive("python3", ["test/contract/boto3_client.py", endpoint]);
  expect({ status, text }).toMatchObject({ status: 0 });
}, 300_000);

test("Terraform's AWS provider uses the simulator unmodified, when it can be obtained", () => {
  if (!isInstalled("terraform", ["version"])) return sayNotRun("Terraform is not installed");
  const { status, text } = drive("bash", ["test/contract/terraform.sh", endpoint]);
  if (status === 3) return sayNotRun(`Terraform's AWS provider cannot be obtained: ${text}`);
  expect({ status, text }).toMatchObject({ status: 0 });
}, 900_000);

function announcedEndpoint({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = "";
    stdout?.on("data", (chunk) => {
      seen += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(seen);
      if (found !== null) resolve(found[0]);
    });
    stdout?.once("end", () => reject(new Error(`the simulator ended early: ${seen}`)));
  });
}

function isInstalled(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function drive(command: string, args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  return { status, text: `${stdout}${stderr}` };
}

function sayNotRun(reason: string): void {
  process.stdout.write(`not run: ${reason}\n`);
}
