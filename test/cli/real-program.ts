/** `managed-instance` as a process of its own, as a user starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const repository = path.resolve(__dirname, "../..");
const program = path.join(repository, "src", "cli", "main.ts");
const children: ChildProcess[] = [];

/** Ends what is left of them, at once. */
export function endPrograms(): void {
  for (const child of children) child.kill("SIGKILL");
}

export interface RunningProgram {
  child: ChildProcess;
  /** What it has written so far, both streams as they came. */
  text(): string;
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | string>;
}

export function startProgram(args: readonly string[]): RunningProgram {
  const child = spawn(process.execPath, ["--import", require.resolve("tsx"), program, ...args], {
    cwd: repository,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let text = "";
  const add = (chunk: Buffer) => {
    text += chunk.toString("utf8");
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return { child, text: () => text, ended };
}
