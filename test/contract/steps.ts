/** What the scenes do again and again: make, wait until, look up, and expect a refusal. */
import assert from "node:assert/strict";
import {
  EC2ServiceException,
  type Image,
  type Instance,
  type NetworkInterface,
  type RegisterImageRequest,
  type RunInstancesRequest,
  type Snapshot,
  type Volume,
} from "@aws-sdk/client-ec2";
import { Inconclusive, type Stage } from "./scene";
import { TYPES } from "./target";

/** On a busy machine one call may take as long as the whole patience. */
const LOOKS_AT_LEAST = 5;

/** Looks until there is an answer, as patiently as the target asks for; "not found" is no answer yet. */
export async function until<Found>(
  stage: Stage,
  what: string,
  look: () => Promise<Found | undefined>,
): Promise<Found> {
  const { clock, patience } = stage;
  const deadlineAt = clock.now() + patience.limitSeconds * 1000;
  for (let looks = 1; ; looks += 1) {
    const found = await look().catch(unlessNotFound);
    if (found !== undefined) return found;
    if (clock.now() >= deadlineAt && looks >= LOOKS_AT_LEAST)
      throw new Error(`not within ${patience.limitSeconds} seconds: ${what}`);
    await clock.sleep(patience.pollSeconds * 1000);
  }
}

/** Right after a creation "not found" does not mean absent (ec2-facts §9). */
function unlessNotFound(error: unknown): undefined {
  if (error instanceof EC2ServiceException && error.name.endsWith("NotFound")) return undefined;
  throw error;
}

export function only<Item>(items: readonly Item[] | undefined, what: string): Item {
  const [item, ...rest] = items ?? [];
  assert.ok(
    item !== undefined && rest.length === 0,
    `expected one ${what}, got ${items?.length ?? 0}`,
  );
  return item;
}

/** A token, name or key of this run that no other run has. */
export function ownName(stage: Stage, purpose: string): string {
  return `${stage.runId}-${purpose}`;
}

export interface Refusal {
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

/** The code of EC2's refusal; that the call succeeds is the failure. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof EC2ServiceException)) throw error;
    const { name: code, message } = error;
    return { code, status: error.$metadata.httpStatusCode ?? 0, message };
  }
  throw new assert.AssertionError({ message: "expected a refusal, but the call succeeded" });
}

export async function expectRefused(call: Promise<unknown>, ...codes: string[]): Promise<void> {
  const { code, status, message } = await refusalOf(call);
  assert.ok(
    codes.includes(code),
    `expected ${codes.join(" or ")}, got ${code} (${status}): ${message}`,
  );
}

export async function instanceById(stage: Stage, id: string): Promise<Instance> {
  const { Reservations } = await stage.ec2.describeInstances({ InstanceIds: [id] });
  return only(only(Reservations, "reservation").Instances, `instance ${id}`);
}

export async function volumeById(stage: Stage, id: string): Promise<Volume> {
  return only((await stage.ec2.describeVolumes({ VolumeIds: [id] })).Volumes, `volume ${id}`);
}

export async function snapshotById(stage: Stage, id: string): Promise<Snapshot> {
  const { Snapshots } = await stage.ec2.describeSnapshots({ SnapshotIds: [id] });
  return only(Snapshots, `snapshot ${id}`);
}

export async function imageById(stage: Stage, id: string): Promise<Image> {
  return only((await stage.ec2.describeImages({ ImageIds: [id] })).Images, `image ${id}`);
}

export async function interfaceById(stage: Stage, id: string): Promise<NetworkInterface> {
  const { NetworkInterfaces } = await stage.ec2.describeNetworkInterfaces({
    NetworkInterfaceIds: [id],
  });
  return only(NetworkInterfaces, `network interface ${id}`);
}

export function untilInstance(stage: Stage, id: string, state: string): Promise<Instance> {
  return until(stage, `instance ${state}`, async () => {
    const found = await instanceById(stage, id);
    return found.State?.Name === state ? found : undefined;
  });
}

export function untilVolume(stage: Stage, id: string, state: string): Promise<Volume> {
  return until(stage, `volume ${state}`, async () => {
    const found = await volumeById(stage, id);
    return found.State === state ? found : undefined;
  });
}

export function untilSnapshot(stage: Stage, id: string, state: string): Promise<Snapshot> {
  return until(stage, `snapshot ${state}`, async () => {
    const found = await snapshotById(stage, id);
    return found.State === state ? found : undefined;
  });
}

export function untilImage(stage: Stage, id: string, state: string): Promise<Image> {
  return until(stage, `image ${state}`, async () => {
    const found = await imageById(stage, id);
    return found.State === state ? found : undefined;
  });
}

function untilInterface(stage: Stage, id: string, status: string): Promise<NetworkInterface> {
  return until(stage, `network interface ${status}`, async () => {
    const found = await interfaceById(stage, id);
    return found.Status === status ? found : undefined;
  });
}

export async function newInterface(stage: Stage, purpose: string): Promise<string> {
  const { NetworkInterface: made } = await stage.ec2.createNetworkInterface({
    ClientToken: ownName(stage, purpose),
    SubnetId: stage.place.subnetId,
    Description: ownName(stage, purpose),
  });
  const id = made?.NetworkInterfaceId ?? "";
  await untilInterface(stage, id, "available");
  return id;
}

export async function newVolume(stage: Stage, purpose: string): Promise<string> {
  const { VolumeId = "" } = await stage.ec2.createVolume(volumeRequest(stage, purpose));
  await untilVolume(stage, VolumeId, "available");
  return VolumeId;
}

export function volumeRequest(stage: Stage, purpose: string) {
  const volume = { AvailabilityZone: stage.place.zone, Size: 1, VolumeType: "gp3" as const };
  return { ...volume, ClientToken: ownName(stage, purpose) };
}

/** The launch that the engine makes: on an existing interface, with a root disk of a size that is kept. */
export function launchOn(
  stage: Stage,
  interfaceId: string,
  token: string,
  more: Partial<RunInstancesRequest> = {},
): RunInstancesRequest {
  const { imageId, rootDeviceName: DeviceName, rootSizeGib: VolumeSize } = stage.place;
  return {
    ImageId: imageId,
    InstanceType: TYPES.small,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: ownName(stage, token),
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: interfaceId }],
    BlockDeviceMappings: [{ DeviceName, Ebs: { DeleteOnTermination: false, VolumeSize } }],
    ...more,
  };
}

