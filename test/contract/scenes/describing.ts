/** Looking things up: unknown ids, filters, pages and limits (ec2-facts §9). */
import assert from "node:assert/strict";
import type { EC2 } from "@aws-sdk/client-ec2";
import { z } from "zod";
import { type Stage, scene } from "../scene";
import { expectRefused, newInterface, ownName, refusalOf, until } from "../steps";
import { TYPES } from "../target";

export const describing = scene(
  "describing resources",
  async (stage) => {
    const interfaces = [await newInterface(stage, "page-1"), await newInterface(stage, "page-2")];
    const tag = ownName(stage, "page");
    await stage.ec2.createTags({ Resources: interfaces, Tags: [{ Key: "page", Value: tag }] });
    const byTag = async (value: string) => {
      const Filters = [{ Name: "tag:page", Values: [value] }];
      const { NetworkInterfaces = [] } = await stage.ec2.describeNetworkInterfaces({ Filters });
      return NetworkInterfaces.flatMap((each) => each.NetworkInterfaceId ?? []).sort();
    };
    await until(stage, "the tag index", async () =>
      (await byTag(tag)).length === 2 ? true : undefined,
    );
    return { stage, interfaces: interfaces.sort(), tag, byTag, dates: dateHeaders(stage.ec2) };
  },
  [
    ...unknownIds(),
    {
      sentence: "one unknown id among known ones fails the whole call",
      fact: "§9",
      check: async ({ stage, interfaces }) => {
        const NetworkInterfaceIds = [...interfaces, "eni-0123456789abcdef0"];
        await expectRefused(
          stage.ec2.describeNetworkInterfaces({ NetworkInterfaceIds }),
          "InvalidNetworkInterfaceID.NotFound",
        );
      },
    },
    {
      sentence: "an id of the wrong form is told apart from an unknown one",
      fact: "§9",
      check: async ({ stage }) => {
        const described = stage.ec2.describeInstances({ InstanceIds: ["i-nonsense"] });
        await expectRefused(described, "InvalidInstanceID.Malformed");
      },
    },
    {
      sentence: "a filter for an unknown id finds nothing and is no error",
      fact: "§9",
      check: async ({ stage }) => {
        const Filters = [{ Name: "image-id", Values: ["ami-0123456789abcdef0"] }];
        const { Images } = await stage.ec2.describeImages({ Owners: ["self"], Filters });
        assert.deepEqual(Images ?? [], []);
      },
    },
    {
      sentence: "an unknown filter is refused",
      fact: "§9",
      check: ({ stage }) =>
        expectRefused(
          stage.ec2.describeInstances({ Filters: [{ Name: "colour", Values: ["red"] }] }),
          "InvalidParameterValue",
        ),
    },
    {
      sentence: "filters are joined by and, their values by or",
      fact: "§9",
      check: async ({ stage, interfaces, tag }) => {
        const ids = async (values: string[]) => {
          const { NetworkInterfaces = [] } = await stage.ec2.describeNetworkInterfaces({
            Filters: [
              { Name: "tag:page", Values: ["nothing", tag] },
              { Name: "network-interface-id", Values: values },
            ],
          });
          return NetworkInterfaces.flatMap((each) => each.NetworkInterfaceId ?? []).sort();
        };
        assert.deepEqual(await ids(interfaces), interfaces);
        assert.deepEqual(await ids(interfaces.slice(1)), interfaces.slice(1));
        assert.deepEqual(await ids(["eni-0123456789abcdef0"]), []);
      },
    },
    {
      sentence: "an asterisk and a question mark match any text and one character",
      fact: "§9",
      check: async ({ byTag, interfaces, tag }) => {
        assert.deepEqual(await byTag(`${tag.slice(0, -2)}*`), interfaces);
        assert.deepEqual(await byTag(`${tag.slice(0, -1)}?`), interfaces);
        assert.deepEqual(await byTag(`${tag}?`), []);
      },
    },
    {
      sentence: "filters tell capital letters from small ones",
      fact: "§9",
      check: async ({ byTag, tag }) => assert.deepEqual(await byTag(tag.toUpperCase()), []),
    },
    {
      sentence: "ids and MaxResults exclude each other",
      fact: "§9",
      check: async ({ stage }) => {
        const InstanceIds = ["i-0123456789abcdef0"];
        const described = stage.ec2.describeInstances({ InstanceIds, MaxResults: 5 });
        await expectRefused(described, "InvalidParameterCombination");
      },
    },
    {
      sentence: "a page of fewer than five is refused",
      fact: "§9",
      check: ({ stage }) =>
        expectRefused(stage.ec2.describeInstances({ MaxResults: 4 }), "InvalidParameterValue"),
    },
    {
      sentence: "all pages together are the whole, each item once",
      fact: "§9",
      check: async ({ stage }) => {
        const Filters = [{ Name: "instance-type", Values: ["t3.*", "m5.*"] }];
        const names: string[] = [];
        let NextToken: string | undefined;
        let pages = 0;
        do {
          const page = await stage.ec2.describeInstanceTypes({ Filters, MaxResults: 5, NextToken });
          assert.ok((page.InstanceTypes?.length ?? 0) <= 5);
          names.push(...(page.InstanceTypes ?? []).map((each) => each.InstanceType ?? ""));
          NextToken = page.NextToken;
          pages += 1;
        } while (NextToken !== undefined && NextToken !== "");
        const { InstanceTypes = [] } = await stage.ec2.describeInstanceTypes({ Filters });
        assert.ok(pages > 1);
        assert.deepEqual(names.sort(), InstanceTypes.map((each) => each.InstanceType ?? "").sort());
      },
    },
    {
      sentence: "a made-up NextToken is refused",
      fact: "§9",
      check: async ({ stage }) => {
        const described = stage.ec2.describeInstances({ NextToken: "made-up", MaxResults: 5 });
        const { status } = await refusalOf(described);
        assert.equal(status, 400);
      },
    },
    {
      sentence: "more than two hundred values of a filter are refused",
      fact: "§9",
      check: ({ stage }) => {
        const Values = Array.from({ length: 201 }, (_, index) => `value-${index}`);
        const described = stage.ec2.describeInstances({ Filters: [{ Name: "tag:a", Values }] });
        return expectRefused(described, "FilterLimitExceeded");
      },
    },
    {
      sentence: "a zone says which types it offers",
      fact: "§1.5",
      check: async ({ stage }) => {
        const { InstanceTypeOfferings } = await stage.ec2.describeInstanceTypeOfferings({
          LocationType: "availability-zone",
          Filters: [
            { Name: "location", Values: [stage.place.zone] },
            { Name: "instance-type", Values: [TYPES.small] },
          ],
        });
        assert.equal(InstanceTypeOfferings?.[0]?.Location, stage.place.zone);
      },
    },
    {
      sentence: "Spot prices are told by type and zone",
      fact: "§1.5",
      check: async ({ stage }) => {
        const { SpotPriceHistory = [] } = await stage.ec2.describeSpotPriceHistory({
          InstanceTypes: [TYPES.small],
          ProductDescriptions: ["Linux/UNIX"],
          AvailabilityZone: stage.place.zone,
          StartTime: new Date(stage.clock.now()),
        });
        assert.ok(SpotPriceHistory.length > 0);
        for (const { SpotPrice, AvailabilityZone } of SpotPriceHistory) {
          assert.ok(Number(SpotPrice) > 0);
          assert.equal(AvailabilityZone, stage.place.zone);
        }
      },
    },
    {
      sentence: "placement scores of three types are told by zone, between 1 and 10",
      fact: "§1.6",
      check: async ({ stage }) => {
        const { SpotPlacementScores = [] } = await stage.ec2.getSpotPlacementScores({
          InstanceTypes: ["m5.large", "c5.large", "r5.large"],
          TargetCapacity: 1,
          SingleAvailabilityZone: true,
          RegionNames: [stage.region],
        });
        assert.ok(SpotPlacementScores.length > 0);
        for (const { Score = 0 } of SpotPlacementScores) assert.ok(Score >= 1 && Score <= 10);
      },
    },
    {
      sentence: "each answer tells the time in its Date",
      fact: "§13",
      check: async ({ stage, dates }) => {
        dates.length = 0;
        await stage.ec2.describeNetworkInterfaces({ MaxResults: 5 });
        const told = Date.parse(dates[0] ?? "");
        assert.ok(Math.abs(told - stage.clock.now()) < 60_000, `Date: ${dates[0]}`);
      },
    },
    {
      sentence: "a deleted network interface is unknown",
      fact: "§9",
      check: async ({ stage, interfaces: [NetworkInterfaceId = ""] }) => {
        await stage.ec2.deleteNetworkInterface({ NetworkInterfaceId });
        await until(stage, "the interface is gone", async () => {
          const Filters = [{ Name: "network-interface-id", Values: [NetworkInterfaceId] }];
          const { NetworkInterfaces = [] } = await stage.ec2.describeNetworkInterfaces({ Filters });
          return NetworkInterfaces.length === 0 ? true : undefined;
        });
        await expectRefused(
          stage.ec2.deleteNetworkInterface({ NetworkInterfaceId }),
          "InvalidNetworkInterfaceID.NotFound",
        );
      },
    },
  ],
);

