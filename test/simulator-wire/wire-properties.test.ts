import * as sdk from "@aws-sdk/client-ec2";
import * as fc from "fast-check";
import { simulatorRequestHandler } from "../../src/simulator/request-handler";
import type { WireTarget } from "../../src/simulator/wire";
import { knownActions, type OperationPlan, operationPlan } from "../../src/simulator/wire-schema";
import { structureArbitrary } from "./wire-arbitrary";
import { post, recordingTarget, version } from "./wire-client";

// CopySnapshot is left out because the SDK itself rewrites its input (a presigned URL).
const actions = knownActions().filter((action) => action !== "CopySnapshot");

test("whatever the SDK sends of any action of EC2 is read as exactly what its caller gave", async () => {
  const exchanges = fc
    .constantFrom(...actions)
    .chain((action) => fc.tuple(fc.constant(action), inputArbitrary(action)));
  await fc.assert(
    fc.asyncProperty(exchanges, async ([action, input]) => {
      const { received } = await exchange(action, input, {});
      expect(received).toEqual(input);
    }),
    { numRuns: 400 },
  );
});

test("whatever a simulator answers to any action of EC2 is what the SDK's caller gets", async () => {
  const exchanges = fc
    .constantFrom(...actions)
    .chain((action) =>
      fc.tuple(fc.constant(action), inputArbitrary(action), outputArbitrary(action)),
    );
  await fc.assert(
    fc.asyncProperty(exchanges, async ([action, input, output]) => {
      const { answered } = await exchange(action, input, output);
      expect(answered).toEqual(output);
    }),
    { numRuns: 400 },
  );
});

test("whatever form is sent, the answer is an answer or a refusal of EC2's, never a crash", async () => {
  const segment = fc.oneof(
    fc.constantFrom(
      "Filter",
      "Name",
      "Value",
      "Tag",
      "InstanceId",
      "Placement",
      "Ebs",
      "__proto__",
    ),
    fc.constantFrom("BlockDeviceMapping", "NetworkInterface", "constructor", "DryRun", "MaxCount"),
    fc.integer({ min: -1, max: 3 }).map(String),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  const name = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));
  const parameter = fc.tuple(name, fc.string({ unit: "binary", maxLength: 6 }));
  const wellEncoded = fc
    .tuple(fc.constantFrom(...actions), fc.array(parameter, { maxLength: 4 }))
    .map(
      ([action, parameters]) =>
        `${new URLSearchParams([["Action", action], ...parameters]).toString()}&${version}`,
    );
  const form = fc.oneof(
    wellEncoded,
    fc.string({ unit: "binary" }),
    wellEncoded.map(cutInTheMiddle),
  );
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(form, async (body) => {
      const reply = await post(recordingTarget(), body);
      expect([200, 400]).toContain(reply.statusCode);
      codes.add(/<Code>(.*?)<\/Code>/.exec(reply.body)?.[1] ?? "none");
    }),
    { numRuns: 2000 },
  );
  // Shows that the forms reach the depths of the protocol and not only its first check.
  for (const code of ["none", "MissingAction", "UnknownParameter", "MissingParameter"]) {
    expect([...codes]).toContain(code);
  }
});

function cutInTheMiddle(form: string): string {
  return form.slice(0, form.length / 2);
}

function inputArbitrary(action: string) {
  return structureArbitrary(planOf(action).input, {
    text: fc.string({ unit: "binary", maxLength: 12 }),
    // The SDK would draw one itself.
    always: new Set(["ClientToken"]),
    minMembers: 1,
  });
}

function outputArbitrary(action: string): fc.Arbitrary<Record<string, unknown>> {
  const { output } = planOf(action);
  if (output === undefined) return fc.constant({});
  return structureArbitrary(output, { text: xmlText, always: new Set(), minMembers: 0 });
}

function planOf(action: string): OperationPlan {
  const plan = operationPlan(action);
  if (plan === undefined) throw new Error(`${action} has no plan`);
  return plan;
}

// XML cannot carry other control characters, and the SDK reads white space with a line feed as
// nothing.
const xmlText = fc
  .string({ unit: "binary", maxLength: 12 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is excluded.
  .filter((text) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text))
  .filter((text) => text.trim() !== "" || text === "");

async function exchange(
  action: string,
  input: Record<string, unknown>,
  output: Record<string, unknown>,
) {
  let received: unknown;
  const target: WireTarget = {
    account: "123456789012",
    clock: { speed: 1, now: () => 0 },
    request: async (_action, parsed) => {
      received = parsed;
      return output;
    },
  };
  const client = new sdk.EC2Client({
    region: "us-east-1",
    credentials: { accessKeyId: "simulator", secretAccessKey: "simulator" },
    requestHandler: simulatorRequestHandler(target),
  });
  const Command: unknown = Reflect.get(sdk, `${action}Command`);
  if (typeof Command !== "function") throw new Error(`the SDK has no ${action}Command`);
  const { $metadata, ...answered } = await client.send(Reflect.construct(Command, [input]));
  expect($metadata.httpStatusCode).toBe(200);
  return { received, answered };
}
