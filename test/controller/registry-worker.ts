// One of several processes that share a registry of files: what registry-file.test.ts starts, and
// kills. Says on each line what it has done, and what it saw that must never be.

import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createFileControllerRegistry } from "../../src/controller/file-registry";
import { ledger, minutes, now } from "../engine/builders";
import { event, id, registration } from "./registry-suite";

const [directory = "", job = "", name = "", rounds = "0"] = process.argv.slice(2);
const registry = createFileControllerRegistry(directory);
const marker = path.join(path.dirname(directory), "somebody-is-at-work");
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Counts in the ledger, one at a time. The clock stands still, so that no lease runs out. */
async function countUnderLease(): Promise<void> {
  for (let done = 0; done < Number(rounds); ) {
    const lease = await registry.acquire(id, name, { now, untilAt: now + minutes });
    if (lease === undefined) continue;
    writeFileSync(marker, name, { flag: "wx" });
    const revision = ((await registry.get(id))?.ledger?.revision ?? 0) + 1;
    await registry.append(id, [event({ at: now + revision, message: `${revision} by ${name}` })]);
    if (!(await registry.saveLedger(lease, ledger({ revision })))) say("lost a lease");
    rmSync(marker);
    const standing = { kind: "done", reason: name, at: now, specVersion: 3 } as const;
    if (!(await registry.release(lease, { dueAt: now, standing }))) say("lost a lease");
    done += 1;
  }
  say("finished");
}

/** Writes of every kind without end, until it is killed. */
async function write(): Promise<void> {
  const bucket = { name: "RunInstances", capacity: 1e9, refillPerSecond: 1 };
  for (let round = 1; ; round++) {
    await registry.register(registration({ specVersion: round }), now);
    await registry.ask(id, { recycleGeneration: round }, now);
    await registry.append(id, [event({ at: now + round, message: `${name} ${round}` })]);
    await registry.take(bucket, { wanted: 1, floor: 0, now });
    say(`asked ${round}`);
  }
}

const jobs: Record<string, () => Promise<void>> = { count: countUnderLease, write };
jobs[job]?.().catch((error: unknown) => {
  say(`failed: ${String(error)}`);
  process.exitCode = 1;
});
