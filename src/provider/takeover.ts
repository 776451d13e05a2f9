/**
 * Takes an unfinished creation over: waits while its maker lives, then writes our own claim before
 * anything else, so that whoever still works on it finds itself superseded.
 */

import type { LookRequest } from "../aws/look";
import { messageOf } from "../engine/error-text";
import type { Ledger } from "../engine/model";
import { judge, type Open } from "./claim";
import type { Connection, Context, Known } from "./context";

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

/**
 * The ledger of one that exists. A creation that was cut off is completed or ended by whoever comes
 * next, once its maker is proven gone: until then the maker could write over what we decide.
 */
export async function ledgerInForce(
  context: Context,
  connection: Connection,
  request: LookRequest,
): Promise<Ledger | undefined> {
  const known = await connection.look(request);
  if (known?.ledger.phase !== "creating") return known?.ledger;
  const find = async () => openIn(await connection.look(request));
  const open = await takeOverOpen(context, connection, { find, isInFlight: false });
  return open?.ledger ?? (await connection.look(request))?.ledger;
}

function openIn(known: Known | undefined): Open[] {
  const interfaceId = known?.observation.anchors[0]?.interfaceId;
  if (known?.ledger.phase !== "creating" || interfaceId === undefined) return [];
  return [{ ledger: known.ledger, interfaceId }];
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
