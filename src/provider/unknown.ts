/**
 * Values that a preview cannot know yet. Pulumi sends them to a dynamic provider as reserved texts,
 * at any depth and whatever the declared type is. Nothing may be concluded from one of them.
 */

/** By Pulumi's protocol: string, boolean, number, array, object, asset, archive. */
const unknownValues = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
]);

export const isUnknown = (value: unknown): boolean =>
  typeof value === "string" && unknownValues.has(value);

/** Whether the value is unknown or holds something unknown. */
export function hasUnknown(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isUnknown(value);
  return Object.values(value).some(hasUnknown);
}

/** The value without what is unknown in it: members and elements are left out, not replaced. */
export function withoutUnknowns(value: unknown): unknown {
  if (isUnknown(value)) return undefined;
  if (Array.isArray(value)) {
    return value.filter((element) => !isUnknown(element)).map(withoutUnknowns);
  }
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => !isUnknown(member));
  return Object.fromEntries(members.map(([key, member]) => [key, withoutUnknowns(member)]));
}
