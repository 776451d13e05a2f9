import { Ec2Error } from "../../src/simulator/errors";
import { answer } from "../../src/simulator/wire";
import { escapeXml } from "../../src/simulator/wire-response";
import { post, recordingTarget, signature, version } from "./wire-client";

describe("a well-formed request", () => {
  test("is read into the SDK's input with its types, lists counted from 1 (ec2-facts §13)", async () => {
    const target = recordingTarget(() => ({ Instances: [] }));
    const form = [
      "Action=RunInstances",
      version,
      "MinCount=1",
      "MaxCount=2",
      "ImageId=ami-1",
      "SecurityGroupId.1=sg-1",
      "SecurityGroupId.2=sg-2",
      "NetworkInterface.1.DeviceIndex=0",
      "NetworkInterface.1.NetworkInterfaceId=eni-1",
      "BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda",
      "BlockDeviceMapping.1.Ebs.DeleteOnTermination=false",
      "TagSpecification.1.ResourceType=instance",
      "TagSpecification.1.Tag.1.Key=Name",
      "TagSpecification.1.Tag.1.Value=web+one",
      "InstanceMarketOptions.SpotOptions.ValidUntil=2026-03-02T00%3A00%3A00Z",
    ].join("&");
    expect((await post(target, form)).statusCode).toBe(200);
    expect(target.received).toEqual([
      {
        action: "RunInstances",
        input: {
          MinCount: 1,
          MaxCount: 2,
          ImageId: "ami-1",
          SecurityGroupIds: ["sg-1", "sg-2"],
          NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: "eni-1" }],
          BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { DeleteOnTermination: false } }],
          TagSpecifications: [
            { ResourceType: "instance", Tags: [{ Key: "Name", Value: "web one" }] },
          ],
          InstanceMarketOptions: {
            SpotOptions: { ValidUntil: new Date("2026-03-02T00:00:00Z") },
          },
        },
      },
    ]);
  });

  test("orders a list by its numbers, not by where they stand", async () => {
    const target = recordingTarget();
    const ids = [10, 2, 1].map((n) => `InstanceId.${n}=i-${n}`).join("&");
    await post(target, `Action=DescribeInstances&${version}&${ids}`);
    expect(target.received[0]?.input).toEqual({ InstanceIds: ["i-1", "i-2", "i-10"] });
  });

  test("may come by GET with its signature in the query string", async () => {
    const target = recordingTarget();
    const query = [
      "Action=DescribeVpcs",
      version,
      "VpcId.1=vpc-1",
      "X-Amz-Algorithm=AWS4-HMAC-SHA256",
      "X-Amz-Credential=AKIA%2F20260301%2Fus-east-1%2Fec2%2Faws4_request",
      "X-Amz-Date=20260301T120000Z",
      "X-Amz-SignedHeaders=host",
      "X-Amz-Signature=00",
    ].join("&");
    const reply = await answer(target, { method: "GET", query, headers: {}, body: "" });
    expect(reply.statusCode).toBe(200);
    expect(target.received).toEqual([{ action: "DescribeVpcs", input: { VpcIds: ["vpc-1"] } }]);
  });
});

