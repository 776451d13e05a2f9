/**
 * Every failure that simulations ever found, shrunk to the plan that it takes, with what it was. Whole
 * plans and not seeds, because a seed tells another story whenever a table that it draws from grows.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "./plan";

export interface Pinned {
  once: string;
  plan: Plan;
}

export const pinned: readonly Pinned[] = JSON.parse(
  readFileSync(join(__dirname, "pinned.json"), "utf8"),
);
