/** How people are told, over the wire protocol of SNS. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createSnsNotifier,
  letterOf,
  type Notice,
  notifyAll,
} from "../../src/controller/notifications";

const notice: Notice = {
  kind: "recovered",
  id: "pmi-00000000000a",
  creationKey: "acme/urn:pulumi:dev::shop::pulumi-managed-instance:index:ManagedInstance::db",
  at: 1767225600000,
  message: "i-1 carries it as generation 2",
  generation: 2,
  downtimeSeconds: 75,
};

test("a letter has a subject for people, JSON for programs, and its kind to filter by", () => {
  expect(letterOf(notice)).toEqual({
    Subject: "db pmi-00000000000a: recovered",
    Message: JSON.stringify(notice),
    MessageAttributes: { kind: { DataType: "String", StringValue: "recovered" } },
  });
});

test("a subject is one that SNS takes, whatever the resource is called", () => {
  const { Subject } = letterOf({ ...notice, creationKey: `x::Datenbank für ${"ä".repeat(200)}\n` });
  expect(Subject).toMatch(/^[ -~]{1,100}$/);
});

test("what has expired belongs to no managed instance any more", () => {
  const { creationKey: _key, id: _id, ...expired } = { ...notice, kind: "expired" as const };
  expect(letterOf(expired).Subject).toBe("managed instances: expired");
});

test("a notice is published to the topic, in the Region of its ARN", async () => {
  const received: URLSearchParams[] = [];
  const regions: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push(new URLSearchParams(body));
    regions.push(
      /\/([a-z]+-[a-z]+-\d)\/sns\//.exec(request.headers.authorization ?? "")?.[1] ?? "",
    );
    response.end(
      '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const topicArn = "arn:aws:sns:eu-central-1:123456789012:managed-instances";
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const notifier = await createSnsNotifier({ topicArn, endpoint, credentials });
  await notifier.notify(notice);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(Object.fromEntries(received[0] ?? [])).toMatchObject({
    Action: "Publish",
    TopicArn: topicArn,
    Subject: "db pmi-00000000000a: recovered",
    Message: JSON.stringify(notice),
  });
  expect(regions).toEqual(["eu-central-1"]);
});

test("one that cannot be told does not keep the others from it, and is reported", async () => {
  const told: Notice[] = [];
  const broken = { notify: async () => Promise.reject(new Error("unreachable")) };
  const working = { notify: async (each: Notice) => void told.push(each) };
  await expect(notifyAll(broken, working).notify(notice)).rejects.toThrow("unreachable");
  expect(told).toEqual([notice]);
});
