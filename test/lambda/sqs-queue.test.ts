/** The queue on SQS's own client: what goes over the wire, and what is refused. */
import { createSqsQueue } from "../../src/controller/lambda/sqs-queue";
import { wakeByEvent } from "../../src/controller/lambda/wakes";

interface Sent {
  target: string;
  body: { Entries?: { MessageBody: string }[]; ReceiptHandle?: string; QueueUrl: string };
}

const textOf = (body: unknown) =>
  body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body);

/** Answers as SQS does, and fails the messages of whom it is told to. */
function sqs(failing: readonly string[] = []) {
  const sent: Sent[] = [];
  const requestHandler = {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request: { headers: Record<string, string>; body?: unknown }) {
      const body: Sent["body"] = JSON.parse(textOf(request.body));
      sent.push({ target: request.headers["x-amz-target"] ?? "", body });
      const entries = (body.Entries ?? []).map((entry, index) => ({ ...entry, Id: String(index) }));
      const fails = (text: string) => failing.some((id) => text.includes(id));
      const answer = {
        Successful: entries.filter((each) => !fails(each.MessageBody)).map(({ Id }) => ({ Id })),
        Failed: entries
          .filter((each) => fails(each.MessageBody))
          .map(({ Id }) => ({
            Id,
            Code: "InternalError",
            Message: "try again",
            SenderFault: false,
          })),
      };
      const headers = { "content-type": "application/x-amz-json-1.0" };
      const reply = new TextEncoder().encode(JSON.stringify(answer));
      return { response: { statusCode: 200, headers, body: reply } };
    },
  };
  const queue = createSqsQueue(
    "https://sqs.us-east-1.amazonaws.com/123456789012/managed-instances-work.fifo",
    {
      region: "us-east-1",
      credentials: { accessKeyId: "nobody", secretAccessKey: "nothing" },
      requestHandler,
      // What SQS says of the texts' checksums is not under test.
      md5: false,
    },
  );
  return { queue, sent };
}

const wake = (index: number) =>
  wakeByEvent(`pmi-${index}`, { eventId: `event-${index}`, what: "a test" });

test("messages go out in tens, each with its managed instance as group and an id of its own", async () => {
  const { queue, sent } = sqs();
  await queue.send(Array.from({ length: 25 }, (_, index) => wake(index)));
  expect(sent.map(({ target, body }) => [target, body.Entries?.length])).toEqual([
    ["AmazonSQS.SendMessageBatch", 10],
    ["AmazonSQS.SendMessageBatch", 10],
    ["AmazonSQS.SendMessageBatch", 5],
  ]);
  expect(sent[0]?.body).toMatchObject({
    QueueUrl: "https://sqs.us-east-1.amazonaws.com/123456789012/managed-instances-work.fifo",
  });
  expect(sent[0]?.body.Entries?.[1]).toEqual({
    Id: "1",
    MessageBody: '{"id":"pmi-1","urgency":"recovery","reason":"a test"}',
    MessageGroupId: "pmi-1",
    MessageDeduplicationId: "event-1",
  });
});

test("nothing to send is no call", async () => {
  const { queue, sent } = sqs();
  await queue.send([]);
  expect(sent).toEqual([]);
});

test("a batch of which SQS took a part is an error that says how many, and why", async () => {
  const { queue } = sqs(["pmi-3", "pmi-4"]);
  await expect(queue.send(Array.from({ length: 6 }, (_, index) => wake(index)))).rejects.toThrow(
    "SQS did not take 2 of 6 messages (InternalError: try again)",
  );
});

test("a message that is done is deleted by its receipt", async () => {
  const { queue, sent } = sqs();
  await queue.delete("receipt-1");
  expect(sent).toEqual([
    {
      target: "AmazonSQS.DeleteMessage",
      body: {
        QueueUrl: "https://sqs.us-east-1.amazonaws.com/123456789012/managed-instances-work.fifo",
        ReceiptHandle: "receipt-1",
      },
    },
  ]);
});
