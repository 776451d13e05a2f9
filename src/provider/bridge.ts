/**
 * The only file that knows Pulumi's internals. A dynamic provider is not told its URN and time-out,
 * nor of Ctrl-C, and cannot write on its resource's row, although all of it reaches its process; here
 * it is picked up. Every hook is guarded: where Pulumi has changed, that one facility is missing and
 * nothing else.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import net from "node:net";

export interface CallMetadata {
  urn?: string;
  /** The time-out that the user gave in `customTimeouts`. */
  timeoutSeconds?: number;
}

export type Severity = "debug" | "info" | "warning" | "error";

export interface LogEntry {
  message: string;
  severity: Severity;
  urn?: string;
  /** Shown while it is the newest, and not repeated in the summary. */
  ephemeral?: boolean;
}

const ENGINE_CHECK_MS = 1_000;
/** The engine kills its plugins 5 s after SIGINT. */
const EXIT_AFTER_SIGINT_MS = 4_000;
const LOG_TIMEOUT_MS = 2_000;

const calls = new AsyncLocalStorage<CallMetadata>();
const stop = new AbortController();
let inFlight = 0;
let engineGone = false;

/** Aborted by the first Ctrl-C, by SIGINT and when the engine is gone: stop at the next safe point. */
export const stopSignal: AbortSignal = stop.signal;

/** What was this process's parent when it started: the engine, or its launcher. */
const parent = process.ppid;

/** What Pulumi said of the call being served; empty where that could not be found out. */
export function currentCall(): CallMetadata {
  return calls.getStore() ?? {};
}

/** Whether somebody is still there to save what a call returns. */
export function isEngineGone(): boolean {
  return engineGone;
}

/** Runs one call of the provider, so that the process knows whether ending would cut one off. */
export async function whileInFlight<T>(call: () => Promise<T>): Promise<T> {
  inFlight += 1;
  try {
    return await call();
  } finally {
    inFlight -= 1;
  }
}

type Load = (specifier: string) => unknown;
type Members = Record<string, unknown>;
type Method = (this: unknown, ...args: unknown[]) => unknown;

const mainFile = process.argv[1] ?? "";
const engineAddress = process.argv[2];

/** Loads from Pulumi's own file, so that we get the very copies of the modules that serve this process. */
const load: Load | undefined = /[\\/]cmd[\\/]dynamic-provider/.test(mainFile)
  ? createRequire(mainFile)
  : undefined;

if (load !== undefined) {
  const loadInternal = load;
  quietly(() => pickUpMetadata(loadInternal));
  quietly(() => pickUpCancellation(loadInternal));
  process.once("SIGINT", endSoon);
  watchEngine();
}

function quietly(hook: () => void): void {
  try {
    hook();
  } catch (error) {
    // A facility less, and no reason to refuse the user's work.
    if (process.env.PULUMI_MANAGED_INSTANCE_DEBUG) console.error("bridge to Pulumi:", error);
  }
}

/** Each request reads its properties once, synchronously, before it calls the provider. */
function pickUpMetadata(loadInternal: Load): void {
  const requests = members(loadInternal("../../proto/provider_pb"));
  const getters = {
    CreateRequest: "getProperties",
    ReadRequest: "getProperties",
    DeleteRequest: "getProperties",
    CheckRequest: "getOlds",
    DiffRequest: "getOlds",
    UpdateRequest: "getOlds",
  };
  for (const [name, getter] of Object.entries(getters)) {
    wrap(prototypeOf(requests[name]), getter, (request) => {
      const timeoutSeconds = Number(invoke(request, "getTimeout") ?? 0);
      calls.enterWith({
        urn: String(invoke(request, "getUrn") ?? ""),
        timeoutSeconds: timeoutSeconds > 0 ? timeoutSeconds : undefined,
      });
    });
  }
}

/**
 * Pulumi answers Cancel itself. Cancel and GetPluginInfo are the only calls that take Empty, and the
 * latter makes a PluginInfo at once; so an Empty without one is a Cancel.
 */
function pickUpCancellation(loadInternal: Load): void {
  const { Empty } = members(loadInternal("google-protobuf/google/protobuf/empty_pb"));
  const { PluginInfo } = members(loadInternal("../../proto/plugin_pb"));
  let pending: NodeJS.Timeout | undefined;
  wrap(members(Empty), "deserializeBinary", () => {
    pending = setTimeout(() => stop.abort(new Error("the update was cancelled")), 5);
  });
  wrap(prototypeOf(PluginInfo), "setVersion", () => clearTimeout(pending));
}

