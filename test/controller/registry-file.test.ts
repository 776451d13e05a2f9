// The registry in files keeps what every registry promises, and what several processes that may be
// killed at any moment need beyond that.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { FileCell } from "../../src/controller/file-cell";
import { createFileControllerRegistry } from "../../src/controller/file-registry";
import { minutes, now } from "../engine/builders";
import {
  collect,
  controllerRegistrySuite,
  event,
  id,
  leased,
  registration,
} from "./registry-suite";

/** Of a busy machine: no test here waits for time to pass. */
jest.setTimeout(60_000);

const directories: string[] = [];
const children: ChildProcess[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), "pmi-registry-"));
  directories.push(directory);
  return path.join(directory, "registry");
}

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  for (const directory of directories) rmSync(directory, { recursive: true });
});

controllerRegistrySuite("files", async () => {
  const directory = newDirectory();
  return {
    registry: createFileControllerRegistry(directory),
    another: () => createFileControllerRegistry(directory),
  };
});

/** Starts registry-worker.ts as a process of its own. */
function start(directory: string, job: string, name: string, rounds = 0) {
  const program = path.join(__dirname, "registry-worker.ts");
  const given = ["--import", "tsx", program, directory, job, name, String(rounds)];
  const child = spawn(process.execPath, given, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout }) };
}

const versionsOf = (directory: string) => readdirSync(path.join(directory, "entries", id)).sort();
const newestFileOf = (directory: string) =>
  path.join(directory, "entries", id, versionsOf(directory).at(-1) ?? "");

describe("several processes on one registry of files", () => {
  it("hold a lease one at a time and lose no write", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    await registry.register(registration(), now);
    const rounds = 15;
    const said = ["one", "two", "three"].map(async (name) => {
      const { lines } = start(directory, "count", name, rounds);
      return collect(lines);
    });
    expect(await Promise.all(said)).toEqual([["finished"], ["finished"], ["finished"]]);
    expect((await registry.get(id))?.ledger?.revision).toBe(3 * rounds);
    const counted = (await registry.history(id, { limit: 1000 })).map(({ at }) => at - now);
    expect(counted).toEqual(Array.from({ length: 3 * rounds }, (_, index) => 3 * rounds - index));
  }, 120_000);

  it("may be killed at any moment: nothing confirmed is lost, and the others go on", async () => {
    const directory = newDirectory();
    for (const confirmed of [1, 7, 23]) {
      const { child, lines } = start(directory, "write", `killed after ${confirmed}`);
      let asked = 0;
      for await (const line of lines) {
        asked = Number(/^asked (\d+)$/.exec(line)?.[1]);
        if (asked >= confirmed) child.kill("SIGKILL");
      }
      expect(asked).toBeGreaterThanOrEqual(confirmed);
      const registry = createFileControllerRegistry(directory);
      const entry = await registry.get(id);
      expect(entry?.specVersion).toBeGreaterThanOrEqual(asked);
      expect(entry?.asked.recycleGeneration).toBeGreaterThanOrEqual(asked);
      const told = (await registry.history(id, { limit: 10_000 })).map(({ message }) => message);
      expect(told).toContain(`killed after ${confirmed} ${asked}`);
      expect(await collect(registry.due(now))).toEqual([id]);
      expect(await registry.ask(id, { snapshotAt: now + confirmed }, now)).toBeDefined();
    }
  }, 120_000);
});

