/**
 * The ControllerRegistry in a directory of one machine: what the daemon uses unless it is told a
 * DynamoDB table. Any number of processes share it, and each may be killed at any moment.
 *
 *   entries/<id>/<version>.json   the highest version holds (file-cell.ts)
 *   buckets/<name>/<version>.json
 *   history/<id>/<number>.jsonl   appended to, oldest file dropped (file-history.ts)
 *   drafts/                       what is being written
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { BucketLevel, KeptEntry } from "./entry-changes";
import { clearDrafts, FileCell, unlessAbsent } from "./file-cell";
import { FileHistory } from "./file-history";
import { pageOf } from "./history-page";
import { DamagedEntryError, decodeEntry, decodeLevel, encodeEntry, encodeLevel } from "./kept-text";
import type { ControllerRegistry, HistoryEvent } from "./registry";
import { createStoredRegistry, type HistoryPage, type Store } from "./stored-registry";

/**
 * Makes the directory when something is first written. It must be on a local disk that has hard
 * links, as all common file systems of Linux, macOS and Windows do.
 */
export function createFileControllerRegistry(directory: string): ControllerRegistry {
  return createStoredRegistry(new FileStore(path.resolve(directory)));
}

/** Entries that are read at once; more would only wait for each other. */
const readersAtOnce = 32;

class FileStore implements Store {
  private readonly entries = new Map<string, FileCell<KeptEntry>>();
  private readonly buckets = new Map<string, FileCell<BucketLevel>>();
  private readonly drafts: string;

  constructor(private readonly root: string) {
    this.drafts = path.join(root, "drafts");
    // What is left over harms nobody, so neither does failing to remove it.
    clearDrafts(this.drafts).catch(() => undefined);
  }

  entry(id: string): FileCell<KeptEntry> {
    const directory = path.join(this.root, "entries", checkedId(id));
    const place = {
      what: `The entry of ${id} in ${directory}`,
      removal: "delete that directory",
    };
    return cellIn(this.entries, id, () => {
      const decode = (text: string) => decodeEntry(text, place);
      return new FileCell(directory, this.drafts, { encode: encodeEntry, decode });
    });
  }

  bucket(name: string): FileCell<BucketLevel> {
    const directory = path.join(this.root, "buckets", encodeURIComponent(name));
    const codec = { encode: encodeLevel, decode: decodeLevel };
    return cellIn(this.buckets, name, () => new FileCell(directory, this.drafts, codec));
  }

  remove(id: string): Promise<void> {
    return this.entry(id).clear();
  }

  async *list(damaged: (error: Error) => void): AsyncGenerator<KeptEntry> {
    for await (const { entry, error } of this.all()) {
      if (error !== undefined) damaged(error);
      if (entry !== undefined) yield entry;
    }
  }

  /** One that cannot be read is due at once: whoever looks at it is told what is wrong with it. */
  async *due(now: number): AsyncGenerator<string> {
    const due: { id: string; dueAt: number }[] = [];
    for await (const { id, entry, error } of this.all()) {
      const dueAt = error === undefined ? entry?.dueAt : Number.NEGATIVE_INFINITY;
      if (dueAt !== undefined && dueAt <= now) due.push({ id, dueAt });
    }
    yield* due.sort((a, b) => (a.dueAt < b.dueAt ? -1 : 1)).map(({ id }) => id);
  }

  append(id: string, events: readonly HistoryEvent[]): Promise<void> {
    return this.historyOf(id).append(events);
  }

  async history(id: string, page: HistoryPage): Promise<HistoryEvent[]> {
    return pageOf(await this.historyOf(id).read(), page);
  }

  private historyOf = (id: string) =>
    new FileHistory(path.join(this.root, "history", checkedId(id)));

  private async *all(): AsyncGenerator<Found> {
    const ids = (await unlessAbsent(readdir(path.join(this.root, "entries")))) ?? [];
    for (let at = 0; at < ids.length; at += readersAtOnce) {
      const some = ids.slice(at, at + readersAtOnce);
      yield* await Promise.all(some.map((id) => this.find(id)));
    }
  }

  private async find(id: string): Promise<Found> {
    try {
      return { id, entry: (await this.entry(id).read()).value };
    } catch (error) {
      if (error instanceof DamagedEntryError) return { id, error };
      throw error;
    }
  }
}

interface Found {
  id: string;
  entry?: KeptEntry;
  error?: Error;
}

/** The same cell for the same name, so that it remembers what it read. */
function cellIn<Kept>(
  cells: Map<string, FileCell<Kept>>,
  name: string,
  create: () => FileCell<Kept>,
): FileCell<Kept> {
  const cell = cells.get(name) ?? create();
  cells.set(name, cell);
  return cell;
}

/** An id becomes the name of a directory. */
function checkedId(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id;
  throw new Error(
    `${JSON.stringify(id)} is no id of a managed instance: it must look like pmi-0123456789ab`,
  );
}
