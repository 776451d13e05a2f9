/**
 * Holds the lease on one managed instance while somebody works on it: renews it in the background,
 * and tells the worker to stop when somebody else has taken it over or when what is to be done has
 * changed meanwhile.
 */
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../engine/ports";
import type { ControllerRegistry, Entry, Lease } from "./registry";

/** A holder that dies is missed for so long; renewed a few times within it, so that one may fail. */
export const leaseSeconds = 120;
const renewSeconds = 20;

/** Made once: an abort without a reason makes one with a stack of its own, at each of our looks. */
const over = new Error("the work under the lease has ended");

export interface HoldingDeps {
  registry: ControllerRegistry;
  clock: Clock;
  now(): number;
}

export class Holding {
  /** Somebody else holds the lease: nothing more may be written under it. */
  isLost = false;
  private readonly ended = new AbortController();
  private untilAt: number;
  private running: Promise<void> = Promise.resolve();
  private stop = new AbortController();
  private order: Entry | undefined;

  constructor(
    private readonly deps: HoldingDeps,
    readonly lease: Lease,
  ) {
    this.untilAt = lease.untilAt;
  }

  /** Aborted when the lease is lost or the order is no longer the one given; renewed with each. */
  begin(order: Entry): AbortSignal {
    this.order = order;
    this.stop = new AbortController();
    if (this.isLost) this.stop.abort();
    return this.stop.signal;
  }

  startRenewing(): void {
    this.running = this.renewUntilEnded();
  }

  /** Stops renewing; the lease itself is the caller's to release. */
  async end(): Promise<void> {
    this.ended.abort(over);
    await this.running;
  }

  lose(): void {
    this.isLost = true;
    this.stop.abort(new Error("somebody else has taken the managed instance over"));
  }

  private async renewUntilEnded(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted && !this.isLost) {
      await this.deps.clock.sleep(renewSeconds * 1000, signal);
      if (signal.aborted) return;
      try {
        await this.renew();
      } catch {
        // The registry may answer again before the lease has run out.
        if (this.deps.now() >= this.untilAt) this.lose();
      }
    }
  }

  private async renew(): Promise<void> {
    const { registry } = this.deps;
    const untilAt = this.deps.now() + leaseSeconds * 1000;
    if (!(await registry.renew(this.lease, untilAt))) return this.lose();
    this.untilAt = untilAt;
    const current = await registry.get(this.lease.id);
    if (this.order !== undefined && !isSameOrder(this.order, current))
      this.stop.abort(new Error("something newer was asked for"));
  }
}

/** Whether what is to be done is still the same. */
export function isSameOrder(one: Entry, other: Entry | undefined): boolean {
  if (other === undefined) return false;
  return isDeepStrictEqual(orderIn(one), orderIn(other));
}

const orderIn = ({ asked, deallocate, specVersion }: Entry) => ({
  asked: Object.entries(asked).filter(([, value]) => value !== undefined),
  deallocate,
  specVersion,
});
