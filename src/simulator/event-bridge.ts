/**
 * Events exactly as EventBridge delivers them, with the odd ARNs that AWS documents (ec2-facts §8).
 * They are best effort: faults lose or repeat them, and nothing in the simulator depends on them.
 */
import type { Timeline } from "./clock";
import type { FaultBox } from "./faults";
import type { Random } from "./random";

export interface Ec2Event {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: "aws.ec2";
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface EventLog {
  /** Everything delivered so far, oldest first. */
  list(): readonly Ec2Event[];
  /** Calls the listener for each event from now on; the answer ends that. */
  subscribe(listener: (event: Ec2Event) => void): () => void;
}

export interface EventBridge extends EventLog {
  publish(detailType: string, resources: readonly string[], detail: Record<string, unknown>): void;
}

const KEPT_EVENTS = 20_000;

export function createEventBridge(options: {
  readonly account: string;
  readonly region: string;
  readonly timeline: Timeline;
  readonly faults: FaultBox;
  readonly random: Random;
}): EventBridge {
  const delivered: Ec2Event[] = [];
  const listeners = new Set<(event: Ec2Event) => void>();
  const deliver = (event: Ec2Event) => {
    // Half at a time: trimming one by one would cost more than the events themselves.
    if (delivered.length >= KEPT_EVENTS) delivered.splice(0, KEPT_EVENTS / 2);
    delivered.push(event);
    for (const listener of [...listeners]) listener(event);
  };
  return {
    list: () => delivered,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    publish: (detailType, resources, detail) => {
      if (options.faults.strikesEvent("loseEvents")) return;
      const event: Ec2Event = {
        version: "0",
        id: eventId(options.random),
        "detail-type": detailType,
        source: "aws.ec2",
        account: options.account,
        time: new Date(options.timeline.now()).toISOString().replace(/\.\d+Z$/, "Z"),
        region: options.region,
        resources,
        detail,
      };
      deliver(event);
      if (options.faults.strikesEvent("duplicateEvents")) deliver(event);
    },
  };
}

function eventId(random: Random): string {
  const [a, b, c, d, e] = [8, 4, 4, 4, 12].map((digits) => random.hex(digits));
  return `${a}-${b}-${c}-${d}-${e}`;
}