/** With no call being served, staying would make every pulumi command 5 s longer. */
function endSoon(): void {
  stop.abort(new Error("the update was ended"));
  if (inFlight === 0) process.exit(0);
  setTimeout(() => process.exit(0), EXIT_AFTER_SIGINT_MS);
}

/**
 * An engine that was killed says nothing. Its orphan must not finish what nobody will save, and must
 * not stay for ever: it ends as soon as the calls in flight have come to a safe point.
 */
function watchEngine(): void {
  setInterval(() => {
    if (process.ppid !== parent) return leave();
    whenRefused(engineAddress, leave);
  }, ENGINE_CHECK_MS).unref();
  lookWhenAsked();
}

/**
 * Whoever asks the signal before a step gets an answer of this moment and not of the last second: the
 * step may be the one that calls a creation complete.
 */
function lookWhenAsked(): void {
  const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")?.get;
  if (isAborted === undefined) return;
  Object.defineProperty(stop.signal, "aborted", {
    get: () => {
      const wasAborted: unknown = isAborted.call(stop.signal);
      if (wasAborted !== true && process.ppid !== parent) leave();
      return isAborted.call(stop.signal);
    },
  });
}

function leave(): void {
  engineGone = true;
  stop.abort(new Error("the Pulumi engine is gone"));
  if (inFlight === 0) process.exit(0);
}

/** Covers a launcher between the engine and us, whose process outlives the engine as our parent. */
function whenRefused(address: string | undefined, act: () => void): void {
  const [host, port] = address?.split(":") ?? [];
  if (host === undefined || port === undefined) return;
  const socket = net.connect({ host, port: Number(port) });
  socket.on("connect", () => socket.destroy());
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNREFUSED") act();
  });
  socket.unref();
}

let sendToEngine: ((entry: LogEntry) => Promise<void>) | undefined;

/** Writes on the row of the resource. Never fails and never keeps the caller longer than 2 s. */
export async function sendLog(entry: LogEntry): Promise<void> {
  try {
    sendToEngine ??= connectLog();
    await sendToEngine(entry);
  } catch {
    // Without the engine, lasting messages go where Pulumi shows what a provider prints.
    if (load !== undefined && !entry.ephemeral && entry.severity !== "debug") {
      console.log(entry.message);
    }
  }
}

function connectLog(): (entry: LogEntry) => Promise<void> {
  if (load === undefined || engineAddress === undefined) throw new Error("there is no engine");
  const { LogRequest, LogSeverity } = members(load("../../proto/engine_pb"));
  const grpc = members(load("@grpc/grpc-js"));
  const client = construct(grpc.Client, [
    engineAddress,
    invoke(grpc.credentials, "createInsecure"),
  ]);
  return (entry) => {
    const request = construct(LogRequest, []);
    invoke(request, "setSeverity", members(LogSeverity)[entry.severity.toUpperCase()]);
    invoke(request, "setMessage", entry.message);
    invoke(request, "setUrn", entry.urn ?? "");
    invoke(request, "setEphemeral", entry.ephemeral === true);
    return callLog(client, request);
  };
}

/** Its own deserialiser: Empty's is hooked above, and must not take the answer for a Cancel. */
function callLog(client: unknown, request: unknown): Promise<void> {
  const serialize = () => Buffer.from(invoke(request, "serializeBinary") as Uint8Array);
  const deadline = { deadline: new Date(Date.now() + LOG_TIMEOUT_MS) };
  return new Promise((resolve, reject) => {
    const done = (error: unknown) => (error ? reject(error) : resolve());
    const metadata = construct(members(load?.("@grpc/grpc-js")).Metadata, []);
    const args = [serialize, () => ({}), request, metadata, deadline, done];
    invoke(client, "makeUnaryRequest", "/pulumirpc.Engine/Log", ...args);
  });
}

function members(value: unknown): Members {
  const isHolder = (typeof value === "object" && value !== null) || typeof value === "function";
  if (!isHolder) throw new TypeError("Pulumi's internals have changed");
  return value as Members;
}

function prototypeOf(value: unknown): Members {
  return members(members(value).prototype);
}

function construct(type: unknown, args: unknown[]): unknown {
  return Reflect.construct(type as new (...args: unknown[]) => unknown, args);
}

/** Calls a method if there is one. */
function invoke(target: unknown, name: string, ...args: unknown[]): unknown {
  const method = members(target)[name];
  return typeof method === "function" ? method.apply(target, args) : undefined;
}

function wrap(target: Members, name: string, before: (self: unknown) => void): void {
  const original = target[name];
  if (typeof original !== "function") throw new TypeError(`Pulumi has no ${name} any more`);
  const wrapped: Method = function (...args) {
    before(this);
    return original.apply(this, args);
  };
  target[name] = wrapped;
}
