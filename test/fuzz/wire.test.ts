/**
 * Malformed requests to the embedded EC2, as forms to its actions and as bytes to its socket: each is
 * answered with an error of EC2's own or with success, and never with an error of the simulator's.
 */
import { connect } from "node:net";
import * as fc from "fast-check";
import { createSimulator, type Simulator } from "../../src/simulator";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import { answer } from "../../src/simulator/wire";
import { operationPlan, type WirePlan } from "../../src/simulator/wire-schema";
import { signature, version } from "../simulator-wire/wire-client";

const seed = Number(process.env.FUZZ_SEED ?? 1);

/** An account with one of everything, so that ids reach the depths of the actions. */
function inhabitedSimulator(): { simulator: Simulator; ids: string[] } {
  const simulator = createSimulator({ throttling: false });
  simulator.call("RunInstances", {
    ImageId: IMAGE_IDS.amazonLinux,
    InstanceType: "m5.large",
    MinCount: 1,
    MaxCount: 1,
  });
  simulator.clock.advance(300);
  simulator.call("CreateNetworkInterface", { SubnetId: DEFAULT_SUBNET_IDS[0] });
  const { images, instances, interfaces, volumes } = simulator.control.rows();
  const [volume] = volumes();
  if (volume !== undefined) simulator.call("CreateSnapshot", { VolumeId: volume.id });
  simulator.clock.advance(3600);
  const { snapshots } = simulator.control.rows();
  const rows = [images(), instances(), interfaces(), volumes(), snapshots()];
  const ids = rows.flatMap((each) => [...each]).map(({ id }) => id);
  return { simulator, ids: [...ids, ...DEFAULT_SUBNET_IDS] };
}

const oddTexts = [
  "",
  "0",
  "-1",
  "true",
  "2147483648",
  "1e999",
  "NaN",
  "*",
  "\u0000",
  "é".repeat(300),
];
/** What gets past the first look at a value. */
const fittingTexts: Partial<Record<WirePlan["kind"], fc.Arbitrary<string>>> = {
  boolean: fc.constantFrom("true", "false"),
  number: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer(), fc.double()).map(String),
  timestamp: fc.constantFrom("2026-01-01T00:00:00Z", "1970-01-01", "9999-12-31T23:59:59Z"),
};

const oddNames = [
  "__proto__",
  "constructor",
  "Filter",
  "Filter.2.Value.1",
  "Filter.999999999.Name",
];

/** Any parameter that the model of the action has, at any depth, with a text of any kind. */
function parameterOf(
  plan: WirePlan,
  text: fc.Arbitrary<string>,
  depth = 0,
): fc.Arbitrary<[string, string]> {
  if (plan.kind === "list") {
    const item =
      depth > 5
        ? fc.constant<[string, string]>(["", "x"])
        : parameterOf(plan.item, text, depth + 1);
    return fc
      .tuple(fc.constantFrom("1", "2", "7"), item)
      .map(([at, [name, value]]) => [joined(at, name), value]);
  }
  if (plan.kind !== "structure") {
    const fitting = fittingTexts[plan.kind];
    return (fitting === undefined ? text : fc.oneof(fitting, text)).map((value) => ["", value]);
  }
  const members = [...plan.byQueryName];
  if (members.length === 0 || depth > 5) return text.map((value) => ["", value]);
  return fc
    .constantFrom(...members)
    .chain(([queryName, member]) =>
      parameterOf(member.plan, text, depth + 1).map(([name, value]): [string, string] => [
        joined(queryName, name),
        value,
      ]),
    );
}

/** An id of the same kind that nothing has. */
const absent = (id: string) => id.replace(/-.*/, "-0123456789abcdef0");

const joined = (first: string, rest: string) => (rest === "" ? first : `${first}.${rest}`);

function formOf(simulator: Simulator, ids: readonly string[]): fc.Arbitrary<[string, string][]> {
  const text = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...ids) },
    { weight: 1, arbitrary: fc.constantFrom(...ids.map(absent)) },
    { weight: 2, arbitrary: fc.constantFrom(...oddTexts) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
    { weight: 1, arbitrary: fc.integer().map(String) },
  );
  return fc.constantFrom(...simulator.actions).chain((action) => {
    const plan = operationPlan(action)?.input;
    if (plan === undefined) throw new Error(`${action} has no plan`);
    const required = plan.required.map(({ queryName }) =>
      parameterOf(plan.byQueryName.get(queryName)?.plan ?? plan, text).map(
        ([name, value]): [string, string] => [joined(queryName, name), value],
      ),
    );
    const stranger = fc.tuple(fc.constantFrom(...oddNames), text);
    const more = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: parameterOf(plan, text) },
        { weight: 1, arbitrary: stranger },
      ),
      {
        maxLength: 3,
      },
    );
    return fc
      .tuple(fc.tuple(...required), more)
      .map(([needed, others]): [string, string][] => [["Action", action], ...needed, ...others]);
  });
}

