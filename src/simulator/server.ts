/**
 * The simulator over HTTP: the wire protocol at the root, the control API under /_simulator/. It
 * listens on the loopback address only and refuses browsers, because it asks for no secret: neither
 * another machine nor a web page may drive it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ControlApi, controlPrefix, createControlApi } from "./control";
import { Ec2Error, LostReplyError } from "./errors";
import { guidance } from "./guidance";
import type { Simulator } from "./simulator";
import { answer, refusal, type WireReply } from "./wire";

export interface SimulatorServer {
  readonly endpoint: string;
  readonly port: number;
  /** Breaks open connections and stops listening. */
  close(): Promise<void>;
}

export interface ServerOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Told of the simulator's own bugs, which callers see as InternalError. */
  readonly report?: (error: unknown) => void;
}

const loopback = "127.0.0.1";
const bodyLimitBytes = 4 * 1024 * 1024;

/** Serves until closed. Rejects when the port is taken. */
export async function serveSimulator(
  simulator: Simulator,
  { port = 0, report = () => {} }: ServerOptions = {},
): Promise<SimulatorServer> {
  const site: Site = { simulator, control: createControlApi(simulator), endpoint: "", report };
  const server = createServer((request, response) => {
    void serve(site, request, response);
  });
  const address = await listen(server, port);
  site.endpoint = `http://${loopback}:${address.port}`;
  return {
    endpoint: site.endpoint,
    port: address.port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

interface Site {
  readonly simulator: Simulator;
  readonly control: ControlApi;
  endpoint: string;
  readonly report: (error: unknown) => void;
}

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, loopback, () => {
      server.off("error", reject);
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("no port was taken");
      resolve(address);
    });
  });
}

async function serve(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    send(response, await replyTo(site, request));
  } catch (error) {
    // A lost reply: the call is carried out and its connection breaks. Or the caller itself left.
    if (error instanceof LostReplyError || error === request.errored) {
      request.socket.destroy();
      return;
    }
    site.report(error);
    const message = error instanceof Error ? error.message : String(error);
    send(response, refusal(site.simulator, new Ec2Error("InternalError", message, 500)));
  }
}

async function replyTo(site: Site, request: IncomingMessage): Promise<WireReply> {
  const { simulator, control } = site;
  const method = request.method ?? "";
  const [path = "/", query = ""] = splitOnce(request.url ?? "/", "?");
  const stranger = strangerIn(request);
  if (stranger !== undefined) return plain(403, stranger);
  if (method !== "GET" && method !== "POST") {
    const reply = plain(405, `${method} is not possible here; EC2 is asked by POST or GET.\n`);
    return { ...reply, headers: { ...reply.headers, allow: "GET, POST" } };
  }
  const body = await readBody(request);
  if (body === undefined) {
    return refusal(simulator, new Ec2Error("RequestEntityTooLarge", tooLarge, 413));
  }
  if (path.startsWith(controlPrefix)) {
    const { statusCode, content } = control.answer({ method, path, body });
    return json(statusCode, content);
  }
  if (path !== "/") return plain(404, `There is nothing at ${path}; EC2 is at /.\n`);
  if (method === "GET" && query === "") return plain(200, guidance(simulator, site.endpoint));
  const headers = { authorization: request.headers.authorization };
  return answer(simulator, { method, query, headers, body });
}

const tooLarge = `The request is larger than ${bodyLimitBytes} bytes.`;
const ownNames = /^(127\.0\.0\.1|\[::1\]|([a-z0-9-]+\.)*localhost)(:\d+)?$/i;

// Browsers add Origin or Sec-Fetch-Site to what a page sends; a page that was given a name of its
// own for the loopback address shows in Host.
function strangerIn({ headers }: IncomingMessage): string | undefined {
  const site = headers["sec-fetch-site"];
  if (headers.origin !== undefined || (site !== undefined && site !== "none")) {
    return "Web pages may not drive the simulator.\n";
  }
  if (headers.host !== undefined && !ownNames.test(headers.host)) {
    return `The simulator answers on the loopback address only, not as ${headers.host}.\n`;
  }
  return undefined;
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    // What comes beyond the limit is read and dropped, so that the caller gets to see the answer.
    if (bytes <= bodyLimitBytes) chunks.push(chunk);
  }
  return bytes > bodyLimitBytes ? undefined : Buffer.concat(chunks).toString("utf8");
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function json(statusCode: number, content: unknown): WireReply {
  const headers = { "content-type": "application/json" };
  return { statusCode, headers, body: `${JSON.stringify(content)}\n` };
}

function plain(statusCode: number, body: string): WireReply {
  return { statusCode, headers: { "content-type": "text/plain;charset=UTF-8" }, body };
}

function send(response: ServerResponse, { statusCode, headers, body }: WireReply): void {
  const bytes = Buffer.from(body, "utf8");
  response.writeHead(statusCode, { ...headers, "content-length": String(bytes.length) });
  response.end(bytes);
}
