/** `managed-instance gc` deletes what has expired and is ours, after asking, and nothing else. */
import { createEc2, type Ec2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { type Account, openAccount } from "./account";

const old = "pmi-00000000000d";
let account: Account;
let ec2: Ec2;
let foreign: string;

/** What `pulumi destroy` left, and somebody's copy of a snapshot with all of its tags. */
beforeEach(async () => {
  account = await openAccount();
  const { endpoint, simulator } = account;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  ec2 = createEc2({ region: simulator.region, endpoint, credentials }, new AwsClock());
  await account.destroy(await account.create(old, "old"));
  foreign = await copiedSnapshot();
}, 60_000);

afterEach(() => account.close());

async function copiedSnapshot(): Promise<string> {
  const { Snapshots } = await ec2.call("DescribeSnapshots", { OwnerIds: ["self"] });
  const Tags = Snapshots?.[0]?.Tags?.filter(({ Key }) => Key !== "pmi:condemned");
  const volume = (await ec2.call("DescribeVolumes", {})).Volumes?.[0]?.VolumeId;
  // Of another volume: its tags tell what it was made from, and it was not.
  const other = account.simulator.call("CreateVolume", { AvailabilityZone: "us-east-1a", Size: 1 });
  account.simulator.clock.advance(60);
  const { SnapshotId = "" } = await ec2.call("CreateSnapshot", {
    VolumeId: String(other.VolumeId),
    TagSpecifications: [{ ResourceType: "snapshot", Tags }],
  });
  expect(other.VolumeId).not.toBe(volume);
  return SnapshotId;
}

const snapshotIds = async () =>
  ((await ec2.call("DescribeSnapshots", { OwnerIds: ["self"] })).Snapshots ?? []).map(
    ({ SnapshotId }) => SnapshotId,
  );

const expire = () => account.simulator.clock.advance(97 * 3600);
const gc = (args: readonly string[], options = {}) =>
  account.cli(["gc", ...args, ...account.place], options);

test("before its time nothing is deleted, and it says until when each is kept", async () => {
  const { exitCode, stdout } = await gc([]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Nothing has expired\.\n\nKept until their time:\nKIND +ID +EXPIRES\n/);
  expect(stdout).toMatch(/^image +ami-\S+ +in 3 d \d+ h$/m);
  expect(stdout).toMatch(/^network interface +eni-\S+ +in 3 d \d+ h$/m);
}, 60_000);

test("what has expired is shown by --dry-run and not deleted", async () => {
  expire();
  const before = await snapshotIds();
  const { exitCode, stdout } = await gc(["--dry-run", "--json"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    dryRun: true,
    expired: expect.arrayContaining(
      ["image", "snapshot", "anchor"].map((kind) => ({
        ...{ kind, id: expect.any(String), deleteAfter: expect.stringMatching(/^2026-01-05T/) },
      })),
    ),
    ...{ deleted: [], kept: [], blocked: [] },
  });
  expect(await snapshotIds()).toEqual(before);
}, 60_000);

test("--yes deletes it; what is foreign stays although it wears our tags", async () => {
  expire();
  const { exitCode, stdout } = await gc(["--yes", "--json"]);
  expect(exitCode).toBe(0);
  const { blocked, deleted, expired, kept } = JSON.parse(stdout);
  expect({ blocked, kept }).toEqual({ blocked: [], kept: [] });
  expect([...deleted].sort()).toEqual(expired.map(({ id }: { id: string }) => id).sort());
  expect(deleted).not.toContain(foreign);
  expect(await snapshotIds()).toEqual([foreign]);
}, 60_000);

test("a person is asked, and a no deletes nothing", async () => {
  expire();
  const before = await snapshotIds();
  for (const answer of ["", "n", "maybe"]) {
    const { exitCode, stderr } = await gc([], { answer });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^KIND +ID +EXPIRES\n/);
    expect(stderr).toMatch(/Nothing was deleted\.\n$/);
  }
  expect(await snapshotIds()).toEqual(before);
  const { exitCode, stderr, stdout } = await gc([], { answer: "y" });
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^deregistering ami-/m);
  expect(stdout).toMatch(/^Deleted: .*snap-/);
  expect(await snapshotIds()).toEqual([foreign]);
}, 60_000);

test("where nobody can be asked it needs --yes: exit code 2", async () => {
  expire();
  const before = await snapshotIds();
  const { exitCode, stderr } = await gc([]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^\d expired resources would be deleted, and nobody can be asked\.\n/);
  expect(stderr).toContain("See them with --dry-run, and delete them with --yes.");
  expect(await snapshotIds()).toEqual(before);
}, 60_000);

test("what somebody else uses is named, stays, and makes the exit code 3", async () => {
  expire();
  const ours = (await snapshotIds()).find((id) => id !== foreign) ?? "";
  const { ImageId } = await ec2.call("RegisterImage", {
    Name: "somebodys",
    RootDeviceName: "/dev/xvda",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: ours } }],
  });
  expect(ImageId).toMatch(/^ami-/);
  const { exitCode, stdout } = await gc(["--yes"]);
  expect(exitCode).toBe(3);
  expect(stdout).toContain(`EC2 refuses to delete ${ours}: somebody uses or has locked them.`);
  expect(await snapshotIds()).toContain(ours);
}, 60_000);

test("Ctrl-C stops it between two calls: exit code 130, and the next run goes on", async () => {
  expire();
  const stop = new AbortController();
  const onNote = (text: string) => {
    if (text.includes("deregistering")) stop.abort();
  };
  const { exitCode } = await gc(["--yes"], { signal: stop.signal, onNote });
  expect(exitCode).toBe(130);
  expect((await snapshotIds()).length).toBeGreaterThan(1);
  expect(await gc(["--yes"])).toMatchObject({ exitCode: 0 });
  expect(await snapshotIds()).toEqual([foreign]);
}, 60_000);
