/** Pages of history out of events in the order in which they were written down. */
import type { HistoryEvent } from "./registry";
import type { HistoryPage } from "./stored-registry";

/** Newest first. Events of one instant stay on one page, since a page is asked for by its instant. */
export function pageOf(written: readonly HistoryEvent[], page: HistoryPage): HistoryEvent[] {
  const { before = Number.POSITIVE_INFINITY, limit } = page;
  const newestFirst = written
    .filter(({ at }) => at < before)
    .reverse()
    .sort((a, b) => b.at - a.at);
  const lastAt = newestFirst[Math.max(1, limit) - 1]?.at ?? Number.NEGATIVE_INFINITY;
  const end = newestFirst.findIndex(({ at }) => at < lastAt);
  return end === -1 ? newestFirst : newestFirst.slice(0, end);
}
