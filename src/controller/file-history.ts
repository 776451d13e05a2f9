/**
 * The history of one managed instance as lines of JSON in a row of files that are only appended to.
 * A full file is followed by the next, and the oldest goes: so it stays bounded without anything
 * ever being rewritten, and several processes may append at once.
 */
import { mkdir, open, readFile, unlink } from "node:fs/promises";
import path from "node:path";
import { numbersIn, unlessAbsent } from "./file-cell";
import { decodeEvent, encodeEvent } from "./kept-text";
import type { HistoryEvent } from "./registry";

/** Bytes: about a thousand events. */
const fullSize = 256 * 1024;
/** Full ones that are kept beside the one that grows. */
const fullFiles = 2;

export class FileHistory {
  constructor(private readonly directory: string) {}

  async append(events: readonly HistoryEvent[]): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const numbers = await this.numbers();
    const newest = numbers.at(-1) ?? 1;
    if (await this.write(newest, events)) return;
    await this.write(newest + 1, events);
    const gone = numbers.filter((each) => each <= newest - fullFiles);
    await Promise.all(gone.map((each) => unlessAbsent(unlink(this.fileOf(each)))));
  }

  /** In the order in which they were written down. */
  async read(): Promise<HistoryEvent[]> {
    const files = (await this.numbers()).map((number) => this.fileOf(number));
    const texts = await Promise.all(files.map((file) => unlessAbsent(readFile(file, "utf8"))));
    return texts
      .flatMap((text) => (text ?? "").split("\n"))
      .map(decodeEvent)
      .filter((event) => event !== undefined);
  }

  /** False when that file is full already. */
  private async write(number: number, events: readonly HistoryEvent[]): Promise<boolean> {
    const file = await open(this.fileOf(number), "a+", 0o600);
    try {
      const { size } = await file.stat();
      if (size >= fullSize) return false;
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
      // A line that a crash has cut off must not take the next one with it.
      const start = size > 0 && String(buffer) !== "\n" ? "\n" : "";
      await file.write(`${start}${events.map(encodeEvent).join("\n")}\n`);
      return true;
    } finally {
      await file.close();
    }
  }

  private numbers(): Promise<number[]> {
    return numbersIn(this.directory, ".jsonl");
  }

  private fileOf = (number: number) => path.join(this.directory, `${number}.jsonl`);
}
