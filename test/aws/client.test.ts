// Requests and what is repeated of them, by the SDK as it is configured; EC2 is a script.

import { createEc2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";

const minutes = 60_000;

type Reply = { statusCode: number; body: string };

const refusal = (statusCode: number, code: string): Reply => ({
  statusCode,
  body: `<Response><Errors><Error><Code>${code}</Code><Message>${code}</Message></Error></Errors></Response>`,
});

/** An EC2 whose clock is ahead of this host's, and that refuses what was signed five minutes ago. */
function ec2AheadBy(aheadMs: number, replies: Reply[] = []) {
  const asked: string[] = [];
  const now = () => Date.now() + aheadMs;
  const requestHandler = {
    async handle({ body, headers }: { body: string; headers: Record<string, string> }) {
      asked.push(new URLSearchParams(body).get("Action") ?? "");
      const signedAt = Date.parse(
        (headers["x-amz-date"] ?? "").replace(
          /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
          "$1-$2-$3T$4:$5:$6Z",
        ),
      );
      const isInTime = Math.abs(now() - signedAt) < 5 * minutes;
      const done: Reply = { statusCode: 200, body: "<Response></Response>" };
      const { body: text, statusCode } = isInTime
        ? (replies.shift() ?? done)
        : refusal(400, "RequestExpired");
      const date = new Date(now()).toUTCString();
      return { response: { statusCode, headers: { date }, body: new TextEncoder().encode(text) } };
    },
  };
  const credentials = { accessKeyId: "simulated", secretAccessKey: "simulated" };
  const clock = new AwsClock();
  const ec2 = createEc2(
    { region: "eu-central-1", requestHandler: requestHandler as never, credentials },
    clock,
  );
  return { ec2, asked, clock };
}

const deletion = { VolumeId: "vol-0123456789abcdef0" };

describe("on a host whose clock is wrong", () => {
  test("the first request is signed again by EC2's time, and the next ones by it from the start", async () => {
    const { asked, clock, ec2 } = ec2AheadBy(120 * minutes);
    await ec2.call("DeleteVolume", deletion);
    expect(asked).toEqual(["DeleteVolume", "DeleteVolume"]);
    await ec2.call("DescribeVolumes", {});
    expect(asked).toEqual(["DeleteVolume", "DeleteVolume", "DescribeVolumes"]);
    expect(Math.abs(clock.now() - Date.now() - 120 * minutes)).toBeLessThan(minutes);
  });

  test("what EC2 may have carried out is not sent again", async () => {
    const replies = [refusal(503, "InternalError")];
    const { asked, ec2 } = ec2AheadBy(4.5 * minutes, replies);
    await expect(ec2.call("DeleteVolume", deletion)).rejects.toMatchObject({ meaning: "unknown" });
    expect(asked).toEqual(["DeleteVolume"]);
  });
});

test("what is denied on a host whose clock is right is not sent again", async () => {
  const { asked, ec2 } = ec2AheadBy(0, [refusal(403, "UnauthorizedOperation")]);
  await expect(ec2.call("DeleteVolume", deletion)).rejects.toMatchObject({ meaning: "denied" });
  expect(asked).toEqual(["DeleteVolume"]);
});
