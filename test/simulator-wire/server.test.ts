import { request } from "node:http";
import { connect, createServer } from "node:net";
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";
import { createSimulator, type Simulator } from "../../src/simulator/simulator";
import { signature, version } from "./wire-client";

let simulator: Simulator;
let server: SimulatorServer;

beforeEach(async () => {
  simulator = createSimulator();
  server = await serveSimulator(simulator);
});

afterEach(() => server.close());

function clientOf({ endpoint }: SimulatorServer): EC2Client {
  return new EC2Client({
    region: "us-east-1",
    endpoint,
    credentials: { accessKeyId: "simulator", secretAccessKey: "simulator" },
    maxAttempts: 1,
  });
}

interface RawReply {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

function ask(
  path: string,
  { method = "GET", headers = {}, body = "" }: RawRequest = {},
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const call = request(`${server.endpoint}${path}`, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    call.on("error", reject);
    call.end(body);
  });
}

interface RawRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

test("an unmodified SDK client launches and finds an instance over HTTP", async () => {
  const client = clientOf(server);
  const image = firstImageId();
  const launched = await client.send(
    new RunInstancesCommand({
      ImageId: image,
      InstanceType: "t3.micro",
      MinCount: 1,
      MaxCount: 1,
    }),
  );
  const instanceId = launched.Instances?.[0]?.InstanceId ?? "none";
  const described = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  expect(described.Reservations?.[0]?.Instances?.[0]).toMatchObject({
    InstanceId: instanceId,
    ImageId: image,
    LaunchTime: expect.any(Date),
    State: { Code: 0, Name: "pending" },
  });
  client.destroy();
});

test("the Date of an answer is the simulator's, also after time was moved", async () => {
  simulator.clock.advance(86_400);
  const { headers } = await postForm("Action=DescribeVpcs");
  const clockDate = new Date(simulator.clock.now()).toUTCString();
  expect(headers.date).toBe(clockDate);
  expect(clockDate).toContain("02 Jan 2026");
});

test("a simulator on a faster clock says how fast in each answer", async () => {
  await server.close();
  simulator = createSimulator({ clock: { kind: "real", speed: 600 } });
  server = await serveSimulator(simulator);
  const { headers } = await postForm("Action=DescribeVpcs");
  expect(headers["x-simulator-speed"]).toBe("600");
});

test("a lost reply closes the connection, and the call was carried out", async () => {
  simulator.control.setFaults({ lostReply: { action: "CreateVolume", next: 1 } });
  const lost = postForm("Action=CreateVolume&AvailabilityZone=us-east-1a&Size=1");
  await expect(lost).rejects.toMatchObject({ code: "ECONNRESET" });
  const { text } = await postForm("Action=DescribeVolumes");
  expect(text).toContain("<volumeId>vol-");
});

test("errors of EC2 reach the SDK with code, status and request id", async () => {
  const client = clientOf(server);
  const described = client.send(
    new DescribeInstancesCommand({ InstanceIds: ["i-0123456789abcdef0"] }),
  );
  await expect(described).rejects.toMatchObject({
    name: "InvalidInstanceID.NotFound",
    $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[-0-9a-f]{36}$/) },
  });
  client.destroy();
});

test("its root tells a person what it is and how to use it", async () => {
  const { status, text } = await ask("/");
  expect(status).toBe(200);
  expect(text).toContain(`aws --endpoint-url ${server.endpoint} ec2 run-instances`);
  expect(text).toContain("/_simulator/interrupt");
  expect(simulator.control.calls()).toEqual([]);
});

test.each<Record<string, string>>([
  { origin: "https://example.org" },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { host: "rebound.example.org" },
])("a web page may not drive it: %j", async (headers) => {
  const pages = await Promise.all([
    ask("/_simulator/state", { headers }),
    ask("/", { method: "POST", headers, body: `Action=DescribeVpcs&${version}` }),
  ]);
  expect(pages.map(({ status }) => status)).toEqual([403, 403]);
  expect(simulator.control.calls()).toEqual([]);
});

test("it listens on the loopback address only", () => {
  expect(server.endpoint).toBe(`http://127.0.0.1:${server.port}`);
});

test("other methods and other paths are refused", async () => {
  expect(await ask("/", { method: "DELETE" })).toMatchObject({
    status: 405,
    headers: { allow: "GET, POST" },
  });
  expect(await ask("/bucket/key")).toMatchObject({ status: 404 });
});

test("a request of more than four megabytes is refused, and the server goes on", async () => {
  const large = await ask("/", { method: "POST", body: "x".repeat(4 * 1024 * 1024 + 1) });
  expect(large.status).toBe(413);
  expect(large.text).toContain("<Code>RequestEntityTooLarge</Code>");
  expect((await postForm("Action=DescribeVpcs")).status).toBe(200);
});

test("a caller that hangs up in the middle of its request is no error", async () => {
  const reported: unknown[] = [];
  const other = await serveSimulator(simulator, { report: (error) => reported.push(error) });
  await new Promise<void>((resolve) => {
    const socket = connect(other.port, "127.0.0.1", () => {
      socket.write(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nAction=",
        () => {
          socket.destroy();
        },
      );
    });
    socket.on("close", () => resolve());
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.close();
  expect(reported).toEqual([]);
});

test("a port that is taken is an error with its code", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(serveSimulator(simulator, { port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  await new Promise((resolve) => taken.close(resolve));
});

function postForm(form: string): Promise<RawReply> {
  const headers = {
    authorization: signature,
    "content-type": "application/x-www-form-urlencoded",
  };
  return ask("/", { method: "POST", headers, body: `${form}&${version}` });
}

function firstImageId(): string {
  const { Images } = simulator.call("DescribeImages", {
    Owners: ["amazon"],
    Filters: [{ Name: "architecture", Values: ["x86_64"] }],
  });
  const [first] = Array.isArray(Images) ? Images : [];
  return String(first?.ImageId);
}
