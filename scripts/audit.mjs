#!/usr/bin/env node
// `npm run audit`: what we depend on, judged from package.json and package-lock.json, and then by npm's list of
// known vulnerabilities where the registry serves it. What could not be checked is said, and never called fine.
//
//   npm run audit                  fails on a broken rule, and on a known high or critical vulnerability
//   npm run audit -- --offline     the rules only
//
// It cannot see malicious code in a package that keeps all rules: exact versions, integrity hashes and install
// scripts that are not run keep such a package from arriving by itself, and nothing here finds it once it is in.

import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Of what users install with us. Tools that only we use, and do not hand on, may have any. */
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"];
/** Without its hash npm takes whatever a registry sends; only the native parts of other platforms lack it. */
const HASH = /^sha512-/;

/** The broken rules, one sentence each. */
export function complaintsAbout(manifest, { packages }) {
  const installed = Object.entries(packages)
    .filter(([folder, { link }]) => folder !== "" && !link)
    .map(([folder, entry]) => ({ ...entry, name: entry.name ?? nameOf(folder) }));
  return [
    ...notExact(manifest),
    ...installed.flatMap((each) => [
      ...withoutHash(each),
      ...withInstallScript(each, manifest.allowScripts ?? {}),
      ...withOtherLicence(each),
      ...fromElsewhere(each),
    ]),
  ];
}

const nameOf = (folder) =>
  folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);

/** Peers are ranges on purpose: they are the user's own. */
function notExact({ dependencies = {}, devDependencies = {} }) {
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) && version !== "file:")
    .map(([name, version]) => `${name} is wanted as "${version}": write one exact version.`);
}

function withoutHash({ name, version, integrity, optional }) {
  if (HASH.test(integrity ?? "") || (integrity === undefined && optional)) return [];
  return [`${name}@${version} has no SHA-512 hash in the lock file: install it anew.`];
}

function withInstallScript({ name, version, hasInstallScript }, allowed) {
  if (!hasInstallScript || name in allowed) return [];
  return [
    `${name}@${version} runs a script when it is installed: add it to allowScripts in package.json, with false if it works without.`,
  ];
}

function withOtherLicence({ name, version, license, dev, devOptional, peer }) {
  if (dev || devOptional || peer || LICENCES.includes(license)) return [];
  return [`${name}@${version} has the licence ${license}: users would get it with us.`];
}

/** A lock file with addresses would send every user to one registry, or past all of them. */
function fromElsewhere({ name, version, resolved }) {
  if (resolved === undefined || resolved.startsWith("https://registry.npmjs.org/")) return [];
  return [`${name}@${version} comes from ${resolved} and not from the public registry.`];
}

/** Of npm's answer: the high and critical ones, or why there is none. */
export function judgeAdvisories(text) {
  const report = parsed(text);
  const counts = report?.metadata?.vulnerabilities;
  if (counts === undefined) return { unknown: report?.message ?? "npm gave no answer" };
  const bad = Object.values(report.vulnerabilities ?? {})
    .filter(({ severity }) => severity === "high" || severity === "critical")
    .map(({ name, severity, range }) => `${name} ${range} has a ${severity} vulnerability.`);
  return { complaints: bad, total: counts.total };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function askNpm() {
  const windows = process.platform === "win32";
  return new Promise((resolve) => {
    const options = { cwd: ROOT, shell: windows, maxBuffer: 64 * 1024 * 1024, timeout: 120_000 };
    execFile("npm", ["audit", "--json"], options, (_error, stdout) => resolve(stdout));
  });
}

async function main(args) {
  const read = (file) => JSON.parse(fs.readFileSync(path.join(ROOT, file), "utf8"));
  const lock = read("package-lock.json");
  const complaints = complaintsAbout(read("package.json"), lock);
  const count = Object.keys(lock.packages).length - 1;
  console.log(`${count} packages: exact versions, hashes, install scripts, licences, origins.`);
  if (args.includes("--offline")) {
    console.log("Known vulnerabilities were not asked for (--offline).");
  } else {
    const { complaints: known = [], total, unknown } = judgeAdvisories(await askNpm());
    complaints.push(...known);
    if (unknown === undefined) console.log(`npm knows of ${total} vulnerabilities in them.`);
    else console.log(`Known vulnerabilities were NOT checked: ${unknown}`);
  }
  for (const complaint of complaints) console.log(complaint);
  console.log(complaints.length === 0 ? "No rule is broken." : `${complaints.length} broken.`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  await main(process.argv.slice(2));
