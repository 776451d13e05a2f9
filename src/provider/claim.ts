/**
 * Which creation that was begun with our key we may go on with. A creation belongs to the process
 * that made it until that is proven gone, or has been silent for long: two processes that both went
 * on with it would not break anything, but each would report the other's instance as its own.
 */
import type { Claimant } from "../aws/claimant";
import type { Ledger } from "../engine/model";

/** A living creation touches its claim every minute. */
export const silenceSeconds = 300;

export interface Open {
  ledger: Ledger;
  interfaceId: string;
}

export type Verdict =
  | { kind: "none" }
  | { kind: "adopt"; open: Open }
  | { kind: "wait"; reason: string };

export interface Witness {
  claimant: Claimant;
  now: number;
  isAlive(pid: number): boolean;
  /** Whether this process itself is still at work on a creation with this key. */
  isInFlight: boolean;
}

export function judge(opens: readonly Open[], witness: Witness): Verdict {
  const furthest = [...opens].sort(byProgress)[0];
  if (furthest === undefined) return { kind: "none" };
  const free = opens.filter(({ ledger }) => isFree(ledger, witness)).sort(byProgress)[0];
  if (free !== undefined) return { kind: "adopt", open: free };
  const { id, claim } = furthest.ledger;
  const owner = `process ${claim?.pid} on ${claim?.host}`;
  return { kind: "wait", reason: `${id} is being created by ${owner}; waiting until that ends` };
}

/** The one that got furthest, so that the least is left over. */
const byProgress = (a: Open, b: Open) =>
  (b.ledger.launch?.generation ?? 0) - (a.ledger.launch?.generation ?? 0) ||
  b.ledger.revision - a.ledger.revision ||
  (a.ledger.id < b.ledger.id ? -1 : 1);

function isFree({ claim }: Ledger, { claimant, now, isAlive, isInFlight }: Witness): boolean {
  if (claim === undefined) return true;
  if (now - claim.touchedAt >= silenceSeconds * 1000) return true;
  if (claim.host !== claimant.host) return false;
  return claim.pid === claimant.pid ? !isInFlight : !isAlive(claim.pid);
}
