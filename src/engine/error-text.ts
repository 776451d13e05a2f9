/** What an error says of itself, in one line, whatever was thrown. */
export const messageOf = (error: unknown) =>
  error instanceof Error ? error.message || error.name : String(error);
