/**
 * What people and programs see: results on standard output, everything passing on standard error, so
 * that a pipe gets the result alone. With --json the result is one JSON document.
 */
import { styleText } from "node:util";

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Streams {
  stdout: Stream;
  stderr: Stream;
}

export interface Looks {
  json: boolean;
  color: boolean;
}

export type Style = "bold" | "dim" | "green" | "yellow" | "red";

const clearLine = "\r\u001b[2K";

export class Terminal {
  private passing = false;

  constructor(
    private readonly streams: Streams,
    private readonly environment: Readonly<Record<string, string | undefined>>,
  ) {}

  /** The result: `json` for programs, `lines` for people. */
  result(looks: Looks, { json, lines }: { json: unknown; lines: () => readonly string[] }): void {
    this.clear();
    const text = looks.json ? JSON.stringify(json, null, 2) : lines().join("\n");
    this.streams.stdout.write(`${text}\n`);
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    this.streams.stderr.write(`${line}\n`);
  }

  /** A line that the next one replaces; only where somebody looks on. */
  pass(line: string): void {
    if (this.streams.stderr.isTTY !== true) return;
    this.clear();
    this.streams.stderr.write(line);
    this.passing = true;
  }

  /** Colours on a terminal only, and not where NO_COLOR or --no-color says so. */
  painter({ color, json }: Looks, stream: keyof Streams = "stdout") {
    const { NO_COLOR = "", TERM = "" } = this.environment;
    const isWanted = color && !json && NO_COLOR === "" && TERM !== "dumb";
    const isOn = isWanted && this.streams[stream].isTTY === true;
    return (style: Style, text: string) =>
      isOn ? styleText(style, text, { validateStream: false }) : text;
  }

  clear(): void {
    if (this.passing) this.streams.stderr.write(clearLine);
    this.passing = false;
  }
}

export type Paint = ReturnType<Terminal["painter"]>;
