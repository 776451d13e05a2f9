/**
 * Deletes what carries the tag of a run, and nothing else: instances first, with the volumes that
 * they made later on and nobody tagged, then what they held, then images before their snapshots.
 * It goes on after each failure and tells them all in the end.
 */
import { type EC2, EC2ServiceException, type Filter } from "@aws-sdk/client-ec2";
import { RUN_TAG, type TargetClock } from "./target";

export interface CleanOptions {
  readonly ec2: EC2;
  readonly clock: TargetClock;
  readonly pollSeconds: number;
  /** One run, or every run's leavings when left out. */
  readonly runId?: string;
  readonly say: (line: string) => void;
}

/** One kind of resource: how what is left of it is found, and how one is deleted. */
interface Kind {
  readonly name: string;
  readonly find: (ec2: EC2, Filters: Filter[]) => Promise<(string | undefined)[]>;
  readonly remove: (ec2: EC2, id: string) => Promise<unknown>;
}

const KINDS: readonly Kind[] = [
  {
    name: "launch template",
    find: async (ec2, Filters) =>
      (await ec2.describeLaunchTemplates({ Filters })).LaunchTemplates?.map(
        (each) => each.LaunchTemplateId,
      ) ?? [],
    remove: (ec2, LaunchTemplateId) => ec2.deleteLaunchTemplate({ LaunchTemplateId }),
  },
  {
    name: "image",
    find: async (ec2, Filters) =>
      (
        await ec2.describeImages({ Owners: ["self"], IncludeDisabled: true, Filters })
      ).Images?.filter((each) => each.State !== "deregistered").map((each) => each.ImageId) ?? [],
    remove: (ec2, ImageId) => ec2.deregisterImage({ ImageId }),
  },
  {
    name: "snapshot",
    find: async (ec2, Filters) =>
      (await ec2.describeSnapshots({ OwnerIds: ["self"], Filters })).Snapshots?.map(
        (each) => each.SnapshotId,
      ) ?? [],
    remove: (ec2, SnapshotId) => ec2.deleteSnapshot({ SnapshotId }),
  },
  {
    name: "Elastic IP",
    find: async (ec2, Filters) =>
      (await ec2.describeAddresses({ Filters })).Addresses?.map((each) => each.AllocationId) ?? [],
    remove: releaseAddress,
  },
  {
    name: "volume",
    find: async (ec2, Filters) =>
      (await ec2.describeVolumes({ Filters })).Volumes?.filter(
        (each) => each.State !== "deleting",
      ).map((each) => each.VolumeId) ?? [],
    remove: (ec2, VolumeId) => ec2.deleteVolume({ VolumeId }),
  },
  {
    name: "network interface",
    find: async (ec2, Filters) =>
      (await ec2.describeNetworkInterfaces({ Filters })).NetworkInterfaces?.map(
        (each) => each.NetworkInterfaceId,
      ) ?? [],
    remove: (ec2, NetworkInterfaceId) => ec2.deleteNetworkInterface({ NetworkInterfaceId }),
  },
];

async function releaseAddress(ec2: EC2, AllocationId: string): Promise<void> {
  const { Addresses } = await ec2.describeAddresses({ AllocationIds: [AllocationId] });
  const AssociationId = Addresses?.[0]?.AssociationId;
  if (AssociationId !== undefined) await ec2.disassociateAddress({ AssociationId });
  await ec2.releaseAddress({ AllocationId });
}

/** Terminated instances take minutes to let go of volumes and interfaces; so it looks again. */
const ATTEMPTS = 60;
/** One empty answer to a tag filter proves nothing (ec2-facts §9). */
const EMPTY_LOOKS = 2;

/** What is left in the end; empty when all is gone. */
export async function clean(options: CleanOptions): Promise<string[]> {
  const { ec2, clock, runId, say, pollSeconds } = options;
  const Filters =
    runId === undefined
      ? [{ Name: "tag-key", Values: [RUN_TAG] }]
      : [{ Name: `tag:${RUN_TAG}`, Values: [runId] }];
  let left: string[] = [];
  let emptyLooks = 0;
  for (let attempt = 1; attempt <= ATTEMPTS && emptyLooks < EMPTY_LOOKS; attempt += 1) {
    if (attempt > 1) await clock.sleep(pollSeconds * 1000);
    const living = await endInstances(options, Filters);
    left = [...living, ...(await removeAll(ec2, Filters, say))];
    emptyLooks = left.length === 0 ? emptyLooks + 1 : 0;
  }
  return left;
}

async function endInstances({ ec2, say, runId }: CleanOptions, Filters: Filter[]) {
  const { Reservations = [] } = await ec2.describeInstances({ Filters });
  const living = Reservations.flatMap((each) => each.Instances ?? []).filter(
    ({ State }) => State?.Name !== "terminated",
  );
  for (const { InstanceId = "", State } of living) {
    await tagVolumes(ec2, InstanceId, runId ?? "left-over");
    if (State?.Name === "shutting-down") continue;
    say(`terminating ${InstanceId}`);
    await terminateAnyway(ec2, InstanceId);
  }
  return living.map(({ InstanceId = "" }) => `instance ${InstanceId}`);
}

/** A root that EC2 made by itself has no tag of the run until now. */
async function tagVolumes(ec2: EC2, instanceId: string, runId: string): Promise<void> {
  const Filters = [{ Name: "attachment.instance-id", Values: [instanceId] }];
  const { Volumes = [] } = await ec2.describeVolumes({ Filters });
  const Resources = Volumes.flatMap(({ VolumeId }) => VolumeId ?? []);
  if (Resources.length > 0)
    await ec2.createTags({ Resources, Tags: [{ Key: RUN_TAG, Value: runId }] });
}

async function terminateAnyway(ec2: EC2, InstanceId: string): Promise<void> {
  const terminate = () => ec2.terminateInstances({ InstanceIds: [InstanceId] });
  const failure = await terminate().then(() => undefined, codeOf);
  if (failure === undefined) return;
  await ec2.modifyInstanceAttribute({ InstanceId, DisableApiTermination: { Value: false } });
  await terminate();
}

async function removeAll(
  ec2: EC2,
  Filters: Filter[],
  say: (line: string) => void,
): Promise<string[]> {
  const left: string[] = [];
  for (const { name, find, remove } of KINDS) {
    for (const id of await found(find(ec2, Filters))) {
      const failure = await remove(ec2, id).then(() => undefined, codeOf);
      if (failure === undefined) say(`deleted ${name} ${id}`);
      else if (!failure.endsWith("NotFound")) left.push(`${name} ${id}: ${failure}`);
    }
  }
  return left;
}

async function found(ids: Promise<(string | undefined)[]>): Promise<string[]> {
  const answered = await ids.catch((error: unknown) => {
    // A target that has no such kind has none of it left.
    if (error instanceof EC2ServiceException && error.name === "InvalidAction") return [];
    throw error;
  });
  return answered.flatMap((id) => id ?? []);
}

function codeOf(error: unknown): string {
  if (error instanceof EC2ServiceException) return error.name;
  throw error;
}
