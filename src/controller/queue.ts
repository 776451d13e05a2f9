/**
 * What is to be worked on: each managed instance once, recovery before upkeep, so many at a time.
 * Upkeep gets at most half of the places, so that a recovery never waits for snapshots.
 */
import type { Wanted } from "./survey";

export interface QueueOptions {
  /** At least 2. */
  atOnce: number;
  /** Must not throw. */
  run(wanted: Wanted): Promise<void>;
  now(): number;
}

interface Waiting extends Wanted {
  sinceAt: number;
}

export class WorkQueue {
  private readonly waiting = new Map<string, Waiting>();
  private readonly active = new Map<string, Wanted["urgency"]>();
  private readonly idlers: (() => void)[] = [];

  constructor(private readonly options: QueueOptions) {}

  /** What is worked on already is left to who works on it; what waits may become more urgent. */
  add(wanted: Wanted): void {
    const { id, urgency } = wanted;
    const known = this.waiting.get(id);
    if (this.active.has(id) || known?.urgency === "recovery" || known?.urgency === urgency) return;
    this.waiting.set(id, { ...wanted, sinceAt: known?.sinceAt ?? this.options.now() });
    this.start();
  }

  /** Forgets what has not begun. */
  clear(): void {
    this.waiting.clear();
    this.tellIdlers();
  }

  /** How many wait, and how many are worked on. */
  get depth() {
    return { waiting: this.waiting.size, active: this.active.size };
  }

  /** How long the one that waits longest has waited, in milliseconds. */
  get lagMs(): number {
    const now = this.options.now();
    return Math.max(0, ...[...this.waiting.values()].map(({ sinceAt }) => now - sinceAt));
  }

  /** Resolves when nothing waits and nothing is worked on. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.idlers.push(resolve);
      this.tellIdlers();
    });
  }

  private start(): void {
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const { id, urgency } = next;
      this.waiting.delete(id);
      this.active.set(id, urgency);
      void this.options.run(next).finally(() => {
        this.active.delete(id);
        this.start();
        this.tellIdlers();
      });
    }
  }

  private next(): Waiting | undefined {
    const { atOnce } = this.options;
    if (this.active.size >= atOnce) return undefined;
    const waiting = [...this.waiting.values()];
    const recovery = waiting.find(({ urgency }) => urgency === "recovery");
    if (recovery !== undefined) return recovery;
    const upkeep = [...this.active.values()].filter((urgency) => urgency === "upkeep").length;
    return upkeep < Math.floor(atOnce / 2) ? waiting[0] : undefined;
  }

  private tellIdlers(): void {
    if (this.waiting.size > 0 || this.active.size > 0) return;
    for (const idler of this.idlers.splice(0)) idler();
  }
}
