#!/usr/bin/env node
// Makes the Lambda functions: each one file that needs nothing beside it, with an SDK of its own, because the one
// of Lambda's runtime lags behind EC2's newest parameters. The packages' ES modules are taken where there are
// any: of the EC2 client only what is called gets in, which halves the start of a function.
//
//   node scripts/bundle.mjs [folder]          into dist/lambda, or into the folder given

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const FUNCTIONS = ["router", "worker", "sweep"];
/** Unzipped, each. */
const MOST_BYTES = 3_000_000;

/** Zod's words for errors in fifty languages are reached by name and so would all get in; we speak one. */
const oneLanguage = {
  name: "one-language",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    })),
};

export async function bundle(folder = path.join(ROOT, "dist", "lambda")) {
  await build({
    absWorkingDir: ROOT,
    entryPoints: FUNCTIONS.map((name) => ({
      in: `src/controller/lambda/entries/${name}.ts`,
      out: `${name}/index`,
    })),
    outdir: folder,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    minify: true,
    mainFields: ["module", "main"],
    legalComments: "external",
    plugins: [oneLanguage],
    logLevel: "warning",
  });
  const sizes = FUNCTIONS.map((name) => [
    name,
    fs.statSync(path.join(folder, name, "index.js")).size,
  ]);
  const large = sizes.filter(([, bytes]) => bytes > MOST_BYTES);
  if (large.length > 0) throw new Error(`more than ${MOST_BYTES} bytes: ${large.join(", ")}`);
  return Object.fromEntries(sizes);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const sizes = await bundle(process.argv[2] && path.resolve(process.argv[2]));
  for (const [name, bytes] of Object.entries(sizes))
    process.stdout.write(`${name}: ${(bytes / 1e6).toFixed(2)} MB\n`);
}
