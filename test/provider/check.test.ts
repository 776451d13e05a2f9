/** What check says of a program's properties. That EC2 answers so is not proven here. */
import { check } from "../../src/provider/check";
import type { Configuration } from "../../src/provider/configuration";
import { accountFacts, contextWith, goodInputs } from "./world";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

async function failuresOf(inputs: Record<string, unknown>, olds: Record<string, unknown> = {}) {
  const answer = await check(contextWith(accountFacts()), olds, { ...goodInputs, ...inputs });
  return answer.failures;
}

test("good properties pass, and the stack's Region is written into them", async () => {
  const answer = await check(contextWith(accountFacts()), {}, goodInputs);
  expect(answer).toEqual({ inputs: { ...goodInputs, region: "eu-central-1" }, failures: [] });
});

test.each<[string, Record<string, unknown>, string, string]>([
  [
    "a malformed image id",
    { imageId: "my-image" },
    "imageId",
    'imageId is "my-image" and must be an image id such as ami-0abc1234def567890. Find one with aws.ec2.getAmi or `aws ec2 describe-images`.',
  ],
  [
    "a missing property",
    { subnetIds: undefined },
    "subnetIds",
    "subnetIds is missing and must be a list. Find one with aws.ec2.getSubnets or `aws ec2 describe-subnets`.",
  ],
  [
    "an empty list",
    { instanceTypes: [] },
    "instanceTypes",
    'instanceTypes is [] and must name at least one instance type. List the types that may carry it, for example ["m6i.large", "m5.large"].',
  ],
  [
    "a wrong value deep inside",
    { rootVolume: { volumeType: "st1" } },
    "rootVolume.volumeType",
    'rootVolume.volumeType is "st1" and must be "gp3" or "gp2" or "io1" or "io2" or "standard". Correct it in the program.',
  ],
  [
    "a number out of range",
    { snapshots: { keep: 0 } },
    "snapshots.keep",
    "snapshots.keep is 0 and must be at least 1. Correct it in the program.",
  ],
  [
    "text where a number belongs",
    { snapshots: { keep: "3" } },
    "snapshots.keep",
    'snapshots.keep is "3" and must be a number. Correct it in the program.',
  ],
  [
    "a broken rule over two properties",
    { preferredInstanceTypes: ["m6g.large"] },
    "preferredInstanceTypes",
    'preferredInstanceTypes is ["m6g.large"] and m6g.large must also be listed in instanceTypes. Add it there, or remove it here.',
  ],
  [
    "a time-out without a unit",
    { timeouts: { create: "30" } },
    "timeouts.create",
    'timeouts.create is "30" and must be a duration such as "90s", "30m" or "2h". Correct it in the program.',
  ],
  [
    "an id to adopt that is none",
    { adopt: "i-0123456789" },
    "adopt",
    'adopt is "i-0123456789" and must be the id of a managed instance, such as pmi-0123456789ab. Take it from the `id` of the managed instance, or from the tag pmi:id.',
  ],
])(
  "%s is named with its value, the rule and the next step",
  async (_name, inputs, property, reason) => {
    expect(await failuresOf(inputs)).toEqual([{ property, reason }]);
  },
);

test.each<[string, string]>([
  ["gracePeriod", "Did you mean gracePeriodSeconds?"],
  ["keyPair", "Did you mean keyName?"],
  ["fallbackToOd", "Did you mean fallbackToOnDemand?"],
  ["fallback_to_ondemand", "Did you mean fallbackToOnDemand?"],
  ["preferredType", "Did you mean preferredInstanceTypes?"],
  ["enableMonitoring", "Did you mean monitoring?"],
  ["ami", "Did you mean imageId?"],
  ["imageID", "Did you mean imageId?"],
  ["instanceTypess", "Did you mean instanceTypes?"],
  ["vpcId", "The VPC follows from subnetIds: leave it out."],
])("%s is refused and answered with what was meant", async (name, suggestion) => {
  expect(await failuresOf({ [name]: "x" })).toEqual([
    { property: "", reason: `There is no property ${name}. ${suggestion}` },
  ]);
});

test.each(["toString", "constructor", "hasOwnProperty"])(
  "%s, which every object has, is a stranger like any other",
  async (name) => {
    const [failure] = await failuresOf({ [name]: "x" });
    expect(failure?.reason).toMatch(
      new RegExp(`^There is no property ${name}\\. (The properties are: region, |Did you mean)`),
    );
  },
);

