/** Values of a program as its author gets to see them again: whole where they are short. */

/** Cut between two characters, never within one: half of one is no text that Pulumi can carry. */
export function shorten(text: string, longest = 80): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** Texts without quotes, lists in brackets, everything else as JSON. */
export const shown = (value: unknown): string => shorten(plainly(value), 300);

function plainly(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(plainly).join(", ")}]`;
  return JSON.stringify(value) ?? "nothing";
}