describe("a reply", () => {
  test("has AWS's envelope, lists of items and times with milliseconds, on one line", async () => {
    const target = recordingTarget(() => ({
      Volumes: [
        {
          VolumeId: "vol-1",
          Size: 8,
          Encrypted: false,
          CreateTime: new Date("2026-01-01T00:00:00Z"),
          Attachments: [],
          Tags: [{ Key: "Name", Value: "a <b> & 'c'" }],
          KmsKeyId: undefined,
        },
      ],
    }));
    const { body } = await post(target, `Action=DescribeVolumes&${version}`);
    expect(body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>' +
        '<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">' +
        "<requestId>00000000-0000-4000-8000-000000000001</requestId>" +
        "<volumeSet><item><volumeId>vol-1</volumeId><size>8</size><encrypted>false</encrypted>" +
        "<createTime>2026-01-01T00:00:00.000Z</createTime><attachmentSet/>" +
        "<tagSet><item><key>Name</key><value>a &lt;b&gt; &amp; &apos;c&apos;</value></item></tagSet>" +
        "</item></volumeSet></DescribeVolumesResponse>",
    );
  });

  test("of an action without a result says that it succeeded", async () => {
    const { body } = await post(recordingTarget(), `Action=DeleteVolume&${version}&VolumeId=vol-1`);
    expect(body).toContain("<return>true</return></DeleteVolumeResponse>");
  });

  test("carries AWS's headers and the Date of the simulator's clock", async () => {
    const { headers } = await post(recordingTarget(), `Action=DescribeVpcs&${version}`);
    expect(headers).toEqual({
      "content-type": "text/xml;charset=UTF-8",
      "cache-control": "no-cache, no-store",
      "x-amzn-requestid": "00000000-0000-4000-8000-000000000001",
      date: "Sun, 01 Mar 2026 12:00:00 GMT",
      server: "AmazonEC2",
    });
  });

  test("tells how fast simulated time runs when it does not run like the caller's", async () => {
    const target = recordingTarget(() => ({}), 60);
    const { headers } = await post(target, `Action=DescribeVpcs&${version}`);
    expect(headers["x-simulator-speed"]).toBe("60");
  });

  test.each([
    [{ Volumes: [{ VolumeIdd: "vol-1" }] }, "DescribeVolumes.Volumes[0].VolumeIdd: no such member"],
    [{ Volumes: [{ Size: "8" }] }, "DescribeVolumes.Volumes[0].Size: a number is expected"],
    [{ Volumes: [{ CreateTime: "2026" }] }, "Volumes[0].CreateTime: a Date is expected"],
    [{ Volumes: {} }, "DescribeVolumes.Volumes: a list is expected"],
    [{ Volumes: ["vol-1"] }, "DescribeVolumes.Volumes[0]: a structure is expected"],
  ])(
    "that EC2's model does not have is a bug of the simulator, never sent: %j",
    async (output, problem) => {
      const sent = post(
        recordingTarget(() => output),
        `Action=DescribeVolumes&${version}`,
      );
      await expect(sent).rejects.toThrow(problem);
    },
  );

  test("keeps line ends and replaces the characters that XML cannot carry", () => {
    expect(escapeXml("a\r\nb\tc")).toBe("a&#xD;&#xA;b&#x9;c");
    expect(escapeXml("a\u0000b\u001bc\ud800d\uffffe")).toBe("a\ufffdb\ufffdc\ufffdd\ufffde");
    expect(escapeXml("😀")).toBe("😀");
  });
});

