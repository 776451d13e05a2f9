/** Of several readings of one ledger the newest counts: tags, registries and memories may each lag. */
import type { Ledger } from "./model";

/** The one with the highest revision, and of equal ones the first. */
export function newestLedger(ledgers: readonly (Ledger | undefined)[]): Ledger | undefined {
  return ledgers.reduce((newest, ledger) => {
    if (newest === undefined || ledger === undefined) return newest ?? ledger;
    return ledger.revision > newest.revision ? ledger : newest;
  }, undefined);
}