test("a stranger with a name that fills the screen is shortened, between two characters", async () => {
  const [failure] = await failuresOf({ [`x${"\u{1F600}".repeat(5000)}`]: 1 });
  expect(failure?.reason).toMatch(
    /^There is no property x(\u{1F600}){39}…\. The properties are: /u,
  );
});

test("a value that fills the screen is shortened wherever a refusal names it", async () => {
  const long = "z".repeat(100_000);
  const failures = await failuresOf({
    preferredInstanceTypes: [long],
    imageId: long,
    tags: { a: long },
  });
  expect(failures.length).toBeGreaterThan(2);
  expect(failures.every(({ reason }) => reason.length < 600)).toBe(true);
});

test.each(["iamInstanceProfile", "instanceTypes", "userData", "adopt", "recycleToken"])(
  "an object with a length that cannot be compared is refused where %s belongs",
  async (name) => {
    const failures = await failuresOf({ [name]: { length: { toString: {} } } });
    expect(failures.length).toBeGreaterThan(0);
    expect(failures[0]?.reason).toMatch(new RegExp(`^${name} .*must be`));
  },
);

test("a stranger of any name inside an object is refused", async () => {
  expect((await failuresOf({ rootVolume: { size: {} } }))[0]?.property).toBe("rootVolume.size");
  expect(await failuresOf({ tags: { length: "a", size: "b" } })).toEqual([]);
});

test("a stranger inside an object is refused too", async () => {
  expect(await failuresOf({ rootVolume: { size: 10 } })).toEqual([
    {
      property: "rootVolume.size",
      reason: "There is no property rootVolume.size. Did you mean sizeGiB?",
    },
  ]);
});

test("user data is never repeated, however wrong it is", async () => {
  const failures = await failuresOf({ userData: `SECRET ${"x".repeat(20_000)}` });
  expect(failures).toHaveLength(1);
  expect(JSON.stringify(failures)).not.toContain("SECRET");
  expect(failures[0]?.reason).toMatch(/^userData must be at most 16 KiB/);
  // Pulumi itself would show the value of a property that is named.
  expect(failures[0]?.property).toBe("");
});

test("several mistakes are told together", async () => {
  const failures = await failuresOf({ imageId: "x", lifeCycle: "cheap", nonsense: 1 });
  expect(failures.map(({ property, reason }) => property || reason).sort()).toEqual([
    expect.stringMatching(/^There is no property nonsense\. The properties are: /),
    "imageId",
    "lifeCycle",
  ]);
});

test.each<[string, Record<string, unknown>]>([
  ["a text", { imageId: UNKNOWN }],
  ["a whole list", { subnetIds: UNKNOWN, privateIp: "10.0.9.9" }],
  ["one of a list", { subnetIds: ["subnet-00000001", UNKNOWN] }],
  ["the only one of a list", { instanceTypes: [UNKNOWN], preferredInstanceTypes: ["m5.large"] }],
  ["a partner of a rule", { lifeCycle: UNKNOWN, maxSpotPrice: 0.5 }],
  ["a number inside an object", { rootVolume: { volumeType: "io2", iops: UNKNOWN } }],
  ["every value", Object.fromEntries(Object.keys(goodInputs).map((key) => [key, UNKNOWN]))],
])("%s that a preview cannot know yet is not called wrong", async (_name, inputs) => {
  expect(await failuresOf(inputs)).toEqual([]);
});

test("what is known beside something unknown is still checked", async () => {
  const failures = await failuresOf({ imageId: UNKNOWN, subnetIds: ["nonsense"] });
  expect(failures.map(({ property }) => property)).toEqual(["subnetIds.0"]);
});

