import { DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { LostReplyError } from "../../src/simulator/errors";
import { simulatorRequestHandler } from "../../src/simulator/request-handler";
import type { WireTarget } from "../../src/simulator/wire";
import { recordingTarget } from "./wire-client";

function clientOf(target: WireTarget): EC2Client {
  return new EC2Client({
    region: "us-east-1",
    credentials: { accessKeyId: "simulator", secretAccessKey: "simulator" },
    requestHandler: simulatorRequestHandler(target),
    maxAttempts: 1,
  });
}

test("a lost reply is the connection reset that Node's HTTP client reports", async () => {
  const target = recordingTarget((action) => {
    throw new LostReplyError(action);
  });
  await expect(clientOf(target).send(new DescribeVpcsCommand({}))).rejects.toMatchObject({
    code: "ECONNRESET",
  });
  expect(target.received).toHaveLength(1);
});

test("the SDK repeats a call whose reply was lost, so the simulator is asked again", async () => {
  const target = recordingTarget((action) => {
    if (target.received.length === 1) throw new LostReplyError(action);
    return { Vpcs: [] };
  });
  const client = new EC2Client({
    region: "us-east-1",
    credentials: { accessKeyId: "simulator", secretAccessKey: "simulator" },
    requestHandler: simulatorRequestHandler(target),
  });
  await expect(client.send(new DescribeVpcsCommand({}))).resolves.toMatchObject({ Vpcs: [] });
  expect(target.received).toHaveLength(2);
});

test("an aborted call rejects as the SDK's own handlers do", async () => {
  const abort = new AbortController();
  const target: WireTarget = {
    ...recordingTarget(),
    request: (_action, _input, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
        abort.abort();
      }),
  };
  const call = clientOf(target).send(new DescribeVpcsCommand({}), { abortSignal: abort.signal });
  await expect(call).rejects.toMatchObject({ name: "AbortError" });
});

test("a bug of the simulator surfaces as itself instead of as an answer of EC2", async () => {
  const target = recordingTarget(() => ({ Vpcs: [{ Colour: "red" }] }));
  await expect(clientOf(target).send(new DescribeVpcsCommand({}))).rejects.toThrow(
    "what EC2's model does not have: DescribeVpcs.Vpcs[0].Colour",
  );
});
