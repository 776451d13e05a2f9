#!/usr/bin/env node
// `npm run quickstart`: installs what is missing and starts the story in examples/quickstart/.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bootstrap } from "./bootstrap.mjs";
import { ensurePulumiCli } from "./pulumi-cli.mjs";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const STORY = path.join("examples", "quickstart", "main.ts");

try {
  await bootstrap();
  await ensurePulumiCli();
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const story = spawn(process.execPath, ["--import", tsx, STORY], { cwd: ROOT, stdio: "inherit" });
  // The story is in our process group and hears Ctrl-C itself; it cleans up, so we wait for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => story.kill("SIGTERM"));
  story.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
