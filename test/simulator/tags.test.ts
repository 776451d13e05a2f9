import { createTester } from "./tester";

describe("tags (ec2-facts §10)", () => {
  test("are created over existing ones and deleted by key, or by key and value", () => {
    const tester = createTester();
    const eni = tester.anchor();
    const tags = () => tester.networkInterface(eni).TagSet;
    const put = (...Tags: { Key: string; Value?: string }[]) =>
      tester.call("CreateTags", { Resources: [eni], Tags });
    const drop = (...Tags: { Key: string; Value?: string }[]) =>
      tester.call("DeleteTags", { Resources: [eni], Tags });
    put({ Key: "a", Value: "1" }, { Key: "b", Value: "2" });
    put({ Key: "a", Value: "3" });
    expect(tags()).toEqual([
      { Key: "a", Value: "3" },
      { Key: "b", Value: "2" },
    ]);
    drop({ Key: "a", Value: "wrong" });
    expect(tags()).toHaveLength(2);
    drop({ Key: "a", Value: "3" }, { Key: "b" });
    expect(tags()).toEqual([]);
    expect(tester.call("DeleteTags", { Resources: [eni], Tags: [{ Key: "none" }] })).toEqual({});
  });

  test.each([
    [{ Key: "aws:mine", Value: "x" }, "InvalidParameterValue"],
    [{ Key: "", Value: "x" }, "InvalidParameterValue"],
    [{ Key: "k".repeat(129), Value: "x" }, "InvalidParameterValue"],
    [{ Key: "k", Value: "v".repeat(257) }, "InvalidParameterValue"],
  ])("refuse %j", (tag, code) => {
    const tester = createTester();
    const input = { Resources: [tester.anchor()], Tags: [tag] };
    expect(tester.error("CreateTags", input).code).toBe(code);
  });

  test("number 50 at most, counted with those that are there", () => {
    const tester = createTester();
    const eni = tester.anchor();
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}`, Value: "" }));
    tester.call("CreateTags", { Resources: [eni], Tags: many(0, 50) });
    expect(tester.error("CreateTags", { Resources: [eni], Tags: many(50, 1) }).code).toBe(
      "TagLimitExceeded",
    );
    tester.call("CreateTags", { Resources: [eni], Tags: many(0, 50) });
  });

  test("are put on all resources or none", () => {
    const tester = createTester();
    const eni = tester.anchor();
    const Resources = [eni, "vol-00000000"];
    expect(tester.error("CreateTags", { Resources, Tags: [{ Key: "a", Value: "" }] }).code).toBe(
      "InvalidVolume.NotFound",
    );
    expect(tester.networkInterface(eni).TagSet).toEqual([]);
  });

  test("work on every kind of resource and are listed by DescribeTags", () => {
    const tester = createTester();
    const id = tester.boot();
    const root = tester.rootVolumeId(id);
    const snapshot = tester.snapshotOf(root);
    const Resources = [id, root, snapshot, tester.imageOf(snapshot), tester.anchor()];
    tester.call("CreateTags", { Resources, Tags: [{ Key: "a", Value: "b" }] });
    const { Tags = [] } = tester.call("DescribeTags", {
      Filters: [
        { Name: "key", Values: ["a"] },
        { Name: "resource-type", Values: ["instance", "volume", "image"] },
      ],
    });
    expect(Tags.map((tag) => tag.ResourceType)).toEqual(["instance", "volume", "image"]);
  });

  test("of an instance are not copied to its volumes", () => {
    const tester = createTester();
    const id = tester.boot({
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] }],
    });
    expect(tester.volume(tester.rootVolumeId(id)).Tags).toEqual([]);
  });

  test("given twice in one specification are refused", () => {
    const tester = createTester();
    const Tags = [
      { Key: "a", Value: "1" },
      { Key: "a", Value: "2" },
    ];
    expect(
      tester.refusal("CreateVolume", {
        AvailabilityZone: "us-east-1a",
        Size: 1,
        TagSpecifications: [{ ResourceType: "volume", Tags }],
      }),
    ).toBe("InvalidParameterValue: Duplicate tag key 'a' specified.");
  });
});
