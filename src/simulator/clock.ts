/**
 * Simulated time. Everything that happens later is an entry of one queue, carried out in order at
 * exactly its own instant. A virtual clock moves only when told to or when every task sleeps; a
 * real clock follows the machine's, faster by a factor. This is the only file that reads a clock.
 */
import { createEventQueue, type Queued } from "./event-queue";

export interface SimulatorClock {
  readonly kind: "virtual" | "real";
  /** Simulated seconds per real second; 1 for a virtual clock. */
  readonly speed: number;
  /** Simulated time in epoch milliseconds. */
  now(): number;
  /** Waits in simulated time. Rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Moves time forward at once; everything that falls due on the way happens at its own instant. */
  advance(seconds: number): void;
}

export type ClockOptions =
  | {
      readonly kind: "virtual";
      readonly startAt?: number;
      /**
       * How many turns of the event loop must pass in which nobody does anything before time jumps.
       * Default 1; 0 serves tasks that wait for promises alone, as they all go as far as they can
       * within one turn.
       */
      readonly quietTurns?: 0 | 1;
    }
  | { readonly kind: "real"; readonly speed?: number; readonly startAt?: number };

/** The clock as the simulator itself sees it. */
export interface Timeline extends SimulatorClock {
  /** Carries `happen` out after so many simulated seconds. */
  after(seconds: number, happen: () => void): void;
  /** Carries out whatever is due by now; called before every request. */
  settle(): void;
}

/** 2026-01-01T00:00:00Z: where simulated time starts. */
export const START_AT = 1767225600000;

/** A turn of the event loop costs more than most of what happens in it. */
const jumpsPerTurn = 32;

interface Sleeper {
  wake(): void;
}

export function createTimeline(options: ClockOptions): Timeline {
  return options.kind === "virtual" ? virtualTimeline(options) : realTimeline(options);
}

function virtualTimeline(options: Extract<ClockOptions, { kind: "virtual" }>): Timeline {
  const due = createEventQueue<() => void>();
  const sleepers = createEventQueue<Sleeper>();
  let current = options.startAt ?? START_AT;
  let activity = 0;
  let isWatching = false;

  const passTo = (target: number) => {
    for (let next = due.peek(); next !== undefined && next.dueAt <= target; next = due.peek()) {
      due.pop();
      current = Math.max(current, next.dueAt);
      next.item();
    }
    current = Math.max(current, target);
  };
  const wakeEarliest = () => {
    const earliest = sleepers.pop();
    if (earliest === undefined) return;
    passTo(earliest.dueAt);
    earliest.item.wake();
  };
  // Time jumps only past a macrotask boundary at which nobody did anything: until then some task
  // may still be on its way to a call or a shorter sleep. One sleeper is woken per jump, so several
  // concurrent tasks interleave in an order that depends on nothing but the seed.
  const watch = () => {
    if (isWatching) return;
    isWatching = true;
    const seen = activity;
    const jump = () => {
      if (seen === activity || options.quietTurns === 0) wakeEarliest();
    };
    // Within one turn of the loop Node finishes all promises between two immediates, so several jumps fit.
    const jumps = options.quietTurns === 0 ? jumpsPerTurn : 1;
    for (let count = 1; count < jumps; count += 1) setImmediate(jump);
    setImmediate(() => {
      jump();
      isWatching = false;
      if (sleepers.size > 0) watch();
    });
  };
  return {
    kind: "virtual",
    speed: 1,
    now: () => current,
    after: (seconds, happen) => {
      due.push(current + seconds * 1000, happen);
    },
    settle: () => {
      activity += 1;
      passTo(current);
    },
    advance: (seconds) => {
      activity += 1;
      const target = current + Math.max(0, seconds) * 1000;
      for (let next = sleepers.peek(); next !== undefined && next.dueAt <= target; ) {
        wakeEarliest();
        next = sleepers.peek();
      }
      passTo(target);
    },
    sleep: (milliseconds, signal) =>
      abortable(signal, (wake) => {
        activity += 1;
        const entry = sleepers.push(current + Math.max(0, milliseconds), { wake });
        watch();
        return () => sleepers.remove(entry);
      }),
  };
}

function realTimeline(options: { readonly speed?: number; readonly startAt?: number }): Timeline {
  const due = createEventQueue<() => void>();
  const speed = options.speed ?? 1;
  const origin = performance.now();
  let advanced = options.startAt ?? START_AT;
  let replaying: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  const read = () => Math.floor(advanced + (performance.now() - origin) * speed);
  const arm = () => {
    if (timer !== undefined) clearTimeout(timer);
    const next = due.peek();
    timer = next === undefined ? undefined : setTimeout(settle, waitOf(next.dueAt - read()));
    // A pending state change alone must not keep a program alive.
    timer?.unref();
  };
  const waitOf = (simulated: number) => Math.min(2 ** 31 - 1, Math.max(1, simulated / speed));
  const settle = () => {
    if (replaying !== undefined) return;
    for (let next = due.peek(); next !== undefined && next.dueAt <= read(); next = due.peek()) {
      carryOut(next);
    }
    arm();
  };
  const carryOut = (next: Queued<() => void>) => {
    due.pop();
    replaying = next.dueAt;
    try {
      next.item();
    } finally {
      replaying = undefined;
    }
  };
  const now = () => replaying ?? read();
  return {
    kind: "real",
    speed,
    now,
    settle,
    after: (seconds, happen) => {
      due.push(now() + seconds * 1000, happen);
      if (replaying === undefined) arm();
    },
    advance: (seconds) => {
      advanced += Math.max(0, seconds) * 1000;
      settle();
    },
    sleep: (milliseconds, signal) => realSleep(now() + milliseconds, { now, waitOf, signal }),
  };
}

/** Looks again now and then, so that `advance` shortens sleeps that are under way. */
function realSleep(
  untilAt: number,
  clock: { now(): number; waitOf(simulated: number): number; signal: AbortSignal | undefined },
): Promise<void> {
  return abortable(clock.signal, (wake) => {
    let timer: NodeJS.Timeout;
    const look = () => {
      const left = untilAt - clock.now();
      if (left <= 0) wake();
      else timer = setTimeout(look, Math.min(100, clock.waitOf(left)));
    };
    timer = setTimeout(look, Math.min(100, clock.waitOf(untilAt - clock.now())));
    return () => clearTimeout(timer);
  });
}

function abortable(
  signal: AbortSignal | undefined,
  start: (wake: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const cancel = start(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
