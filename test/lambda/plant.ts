/**
 * The serverless controller as a whole, on the simulator in virtual time: EventBridge, the queue of
 * events, the schedule, the FIFO queue and as many workers as are allowed at once; and what may go
 * wrong between them.
 */
import { createRouter } from "../../src/controller/lambda/router";
import type { WakeQueue } from "../../src/controller/lambda/wakes";
import { createWorker } from "../../src/controller/lambda/worker";
import { createSurveyor } from "../../src/controller/survey";
import type { Ec2Event } from "../../src/simulator";
import type { Desk } from "../controller/desk";
import { Crash, connect } from "../simulation/world";
import { createFifoQueue, type FifoQueue } from "./fifo-queue";
import { contextFor, rememberTelemetry, type TelemetryMemory } from "./invocation";

export interface Troubles {
  /** Whether events get to the router at all. */
  loseEvents?: boolean;
  /** How often each event is delivered, in batches that begin with the newest. */
  deliverEvents?: number;
  reverse?: boolean;
  /** Each batch is handed to a second worker too, as SQS may do. */
  deliverBatchesTwice?: boolean;
  /** Whether the schedule runs. */
  skipSchedule?: boolean;
  /** A worker dies at each of these calls of EC2, counted over all workers. */
  dieAtCalls?: readonly number[];
}

export interface Plant {
  queue: FifoQueue;
  telemetry: TelemetryMemory;
  /** How many workers have died. */
  deaths(): number;
  /** Runs it for so long. */
  run(minutes: number): Promise<void>;
}

const timeoutSeconds = { router: 60, worker: 180 };
const pollMs = 1000;

export function openPlant(desk: Desk, troubles: Troubles = {}): Plant {
  const { world } = desk.story;
  const { simulator } = world;
  const now = () => simulator.clock.now();
  const telemetry = rememberTelemetry();
  const queue = createFifoQueue({ now });
  const surveyor = createSurveyor({ ec2: world.ec2, registry: desk.registry, now });
  const router = createRouter({ ec2: world.ec2, surveyor, queue, telemetry });
  const fate: Fate = { calls: 0, deaths: 0, dieAtCalls: troubles.dieAtCalls ?? [] };
  const waiting: Ec2Event[] = [];
  simulator.control.events.subscribe((event) => {
    if (!troubles.loseEvents) waiting.push(event);
  });

  const routeEvents = async () => {
    const batch = waiting.splice(0, 100).flatMap((event) => {
      const body = JSON.stringify(event);
      return Array.from({ length: troubles.deliverEvents ?? 1 }, () => ({ body }));
    });
    if (troubles.reverse) batch.reverse();
    const context = contextFor({ now, timeoutSeconds: timeoutSeconds.router });
    if (batch.length > 0) await router({ Records: batch }, context);
  };
  const survey = async () => {
    const time = new Date(now()).toISOString().replace(/\.\d+Z$/, "Z");
    const context = contextFor({ now, timeoutSeconds: timeoutSeconds.router });
    await router({ source: "aws.events", time }, context);
  };
  const workOnce = async () => {
    const Records = queue.receive(10);
    if (Records.length === 0) return;
    const invoke = async () => {
      const life: Life = { isOver: false };
      const worker = mortalWorker(desk, { queue, telemetry }, fate, life);
      const context = contextFor({ now, timeoutSeconds: timeoutSeconds.worker });
      const { batchItemFailures } = await worker({ Records }, context);
      if (life.isOver) return;
      // What a function does not report as failed Lambda deletes.
      const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { messageId, receiptHandle } of Records)
        if (!failed.has(messageId)) await queue.delete(receiptHandle);
    };
    await Promise.all(troubles.deliverBatchesTwice ? [invoke(), invoke()] : [invoke()]);
  };

  return {
    queue,
    telemetry,
    deaths: () => fate.deaths,
    async run(minutes) {
      const endsAt = now() + minutes * 60_000;
      const every = async (milliseconds: number, task: () => Promise<void>) => {
        while (now() < endsAt) {
          await task();
          await simulator.clock.sleep(milliseconds);
        }
      };
      await Promise.all([
        every(pollMs, routeEvents),
        ...(troubles.skipSchedule ? [] : [every(60_000, survey)]),
        every(pollMs, workOnce),
        every(pollMs, workOnce),
      ]);
    },
  };
}

/** What all workers together have behind them and before them. */
interface Fate {
  calls: number;
  deaths: number;
  dieAtCalls: readonly number[];
}

interface Life {
  isOver: boolean;
}

/** Dead it changes nothing any more: no lease is released, no message deleted, nothing written. */
function mortalWorker(
  { deps, story: { world } }: Desk,
  { queue, telemetry }: Pick<Plant, "queue" | "telemetry">,
  fate: Fate,
  life: Life,
) {
  const connection = connect(world.simulator);
  const breathe = () => {
    if (life.isOver) throw new Crash("dead");
  };
  connection.hooks.before.push(breathe, ...world.hooks.before);
  connection.hooks.after.push(...world.hooks.after, () => {
    fate.calls += 1;
    if (!fate.dieAtCalls.includes(fate.calls)) return;
    fate.deaths += 1;
    life.isOver = true;
    breathe();
  });
  const { registry, ...rest } = deps({ cloud: connection.cloud, anchors: connection.registry });
  const settings = { ...rest, registry: guarded(registry, breathe) };
  return createWorker({
    work: { recovery: settings, upkeep: settings },
    queue: guarded<WakeQueue>(queue, breathe),
    telemetry,
  });
}

/** Every method of it asks first. */
function guarded<Port extends object>(port: Port, ask: () => void): Port {
  return new Proxy(port, {
    get: (target, name) => {
      ask();
      return Reflect.get(target, name);
    },
  });
}
