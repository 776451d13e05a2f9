/** Rows in aligned columns, and facts under one another. Pure: no colours, no width of a terminal. */

/** Numbers are aligned to the right, everything else to the left; the first line is the heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const isNumeric = heading.map((_, column) =>
    rows.every((row) => /^[\d,]*(\.\d+)?$/.test(row[column] ?? "")),
  );
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  return [heading, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumeric[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Each name with its value; what has no value has no line. */
export function facts(pairs: readonly (readonly [string, string | undefined])[]): string[] {
  const known = pairs.filter((pair): pair is [string, string] => (pair[1] ?? "") !== "");
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
