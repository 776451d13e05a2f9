/** `managed-instance list`: all managed instances of the account in this Region. */
import { openAccount } from "./account";
import type { CommonFlags } from "./flags";
import type { Invocation } from "./invocation";
import { listedOf, listHeading, listRow, paintState } from "./listing";
import { readOverview } from "./overview";
import { chosenRegistry } from "./registry-choice";
import { table } from "./table";

export interface ListFlags extends CommonFlags {
  all: boolean;
}

export async function list(this: Invocation, flags: ListFlags): Promise<void> {
  const account = await openAccount(this, flags);
  const chosen = await chosenRegistry(this, flags, account);
  const { damaged, managed } = await readOverview(account, chosen?.registry);
  for (const sentence of damaged) this.terminal.note(sentence);
  const shown = managed.filter(
    ({ facts }) => flags.all || facts === undefined || facts.state !== "deallocated",
  );
  const hidden = managed.length - shown.length;
  const { region } = account;
  const now = account.clock.now();
  const paint = this.terminal.painter(flags);
  this.terminal.result(flags, {
    json: { region, managedInstances: shown.map(listedOf) },
    lines() {
      if (shown.length === 0) return [`No managed instances in ${region}.${others(hidden)}`];
      const [heading = "", ...rows] = table(
        listHeading,
        shown.map((each) => listRow(each, now)),
      );
      const lines = rows.map((row, index) => {
        const state = shown[index]?.facts?.state ?? "unknown";
        return row.replace(` ${state} `, ` ${paintState(paint, state)} `);
      });
      const rest = hidden > 0 ? ["", others(hidden).trim()] : [];
      return [paint("bold", heading), ...lines, ...rest];
    },
  });
}

const others = (hidden: number) =>
  hidden === 0
    ? ""
    : ` ${hidden} deallocated, of which retention keeps something: --all shows them.`;
