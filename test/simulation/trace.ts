/**
 * What happened in a simulation, line by line: its hash shows that the same seed tells the same
 * story, its lines are the readable timeline of a failure.
 */
import { createHash } from "node:crypto";

export interface Trace {
  add(who: string, what: string): void;
  lines(): readonly string[];
  hash(): string;
}

export function createTrace(now: () => number): Trace {
  const startedAt = now();
  const lines: string[] = [];
  return {
    add(who, what) {
      lines.push(`${clockText(now() - startedAt)} ${who.padEnd(10)} ${what}`);
    },
    lines: () => lines,
    hash() {
      const hash = createHash("sha256");
      for (const line of lines) hash.update(line).update("\n");
      return hash.digest("hex").slice(0, 16);
    },
  };
}

function clockText(milliseconds: number): string {
  const tenths = Math.floor(milliseconds / 100);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${two(tenths / 36000)}:${two((tenths / 600) % 60)}:${two((tenths / 10) % 60)}.${tenths % 10}`;
}
