/**
 * A function of Lambda in a storm: it keeps what it has put together from one invocation to the next,
 * dies or stands still in the middle of one, and starts afresh after that. What stands still goes on
 * later as if no time had passed, whatever was given to others meanwhile.
 */
import type { Context } from "aws-lambda";
import type { Ec2 } from "../../src/aws/client";
import { isReading } from "../../src/aws/reading";
import type { Metric } from "../../src/controller/lambda/metrics";
import type { Telemetry } from "../../src/controller/lambda/telemetry";
import type { WakeQueue } from "../../src/controller/lambda/wakes";
import { createRationing, type Rationing } from "../../src/controller/rationing";
import type { ControllerRegistry } from "../../src/controller/registry";
import { CloudError } from "../../src/engine/ports";
import type { Random } from "../../src/simulator/random";
import { enter, type Land } from "../campaign/land";
import { Mortal } from "../campaign/mortal";
import type { Trace } from "../simulation/trace";
import { contextFor } from "./invocation";

const seconds = 1000;

export interface Storm {
  land: Land;
  trace: Trace;
  queue: WakeQueue;
  /** Nothing more goes wrong from then on. */
  calm: AbortSignal;
}

/** All the ways of one execution environment to the outside. */
export interface Ways {
  clock: ReturnType<Mortal["ownClock"]>;
  registry: ControllerRegistry;
  rationing: Rationing;
  queue: WakeQueue;
  telemetry: Telemetry;
}

type Handler<Input, Output> = (input: Input, context: Context) => Promise<Output>;

interface Environment<Input, Output> {
  mortal: Mortal;
  handle: Handler<Input, Output>;
}

export interface Configured {
  /** With a number where there are several of a kind. */
  name: string;
  timeoutSeconds: number;
}

export class StormFunction<Input, Output> {
  private environment: Environment<Input, Output> | undefined;
  private readonly random: Random;

  constructor(
    private readonly storm: Storm,
    private readonly configured: Configured,
    private readonly assemble: (ways: Ways) => Handler<Input, Output>,
  ) {
    this.random = storm.land.random(configured.name);
  }

  /** Undefined when it died or threw what EC2 answered: then what it was given is given again. */
  async invoke(input: Input): Promise<{ output: Output } | undefined> {
    const { land } = this.storm;
    this.environment ??= this.start();
    const { handle, mortal } = this.environment;
    const over = new AbortController();
    const { timeoutSeconds } = this.configured;
    const context = contextFor({ now: land.now, timeoutSeconds });
    const ended = handle(input, context)
      .then((output) => ({ output }))
      .catch((error: unknown) => {
        if (!(error instanceof CloudError)) land.violation.abort(error);
        return undefined;
      })
      .finally(() => over.abort());
    const result = await Promise.race([ended, this.death(mortal, over.signal)]);
    if (mortal.isDead) this.environment = undefined;
    return result;
  }

  private start(): Environment<Input, Output> {
    const { land } = this.storm;
    const mortal = new Mortal({ now: land.now, sleep: land.sleep });
    const connection = enter(land);
    connection.hooks.settled.push((action, request, error) => {
      if (isReading(action)) return;
      const outcome = error === undefined ? "ok" : String(error);
      this.tell(`${action} ${idsIn(request)} → ${outcome}`);
    });
    const clock = mortal.ownClock();
    const registry = mortal.registry(land.registry);
    const ec2: Ec2 = mortal.ec2(connection.ec2);
    const rationing = createRationing({ ec2, registry, clock });
    const queue = mortalQueue(mortal, this.storm.queue);
    const telemetry = stormTelemetry(land);
    return { mortal, handle: this.assemble({ clock, registry, rationing, queue, telemetry }) };
  }

  /** Resolves when it dies; what ends before its time has come lives on. */
  private async death(mortal: Mortal, over: AbortSignal): Promise<undefined> {
    const { calm, land } = this.storm;
    const kind = this.drawKind();
    const atMs = this.random.below((this.random.chance(0.5) ? 6 : 170) * seconds);
    const forMs = (10 + this.random.below(600)) * seconds;
    if (kind === "lives") return never();
    await land.sleep(atMs, over);
    if (over.aborted || calm.aborted) return never();
    land.counts.add("events", `the ${this.configured.name.replace(/ \d+$/, "")} ${kind}`);
    this.tell(kind === "dies" ? kind : `${kind} for ${forMs / seconds} s`);
    if (kind === "stands still") mortal.standStill(forMs);
    else mortal.die();
    return mortal.isDead ? undefined : never();
  }

  private drawKind(): "lives" | "dies" | "stands still" {
    const isHit = this.random.chance(0.3);
    const kind = this.random.chance(0.5) ? "dies" : "stands still";
    return isHit && !this.storm.calm.aborted ? kind : "lives";
  }

  private tell(what: string): void {
    this.storm.trace.add(this.configured.name, what);
  }
}

const never = () => new Promise<never>(() => {});

const idsIn = (request: object) =>
  (JSON.stringify(request).match(/\b(i|vol|snap|ami|eni)-[0-9a-f]+/g) ?? []).join(" ");

function mortalQueue(mortal: Mortal, queue: WakeQueue): WakeQueue {
  return {
    send: (messages) => mortal.live(() => queue.send(messages)),
    delete: (receiptHandle) => mortal.live(() => queue.delete(receiptHandle)),
  };
}

/** What EC2 does not answer is part of the storm; any other error is a defect. */
function stormTelemetry({ counts, violation }: Land): Telemetry {
  return {
    begin() {},
    end() {},
    info() {},
    warn: (message) => counts.add("warnings", message),
    error(message, error) {
      counts.add("failures", message);
      if (!(error instanceof CloudError)) violation.abort(error);
    },
    measure: (metric: Metric, value = 1) => counts.add("metrics", metric, value),
    traced: (_name, _annotations, run) => run(),
  };
}
