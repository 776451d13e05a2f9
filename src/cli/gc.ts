/**
 * `managed-instance gc`: deletes what retention keeps no longer. Shows what that is first, and asks;
 * the sweep itself looks twice and never touches what is not ours.
 */
import { createInventory, type Retained } from "../aws/inventory";
import { sweep } from "../controller/sweep";
import { openAccount } from "./account";
import { Failure } from "./failure";
import type { AccountFlags, OutputFlags } from "./flags";
import { isoInstant, relative } from "./human-time";
import type { Invocation } from "./invocation";
import { table } from "./table";

export interface GcFlags extends AccountFlags, OutputFlags {
  yes: boolean;
  dryRun: boolean;
}

export async function gc(this: Invocation, flags: GcFlags): Promise<void> {
  const account = await openAccount(this, flags);
  const { clock, cloud, ec2 } = account;
  const inventory = createInventory(ec2);
  const retained = await inventory.retained();
  const expired = retained.filter((each) => isExpired(each, clock.now()));
  const isWanted = expired.length > 0 && !flags.dryRun;
  if (isWanted && !(await isAgreed(this, flags, expired, clock.now()))) {
    this.terminal.note("Nothing was deleted.");
    return;
  }
  if (isWanted) this.stopSafely();
  const swept = isWanted
    ? await sweep({
        ...{ cloud, inventory, clock, signal: this.signal },
        progress: (message) => this.terminal.note(message),
      })
    : { deleted: [], kept: retained, blocked: [] };
  if (this.signal.aborted) this.end("interrupted");
  else if (swept.blocked.length > 0) this.end("needsYou");
  report(this, flags, { ...swept, expired, now: clock.now() });
}

const isExpired = ({ resource }: Retained, now: number) =>
  (resource.deleteAfterAt ?? Number.POSITIVE_INFINITY) <= now;

async function isAgreed(
  { ask, terminal }: Invocation,
  { json, yes }: GcFlags,
  expired: readonly Retained[],
  now: number,
): Promise<boolean> {
  if (yes) return true;
  const what = `${expired.length} expired ${expired.length === 1 ? "resource" : "resources"}`;
  if (ask === undefined || json)
    throw new Failure(
      "usage",
      `${what} would be deleted, and nobody can be asked.`,
      "See them with --dry-run, and delete them with --yes.",
    );
  for (const line of retainedTable(expired, now)) terminal.note(line);
  return /^y(es)?$/i.test((await ask(`Delete ${what} for ever? [y/N] `)).trim());
}

interface Swept {
  deleted: readonly string[];
  kept: readonly Retained[];
  blocked: readonly string[];
  expired: readonly Retained[];
  now: number;
}

function report({ terminal }: Invocation, flags: GcFlags, swept: Swept): void {
  const { blocked, deleted, expired, now } = swept;
  const gone = new Set(deleted);
  const kept = swept.kept.filter(({ id }) => !gone.has(id));
  terminal.result(flags, {
    json: {
      dryRun: flags.dryRun,
      expired: expired.map(jsonOf),
      deleted,
      kept: kept.filter((each) => !isExpired(each, now)).map(jsonOf),
      blocked,
    },
    lines() {
      const waiting = kept.filter((each) => !isExpired(each, now));
      return [
        ...expiredLines(flags, swept),
        ...(waiting.length === 0
          ? []
          : ["", "Kept until their time:", ...retainedTable(waiting, now)]),
      ];
    },
  });
}

function expiredLines({ dryRun }: GcFlags, { blocked, deleted, expired, now }: Swept): string[] {
  if (expired.length === 0) return ["Nothing has expired."];
  if (dryRun) return ["Would be deleted:", ...retainedTable(expired, now)];
  const lines = [`Deleted: ${deleted.length === 0 ? "nothing" : deleted.join(", ")}.`];
  if (blocked.length > 0)
    lines.push(
      `EC2 refuses to delete ${blocked.join(", ")}: somebody uses or has locked them. Release them, then run it again.`,
    );
  return lines;
}

const jsonOf = ({ id, kind, resource: { deleteAfterAt } }: Retained) => ({
  id,
  kind,
  deleteAfter: deleteAfterAt === undefined ? undefined : isoInstant(deleteAfterAt),
});

const retainedTable = (retained: readonly Retained[], now: number) =>
  table(
    ["KIND", "ID", "EXPIRES"],
    retained.map(({ id, kind, resource: { deleteAfterAt } }) => [
      kind === "anchor" ? "network interface" : kind,
      id,
      deleteAfterAt === undefined ? "" : relative(deleteAfterAt, now),
    ]),
  );