test.each<[string, Record<string, unknown>, string, RegExp]>([
  [
    "an image that does not exist",
    { imageId: "ami-0000dead" },
    "imageId",
    /^ami-0000dead does not exist in eu-central-1, or is not shared/,
  ],
  [
    "a type of another architecture",
    { instanceTypes: ["m6g.large"] },
    "instanceTypes",
    /^m6g\.large is arm64, and the image ami-00000001 is x86_64/,
  ],
  [
    "a type that does not exist",
    { instanceTypes: ["m5.huge"] },
    "instanceTypes",
    /^m5\.huge does not exist in eu-central-1/,
  ],
  [
    "a type that is not on Spot",
    { instanceTypes: ["u-6tb1.metal"] },
    "instanceTypes",
    /is not sold on Spot/,
  ],
  [
    "a missing subnet",
    { subnetIds: ["subnet-0000dead"] },
    "subnetIds",
    /^subnet-0000dead does not exist/,
  ],
  [
    "subnets of two VPCs",
    { subnetIds: ["subnet-00000001", "subnet-00000003"] },
    "subnetIds",
    /must be in one VPC, and are not: subnet-00000001 in vpc-1, subnet-00000003 in vpc-2/,
  ],
  [
    "a security group of another VPC",
    { securityGroupIds: ["sg-00000002"] },
    "securityGroupIds",
    /^sg-00000002 is in vpc-2, the subnets in vpc-1/,
  ],
  [
    "a missing security group",
    { securityGroupIds: ["sg-0000dead"] },
    "securityGroupIds",
    /^sg-0000dead does not exist/,
  ],
  ["a missing key pair", { keyName: "lost" }, "keyName", /^There is no key pair "lost"/],
  [
    "an address outside the subnet",
    { privateIp: "10.0.2.10" },
    "privateIp",
    /must be an address of subnet-00000001 \(10\.0\.1\.0\/24\)/,
  ],
  [
    "an address that EC2 keeps",
    { privateIp: "10.0.1.3" },
    "privateIp",
    /other than its first four and its last/,
  ],
  [
    "a root disk smaller than the image's",
    { rootVolume: { sizeGiB: 4 } },
    "rootVolume.sizeGiB",
    /is 4 and must be at least 8/,
  ],
])("%s is found before anything is made", async (_name, inputs, property, reason) => {
  const failures = await failuresOf(inputs);
  expect(failures.map((failure) => failure.property)).toEqual([property]);
  expect(failures[0]?.reason).toMatch(reason);
});

test("an address of the subnet passes", async () => {
  expect(await failuresOf({ privateIp: "10.0.1.254" })).toEqual([]);
});

test("a type that is offered only where no subnet is names the zones where it is", async () => {
  const facts = accountFacts({
    offerings: async () => [{ instanceType: "m5.large", zone: "eu-central-1c" }],
  });
  const { failures } = await check(contextWith(facts), {}, goodInputs);
  expect(failures[0]?.reason).toMatch(/not offered in eu-central-1a, .* but in eu-central-1c/);
});

const withDisks = (...otherDevices: string[]) =>
  accountFacts({
    image: async (imageId) => {
      const known = await accountFacts().image("ami-00000001");
      return known && { ...known, imageId, otherDevices };
    },
  });

test.each<[string, string[], string]>([
  [
    "one data disk",
    ["/dev/sdb"],
    "ami-00000001 maps another EBS volume (/dev/sdb) besides its root device /dev/xvda, and must map that alone: a managed instance carries one root disk, and data disks that are attached otherwise outlive it. Register an image without it, or choose another.",
  ],
  [
    "two data disks",
    ["/dev/sdb", "/dev/sdc"],
    "ami-00000001 maps further EBS volumes (/dev/sdb, /dev/sdc) besides its root device /dev/xvda, and must map that alone: a managed instance carries one root disk, and data disks that are attached otherwise outlive it. Register an image without them, or choose another.",
  ],
])("an image that maps %s is refused before anything is made", async (_name, devices, reason) => {
  const { failures } = await check(contextWith(withDisks(...devices)), {}, goodInputs);
  expect(failures).toEqual([{ property: "imageId", reason }]);
});

test("a swap to an image that maps a data disk is refused, too", async () => {
  const olds = { ...goodInputs, region: "eu-central-1" };
  const news = { ...goodInputs, imageId: "ami-00000002" };
  const { failures } = await check(contextWith(withDisks("/dev/sdb")), olds, news);
  expect(failures.map(({ property }) => property)).toEqual(["imageId"]);
});

test("what runs from an image that maps a data disk can still have its root disk changed", async () => {
  const olds = { ...goodInputs, region: "eu-central-1" };
  const news = { ...goodInputs, rootVolume: { sizeGiB: 20 } };
  const { failures } = await check(contextWith(withDisks("/dev/sdb")), olds, news);
  expect(failures).toEqual([]);
});

test("a licensed platform is warned about and not refused", async () => {
  const known = await accountFacts().image("ami-00000001");
  const facts = accountFacts({
    image: async () => known && { ...known, platformDetails: "Windows" },
  });
  const context = contextWith(facts);
  expect((await check(context, {}, goodInputs)).failures).toEqual([]);
  expect(context.logged.filter(({ severity }) => severity === "warning")).toHaveLength(1);
});

