// A connection on which AWS falls silent: given up, and what may be repeated is asked again on another.

import { createServer, type Server, type Socket } from "node:net";
import { createEc2, type Ec2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { connections, proxyEnvironment } from "../../src/aws/connections";
import { createDynamoRegistry } from "../../src/controller/dynamo-registry";

const { socketTimeout } = connections;
/** Long before the SDK would give a silent connection up. */
const limitMs = 5_000;
const credentials = { accessKeyId: "simulated", secretAccessKey: "simulated" };
const place = { region: "eu-central-1", credentials };
const answer = (body: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;

let server: Server;
let sockets: Socket[];
let body: string;

beforeEach(async () => {
  connections.socketTimeout = 200;
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    if (sockets.length > 1) socket.on("data", () => socket.end(answer(body)));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});

afterEach(async () => {
  connections.socketTimeout = socketTimeout;
  for (const socket of sockets) socket.destroy();
  await new Promise((closed) => server.close(closed));
});

function endpoint(): string {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("it does not listen");
  return `http://127.0.0.1:${address.port}`;
}

const ec2 = (): Ec2 => createEc2({ ...place, endpoint: endpoint() }, new AwsClock());

test(
  "a look goes on over another connection",
  async () => {
    body = "<Response><volumeSet/></Response>";
    await expect(ec2().call("DescribeVolumes", {})).resolves.toMatchObject({ Volumes: [] });
    expect(sockets).toHaveLength(2);
  },
  limitMs,
);

test(
  "of a change it is unknown whether it was carried out, and the engine looks again",
  async () => {
    const change = ec2().call("DeleteVolume", { VolumeId: "vol-0123456789abcdef0" });
    await expect(change).rejects.toMatchObject({ meaning: "unknown" });
    expect(sockets).toHaveLength(1);
  },
  limitMs,
);

test(
  "the registry goes on over another connection",
  async () => {
    body = "{}";
    const registry = createDynamoRegistry({ ...place, endpoint: endpoint(), table: "registry" });
    await expect(registry.get("pmi-0123456789ab")).resolves.toBeUndefined();
    expect(sockets).toHaveLength(2);
  },
  limitMs,
);

describe("a proxy that the environment names", () => {
  /** Older ones do not know of the setting. */
  const isFollowed = followsProxies(process.versions.node);
  const { proxyEnv } = connections.httpsAgent;

  afterEach(() => {
    connections.httpsAgent.proxyEnv = proxyEnv;
  });

  async function askedThroughProxy(noProxy: string): Promise<readonly string[]> {
    const asked: string[] = [];
    server.on("connection", (socket: Socket) =>
      socket.on("data", (data) => {
        asked.push(String(data).split("\r\n")[0] ?? "");
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      }),
    );
    const environment = { HTTPS_PROXY: endpoint(), NO_PROXY: noProxy, SECRET: "hidden" };
    connections.httpsAgent.proxyEnv = proxyEnvironment(environment);
    expect(Object.values(connections.httpsAgent.proxyEnv)).not.toContain("hidden");
    const far = createEc2({ ...place, endpoint: "https://ec2.invalid" }, new AwsClock());
    const change = far.call("DeleteVolume", { VolumeId: "vol-0123456789abcdef0" });
    await expect(change).rejects.toMatchObject({ meaning: "unknown" });
    return asked;
  }

  test("is asked for AWS", async () => {
    const asked = isFollowed ? ["CONNECT ec2.invalid:443 HTTP/1.1"] : [];
    expect(await askedThroughProxy("")).toEqual(asked);
  });

  test("is not asked for what the environment excepts", async () => {
    expect(await askedThroughProxy(".invalid")).toEqual([]);
  });
});

function followsProxies(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}
