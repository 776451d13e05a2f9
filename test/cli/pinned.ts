/** Texts that stand in files beside the tests. */
import fs from "node:fs";
import path from "node:path";
import { type Run, runIn } from "./account";

const folder = path.join(__dirname, "pinned");

/** Equals the file, or writes it when it is to be updated. */
export function pinned(name: string, text: string): void {
  const file = path.join(folder, name);
  if (process.env.UPDATE_PINNED === "1") {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(file, text);
  }
  expect(text).toBe(fs.readFileSync(file, "utf8"));
}

/** What needs neither an account nor a home. */
export const runApart = (args: readonly string[]): Promise<Run> => runIn("nowhere", args);