test("a withdrawn image does not stop a later change of a tag", async () => {
  const facts = accountFacts({ image: async () => undefined });
  const olds = { ...goodInputs, region: "eu-central-1" };
  const answer = await check(contextWith(facts), olds, { ...goodInputs, tags: { team: "a" } });
  expect(answer.failures).toEqual([]);
});

test.each([
  ["was withdrawn", accountFacts({ image: async () => undefined })],
  ["maps a data disk", withDisks("/dev/sdb")],
])("an image that %s does not stop the adoption of what descends from it", async (_what, facts) => {
  const news = { ...goodInputs, adopt: "pmi-0123456789ab" };
  expect((await check(contextWith(facts), {}, news)).failures).toEqual([]);
});

test("a withdrawn image stops a swap to it, also where adopt still stands in the program", async () => {
  const facts = accountFacts({ image: async () => undefined });
  const olds = { ...goodInputs, region: "eu-central-1", adopt: "pmi-0123456789ab" };
  const { failures } = await check(contextWith(facts), olds, { ...olds, imageId: "ami-00000002" });
  expect(failures.map(({ property }) => property)).toEqual(["imageId"]);
});

test("a check that we are not permitted to make is left out", async () => {
  const denied = Object.assign(new Error("no"), { name: "UnauthorizedOperation" });
  const facts = accountFacts({ image: () => Promise.reject(denied) });
  const context = contextWith(facts);
  expect((await check(context, {}, goodInputs)).failures).toEqual([]);
  expect(context.logged.map(({ severity }) => severity)).toContain("debug");
});

test("an EC2 that cannot be reached is a failure that says so once", async () => {
  const down = () => Promise.reject(new Error("connect ECONNREFUSED 127.0.0.1:1"));
  const facts = accountFacts({ image: down, subnets: down, instanceTypes: down, offerings: down });
  const { failures } = await check(contextWith(facts), {}, goodInputs);
  expect(failures).toHaveLength(1);
  expect(failures[0]?.reason).toMatch(
    /^EC2 in eu-central-1 could not be asked: connect ECONNREFUSED/,
  );
});

describe("Region", () => {
  const regionOf = async (
    configuration: Partial<Configuration>,
    olds: Record<string, unknown>,
    news: Record<string, unknown>,
  ) => {
    const context = contextWith(accountFacts(), {
      configuration: { unsupported: [], ...configuration },
    });
    return check(context, olds, { ...goodInputs, ...news });
  };

  test("one in the program goes before the stack's, and that before the recorded and the environment's", async () => {
    const all = { region: "eu-west-1", environmentRegion: "us-east-1" };
    expect((await regionOf(all, {}, { region: "eu-north-1" })).inputs.region).toBe("eu-north-1");
    expect((await regionOf(all, {}, {})).inputs.region).toBe("eu-west-1");
    const environment = { environmentRegion: "us-east-1" };
    expect((await regionOf(environment, { region: "eu-west-3" }, {})).inputs.region).toBe(
      "eu-west-3",
    );
    expect((await regionOf(environment, {}, {})).inputs.region).toBe("us-east-1");
  });

  test("none at all is a failure that says where to set it", async () => {
    const { failures } = await regionOf({}, {}, {});
    expect(failures[0]).toEqual({
      property: "region",
      reason:
        "The Region is missing. Set it with `pulumi config set aws:region eu-central-1`, or as the property region.",
    });
  });

  test("a change of it is refused", async () => {
    const { failures } = await regionOf({ region: "eu-west-1" }, { region: "eu-central-1" }, {});
    expect(failures[0]?.reason).toMatch(/does not move between Regions/);
  });
});

test("credentials in the stack's configuration are refused, not ignored", async () => {
  const context = contextWith(accountFacts(), {
    configuration: { region: "eu-central-1", unsupported: ["aws:accessKey"] },
  });
  const { failures } = await check(context, {}, goodInputs);
  expect(failures[0]?.reason).toMatch(/sets aws:accessKey, which managed instances do not support/);
});

test("the creation key stays what it was when the resource was made", async () => {
  const olds = { ...goodInputs, creationKey: "old key" };
  const { inputs } = await check(contextWith(accountFacts()), olds, goodInputs);
  expect(inputs.creationKey).toBe("old key");
});
