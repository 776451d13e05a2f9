#!/usr/bin/env node
// Behind `npm run contract:moto`: a Python environment of its own in a temporary folder, moto from
// PyPI in it, its server on loopback, the contract suite against that, and all of it gone in the end.
//
//   MOTO_VERSION=5.2.6 npm run contract:moto    another version than the one that the list was made with

import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrap } from "./bootstrap.mjs";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const VERSION = process.env.MOTO_VERSION ?? "5.2.5";
const START_WITHIN_MS = 60_000;
const say = (line) => process.stdout.write(`${line}\n`);

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) =>
      reject(
        new Error(`${command} cannot be run (${error.message}); moto needs Python 3 with venv`),
      ),
    );
    child.on("close", resolve);
  });
}

async function mustRun(command, args) {
  const exitCode = await run(command, args);
  if (exitCode !== 0) throw new Error(`${command} ${args[0]}… ended with exit code ${exitCode}`);
}

/** Answers with the address that the server itself announces; port 0 is one that is free. */
function announcedEndpoint(server) {
  return new Promise((resolve, reject) => {
    let seen = "";
    const timer = setTimeout(
      () => reject(new Error(`moto did not start: ${seen}`)),
      START_WITHIN_MS,
    );
    const listen = (chunk) => {
      seen += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(seen);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[0]);
    };
    // Its log of requests goes on after the announcement and has to be read away.
    server.stderr.on("data", listen);
    server.stdout.on("data", listen);
    server.once("exit", (code) => reject(new Error(`moto ended with exit code ${code}: ${seen}`)));
  });
}

async function end(server) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;
}

async function main() {
  await bootstrap({ build: false });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contract-moto-"));
  const bin = path.join(folder, process.platform === "win32" ? "Scripts" : "bin");
  let server;
  // A run that is stopped takes its server and its folder with it, too.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      server?.kill("SIGTERM");
      fs.rmSync(folder, { recursive: true, force: true });
      process.exit(130);
    });
  try {
    say(`Installing moto ${VERSION} into a temporary folder`);
    await mustRun("python3", ["-m", "venv", folder]);
    const pip = ["-m", "pip", "install", "--quiet", `moto[server]==${VERSION}`];
    await mustRun(path.join(bin, "python"), pip);
    server = spawn(path.join(bin, "moto_server"), ["-H", "127.0.0.1", "-p", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const endpoint = await announcedEndpoint(server);
    const tsx = path.join(ROOT, "node_modules", "tsx", "dist", "cli.mjs");
    return await run(process.execPath, [tsx, "test/contract/main.ts", "moto", endpoint]);
  } finally {
    if (server !== undefined) await end(server);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
