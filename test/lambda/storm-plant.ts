/**
 * The serverless controller as a whole in a storm: its events, its schedules and its messages are
 * lost, repeated, late and out of order, and its functions die or stand still, all from one seed.
 */
import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { createCloud } from "../../src/aws/cloud";
import { createInventory } from "../../src/aws/inventory";
import { createAnchorRegistry } from "../../src/aws/registry";
import { createRouter } from "../../src/controller/lambda/router";
import { createSweeper } from "../../src/controller/lambda/sweep";
import { createWorker } from "../../src/controller/lambda/worker";
import type { Urgency } from "../../src/controller/news";
import { createSurveyor } from "../../src/controller/survey";
import type { Ec2Event } from "../../src/simulator";
import type { Land } from "../campaign/land";
import type { Trace } from "../simulation/trace";
import { createFifoQueue, type FifoQueue } from "./fifo-queue";
import { type Storm, StormFunction, type Ways } from "./storm-function";

const seconds = 1000;
const minutes = 60 * seconds;
const timeoutSeconds = { router: 60, worker: 180, sweep: 300 };
const workers = 3;

export interface StormPlant {
  queue: FifoQueue;
  /** Runs until the signal; every loop has come to its end then. */
  run(end: AbortSignal): Promise<void>;
  /** Once more, by itself. */
  sweep(): Promise<void>;
}

interface Options {
  land: Land;
  trace: Trace;
  calm: AbortSignal;
}

export function openStormPlant({ land, trace, calm }: Options): StormPlant {
  const queue = stormyQueue({ land, trace, calm });
  const storm: Storm = { land, trace, queue, calm };
  const hands = new Hands(storm, queue);
  const post = new Post(storm);
  const sweeper = sweeperIn(storm);
  return {
    queue,
    run: async (end) => {
      const loops = [post.route(end), post.survey(end), sweepNowAndThen(storm, sweeper, end)];
      const working = Array.from({ length: workers }, (_, index) => hands.work(index + 1, end));
      await Promise.all([...loops, ...working]);
    },
    async sweep() {
      await sweeper.invoke({});
    },
  };
}

function stormyQueue({ land, trace, calm }: Options): FifoQueue {
  const [random, order] = [land.random("queue"), land.random("order")];
  return createFifoQueue({
    now: land.now,
    loses({ groupId, body }) {
      if (!random.chance(0.15) || calm.aborted) return false;
      land.counts.add("events", "a message is lost");
      trace.add("queue", `loses ${groupId}: ${body.reason}`);
      return true;
    },
    arrange: (groups) => shuffled(groups, order),
  });
}

function shuffled<Item>(items: readonly Item[], random: ReturnType<Land["random"]>): Item[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** The workers: what one of them was handed another one may be handed, too. */
class Hands {
  private readonly handedAgain: SQSRecord[][] = [];

  constructor(
    private readonly storm: Storm,
    private readonly queue: FifoQueue,
  ) {}

  async work(number: number, end: AbortSignal): Promise<void> {
    const { calm, land } = this.storm;
    const worker = new StormFunction<SQSEvent, SQSBatchResponse>(
      this.storm,
      { name: `worker ${number}`, timeoutSeconds: timeoutSeconds.worker },
      assembleWorker(land, number),
    );
    const random = land.random(`poller ${number}`);
    while (!end.aborted) {
      const Records = this.handedAgain.shift() ?? this.queue.receive(1 + random.below(10));
      if (Records.length > 0 && random.chance(0.1) && !calm.aborted) {
        land.counts.add("events", "a batch is handed to two workers");
        this.handedAgain.push(Records);
      }
      if (Records.length > 0) await this.handOver(worker, Records);
      await land.sleep(500 + random.below(1000), end);
    }
  }

  private async handOver(
    worker: StormFunction<SQSEvent, SQSBatchResponse>,
    Records: SQSRecord[],
  ): Promise<void> {
    const result = await worker.invoke({ Records });
    if (result === undefined) return;
    // What a function does not report as failed Lambda deletes.
    const { batchItemFailures } = result.output;
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { messageId, receiptHandle } of Records)
      if (!failed.has(messageId)) await this.queue.delete(receiptHandle);
  }
}

const assembleWorker = (land: Land, number: number) => (ways: Ways) => {
  const { clock, queue, rationing, registry, telemetry } = ways;
  const settings = (urgency: Urgency) => {
    const ec2 = rationing.ec2(() => urgency);
    return {
      ...{ clock, registry },
      cloud: createCloud(ec2, clock),
      anchors: createAnchorRegistry(ec2),
      claimant: { host: `worker-${number}`, pid: number },
      told: (_id: string, { kind }: { kind: string }) => land.counts.add("told", kind),
      report: (_id: string, what: string) => land.counts.add("failures", `${what} not written`),
    };
  };
  const work = { recovery: settings("recovery"), upkeep: settings("upkeep") };
  return createWorker({ work, queue, telemetry });
};

