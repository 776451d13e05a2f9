/**
 * What exists in the account by the simulator's own records, whatever tags say: the judge of the
 * claims about what is left.
 */
import type { Simulator } from "../../src/simulator";

interface Resource {
  id: string;
  state: string;
  ownerId?: string;
}

const tables = ["instances", "volumes", "snapshots", "images", "interfaces"] as const;

function resources({ account, control }: Simulator, table: (typeof tables)[number]): Resource[] {
  const found = control.state()[table] as Resource[];
  return found.filter(({ ownerId }) => ownerId === undefined || ownerId === account);
}

export const aliveInstances = (simulator: Simulator): string[] =>
  resources(simulator, "instances")
    .filter(({ state }) => state !== "terminated")
    .map(({ id }) => id);

export const completedSnapshots = (simulator: Simulator): string[] =>
  resources(simulator, "snapshots")
    .filter(({ state }) => state === "completed")
    .map(({ id }) => id);

/** The ids of everything but instances that have ended, which EC2 forgets by itself. */
export const leftovers = (simulator: Simulator): string[] =>
  tables
    .flatMap((table) => resources(simulator, table))
    .filter(({ state }) => !["terminated", "deregistered", "deleting"].includes(state))
    .map(({ id }) => id)
    .sort();
