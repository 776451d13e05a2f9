/**
 * A word that only user data holds, and the search for it in what an end-to-end run leaves behind: in
 * clear and in every usual encoding, wherever in a longer text it stood when it was encoded.
 */
import fs from "node:fs";
import path from "node:path";

export const secretWord = "correct-horse-battery-staple";

/** What every program of an end-to-end test is given that has no user data of its own. */
export const secretUserData = `#!/bin/sh\necho ${secretWord}\n`;

/** How each encoding writes the word; texts are compared without regard to case. */
const encodings: Readonly<Record<string, readonly string[]>> = {
  "in clear": [secretWord],
  "in base64": [0, 1, 2].map(insideBase64),
  "in hexadecimal": [Buffer.from(secretWord).toString("hex")],
  "in UTF-16": [Buffer.from(secretWord, "utf16le").toString("latin1")],
  "URL-encoded": [encodeEveryByte(secretWord)],
};

/** The characters that the word has in base64 when it stands so many bytes into a group of three. */
function insideBase64(shift: number): string {
  const encoded = Buffer.from(`${"x".repeat(shift)}${secretWord}`).toString("base64");
  // The first and last groups also hold bits of what stands before and after.
  return encoded.slice(4, -4);
}

function encodeEveryByte(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join("");
}

/** How the word is found in a text, one entry for each encoding; empty when it is not there. */
export function leaksIn(text: string): string[] {
  const lowered = text.toLowerCase();
  return Object.entries(encodings)
    .filter(([, forms]) => forms.some((form) => lowered.includes(form.toLowerCase())))
    .map(([name]) => name);
}

/** The same for every file under a folder: "path: in clear". */
export function leaksUnder(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const found = leaksIn(fs.readFileSync(file, "latin1"));
      return found.map((how) => `${path.relative(folder, file)}: ${how}`);
    });
}
