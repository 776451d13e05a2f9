/**
 * What the functions use of AWS, put together from their environment: once for each process, so that
 * caches, connections and AWS's clock are shared by all that it is asked to do.
 */
import { createEc2, type Ec2, type Ec2Options } from "../../aws/client";
import { AwsClock } from "../../aws/clock";
import { createCloud } from "../../aws/cloud";
import { createInventory } from "../../aws/inventory";
import { createAnchorRegistry } from "../../aws/registry";
import { createDynamoRegistry } from "../dynamo-registry";
import type { Urgency } from "../news";
import { createSnsNotifier, type Notice, type Notifier } from "../notifications";
import { createRationing } from "../rationing";
import type { ControllerRegistry } from "../registry";
import { createSurveyor } from "../survey";
import { readConfiguration } from "./configuration";
import type { RouterDeps } from "./router";
import { createSqsQueue } from "./sqs-queue";
import type { SweeperDeps } from "./sweep";
import { createTelemetry, type Telemetry } from "./telemetry";
import type { WorkerDeps } from "./worker";

export async function openRouter(): Promise<RouterDeps> {
  const { region, need } = readConfiguration();
  const telemetry = createTelemetry("router");
  const { clock, ec2 } = openEc2(region, telemetry);
  const registry = createDynamoRegistry({ table: need("TABLE_NAME"), region });
  const rationing = createRationing({ ec2, registry, clock, unrationed: warningOf(telemetry) });
  const rationed = rationing.ec2(() => "recovery");
  const now = () => clock.now();
  return {
    ec2: rationed,
    surveyor: createSurveyor({ ec2: rationed, registry, now }),
    queue: createSqsQueue(need("QUEUE_URL"), { region }),
    telemetry,
  };
}

export async function openWorker(): Promise<WorkerDeps> {
  const { host, need, region } = readConfiguration();
  const telemetry = createTelemetry("worker");
  const { clock, ec2 } = openEc2(region, telemetry);
  const registry = createDynamoRegistry({ table: need("TABLE_NAME"), region });
  const notifier = measured(await createSnsNotifier({ topicArn: need("TOPIC_ARN") }), telemetry);
  const rationing = createRationing({ ec2, registry, clock, unrationed: warningOf(telemetry) });
  const settingsFor = (urgency: Urgency) =>
    workSettings(
      { registry, notifier, telemetry, clock, host },
      rationing.ec2(() => urgency),
    );
  return {
    work: { recovery: settingsFor("recovery"), upkeep: settingsFor("upkeep") },
    queue: createSqsQueue(need("QUEUE_URL"), { region }),
    telemetry,
  };
}

export async function openSweeper(): Promise<SweeperDeps> {
  const { need, region } = readConfiguration();
  const telemetry = createTelemetry("sweep");
  const { clock, ec2 } = openEc2(region, telemetry);
  return {
    sweep: { cloud: createCloud(ec2, clock), inventory: createInventory(ec2), clock },
    notifier: await createSnsNotifier({ topicArn: need("TOPIC_ARN") }),
    telemetry,
  };
}

function openEc2(region: string, telemetry: Telemetry) {
  const clock = new AwsClock();
  const answered: Ec2Options["answered"] = (_action, answer) => {
    telemetry.measure("Calls");
    if (answer === "throttled") telemetry.measure("Throttles");
  };
  return { clock, ec2: createEc2({ region, answered }, clock) };
}

const warningOf = (telemetry: Telemetry) => (error: unknown) =>
  telemetry.warn("a call went on without a token", { error: String(error) });

interface Shared {
  registry: ControllerRegistry;
  notifier: Notifier;
  telemetry: Telemetry;
  clock: AwsClock;
  host: string;
}

function workSettings(
  { registry, notifier, telemetry, clock, host }: Shared,
  ec2: Ec2,
): WorkerDeps["work"]["recovery"] {
  return {
    cloud: createCloud(ec2, clock),
    anchors: createAnchorRegistry(ec2),
    registry,
    notifier,
    clock,
    claimant: { host, pid: process.pid },
    told: (id, { kind, message, ...event }) =>
      telemetry.info(message, { id, event: kind, ...event }),
    report: (id, what, error) => telemetry.error(`${what} could not be written`, error, { id }),
  };
}

/** What people are told of is counted too. */
function measured(notifier: Notifier, telemetry: Pick<Telemetry, "measure">): Notifier {
  return {
    async notify(notice: Notice) {
      if (notice.kind === "interrupted") telemetry.measure("Interrupted");
      if (notice.kind === "recovered") telemetry.measure("Recovered");
      if (notice.downtimeSeconds !== undefined)
        telemetry.measure("DowntimeSeconds", notice.downtimeSeconds);
      await notifier.notify(notice);
    },
  };
}
