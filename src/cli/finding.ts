/** What `doctor` finds, one sentence each, and what to do about it. */

export type Check = "requests" | "permissions" | "limits" | "leftovers" | "controller" | "drift";

export interface Finding {
  check: Check;
  /** A warning can wait; a problem needs somebody, and makes the exit code 3. */
  status: "ok" | "note" | "warning" | "problem";
  message: string;
  next?: string;
}

/** "a, b, c and 7 more". */
export function some(ids: readonly string[], most = 5): string {
  const shown = ids.slice(0, most).join(", ");
  return ids.length > most ? `${shown} and ${ids.length - most} more` : shown;
}

/** "1 snapshot", "2 snapshots". */
export const counted = (count: number, what: string) =>
  `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