test("any form to any simulated action is answered or refused as EC2 would, never with an error of the simulator's", async () => {
  const { simulator, ids } = inhabitedSimulator();
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(formOf(simulator, ids), async (form) => {
      const body = `${new URLSearchParams(form).toString()}&${version}`;
      const headers = { authorization: signature };
      const reply = await answer(simulator, { method: "POST", query: "", headers, body });
      const code = /<Code>(.*?)<\/Code>/.exec(reply.body)?.[1] ?? "success";
      codes.add(code);
      expect(code).not.toMatch(/^Internal/);
      expect(reply.body).toMatch(
        code === "success"
          ? /^<\?xml [^>]*\?><(\w+)Response xmlns="[^"]+"><requestId>[-0-9a-f]{36}<\/requestId>.*<\/\1Response>$/s
          : /^<\?xml [^>]*\?>\n?<Response><Errors><Error><Code>[\w.]+<\/Code><Message>.*<\/Message><\/Error><\/Errors><RequestID>[-0-9a-f]{36}<\/RequestID><\/Response>$/s,
      );
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 3000), seed },
  );
  // Shows that the forms reach the depths of the actions and not only their first check.
  for (const code of [/^success$/, /^InvalidParameterValue$/, /\.NotFound$/])
    expect([...codes]).toContainEqual(expect.stringMatching(code));
}, 600_000);

describe("bytes on the socket", () => {
  let server: SimulatorServer;
  const reported: unknown[] = [];
  beforeAll(async () => {
    server = await serveSimulator(createSimulator(), { report: (error) => reported.push(error) });
  });
  afterAll(() => server.close());

  /** Everything that comes back until the server or we hang up. */
  function send(bytes: string | Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const socket = connect(server.port, "127.0.0.1", () => socket.write(bytes));
      socket.setEncoding("latin1");
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
  }

  function posted(body: Buffer | string, headers: Record<string, string> = {}): Buffer {
    const bytes = Buffer.from(body);
    const lines = Object.entries({
      Host: "127.0.0.1",
      Authorization: signature,
      "Content-Type": "application/x-www-form-urlencoded",
      "Content-Length": String(bytes.length),
      Connection: "close",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\n${lines.join("")}\r\n`), bytes]);
  }

  const form = `Action=DescribeVpcs&${version}`;
  const refused: [what: string, bytes: Buffer | string, status: string, code: string][] = [
    ["an empty form", posted(""), "400", "MissingAction"],
    [
      "JSON",
      posted('{"Action":"DescribeVpcs"}', { "Content-Type": "application/x-amz-json-1.1" }),
      "400",
      "MissingAction",
    ],
    ["XML", posted("<DescribeVpcs/>", { "Content-Type": "text/xml" }), "400", "MissingAction"],
    [
      "bytes that are no text",
      posted(Buffer.from([0xff, 0xfe, 0x00, 0x80])),
      "400",
      "MissingAction",
    ],
    ["a wrong escape", posted(`${form}&VpcId.1=%`), "400", "MalformedQueryString"],
    [
      "a hundred thousand segments",
      posted(`${form}&${"Filter.1.".repeat(100_000)}=x`),
      "400",
      "UnknownParameter",
    ],
    [
      "a hundred thousand parameters",
      posted(`${form}&${Array.from({ length: 100_000 }, (_, n) => `X${n}=1`).join("&")}`),
      "400",
      "UnknownParameter",
    ],
    ["no signature", posted(form, { Authorization: "" }), "401", "AuthFailure"],
    [
      "a signature of another kind",
      posted(form, { Authorization: "Basic eDp5" }),
      "401",
      "AuthFailure",
    ],
    ["another version", posted("Action=DescribeVpcs&Version=2006-06-26"), "400", "InvalidAction"],
    ["five megabytes", posted("x".repeat(5 * 1024 * 1024)), "413", "RequestEntityTooLarge"],
  ];
  test.each(refused)("%s is refused as a request", async (_what, bytes, status, code) => {
    const reply = await send(bytes);
    expect(reply.split("\r\n")[0]).toContain(` ${status} `);
    expect(reply).toContain(`<Code>${code}</Code>`);
  });

  test.each([
    ["no HTTP", "\u0000\u0001\u0002\r\n\r\n"],
    ["an unknown method", "BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    ["a length that is none", "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n"],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ],
    ["headers without end", `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"x".repeat(100_000)}`],
  ])("%s is refused as HTTP, and the connection ends", async (_what, bytes) => {
    expect((await send(bytes)).split("\r\n")[0]).toMatch(/^HTTP\/1\.1 (400|405|431) /);
  });

  test("the server has found no error of its own in any of this, and goes on", async () => {
    expect(await send(posted(form))).toMatch(/^HTTP\/1\.1 200 /);
    expect(reported).toEqual([]);
  });
});
