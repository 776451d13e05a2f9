import * as sdk from "@aws-sdk/client-ec2";
import { Ec2Error } from "../../src/simulator/errors";
import { simulatorRequestHandler } from "../../src/simulator/request-handler";
import { serveSimulator } from "../../src/simulator/server";
import { createSimulator, type Simulator } from "../../src/simulator/simulator";
import { type Outputs, tour } from "./tour";

interface Result {
  readonly action: string;
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly status: number };
}

type Transport = (action: string, input: Record<string, unknown>) => Promise<Result>;

// Calls take no time here, so that the same call falls on the same instant over each transport.
function newSimulator(): Simulator {
  return createSimulator({ seed: 7, latencies: { call: 0, runInstancesCall: 0 } });
}

function directly(simulator: Simulator): Transport {
  return async (action, input) => {
    try {
      return { action, output: withoutUndefined(simulator.call(action, input)) };
    } catch (error) {
      if (!(error instanceof Ec2Error)) throw error;
      const { code, message, statusCode: status } = error;
      return { action, error: { code, message, status } };
    }
  };
}

function withSdk(client: sdk.EC2Client): Transport {
  return async (action, input) => {
    const Command: unknown = Reflect.get(sdk, `${action}Command`);
    if (typeof Command !== "function") throw new Error(`the SDK has no ${action}Command`);
    try {
      const { $metadata: _, ...output } = await client.send(Reflect.construct(Command, [input]));
      return { action, output };
    } catch (error) {
      if (!(error instanceof sdk.EC2ServiceException)) throw error;
      const status = error.$metadata.httpStatusCode ?? 0;
      return { action, error: { code: error.name, message: error.message, status } };
    }
  };
}

function clientWith(configuration: sdk.EC2ClientConfig): sdk.EC2Client {
  return new sdk.EC2Client({
    region: "us-east-1",
    credentials: { accessKeyId: "simulator", secretAccessKey: "simulator" },
    maxAttempts: 1,
    ...configuration,
  });
}

async function walk(simulator: Simulator, send: Transport): Promise<Result[]> {
  const results: Result[] = [];
  const outputs = new Map<string, unknown>();
  const got: Outputs = (as, path) => {
    const value = path
      .split(".")
      .reduce<unknown>(
        (part, key) => (part === null || typeof part !== "object" ? part : Reflect.get(part, key)),
        outputs.get(as),
      );
    if (typeof value !== "string") throw new Error(`step ${as} answered no ${path}`);
    return value;
  };
  for (const { action, as, input, fails, thenSeconds } of tour()) {
    const result = await send(action, input(got));
    if (result.error?.code !== fails) {
      throw new Error(`${action} (${as}): ${JSON.stringify(result.error ?? "it succeeded")}`);
    }
    results.push(result);
    if (result.output !== undefined) outputs.set(as, result.output);
    simulator.clock.advance(thenSeconds);
  }
  return results;
}

test("every simulated action answers the SDK the same in process, over HTTP and directly", async () => {
  const direct = newSimulator();
  const expected = await walk(direct, directly(direct));

  const inProcess = newSimulator();
  const handler = simulatorRequestHandler(inProcess);
  expect(await walk(inProcess, withSdk(clientWith({ requestHandler: handler })))).toEqual(expected);

  const served = newSimulator();
  const server = await serveSimulator(served);
  const client = clientWith({ endpoint: server.endpoint });
  expect(await walk(served, withSdk(client))).toEqual(expected);
  client.destroy();
  await server.close();
}, 30_000);

test("the walk leaves no simulated action out", () => {
  const walked = tour().map(({ action }) => action);
  expect(newSimulator().actions.filter((action) => !walked.includes(action))).toEqual([]);
});

// The wire has no word for undefined, so a member that is undefined is one that is not there.
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, withoutUndefined(member)]),
  );
}
