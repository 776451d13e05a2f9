/** `managed-instance simulator`: the embedded EC2, served until Ctrl-C. */
import { createSimulator, serveSimulator } from "../simulator";
import { greeting } from "../simulator/guidance";
import { Failure } from "./failure";
import type { OutputFlags } from "./flags";
import type { Invocation } from "./invocation";

export type SimulatorFlags = OutputFlags & {
  port: number;
  speed: number;
  region?: string;
  seed: number;
};

export async function simulator(this: Invocation, flags: SimulatorFlags): Promise<void> {
  const { port, region = "us-east-1", seed, speed } = flags;
  const ec2 = createSimulator({ region, seed, clock: { kind: "real", speed } });
  const greet = greeting(ec2);
  const report = (error: unknown) =>
    this.terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const server = await serveSimulator(ec2, { port, report }).catch((error: unknown) => {
    throw cannotListen(port, error);
  });
  this.stopSafely();
  const { endpoint } = server;
  this.terminal.result(flags, {
    json: { endpoint, region, account: ec2.account, speed, seed },
    lines: () => [greet(endpoint), "Stop it with Ctrl-C."],
  });
  await aborted(this.signal);
  await server.close();
}

function cannotListen(port: number, error: unknown): Failure {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const why = code === "EADDRINUSE" ? "is taken by another program" : `cannot be had (${code})`;
  const next = "Choose another one with --port, or a free one with --port 0.";
  return new Failure("failed", `Port ${port} ${why}.`, next, { cause: error });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
