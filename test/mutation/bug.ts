/** A deliberate bug of meaning: what a tired programmer could have written, as an edit of one file. */
export interface Bug {
  name: string;
  /** What it would do to a user. */
  harm: string;
  file: string;
  /** Stands in the file exactly once. */
  find: string;
  replace: string;
}

export class LostPlaceError extends Error {
  constructor({ file, find, name }: Bug, times: number) {
    super(
      `The bug "${name}" has lost its place: ${file} has ${times} times what it replaces, not once. Give it the present text:\n${find}`,
    );
    this.name = "LostPlaceError";
  }
}

/** The file's text with the bug in it. Throws a LostPlaceError when the text has changed since. */
export function withBug(bug: Bug, text: string): string {
  const parts = text.split(bug.find);
  if (parts.length !== 2) throw new LostPlaceError(bug, parts.length - 1);
  return parts.join(bug.replace);
}