/** A launch without an interface of its own: everything goes when the instance does. */
export function plainLaunch(
  stage: Stage,
  token: string,
  more: Partial<RunInstancesRequest> = {},
): RunInstancesRequest {
  return {
    ImageId: stage.place.imageId,
    InstanceType: TYPES.small,
    MinCount: 1,
    MaxCount: 1,
    ClientToken: ownName(stage, token),
    SubnetId: stage.place.subnetId,
    ...more,
  };
}

export async function launched(stage: Stage, request: RunInstancesRequest): Promise<string> {
  const { Instances } = await stage.ec2.runInstances(request);
  return only(Instances, "launched instance").InstanceId ?? "";
}

/** Of an instance with one volume; that it is at the root device is a behaviour of its own. */
export async function rootVolumeId(stage: Stage, instanceId: string): Promise<string> {
  return until(stage, `the root volume of ${instanceId}`, async () => {
    const { BlockDeviceMappings = [] } = await instanceById(stage, instanceId);
    return BlockDeviceMappings[0]?.Ebs?.VolumeId;
  });
}

/** Ends an instance and waits for it, so that a scene leaves nothing running. */
export async function terminate(stage: Stage, instanceId: string): Promise<void> {
  await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
  await untilInstance(stage, instanceId, "terminated");
}

export function registration(
  stage: Stage,
  snapshotId: string,
  purpose: string,
): RegisterImageRequest {
  const { rootDeviceName } = stage.place;
  return {
    Name: ownName(stage, purpose),
    Architecture: "x86_64",
    VirtualizationType: "hvm",
    EnaSupport: true,
    RootDeviceName: rootDeviceName,
    BlockDeviceMappings: [{ DeviceName: rootDeviceName, Ebs: { SnapshotId: snapshotId } }],
  };
}

/** EC2 wants fifteen seconds between two snapshots of one volume (ec2-facts §2). */
export async function snapshotSpacing(stage: Stage): Promise<void> {
  await stage.clock.sleep(16_000);
}

/** For a state that only a slow target shows: a fast one may be past it. */
export function tooFast(what: string): never {
  throw new Inconclusive(`${what} was over before it could be looked at`);
}
