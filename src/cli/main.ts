#!/usr/bin/env node
/**
 * The program `managed-instance`: hands the process over to the command line. The first Ctrl-C asks
 * it to stop at the next safe point, the second one ends it at once.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { thisProcess } from "../aws/claimant";
import { runCommandLine } from "./command-line";
import { exitCodes } from "./failure";

/** At the root of the repository, or beside dist/ in the package. */
function version(): string {
  const folders = ["../..", "../../.."].map((up) => path.join(__dirname, up, "package.json"));
  const manifest = folders.find((file) => fs.existsSync(file));
  const { version = "" } = JSON.parse(fs.readFileSync(manifest ?? "", "utf8"));
  return String(version);
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

/** Ctrl-C and a polite kill alike. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(exitCodes.interrupted);
      stop.abort();
    });
  }
  return stop.signal;
}

async function main(): Promise<void> {
  // What the SDK has to say about Node versions would stand among our own lines.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { stderr, stdin, stdout } = process;
  const signal = stopSignal();
  const exitCode = await runCommandLine({
    args: process.argv.slice(2),
    streams: { stdout, stderr },
    environment: process.env,
    home: os.homedir(),
    claimant: thisProcess(),
    signal,
    ask: stdin.isTTY && stderr.isTTY ? ask : undefined,
    version: version(),
  });
  // A reading call that is still under way must not keep an interrupted process.
  if (signal.aborted) process.exit(exitCode);
  process.exitCode = exitCode;
}

void main();
