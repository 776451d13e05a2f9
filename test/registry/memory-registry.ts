/**
 * A Registry that lives as long as its process, for a loop that owns its managed instances alone. The
 * anchor's tags keep the ledger as it was when the anchor was made.
 */
import type { Ledger } from "../../src/engine/model";
import type { Registry } from "../../src/engine/ports";

export function createMemoryRegistry(): Registry {
  const ledgers = new Map<string, Ledger>();
  return {
    load: (id) => Promise.resolve(ledgers.get(id)),
    save(ledger) {
      const known = ledgers.get(ledger.id);
      if (known === undefined || known.revision < ledger.revision) ledgers.set(ledger.id, ledger);
      return Promise.resolve();
    },
  };
}