describe("a registry of files", () => {
  it("does not grow with every write", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    for (let round = 1; round <= 20; round++)
      await registry.register(registration({ specVersion: round }), now);
    expect(versionsOf(directory).length).toBeLessThanOrEqual(9);
    expect(readdirSync(path.join(directory, "drafts"))).toEqual([]);
  });

  it("removes what a process that is gone had begun to write, and nothing of one that lives", async () => {
    const directory = newDirectory();
    await createFileControllerRegistry(directory).register(registration(), now);
    const { child } = start(directory, "nothing", "gone");
    await once(child, "exit");
    const drafts = [`${os.hostname()}.${child.pid}.0a`, `${os.hostname()}.${process.pid}.0b`];
    for (const name of drafts) writeFileSync(path.join(directory, "drafts", name), "{");
    const registry = createFileControllerRegistry(directory);
    const [gone = "", living = ""] = drafts.map((name) => path.join(directory, "drafts", name));
    while (existsSync(gone)) await registry.get(id);
    expect(existsSync(living)).toBe(true);
  }, 60_000);

  it("refuses a writer who was overtaken by many others while it stood still", async () => {
    const directory = path.join(newDirectory(), "cell");
    const codec = { encode: JSON.stringify, decode: JSON.parse };
    const open = () => new FileCell<string>(directory, `${directory}-drafts`, codec);
    const [late, quick] = [open(), open()];
    expect(await quick.replace(undefined, "the first")).toBe(true);
    const { version } = await late.read();
    for (let round = 1; round <= 20; round++) {
      expect(await quick.replace((await quick.read()).version, `the last of ${round}`)).toBe(true);
      expect(await late.replace(version, "late")).toBe(false);
      expect(await late.replace(undefined, "later still")).toBe(false);
      expect((await open().read()).value).toBe(`the last of ${round}`);
    }
  });

  it("keeps files that only their owner may read, since a spec may hold secrets", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    await registry.register(registration(), now);
    await registry.append(id, [event()]);
    const history = path.join(directory, "history", id);
    expect(statSync(newestFileOf(directory)).mode & 0o077).toBe(0);
    expect(statSync(path.join(history, "1.jsonl")).mode & 0o077).toBe(0);
    expect(statSync(directory).mode & 0o077).toBe(0);
  });

  it.each([
    ["no JSON at all", "#!/bin/sh\nhunter2", /: it is no JSON\. It was changed by hand/],
    ["a field that is missing", JSON.stringify({ ...JSON.parse("{}") }), /: id: Invalid input/],
  ])(
    "names an entry that cannot be read, and says nothing of what is in it: %s",
    async (_what, text, problem) => {
      const directory = newDirectory();
      const registry = createFileControllerRegistry(directory);
      await registry.register(registration(), now);
      await registry.register(registration({ id: "pmi-00000000000b" }), now);
      writeFileSync(newestFileOf(directory), text);
      const fresh = createFileControllerRegistry(directory);
      const failure = fresh.get(id);
      await expect(failure).rejects.toThrow(problem);
      await expect(failure).rejects.toThrow(`The entry of ${id} in ${directory}`);
      await expect(failure).rejects.not.toThrow(/hunter2/);
      await expect(fresh.acquire(id, "one", { now, untilAt: now + minutes })).rejects.toThrow(id);
    },
  );

  it("gives all other entries although one cannot be read, which is due at once", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    const other = "pmi-00000000000b";
    await registry.register(registration(), now);
    await registry.register(registration({ id: other }), now - minutes);
    writeFileSync(newestFileOf(directory), "{}");
    const told: string[] = [];
    const damaged = (error: Error) => told.push(error.message);
    const listed = await collect(registry.list({ damaged }));
    expect(listed.map((entry) => entry.id)).toEqual([other]);
    expect(told).toEqual([expect.stringContaining(`The entry of ${id}`)]);
    await expect(collect(registry.list())).rejects.toThrow(`The entry of ${id}`);
    expect(await collect(registry.due(now))).toEqual([id, other]);
    await registry.deregister(id);
    expect((await collect(registry.list())).map((entry) => entry.id)).toEqual([other]);
    expect((await registry.register(registration(), now)).id).toBe(id);
  });

  it("is not misled by what it remembers when a directory was deleted and made anew", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    await registry.register(registration(), now);
    expect((await registry.get(id))?.creationKey).toBe(registration().creationKey);
    rmSync(path.dirname(newestFileOf(directory)), { recursive: true });
    const anew = registration({ creationKey: "organization/project/stack/anew" });
    await createFileControllerRegistry(directory).register(anew, now);
    expect((await registry.get(id))?.creationKey).toBe(anew.creationKey);
  });

  it("bounds the history, and keeps the newest", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    const message = "x".repeat(1000);
    for (let batch = 0; batch < 15; batch++)
      await registry.append(
        id,
        Array.from({ length: 100 }, (_, index) =>
          event({ at: now + batch * 100 + index, message }),
        ),
      );
    const kept = await registry.history(id, { limit: 10_000 });
    expect(kept[0]?.at).toBe(now + 1499);
    expect(kept.length).toBeGreaterThan(500);
    expect(readdirSync(path.join(directory, "history", id)).length).toBeLessThanOrEqual(3);
  });

  it("tells the history before and after a line that a crash has cut off", async () => {
    const directory = newDirectory();
    const registry = createFileControllerRegistry(directory);
    await registry.append(id, [event()]);
    const file = path.join(directory, "history", id, "1.jsonl");
    writeFileSync(file, `${readFileSync(file, "utf8")}{"at":17723`);
    await registry.append(id, [event({ at: now + 1 })]);
    expect(await registry.history(id, { limit: 9 })).toEqual([event({ at: now + 1 }), event()]);
  });

  it("counts a bucket that cannot be read as full, because EC2 itself says when it is not", async () => {
    const directory = newDirectory();
    const bucket = { name: "RunInstances", capacity: 10, refillPerSecond: 2 };
    const draw = { wanted: 10, floor: 0, now };
    await createFileControllerRegistry(directory).take(bucket, draw);
    const cell = path.join(directory, "buckets", bucket.name);
    writeFileSync(path.join(cell, readdirSync(cell).at(-1) ?? ""), "{}");
    expect(await createFileControllerRegistry(directory).take(bucket, draw)).toBe(10);
  });

  it.each(["", "..", "pmi-1/../../x", "a\0b"])(
    "never makes a path of what is no id: %j",
    async (bad) => {
      const registry = createFileControllerRegistry(newDirectory());
      await expect(registry.register(registration({ id: bad }), now)).rejects.toThrow(
        "is no id of a managed instance",
      );
    },
  );

  it("says nothing is due, and has no lease, where there is no directory yet", async () => {
    const registry = createFileControllerRegistry(newDirectory());
    expect(await collect(registry.due(now))).toEqual([]);
    await expect(leased(registry)).rejects.toThrow("got no lease");
  });
});
