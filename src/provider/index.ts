/**
 * The dynamic front-end: what the stub in Pulumi's state loads. It turns Pulumi's calls into those of
 * the handlers and makes sure that what goes back can be stored: Pulumi loses a resource, or hangs for
 * ever, over a value that is not plain JSON.
 */
import type * as pulumi from "@pulumi/pulumi";
import { currentCall, sendLog, stopSignal, whileInFlight } from "./bridge";
import { type Configuration, readConfiguration } from "./configuration";
import type { Context } from "./context";
import type { PartialFailure } from "./failure";
import type { Properties } from "./inputs";

let configuration: Configuration = { unsupported: [] };

/** Loaded at the first call, not with the module: Pulumi starts a process for every preview. */
const handlers = () => (require("./handlers") as typeof import("./handlers")).handlers;
const connections = () => require("./connection") as typeof import("./connection");

type Handle<Answer> = (context: Context) => Promise<Answer> | Answer;

/** Messages of one call stay in order, and all of them are out before it ends. */
async function serve<Answer>(handle: Handle<Answer>, recorded: Properties = {}): Promise<Answer> {
  const { urn = recordedUrn(recorded), timeoutSeconds } = currentCall();
  let sent = Promise.resolve();
  const context: Context = {
    urn,
    timeoutSeconds,
    signal: stopSignal,
    configuration,
    log(message, { severity = "info", ephemeral } = {}) {
      sent = sent.then(() => sendLog({ message, severity, urn, ephemeral }));
    },
    connect: (region) => connections().connect(region, configuration),
  };
  return whileInFlight(async () => {
    try {
      return await handle(context);
    } finally {
      await sent;
    }
  });
}

const recordedUrn = ({ __urn }: Properties) => (typeof __urn === "string" ? __urn : undefined);

/** Without undefined, dates and the like. */
const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

/** Pulumi keeps what a failed call made only with an id, and can use it later only with the stub. */
async function keepingPartial<Answer>(inputs: Properties, call: () => Promise<Answer>) {
  try {
    return await call();
  } catch (error) {
    if (!isPartial(error)) throw error;
    const { id, message, reasons } = error;
    const properties = { ...plain(error.properties), __provider: inputs.__provider };
    throw Object.assign(new Error(message), { id, properties, reasons: [...reasons] });
  }
}

const isPartial = (error: unknown): error is PartialFailure =>
  error instanceof Error && error.name === "PartialFailure";

export const provider: pulumi.dynamic.ResourceProvider<Properties, Properties> = {
  /** Synchronous on purpose: Pulumi does not hold other calls back until it has ended. */
  configure({ config }) {
    configuration = readConfiguration((key) => config.get(key));
    return Promise.resolve();
  },
  check: (olds, news) =>
    serve(async (context) => plain(await handlers().check(context, olds, news))),
  diff: (_id, olds, news) => serve((context) => handlers().diff(context, olds, news), olds),
  create: (inputs) =>
    keepingPartial(inputs, () =>
      serve(async (context) => plain(await handlers().create(context, inputs))),
    ),
  read: (id, props = {}) =>
    serve(async (context) => plain(await handlers().read(context, id, props)), props),
  update: (id, olds, news) =>
    keepingPartial(news, () =>
      serve(async (context) => plain(await handlers().update(context, id, olds, news)), olds),
    ),
  delete: (id, props) => serve((context) => handlers().deallocate(context, id, props), props),
};
