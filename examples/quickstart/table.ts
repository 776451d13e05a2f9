/** The summary at the end of the story. Pure. */
import type { Reading } from "../../bench/stopwatch";

export interface Row {
  step: string;
  /** Absent where nobody was down. */
  downtime?: Reading;
  calls: number;
  /** Bytes of the guest's files that were read back and compared. */
  verifiedBytes: number;
}

const head = ["", "downtime", "critical path", "ratio", "API calls", "bytes verified"];

export function renderTable(rows: readonly Row[]): string[] {
  const body = rows.map(cellsOf);
  const total = (value: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + value(row), 0).toLocaleString("en");
  const foot = ["in all", "", "", "", total((row) => row.calls), total((row) => row.verifiedBytes)];
  const lines = [head, ...body, foot];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  const rendered = lines.map((cells) => renderLine(cells, widths));
  const rule = "-".repeat(rendered[0]?.length ?? 0);
  return [...rendered.slice(0, 1), rule, ...rendered.slice(1, -1), rule, ...rendered.slice(-1)];
}

function cellsOf({ calls, downtime, step, verifiedBytes }: Row): string[] {
  const times =
    downtime === undefined
      ? ["", "", ""]
      : [
          `${downtime.seconds.toFixed(1)} s`,
          `${downtime.criticalPathSeconds.toFixed(1)} s`,
          (downtime.seconds / downtime.criticalPathSeconds).toFixed(2),
        ];
  const verified = verifiedBytes === 0 ? "" : verifiedBytes.toLocaleString("en");
  return [step, ...times, calls.toLocaleString("en"), verified];
}

const renderLine = (cells: readonly string[], widths: readonly number[]) =>
  cells
    .map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    .join("  ");
