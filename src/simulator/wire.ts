/**
 * The ec2Query protocol around a simulator: one HTTP request in, one HTTP answer out, without any
 * socket, so that the HTTP server and the in-process request handler say exactly the same.
 * A lost reply is not an answer: it leaves as LostReplyError, and each caller breaks its connection
 * in its own way.
 */
import { Ec2Error } from "./errors";
import { answerSts, stsVersion } from "./sts";
import { requireSignature } from "./wire-authentication";
import { parseForm, parseInput } from "./wire-request";
import { renderError, renderReply } from "./wire-response";
import { operationPlan } from "./wire-schema";

/** What the protocol needs of a simulator. */
export interface WireTarget {
  readonly account: string;
  readonly clock: { readonly speed: number; now(): number };
  request(
    action: string,
    input: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>>;
}

export interface WireRequest {
  readonly method: string;
  /** Without its question mark. */
  readonly query: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface WireReply {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const ec2Version = "2016-11-15";

/** Rejects with LostReplyError, with the signal's reason, or for a bug of the simulator's own. */
export async function answer(
  target: WireTarget,
  request: WireRequest,
  signal?: AbortSignal,
): Promise<WireReply> {
  const requestId = nextRequestId(target);
  try {
    return reply(target, requestId, 200, await replyBody(target, request, { requestId, signal }));
  } catch (error) {
    if (!(error instanceof Ec2Error)) throw error;
    return errorReply(target, requestId, error);
  }
}

/** The answer to a request that is refused before it is read as a call of EC2. */
export function refusal(target: WireTarget, error: Ec2Error): WireReply {
  return errorReply(target, nextRequestId(target), error);
}

function errorReply(target: WireTarget, requestId: string, error: Ec2Error): WireReply {
  const body = renderError(error.code, error.message, requestId);
  return reply(target, requestId, error.statusCode, body);
}

async function replyBody(
  target: WireTarget,
  request: WireRequest,
  { requestId, signal }: { requestId: string; signal: AbortSignal | undefined },
): Promise<string> {
  const parameters = requestParameters(request);
  const action = parameters.get("Action");
  if (action === undefined || action === "") {
    const message = "The request is missing an action or a required parameter.";
    throw new Ec2Error("MissingAction", message);
  }
  requireSignature(request.headers.authorization, parameters);
  const version = parameters.get("Version");
  if (version === stsVersion) return answerSts(action, target.account, requestId);
  const operation = version === ec2Version ? operationPlan(action) : undefined;
  if (operation === undefined) {
    throw new Ec2Error("InvalidAction", `The action ${action} is not valid for this web service.`);
  }
  const input = parseInput(operation.input, actionParameters(parameters));
  signal?.throwIfAborted();
  return renderReply(operation, await target.request(action, input, signal), requestId);
}

function requestParameters({ method, query, body }: WireRequest): Map<string, string> {
  if (method === "GET") return parseForm(query);
  // A signed POST may carry its signature in the query string and its parameters in the form.
  return parseForm(query === "" ? body : `${query}&${body}`);
}

// The parameters common to all actions, of which the signature's were judged before: signature
// version 4 in the query string, and version 2, which old clients send.
const commonParameters: ReadonlySet<string> = new Set([
  "Action",
  "Version",
  "AWSAccessKeyId",
  "Expires",
  "SecurityToken",
  "Signature",
  "SignatureMethod",
  "SignatureVersion",
  "Timestamp",
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Security-Token",
  "X-Amz-Signature",
  "X-Amz-SignedHeaders",
]);

function* actionParameters(parameters: Map<string, string>): Iterable<[string, string]> {
  for (const parameter of parameters) {
    if (!commonParameters.has(parameter[0])) yield parameter;
  }
}

function reply(
  { clock }: WireTarget,
  requestId: string,
  statusCode: number,
  body: string,
): WireReply {
  const headers = {
    "content-type": "text/xml;charset=UTF-8",
    "cache-control": "no-cache, no-store",
    "x-amzn-requestid": requestId,
    // The simulator's own clock, because callers judge expiry by the Date of EC2's answers.
    date: new Date(clock.now()).toUTCString(),
    server: "AmazonEC2",
    // Lets a client that polls wait shorter where simulated time runs faster than its own.
    ...(clock.speed === 1 ? {} : { "x-simulator-speed": String(clock.speed) }),
  };
  return { statusCode, headers, body };
}

const requestCounts = new WeakMap<WireTarget, number>();

// Request ids are counted, not drawn, so that two runs of one program log the same.
function nextRequestId(target: WireTarget): string {
  const count = (requestCounts.get(target) ?? 0) + 1;
  requestCounts.set(target, count);
  return `00000000-0000-4000-8000-${count.toString(16).padStart(12, "0")}`;
}
