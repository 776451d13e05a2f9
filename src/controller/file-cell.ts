/**
 * One value in a directory of its own, as a row of numbered versions of which the highest holds. A
 * new version is written elsewhere, made durable, and linked under the next number, which exactly
 * one process can do. So nothing is ever locked: a process that is killed at any moment leaves no
 * lock behind and nothing half written.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import type { Cell, Versioned } from "./stored-registry";

export interface Codec<Kept> {
  encode(kept: Kept): string;
  decode(text: string): Kept | undefined;
}

/**
 * A reader of the directory may miss a name that goes while another comes; a few former versions
 * stay, so that it never finds nothing, and a writer who is late finds its number taken.
 */
const formerVersions = 8;
/** Written where a value was taken away: the numbers go on, so that a late writer is refused. */
const nothing = "null\n";

interface Found {
  version: string;
  mark: string;
  /** Absent when it is the one that the caller knows. */
  text?: string;
}

export class FileCell<Kept> implements Cell<Kept> {
  /** A file never changes, so what was read once need not be read again. */
  private last: { mark: string; read: Versioned<Kept> } | undefined;

  constructor(
    private readonly directory: string,
    /** For what is not complete yet; on the same file system. */
    private readonly drafts: string,
    private readonly codec: Codec<Kept>,
  ) {}

  async read(): Promise<Versioned<Kept>> {
    const known = this.last;
    const found = await this.newestText(known?.mark);
    if (found === undefined) return {};
    const { mark, text, version } = found;
    if (known !== undefined && text === undefined) return known.read;
    const value = text === undefined || text === nothing ? undefined : this.codec.decode(text);
    this.last = { mark, read: { version, value } };
    return this.last.read;
  }

  replace(from: string | undefined, next: Kept): Promise<boolean> {
    return this.write(from, `${this.codec.encode(next)}\n`);
  }

  /** Takes the value away, also one that cannot be read. */
  async clear(): Promise<void> {
    for (;;) {
      const found = await this.newestText();
      if (found === undefined || found.text === nothing) return;
      if (await this.write(found.version, nothing)) return;
    }
  }

  /** The newest version, and its text unless it is the one that the caller knows. */
  private async newestText(known?: string): Promise<Found | undefined> {
    for (;;) {
      const newest = (await this.versions()).at(-1);
      if (newest === undefined) return undefined;
      const mark = await this.markOf(newest);
      if (mark !== undefined && mark === known) return { mark, version: String(newest) };
      const text = await unlessAbsent(readFile(this.fileOf(newest), "utf8"));
      // It may have been overtaken by several others since its name was read.
      if (text !== undefined && mark !== undefined) return { mark, version: String(newest), text };
    }
  }

  /** Tells a file from one of the same number in a directory that was deleted and made anew. */
  private async markOf(version: number): Promise<string | undefined> {
    const file = await unlessAbsent(stat(this.fileOf(version), { bigint: true }));
    return file && `${version} ${file.ino} ${file.mtimeNs}`;
  }

  private async write(from: string | undefined, text: string): Promise<boolean> {
    const version = Number(from ?? 0) + 1;
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const draft = await writeDraft(this.drafts, text);
    try {
      await link(draft, this.fileOf(version));
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    } finally {
      await unlessAbsent(unlink(draft));
    }
    const versions = await this.versions();
    const isOutdated = (each: number) => each < Math.max(...versions) - formerVersions;
    // A number is free again only once so many have followed it: this writer had stood still.
    if (isOutdated(version)) {
      await unlessAbsent(unlink(this.fileOf(version)));
      return false;
    }
    await makeDurable(this.directory);
    const gone = versions.filter(isOutdated);
    await Promise.all(gone.map((each) => unlessAbsent(unlink(this.fileOf(each)))));
    return true;
  }

  private versions(): Promise<number[]> {
    return numbersIn(this.directory, ".json");
  }

  private fileOf = (version: number) =>
    path.join(this.directory, `${String(version).padStart(9, "0")}.json`);
}

const draftName = /^(.+)\.(\d+)\.[0-9a-f]+$/;

async function writeDraft(drafts: string, text: string): Promise<string> {
  await mkdir(drafts, { recursive: true, mode: 0o700 });
  const name = `${hostname()}.${process.pid}.${randomBytes(6).toString("hex")}`;
  const draft = path.join(drafts, name);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

/** Removes what processes of this host that are gone had begun to write. */
export async function clearDrafts(drafts: string): Promise<void> {
  const names = (await unlessAbsent(readdir(drafts))) ?? [];
  const left = names.filter((name) => {
    const [, host, pid] = draftName.exec(name) ?? [];
    return host === hostname() && !isAlive(Number(pid));
  });
  await Promise.all(left.map((name) => unlessAbsent(unlink(path.join(drafts, name)))));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

/** The name too must outlive a loss of power; Windows has no such call and needs none. */
async function makeDurable(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The numbers that files of a kind have for names, in their order. */
export async function numbersIn(directory: string, extension: string): Promise<number[]> {
  const names = (await unlessAbsent(readdir(directory))) ?? [];
  return names
    .filter((name) => path.extname(name) === extension)
    .map((name) => path.basename(name, extension))
    .filter((digits) => /^\d+$/.test(digits))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Undefined where there is no such file or directory (any more). */
export async function unlessAbsent<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

const codeOf = (error: unknown) =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
