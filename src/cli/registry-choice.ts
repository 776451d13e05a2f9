/**
 * Which registry a command uses: the named table or directory, else the directory in the user's home
 * that belongs to the account and Region, when a controller has made one there.
 */
import fs from "node:fs";
import path from "node:path";
import { openRegistry, type RegistryPlace } from "../controller/open-registry";
import type { ControllerRegistry } from "../controller/registry";
import { type Account, accountNumber } from "./account";
import { Failure } from "./failure";
import type { RegistryFlags } from "./flags";
import type { Invocation } from "./invocation";

export interface Chosen {
  registry: ControllerRegistry;
  place: RegistryPlace;
}

const opened = (place: RegistryPlace, { profile, region }: Account): Chosen => ({
  place,
  registry: openRegistry(place, { profile, region }),
});

/** Undefined where none is named and there is none in the usual place. */
export async function chosenRegistry(
  invocation: Invocation,
  flags: RegistryFlags,
  account: Account,
): Promise<Chosen | undefined> {
  const place = namedPlace(invocation, flags);
  if (place !== undefined) return opened(place, account);
  const directory = await usualDirectory(invocation, account);
  return fs.existsSync(directory) ? opened({ directory }, account) : undefined;
}

/** Where a controller keeps its registry; the usual directory is made when none is named. */
export async function controllerRegistry(
  invocation: Invocation,
  flags: RegistryFlags,
  account: Account,
): Promise<Chosen> {
  const place = namedPlace(invocation, flags);
  if (place !== undefined) return opened(place, account);
  const directory = await usualDirectory(invocation, account);
  return opened({ directory }, account);
}

/** For commands that hand their request to a controller or work in its place. */
export async function neededRegistry(
  invocation: Invocation,
  flags: RegistryFlags,
  account: Account,
): Promise<Chosen> {
  const chosen = await chosenRegistry(invocation, flags, account);
  if (chosen !== undefined) return chosen;
  throw new Failure(
    "usage",
    "This needs the controller's registry, which knows the specification of each managed instance.",
    "Name it with --table or --directory. Without a controller change `desiredState` or `recycleToken` in the program and run `pulumi up`.",
  );
}

function namedPlace({ environment }: Invocation, flags: RegistryFlags): RegistryPlace | undefined {
  if (flags.table !== undefined && flags.directory !== undefined)
    throw new Failure("usage", "--table and --directory are both given.", "Name one registry.");
  const { table, directory } = flags;
  if (table !== undefined) return { table };
  if (directory !== undefined) return { directory: path.resolve(directory) };
  const { MANAGED_INSTANCE_TABLE = "", MANAGED_INSTANCE_DIRECTORY = "" } = environment;
  if (MANAGED_INSTANCE_TABLE !== "") return { table: MANAGED_INSTANCE_TABLE };
  if (MANAGED_INSTANCE_DIRECTORY === "") return undefined;
  return { directory: path.resolve(MANAGED_INSTANCE_DIRECTORY) };
}

/** One for each account and Region; an embedded EC2 has one of its own, so that they never mix. */
async function usualDirectory({ home }: Invocation, account: Account): Promise<string> {
  const { ec2, endpoint, region } = account;
  const where = endpoint === undefined ? "" : `-${new URL(endpoint).host.replace(/[^\w.-]/g, "-")}`;
  const name = `${await accountNumber(ec2)}-${region}${where}`;
  return path.join(home, ".managed-instance", name);
}
