/**
 * The story on the console: each line with the simulated time and the real time that have passed.
 * Colours on a terminal only.
 */

export interface Display {
  /** A step of the story. */
  step(title: string): void;
  /** What happens meanwhile. */
  note(text: string): void;
  /** A claim that was checked and held. */
  held(claim: string): void;
  failure(lines: readonly string[]): void;
  plain(lines: readonly string[]): void;
}

export interface DisplayOptions {
  write: (line: string) => void;
  hasColours: boolean;
  /** Simulated and real milliseconds since the start. */
  elapsed: () => { simulatedMs: number; realMs: number };
}

const codes = { bold: "1", dim: "2", green: "32", red: "31" } as const;

export function createDisplay({ elapsed, hasColours, write }: DisplayOptions): Display {
  const paint = (style: keyof typeof codes, text: string) =>
    hasColours ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
  const timed = (text: string, style?: keyof typeof codes) => {
    const { realMs, simulatedMs } = elapsed();
    const times = `${clockTime(simulatedMs)} ${`${(realMs / 1000).toFixed(1)} s`.padStart(8)}`;
    write(`${paint("dim", times)}  ${style === undefined ? text : paint(style, text)}`);
  };
  return {
    step(title) {
      write("");
      timed(title, "bold");
    },
    note: (text) => timed(`    ${text}`, "dim"),
    held: (claim) => timed(`  ✓ ${claim}`, "green"),
    failure: (lines) => {
      for (const line of lines) timed(`  ✗ ${line}`, "red");
    },
    plain: (lines) => {
      for (const line of lines) write(line);
    },
  };
}

/** Hours may be more than a day's. */
function clockTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}
