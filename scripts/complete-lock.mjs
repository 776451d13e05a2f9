#!/usr/bin/env node
// Keeps package-lock.json complete for every platform. npm leaves out the optional packages (native parts of
// other platforms) that the registry in use does not serve, and then refuses its own lock file in `npm ci`.
// Their names and exact versions stand in the packages that want them, so they can be written down all the same;
// npm adds the integrity when it first installs one.
//
//   node scripts/complete-lock.mjs            adds what is missing (after every `npm install` of something new)
//   node scripts/complete-lock.mjs --check    says what is missing, and fails if anything is

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const LOCK = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "package-lock.json");

const SYSTEMS = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const PROCESSORS = /\b(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)\b/;
const C_LIBRARIES = { gnu: "glibc", musl: "musl" };

function missingFrom(packages) {
  return Object.entries(packages).flatMap(([folder, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isFoundFrom(folder, name, packages))
      .map(([name, version]) => ({ name, version, dev })),
  );
}

/** As Node looks for a package: in the folder itself, then in each one above it. */
function isFoundFrom(folder, name, packages) {
  const candidate = path.posix.join(folder, "node_modules", name);
  if (candidate in packages) return true;
  const above = folder.lastIndexOf("node_modules/");
  return above >= 0 && isFoundFrom(folder.slice(0, above).replace(/\/$/, ""), name, packages);
}

/** The platform is in the name. Without it npm would try to fetch the package on every platform. */
function entryOf({ name, version, dev }) {
  if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version))
    throw new Error(`${name}@${version} is not an exact version`);
  const system = SYSTEMS.exec(name)?.[1];
  if (system === undefined) throw new Error(`${name} does not say which platform it is for`);
  const processor = PROCESSORS.exec(name)?.[1];
  const library = system === "linux" ? C_LIBRARIES[/(gnu|musl)\w*$/.exec(name)?.[1]] : undefined;
  return {
    version,
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(dev ? { dev: true } : {}),
    ...(library === undefined ? {} : { libc: [library] }),
    optional: true,
    os: [system],
  };
}

function main(args) {
  const lock = JSON.parse(fs.readFileSync(LOCK, "utf8"));
  const missing = missingFrom(lock.packages);
  if (missing.length === 0) return 0;
  const names = missing.map(({ name, version }) => `${name}@${version}`).join("\n  ");
  if (args.includes("--check")) {
    process.stderr.write(
      `package-lock.json lacks, to be added by \`node scripts/complete-lock.mjs\`:\n  ${names}\n`,
    );
    return 1;
  }
  for (const each of missing) lock.packages[`node_modules/${each.name}`] = entryOf(each);
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  fs.writeFileSync(
    LOCK,
    `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
  );
  process.stdout.write(`added to package-lock.json:\n  ${names}\n`);
  return 0;
}

process.exitCode = main(process.argv.slice(2));
