/** The daemon's log: one line of JSON for each event, written at once. */
import pino from "pino";

export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
}

/** `write` gets each line with its line feed; default: standard output. */
export function createLog(write?: (line: string) => void): Log {
  const options: pino.LoggerOptions = {
    base: undefined,
    messageKey: "message",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  };
  // Synchronously, so that the last words before a crash are there.
  return pino(options, write === undefined ? pino.destination({ dest: 1, sync: true }) : { write });
}
