/**
 * The ledger in the two places where a controller keeps it: on the anchor, which is the truth, and as
 * a copy in the registry, which people and programs wait on. Whoever dies between the two writes, or
 * stands still and then writes what is long outdated, leaves them apart; the next one brings them
 * together again.
 */
import type { Anchor, Ledger } from "../engine/model";
import type { Registry } from "../engine/ports";
import { settleSeconds } from "../engine/situation";
import type { Holding } from "./holding";
import type { ControllerRegistry, Entry } from "./registry";

export interface LedgerCopiesDeps {
  anchors: Registry;
  registry: Pick<ControllerRegistry, "saveLedger">;
  holding: Pick<Holding, "lease" | "lose">;
  now(): number;
}

export class LedgerCopies implements Registry {
  private copiedRevision: number;
  private isCompared = false;

  /** `entry` as it was when the run began. */
  constructor(
    private readonly deps: LedgerCopiesDeps,
    private readonly entry: Entry,
  ) {
    this.copiedRevision = entry.ledger?.revision ?? Number.NEGATIVE_INFINITY;
  }

  async load(id: string, seen: readonly Anchor[]): Promise<Ledger | undefined> {
    const read = await this.deps.anchors.load(id, seen);
    if (read === undefined) return undefined;
    if (read.revision > this.copiedRevision) await this.copy(read);
    if (!this.isCompared) await this.restore(read, seen);
    this.isCompared = true;
    return read;
  }

  /** On the anchor first; then in the registry, which tells whether we may. */
  async save(ledger: Ledger, interfaceId: string): Promise<void> {
    this.isCompared = true;
    await this.deps.anchors.save(ledger, interfaceId);
    await this.copy(ledger);
  }

  private async copy(ledger: Ledger): Promise<void> {
    const { holding, registry } = this.deps;
    if (!(await registry.saveLedger(holding.lease, ledger))) return holding.lose();
    this.copiedRevision = ledger.revision;
  }

  /** An older one was written over it. What the run before left can be seen by now, so it is no lag. */
  private async restore(read: Ledger, seen: readonly Anchor[]): Promise<void> {
    const { ledger, standing } = this.entry;
    const [anchor, ...others] = seen;
    if (ledger === undefined || standing === undefined || anchor === undefined) return;
    const isVisible = this.deps.now() > standing.at + settleSeconds * 1000;
    if (!isVisible || others.length > 0 || read.revision >= ledger.revision) return;
    await this.deps.anchors.save(ledger, anchor.interfaceId);
  }
}