/** The Date of each answer from now on: what expiry is judged by (docs/design.md §4). */
function dateHeaders(ec2: EC2): string[] {
  const dates: string[] = [];
  ec2.middlewareStack.add(
    (next) => async (request) => {
      const answer = await next(request);
      const { headers } = z
        .object({ headers: z.record(z.string(), z.string()) })
        .parse(answer.response);
      dates.push(headers.date ?? "");
      return answer;
    },
    { step: "deserialize", priority: "low", name: "dateHeaders" },
  );
  return dates;
}

/** Each kind that the engine looks up by id, and how EC2 says that it is not there. */
function unknownIds() {
  const rows: [what: string, code: string, ask: (stage: Stage) => Promise<unknown>][] = [
    [
      "an instance",
      "InvalidInstanceID.NotFound",
      ({ ec2 }) => ec2.describeInstances({ InstanceIds: ["i-0123456789abcdef0"] }),
    ],
    [
      "a volume",
      "InvalidVolume.NotFound",
      ({ ec2 }) => ec2.describeVolumes({ VolumeIds: ["vol-0123456789abcdef0"] }),
    ],
    [
      "a snapshot",
      "InvalidSnapshot.NotFound",
      ({ ec2 }) => ec2.describeSnapshots({ SnapshotIds: ["snap-0123456789abcdef0"] }),
    ],
    [
      "an image",
      "InvalidAMIID.NotFound",
      ({ ec2 }) => ec2.describeImages({ ImageIds: ["ami-0123456789abcdef0"] }),
    ],
    [
      "a network interface",
      "InvalidNetworkInterfaceID.NotFound",
      ({ ec2 }) =>
        ec2.describeNetworkInterfaces({ NetworkInterfaceIds: ["eni-0123456789abcdef0"] }),
    ],
    [
      "a subnet",
      "InvalidSubnetID.NotFound",
      ({ ec2 }) => ec2.describeSubnets({ SubnetIds: ["subnet-0123456789abcdef0"] }),
    ],
    [
      "a security group",
      "InvalidGroup.NotFound",
      ({ ec2 }) => ec2.describeSecurityGroups({ GroupIds: ["sg-0123456789abcdef0"] }),
    ],
    [
      "a key pair",
      "InvalidKeyPair.NotFound",
      ({ ec2 }) => ec2.describeKeyPairs({ KeyNames: ["no such key pair"] }),
    ],
    [
      "a Spot request",
      "InvalidSpotInstanceRequestID.NotFound",
      ({ ec2 }) => ec2.describeSpotInstanceRequests({ SpotInstanceRequestIds: ["sir-01234567"] }),
    ],
  ];
  return rows.map(([what, code, ask]) => ({
    sentence: `${what} that does not exist is ${code}`,
    fact: "§9",
    check: ({ stage }: { readonly stage: Stage }) => expectRefused(ask(stage), code),
  }));
}
