/**
 * The simulator as the `requestHandler` of an AWS SDK client: real serialisation and real wire
 * protocol without a socket. It waits for nothing but the simulator itself: a macrotask of its own
 * would let a virtual clock believe that everybody sleeps (see the clock's rule for jumps).
 */
import { LostReplyError } from "./errors";
import { answer, type WireReply, type WireTarget } from "./wire";

// The parts that we read of the SDK's own request; its class is not ours to depend on.
interface SdkRequest {
  readonly method: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

// A type rather than an interface, because the SDK's own parameter type has an index signature.
export type SimulatorRequestHandler = {
  readonly metadata: { readonly handlerProtocol: string };
  handle(
    request: SdkRequest,
    options?: { abortSignal?: unknown },
  ): Promise<{ response: SdkResponse }>;
  destroy(): void;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
};

/** For `new EC2Client({ requestHandler: simulatorRequestHandler(simulator), … })`. */
export function simulatorRequestHandler(target: WireTarget): SimulatorRequestHandler {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request, { abortSignal } = {}) {
      const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined;
      const reply = await answerOrBreak(target, request, signal);
      // An abort by now comes too late to undo the call, as with a request that is on its way.
      if (signal?.aborted) throw requestAborted(signal.reason);
      return { response: { ...reply, body: new TextEncoder().encode(reply.body) } };
    },
    destroy() {},
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

async function answerOrBreak(
  target: WireTarget,
  request: SdkRequest,
  signal: AbortSignal | undefined,
): Promise<WireReply> {
  const wireRequest = {
    method: request.method,
    query: queryString(request.query),
    headers: lowerCaseNames(request.headers),
    body: bodyText(request.body),
  };
  try {
    return await answer(target, wireRequest, signal);
  } catch (error) {
    if (signal?.aborted) throw requestAborted(error);
    // What Node's own HTTP client reports of a connection that broke before its answer.
    if (error instanceof LostReplyError) throw connectionReset(error);
    throw error;
  }
}

function connectionReset(cause: LostReplyError): Error {
  const error = new Error(cause.message, { cause });
  return Object.assign(error, { code: "ECONNRESET", errno: -104, syscall: "read" });
}

function requestAborted(cause: unknown): Error {
  return Object.assign(new Error("Request aborted", { cause }), { name: "AbortError" });
}

function queryString(query: SdkRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const text of Array.isArray(value) ? value : [value ?? ""]) parameters.append(name, text);
  }
  return parameters.toString();
}

function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function bodyText(body: unknown): string {
  if (body === undefined || body === null) return "";
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  throw new Error("EC2's requests are forms; a streamed body is not understood");
}
