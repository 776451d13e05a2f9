/**
 * Two thousand broken and good argument sets through the provider, some of the good ones through a
 * create. A hundred thousand went through in the recorded campaign (docs/proof.md); another seed by
 * FUZZ_SEED, more by `npm run fuzz`.
 */
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import { fuzz } from "./campaign";
import { judgeCreate } from "./judge";

test("whatever the arguments: no crash, no refusal without a name, no secret told, nothing left that Pulumi does not know", async () => {
  const seed = Number(process.env.FUZZ_SEED ?? 1);
  const { "nothing made": _rare, ...counts } = await fuzz({ runs: 2000, seed, createEvery: 8 });
  // Shows that the sets reach every end, and not only the first check.
  expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([]);
}, 600_000);

test("a create that refuses what check could not know makes nothing", async () => {
  const inputs = {
    imageId: IMAGE_IDS.amazonLinux,
    instanceTypes: ["m5.large"],
    subnetIds: [DEFAULT_SUBNET_IDS[0]],
    region: "us-east-1",
    adopt: "pmi-0123456789ab",
  };
  expect(await judgeCreate(inputs)).toBe("nothing made");
});
