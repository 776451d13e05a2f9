/** The questions of the checks, asked of the embedded EC2 through the SDK and the wire protocol. */
import { createPreflight } from "../../src/aws/preflight";
import { check } from "../../src/provider/check";
import { handlers } from "../../src/provider/handlers";
import { imageWithDataDisk } from "../simulation/operations";
import { declared, images, openAccount, subnetIds } from "./account";

test("what exists is told with the facts that the checks compare", async () => {
  const preflight = createPreflight(openAccount().ec2);
  expect(await preflight.image(images.amazonLinux)).toMatchObject({
    state: "available",
    architecture: "x86_64",
    rootDeviceType: "ebs",
    platformDetails: "Linux/UNIX",
    rootSizeGiB: 8,
    rootDevice: "/dev/xvda",
    otherDevices: [],
  });
  const [subnet] = await preflight.subnets([subnetIds[0]]);
  expect(subnet).toMatchObject({ subnetId: subnetIds[0], zone: "us-east-1a" });
  const [type] = await preflight.instanceTypes(["m5.large"]);
  expect(type).toMatchObject({ instanceType: "m5.large", architectures: ["x86_64"] });
  expect(type?.usageClasses).toContain("spot");
  const offerings = await preflight.offerings(["m5.large"]);
  expect(offerings).toContainEqual({ instanceType: "m5.large", zone: "us-east-1a" });
});

test("an image with a data disk is told with its device, and refused", async () => {
  const account = openAccount();
  const imageId = imageWithDataDisk(account.simulator, { deleteOnTermination: false });
  expect(await createPreflight(account.ec2).image(imageId)).toMatchObject({
    otherDevices: ["/dev/sdb"],
  });
  const { failures } = await check(account.context(), {}, { ...declared, imageId });
  expect(failures.map(({ property }) => property)).toEqual(["imageId"]);
});

test("a launch whose image could not be asked about beforehand makes the root disk only", async () => {
  const account = openAccount();
  const imageId = imageWithDataDisk(account.simulator, { deleteOnTermination: true });
  await handlers.create(account.context(), { ...declared, imageId });
  const Filters = [{ Name: "attachment.status", Values: ["attached"] }];
  const { Volumes } = await account.ec2.call("DescribeVolumes", { Filters });
  expect(Volumes?.map(({ Attachments }) => Attachments?.[0]?.Device)).toEqual(["/dev/xvda"]);
});

test("what does not exist is absent from the answer, and no error", async () => {
  const preflight = createPreflight(openAccount().ec2);
  expect(await preflight.image("ami-0000dead")).toBeUndefined();
  expect(await preflight.subnets(["subnet-0000dead", subnetIds[1]])).toHaveLength(1);
  expect(await preflight.instanceTypes(["m5.huge"])).toEqual([]);
  expect(await preflight.offerings(["m5.huge"])).toEqual([]);
  expect(await preflight.securityGroups(["sg-0000dead"])).toEqual([]);
  expect(await preflight.hasKeyPair("lost")).toBe(false);
});

test("a good program passes all checks of a real account", async () => {
  const context = openAccount().context();
  const inputs = {
    ...declared,
    instanceTypes: ["m5.large", "c5.large"],
    subnetIds: [...subnetIds],
  };
  expect((await check(context, {}, inputs)).failures).toEqual([]);
  expect(context.logged).toEqual([]);
});

test("each question is asked of EC2 once, however many checks use its answer", async () => {
  const account = openAccount();
  await check(account.context(), {}, declared);
  const actions = account.simulator.control.calls().map(({ action }) => action);
  expect([...actions].sort()).toEqual([...new Set(actions)].sort());
});
