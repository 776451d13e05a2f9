/** Durations and instants as people read them. Pure; all in milliseconds. */

const units = [
  { name: "d", milliseconds: 86_400_000 },
  { name: "h", milliseconds: 3_600_000 },
  { name: "min", milliseconds: 60_000 },
  { name: "s", milliseconds: 1000 },
] as const;

/** The two largest units that count: "3 d 4 h", "2 min 5 s", "0 s". */
export function duration(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1000) * 1000);
  const first = units.findIndex((unit) => rest >= unit.milliseconds);
  if (first < 0) return "0 s";
  const parts = units.slice(first, first + 2).map((unit) => {
    const amount = Math.floor(rest / unit.milliseconds);
    rest -= amount * unit.milliseconds;
    return { amount, text: `${amount} ${unit.name}` };
  });
  return parts
    .filter(({ amount }) => amount > 0)
    .map(({ text }) => text)
    .join(" ");
}

/** The last instant that a calendar has. */
const endOfTime = 8.64e15;

/** "3 min ago", "in 2 h 5 min", "now", "never": the seconds count within the last minute only. */
export function relative(at: number, now: number): string {
  if (at > endOfTime) return "never";
  const distance = Math.abs(at - now);
  if (distance < 1000) return "now";
  const minute = 60_000;
  const text = duration(distance < minute ? distance : Math.floor(distance / minute) * minute);
  return at < now ? `${text} ago` : `in ${text}`;
}

export const isoInstant = (at: number) => new Date(at).toISOString();

/** What is never to happen has no instant. */
export const isoInstantOrNever = (at: number) => (at > endOfTime ? undefined : isoInstant(at));

/** To the second, in UTC: "2026-01-01 00:03:07Z". */
export const instant = (at: number) =>
  (isoInstantOrNever(at) ?? "never").replace("T", " ").replace(/\.\d+Z$/, "Z");

/** Both ways: "2026-01-01 00:03:07Z, 3 min ago". */
export const instantAndRelative = (at: number, now: number) =>
  `${instant(at)}, ${relative(at, now)}`;

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** "90s", "30m", "2h" in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,6})([smh])$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (unitSeconds[match[2] ?? ""] ?? 1) * 1000;
}