describe("a request that EC2 would refuse", () => {
  const refusals: [form: string, status: number, code: string, message: string][] = [
    ["Version=2016-11-15", 400, "MissingAction", "The request is missing an action"],
    [
      `Action=DescribeUnicorns&${version}`,
      400,
      "InvalidAction",
      "The action DescribeUnicorns is not valid for this web service.",
    ],
    [
      `Action=__proto__&${version}`,
      400,
      "InvalidAction",
      "The action __proto__ is not valid for this web service.",
    ],
    [
      "Action=DescribeVpcs&Version=2001-01-01",
      400,
      "InvalidAction",
      "The action DescribeVpcs is not valid for this web service.",
    ],
    [
      `Action=DescribeVpcs&${version}&Colour=red`,
      400,
      "UnknownParameter",
      "The parameter Colour is not recognized",
    ],
    [
      `Action=DescribeVpcs&${version}&VpcId=vpc-1`,
      400,
      "UnknownParameter",
      "The parameter VpcId is not recognized",
    ],
    [
      `Action=DescribeVpcs&${version}&VpcId.0=vpc-1`,
      400,
      "UnknownParameter",
      "The parameter VpcId.0 is not recognized",
    ],
    [
      `Action=DescribeVpcs&${version}&Filter.1.Nome=x`,
      400,
      "UnknownParameter",
      "The parameter Filter.1.Nome is not recognized",
    ],
    [
      `Action=DescribeVpcs&${version}&MaxResults=many`,
      400,
      "InvalidParameterValue",
      "Value (many) for parameter MaxResults is invalid. Expecting a number.",
    ],
    [
      `Action=DescribeVpcs&${version}&DryRun=perhaps`,
      400,
      "InvalidParameterValue",
      "Value (perhaps) for parameter DryRun is invalid. Expecting true or false.",
    ],
    [
      `Action=DescribeSpotPriceHistory&${version}&StartTime=yesterday`,
      400,
      "InvalidParameterValue",
      "Value (yesterday) for parameter StartTime is invalid.",
    ],
    [
      `Action=CreateTags&${version}&ResourceId.1=i-1`,
      400,
      "MissingParameter",
      "The request must contain the parameter Tag",
    ],
    [
      `Action=RunInstances&${version}&ImageId=ami-1&MinCount=1`,
      400,
      "MissingParameter",
      "The request must contain the parameter MaxCount",
    ],
    [
      `Action=DescribeVpcs&${version}&VpcId.1=%zz`,
      400,
      "MalformedQueryString",
      "The query string contains a syntax error.",
    ],
    [
      `Action=DescribeVpcs&${version}&VpcId.1=a&VpcId.1=b`,
      400,
      "InvalidQueryParameter",
      "The AWS query string is malformed",
    ],
    ["Action=AssumeRole&Version=2011-06-15", 400, "InvalidAction", "The action AssumeRole is not"],
  ];

  test.each(refusals)("%s", async (form, status, code, message) => {
    const target = recordingTarget();
    const { statusCode, body } = await post(target, form);
    expect(statusCode).toBe(status);
    expect(body).toContain(`<Response><Errors><Error><Code>${code}</Code><Message>${message}`);
    expect(body).toMatch(/<\/Errors><RequestID>[-0-9a-f]{36}<\/RequestID><\/Response>$/);
    expect(target.received).toEqual([]);
  });
});

describe("a request's signature", () => {
  const form = `Action=DescribeVpcs&${version}`;

  test("must be there: without any, EC2 asks for the parameter AWSAccessKeyId", async () => {
    const { statusCode, body } = await post(recordingTarget(), form, {});
    expect(statusCode).toBe(400);
    expect(body).toContain("<Code>MissingParameter</Code>");
    expect(body).toContain("The request must contain the parameter AWSAccessKeyId");
  });

  test.each(["Bearer abc", "AWS4-HMAC-SHA256 Credential=nobody"])(
    "must have the form of signature version 4: %s",
    async (authorization) => {
      const { statusCode, body } = await post(recordingTarget(), form, { authorization });
      expect(statusCode).toBe(401);
      expect(body).toContain("<Code>AuthFailure</Code>");
    },
  );

  test("is accepted whatever the secret was", async () => {
    const reply = await post(recordingTarget(), form, { authorization: signature });
    expect(reply.statusCode).toBe(200);
  });
});

test("STS says whose account it is, because foreign clients ask before they use EC2", async () => {
  const { statusCode, body } = await post(
    recordingTarget(),
    "Action=GetCallerIdentity&Version=2011-06-15",
  );
  expect(statusCode).toBe(200);
  expect(body).toContain("<Account>123456789012</Account>");
});

test("an error of EC2 keeps its code, message and HTTP status on the wire", async () => {
  const target = recordingTarget(() => {
    throw new Ec2Error("InsufficientInstanceCapacity", "No <capacity>.", 500);
  });
  const { statusCode, body } = await post(target, `Action=DescribeVpcs&${version}`);
  expect(statusCode).toBe(500);
  expect(body).toContain(
    "<Code>InsufficientInstanceCapacity</Code><Message>No &lt;capacity&gt;.</Message>",
  );
});
