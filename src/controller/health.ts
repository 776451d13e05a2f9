/** `/healthz` for whoever restarts the daemon, `/metrics` for Prometheus. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HealthOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** What is wrong, in a sentence; undefined when nothing is. */
  complaint(): string | undefined;
  metrics(): Promise<{ contentType: string; text: string }>;
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  contentType: string;
  text: string;
}

/** Rejects with a sentence when the port cannot be had. */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    void answerOf(request.method, request.url, options).then(({ contentType, status, text }) => {
      response.writeHead(status, { "content-type": contentType });
      response.end(request.method === "HEAD" ? undefined : text);
    });
  });
  const { host, port } = options;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const next = "Choose another port for health and metrics; 0 takes a free one.";
  if (error.code === "EADDRINUSE")
    return new Error(`port ${port} on ${host} is taken by another program. ${next}`);
  return new Error(`port ${port} on ${host} cannot be listened on (${error.message}). ${next}`);
}

async function answerOf(method = "GET", url = "/", options: HealthOptions): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return plain(405, "Only GET is possible here.\n");
  switch (url.split("?")[0]) {
    case "/healthz": {
      const complaint = options.complaint();
      return complaint === undefined ? plain(200, "ok\n") : plain(503, `${complaint}\n`);
    }
    case "/metrics":
      return { status: 200, ...(await options.metrics()) };
    default:
      return plain(404, "There are /healthz and /metrics.\n");
  }
}

const plain = (status: number, text: string): Answer => ({
  status,
  contentType: "text/plain; charset=utf-8",
  text,
});
