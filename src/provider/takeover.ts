/**
 * Takes an unfinished creation over: waits while its maker lives, then writes our own claim before
 * anything else, so that whoever still works on it finds itself superseded.
 */
import type { Ledger } from "../engine/model";
import { judge, type Open } from "./claim";
import type { Connection, Context } from "./context";
import { messageOf } from "./convergence";

const claimPollMs = 2_000;

export interface Search {
  /** Reads anew what is unfinished; asked again while it must be waited for. */
  find(): Promise<readonly Open[]>;
  /** Whether this process itself is still at work on it. */
  isInFlight: boolean;
}

/** The unfinished creation to go on with, claimed for us; undefined when there is none. */
export async function takeOverOpen(
  context: Context,
  connection: Connection,
  { find, isInFlight }: Search,
): Promise<Open | undefined> {
  const { claimant, isAlive } = connection;
  for (;;) {
    const opens = await find();
    const verdict = judge(opens, { claimant, now: connection.now(), isAlive, isInFlight });
    if (verdict.kind === "none") return undefined;
    if (verdict.kind === "adopt") return claim(connection, verdict.open);
    context.log(verdict.reason, { ephemeral: true });
    await connection.sleep(claimPollMs, context.signal);
    if (context.signal.aborted) {
      throw new Error(`${verdict.reason}; stopped (${messageOf(context.signal.reason)})`);
    }
  }
}

async function claim(connection: Connection, { ledger, interfaceId }: Open): Promise<Open> {
  const touchedAt = connection.now();
  const claimed: Ledger = {
    ...ledger,
    claim: { ...connection.claimant, touchedAt },
    revision: ledger.revision + 1,
  };
  await connection.save(claimed, interfaceId);
  return { ledger: claimed, interfaceId };
}
