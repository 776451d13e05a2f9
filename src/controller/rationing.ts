/**
 * Keeps all controllers of an account together below EC2's request limits (ec2-facts §7): each call
 * takes a token from a bucket that they share through the registry, sized to our share of EC2's own.
 * Upkeep leaves half of each bucket to recovery. Tokens are drawn a few at a time, so that the
 * registry is not asked for each call. A registry that does not answer stops nobody: EC2 itself
 * refuses what is too much, and that is borne.
 */
import type { Action, Ec2 } from "../aws/client";
import { requestBucket } from "../aws/request-buckets";
import { type Clock, CloudError } from "../engine/ports";
import type { Urgency } from "./news";
import type { Bucket, ControllerRegistry } from "./registry";
import { defaultShare } from "./stretch";

export interface RationingOptions {
  ec2: Ec2;
  registry: Pick<ControllerRegistry, "take">;
  clock: Clock & { now(): number };
  /** Of EC2's buckets, more than 0 and at most 1; default 0.8. */
  share?: number;
  /** Told when the registry did not answer and a call went on without a token. */
  unrationed?: (error: unknown) => void;
}

export interface Rationing {
  /**
   * EC2 for work of that urgency, asked anew before each call: what begins as upkeep may turn out to
   * be a recovery. A call that gets no token within 20 seconds is refused as throttled.
   */
  ec2(urgency: () => Urgency): Ec2;
}

/** A process keeps at most a tenth of a bucket, and not for long: what it does not use is lost. */
const batchShare = 1 / 10;
const keptMs = 5000;
const longestWaitMs = 20_000;
const upkeepLeaves = 1 / 2;
const pauseMs = { recovery: 250, upkeep: 1000 } as const;

export function createRationing(options: RationingOptions): Rationing {
  const { clock, ec2, registry } = options;
  const counters = new Map<string, Counter>();
  const counterOf = (action: Action, urgency: Urgency) => {
    const key = `${action} ${urgency}`;
    const counter = counters.get(key) ?? new Counter(options, bucketOf(action, options), urgency);
    counters.set(key, counter);
    return counter;
  };
  return {
    ec2: (urgency) => ({
      async call(action, input) {
        const counter = counterOf(action, urgency());
        await counter.pass();
        try {
          return await ec2.call(action, input);
        } catch (error) {
          // EC2's own bucket is empty, so ours is too.
          if (error instanceof CloudError && error.meaning === "throttled")
            await empty(registry, bucketOf(action, options), clock.now());
          throw error;
        }
      },
    }),
  };
}

function bucketOf(action: Action, { share = defaultShare }: RationingOptions): Bucket {
  const { capacity, refillPerSecond } = requestBucket(action);
  return {
    name: action,
    capacity: Math.max(1, capacity * share),
    refillPerSecond: refillPerSecond * share,
  };
}

const empty = (registry: RationingOptions["registry"], bucket: Bucket, now: number) =>
  registry.take(bucket, { wanted: bucket.capacity, floor: 0, now }).catch(() => 0);

interface Waiter {
  sinceAt: number;
  pass(): void;
  refuse(error: CloudError): void;
}

/** One bucket as one urgency sees it: who comes first passes first. */
class Counter {
  private tokens = 0;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private waiters: Waiter[] = [];
  private isServing = false;

  constructor(
    private readonly options: RationingOptions,
    private readonly bucket: Bucket,
    private readonly urgency: Urgency,
  ) {}

  async pass(): Promise<void> {
    const isFresh = this.options.clock.now() < this.drawnAt + keptMs;
    if (this.waiters.length === 0 && this.tokens > 0 && isFresh) {
      this.tokens -= 1;
      return;
    }
    const sinceAt = this.options.clock.now();
    const passed = new Promise<void>((pass, refuse) => {
      this.waiters.push({ sinceAt, pass, refuse });
    });
    if (!this.isServing) void this.serve();
    await passed;
  }

  private async serve(): Promise<void> {
    this.isServing = true;
    while (this.waiters.length > 0) {
      const isDry = await this.draw();
      for (const waiter of this.waiters.splice(0, this.tokens)) {
        this.tokens -= 1;
        waiter.pass();
      }
      if (isDry && this.waiters.length > 0) await this.options.clock.sleep(pauseMs[this.urgency]);
      this.refuseLate();
    }
    this.isServing = false;
  }

  /** True when the bucket held less than was wanted. */
  private async draw(): Promise<boolean> {
    const { clock, registry, unrationed } = this.options;
    const { capacity } = this.bucket;
    const batch = Math.max(1, Math.floor(capacity * batchShare));
    const now = clock.now();
    const wanted = Math.max(batch, this.waiters.length);
    const floor = this.urgency === "upkeep" ? capacity * upkeepLeaves : 0;
    try {
      this.tokens = await registry.take(this.bucket, { wanted, floor, now });
    } catch (error) {
      unrationed?.(error);
      this.tokens = this.waiters.length;
    }
    this.drawnAt = now;
    return this.tokens < wanted;
  }

  private refuseLate(): void {
    const lateAt = this.options.clock.now() - longestWaitMs;
    const { name, refillPerSecond } = this.bucket;
    const late = this.waiters.filter(({ sinceAt }) => sinceAt <= lateAt);
    this.waiters = this.waiters.filter(({ sinceAt }) => sinceAt > lateAt);
    for (const { refuse } of late) {
      const text = `${name}: our share of what EC2 takes from this account, ${refillPerSecond} a second, is used up; it is tried again`;
      refuse(new CloudError("throttled", text));
    }
  }
}