const assembleRouter = ({ clock, queue, rationing, registry, telemetry }: Ways) => {
  const ec2 = rationing.ec2(() => "recovery");
  const surveyor = createSurveyor({ ec2, registry, now: () => clock.now() });
  return createRouter({ ec2, surveyor, queue, telemetry });
};

interface Letter {
  deliverAt: number;
  body: string;
}

/** What EventBridge brings: events of EC2 through their queue, and the schedule of the survey. */
class Post {
  private letters: Letter[] = [];

  constructor(private readonly storm: Storm) {
    const { calm, land } = storm;
    const random = land.random("events");
    land.simulator.control.events.subscribe((event) => {
      if (calm.aborted) this.letters.push({ deliverAt: land.now(), body: JSON.stringify(event) });
      else this.lettersOf(event, random);
    });
  }

  async route(end: AbortSignal): Promise<void> {
    const { land } = this.storm;
    const router = this.router("router of events");
    const random = land.random("batches");
    while (!end.aborted) {
      const due = this.letters.filter(({ deliverAt }) => deliverAt <= land.now());
      const batch = shuffled(due, random).slice(0, 100);
      this.letters = this.letters.filter((letter) => !batch.includes(letter));
      const Records = batch.map(({ body }) => ({ body }));
      if (batch.length > 0 && (await router.invoke({ Records })) === undefined)
        for (const { body } of batch)
          this.letters.push({ deliverAt: land.now() + 6 * timeoutSeconds.router * seconds, body });
      await land.sleep(seconds, end);
    }
  }

  async survey(end: AbortSignal): Promise<void> {
    const { calm, land } = this.storm;
    const router = this.router("router of the schedule");
    const random = land.random("schedule");
    while (!end.aborted) {
      const [isSkipped, isTwice] = [random.chance(0.25), random.chance(0.1)];
      const lateMs = random.chance(0.1) ? random.below(50 * seconds) : 0;
      const nextAt = land.now() + minutes;
      if (!calm.aborted) await land.sleep(lateMs, end);
      const time = new Date(land.now()).toISOString().replace(/\.\d+Z$/, "Z");
      const times = calm.aborted ? 1 : isSkipped ? 0 : isTwice ? 2 : 1;
      if (times === 0) land.counts.add("events", "a survey is skipped");
      for (let count = 0; count < times; count += 1)
        await router.invoke({ source: "aws.events", time });
      await land.sleep(nextAt - land.now(), end);
    }
  }

  private router = (name: string) =>
    new StormFunction<unknown, SQSBatchResponse | undefined>(
      this.storm,
      { name, timeoutSeconds: timeoutSeconds.router },
      assembleRouter,
    );

  /** None, one, or several, some of them late by up to a quarter of an hour. */
  private lettersOf(event: Ec2Event, random: ReturnType<Land["random"]>): void {
    const { land, trace } = this.storm;
    const copies = random.chance(0.3) ? 0 : random.chance(0.25) ? 2 + random.below(2) : 1;
    if (copies !== 1) trace.add("events", `${copies} of ${event["detail-type"]}`);
    if (copies === 0) land.counts.add("events", "an event is lost");
    if (copies > 1) land.counts.add("events", "an event comes more than once");
    for (let copy = 0; copy < copies; copy += 1) {
      const isLate = random.chance(0.3);
      if (isLate) land.counts.add("events", "an event is late");
      const lateMs = isLate ? random.below(15 * minutes) : random.below(2 * seconds);
      this.letters.push({ deliverAt: land.now() + lateMs, body: JSON.stringify(event) });
    }
  }
}

const sweeperIn = (storm: Storm) =>
  new StormFunction<unknown, void>(
    storm,
    { name: "sweep", timeoutSeconds: timeoutSeconds.sweep },
    ({ clock, rationing, telemetry }) => {
      const ec2 = rationing.ec2(() => "upkeep");
      const sweep = { clock, cloud: createCloud(ec2, clock), inventory: createInventory(ec2) };
      const notify = async () => storm.land.counts.add("told", "expired");
      return createSweeper({ sweep, notifier: { notify }, telemetry });
    },
  );

async function sweepNowAndThen(
  { land }: Storm,
  sweeper: StormFunction<unknown, void>,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    await sweeper.invoke({});
    await land.sleep(10 * minutes, end);
  }
}
