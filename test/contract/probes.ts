/**
 * The questions about AWS that nobody has answered in public (ec2-facts §15). On the simulator they
 * hold it to what it assumes; on AWS they print what was seen, for the facts to be corrected by.
 */
import type { BlockDeviceMapping, EC2, Image } from "@aws-sdk/client-ec2";
import { newestImage } from "./place";
import type { Probe, Stage } from "./scene";
import { untilReplaced } from "./scenes/replace-root";
import {
  instanceById,
  interfaceById,
  launched,
  launchOn,
  newInterface,
  ownName,
  plainLaunch,
  refusalOf,
  registration,
  rootVolumeId,
  terminate,
  until,
  untilImage,
  untilInstance,
  untilSnapshot,
  untilVolume,
  volumeById,
} from "./steps";

const NOT_SIMULATED = "InvalidAction";

export const probes: readonly Probe[] = [
  {
    question: "How long after `terminated` are a kept volume and a kept interface available?",
    fact: "§2",
    assumed: "volume after 6 s, interface after 3 s",
    observe: timeToAvailable,
  },
  {
    question: "May the final snapshot be taken at `terminated`, before the volume is available?",
    fact: "§2",
    assumed: "accepted while the volume is in-use",
    observe: snapshotBeforeAvailable,
  },
  {
    question: "What does RegisterImage answer when its snapshot is pending?",
    fact: "§2",
    assumed: "IncorrectState (400)",
    observe: registerPending,
  },
  {
    question: "Does an Elastic IP stay with an interface that outlives its instance?",
    fact: "§4",
    assumed: "it stays",
    observe: elasticIpAfterEnd,
  },
  {
    question: "For how long is the token of a terminated instance remembered?",
    fact: "§1.1",
    assumed: "IdempotentInstanceTerminated (400) at once; after 90000 s it launches",
    observe: tokenExpiry,
  },
  {
    question:
      "How long does a root replacement by VolumeId take on Spot, and is the volume the same?",
    fact: "§5",
    assumed: "succeeded after 33 s, the same volume, of the same snapshot",
    observe: replaceRootOnSpot,
  },
  {
    question: "Does an image registered from a Windows root keep what it is billed as?",
    fact: "§3",
    assumed: "no: Linux/UNIX in place of Windows",
    observe: (stage) => billing(stage, windowsImage),
  },
  {
    question: "Does an image registered from a RHEL root keep what it is billed as?",
    fact: "§3",
    assumed: "there is no such image here",
    observe: (stage) => billing(stage, redHatImage),
  },
  {
    question: "May the launch template of an instant fleet name an existing interface?",
    fact: "§1.6",
    assumed: "not simulated",
    observe: interfaceInFleet,
  },
  {
    question: "After how long does a tag filter find a new instance?",
    fact: "§9",
    assumed: "after 0 s",
    observe: tagLag,
  },
];

function secondsSince(stage: Stage, startedAt: number): number {
  return Math.round((stage.clock.now() - startedAt) / 1000);
}

async function runningOn(stage: Stage, purpose: string) {
  const anchor = await newInterface(stage, purpose);
  const instanceId = await launched(stage, launchOn(stage, anchor, purpose));
  await untilInstance(stage, instanceId, "running");
  return { anchor, instanceId, volumeId: await rootVolumeId(stage, instanceId) };
}

/** Looks every second, whatever the target's own patience: the second is what is asked for. */
async function timeToAvailable(stage: Stage): Promise<string> {
  const { anchor, instanceId, volumeId } = await runningOn(stage, "probe-times");
  const watching = { ...stage, patience: { ...stage.patience, pollSeconds: 1 } };
  await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
  const seen = new Map<string, number>();
  await until(watching, "terminated, volume and interface available", async () => {
    const { State: instance } = await instanceById(stage, instanceId);
    const states = [
      ["instance", instance?.Name === "terminated"],
      ["volume", (await volumeById(stage, volumeId)).State === "available"],
      ["interface", (await interfaceById(stage, anchor)).Status === "available"],
    ] as const;
    for (const [what, isThere] of states)
      if (isThere && !seen.has(what)) seen.set(what, stage.clock.now());
    return seen.size === states.length ? true : undefined;
  });
  const after = (what: string) =>
    Math.floor(((seen.get(what) ?? 0) - (seen.get("instance") ?? 0)) / 1000);
  return `volume after ${after("volume")} s, interface after ${after("interface")} s`;
}

async function snapshotBeforeAvailable(stage: Stage): Promise<string> {
  const { instanceId, volumeId } = await runningOn(stage, "probe-early");
  const watching = { ...stage, patience: { ...stage.patience, pollSeconds: 1 } };
  await stage.ec2.terminateInstances({ InstanceIds: [instanceId] });
  await untilInstance(watching, instanceId, "terminated");
  const { State } = await volumeById(stage, volumeId);
  const attempt = stage.ec2.createSnapshot({ VolumeId: volumeId });
  const outcome = await attempt.then(() => "accepted", codeOf);
  return `${outcome} while the volume is ${State}`;
}

async function codeOf(error: unknown): Promise<string> {
  const { code, status } = await refusalOf(Promise.reject(error));
  return `${code} (${status})`;
}

async function registerPending(stage: Stage): Promise<string> {
  const { instanceId, volumeId } = await runningOn(stage, "probe-pending");
  const { SnapshotId = "" } = await stage.ec2.createSnapshot({ VolumeId: volumeId });
  const request = registration(stage, SnapshotId, "probe-pending");
  const outcome = await stage.ec2.registerImage(request).then(() => "accepted", codeOf);
  await terminate(stage, instanceId);
  await untilSnapshot(stage, SnapshotId, "completed");
  return outcome;
}

async function elasticIpAfterEnd(stage: Stage): Promise<string> {
  const { anchor, instanceId, volumeId } = await runningOn(stage, "probe-eip");
  const { AllocationId = "" } = await stage.ec2.allocateAddress({ Domain: "vpc" });
  await stage.ec2.associateAddress({ AllocationId, NetworkInterfaceId: anchor });
  await terminate(stage, instanceId);
  await untilVolume(stage, volumeId, "available");
  const { Addresses } = await stage.ec2.describeAddresses({ AllocationIds: [AllocationId] });
  return Addresses?.[0]?.NetworkInterfaceId === anchor ? "it stays" : "it leaves";
}

/** On AWS only the first minutes are seen; the rest stays an open question. */
async function tokenExpiry(stage: Stage): Promise<string> {
  const request = plainLaunch(stage, "probe-token");
  const instanceId = await launched(stage, request);
  await untilInstance(stage, instanceId, "running");
  await terminate(stage, instanceId);
  const again = async () => {
    const outcome = await stage.ec2.runInstances(request).catch(codeOf);
    return typeof outcome === "string" ? outcome : "it launches";
  };
  const atOnce = await again();
  await stage.clock.sleep(stage.patience.longWaitSeconds * 1000);
  return `${atOnce} at once; after ${stage.patience.longWaitSeconds} s ${await again()}`;
}

async function replaceRootOnSpot(stage: Stage): Promise<string> {
  const instanceId = await launched(
    stage,
    plainLaunch(stage, "probe-spot", { InstanceMarketOptions: { MarketType: "spot" } }),
  );
  await untilInstance(stage, instanceId, "running");
  const oldRootId = await rootVolumeId(stage, instanceId);
  const { SnapshotId = "" } = await stage.ec2.createSnapshot({ VolumeId: oldRootId });
  await untilSnapshot(stage, SnapshotId, "completed");
  const { VolumeId = "" } = await stage.ec2.createVolume({
    AvailabilityZone: stage.place.zone,
    SnapshotId,
    ClientToken: ownName(stage, "probe-root"),
  });
  await untilVolume(stage, VolumeId, "available");
  const startedAt = stage.clock.now();
  const { ReplaceRootVolumeTask: task } = await stage.ec2.createReplaceRootVolumeTask({
    InstanceId: instanceId,
    VolumeId,
    ClientToken: ownName(stage, "probe-replace"),
  });
  const watching = { ...stage, patience: { ...stage.patience, pollSeconds: 1 } };
  const state = await untilReplaced(watching, task?.ReplaceRootVolumeTaskId ?? "");
  const seconds = secondsSince(stage, startedAt);
  const rootId = await rootVolumeId(stage, instanceId);
  const root = await volumeById(stage, rootId);
  await terminate(stage, instanceId);
  const isSame = rootId === VolumeId ? "the same volume" : "another volume";
  const lineage = root.SnapshotId === SnapshotId ? "the same snapshot" : `${root.SnapshotId}`;
  return `${state} after ${seconds} s, ${isSame}, of ${lineage}`;
}

const windowsImage = (ec2: EC2) => newestImage(ec2, "Windows_Server-2022-English-Full-Base-*");
/** Red Hat's own account. */
const redHatImage = (ec2: EC2) =>
  newestImage(ec2, "RHEL-9*_HVM-*-x86_64-*Hourly2-GP3", "309956199498");

async function billing(
  stage: Stage,
  find: (ec2: EC2) => Promise<Image | undefined>,
): Promise<string> {
  const base = await find(stage.ec2);
  if (base?.ImageId === undefined) return "there is no such image here";
  const request = plainLaunch(stage, `probe-${base.ImageId}`, {
    ImageId: base.ImageId,
    InstanceType: "t3.medium",
  });
  const instanceId = await launched(stage, request);
  await untilInstance(stage, instanceId, "running");
  const volumeId = await rootVolumeId(stage, instanceId);
  const { SnapshotId = "" } = await stage.ec2.createSnapshot({ VolumeId: volumeId });
  await untilSnapshot(stage, SnapshotId, "completed");
  await terminate(stage, instanceId);
  const DeviceName = base.RootDeviceName ?? "";
  const mapping: BlockDeviceMapping = { DeviceName, Ebs: { SnapshotId } };
  const { ImageId = "" } = await stage.ec2.registerImage({
    ...registration(stage, SnapshotId, `probe-${base.ImageId}`),
    RootDeviceName: DeviceName,
    BlockDeviceMappings: [mapping],
  });
  const { PlatformDetails } = await untilImage(stage, ImageId, "available");
  return PlatformDetails === base.PlatformDetails
    ? `yes: ${PlatformDetails}`
    : `no: ${PlatformDetails} in place of ${base.PlatformDetails}`;
}

async function interfaceInFleet(stage: Stage): Promise<string> {
  const anchor = await newInterface(stage, "probe-fleet");
  const request = launchOn(stage, anchor, "probe-fleet");
  const name = ownName(stage, "probe-fleet");
  const template = stage.ec2.createLaunchTemplate({
    LaunchTemplateName: name,
    LaunchTemplateData: {
      ImageId: request.ImageId,
      InstanceType: request.InstanceType,
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: anchor }],
    },
  });
  const made = await template.catch(codeOf);
  if (typeof made === "string")
    return made.startsWith(NOT_SIMULATED) ? "not simulated" : `the template: ${made}`;
  const fleet = await stage.ec2
    .createFleet({
      Type: "instant",
      ClientToken: name,
      TargetCapacitySpecification: {
        TotalTargetCapacity: 1,
        DefaultTargetCapacityType: "on-demand",
      },
      LaunchTemplateConfigs: [
        { LaunchTemplateSpecification: { LaunchTemplateName: name, Version: "1" } },
      ],
    })
    .catch(codeOf);
  if (typeof fleet === "string") return `the fleet: ${fleet}`;
  const [instanceId] = fleet.Instances?.[0]?.InstanceIds ?? [];
  if (instanceId === undefined)
    return `nothing launched: ${fleet.Errors?.[0]?.ErrorCode}: ${fleet.Errors?.[0]?.ErrorMessage}`;
  await untilInstance(stage, instanceId, "running");
  await terminate(stage, instanceId);
  return "it launches on the interface";
}

async function tagLag(stage: Stage): Promise<string> {
  const mark = ownName(stage, "probe-lag");
  const TagSpecifications = [
    { ResourceType: "instance" as const, Tags: [{ Key: "lag", Value: mark }] },
  ];
  const instanceId = await launched(stage, plainLaunch(stage, "probe-lag", { TagSpecifications }));
  const startedAt = stage.clock.now();
  const watching = { ...stage, patience: { ...stage.patience, pollSeconds: 0.5 } };
  await until(watching, "found by its tag", async () => {
    const { Reservations = [] } = await stage.ec2.describeInstances({
      Filters: [{ Name: "tag:lag", Values: [mark] }],
    });
    return Reservations.length > 0 ? true : undefined;
  });
  const seconds = secondsSince(stage, startedAt);
  await untilInstance(stage, instanceId, "running");
  await terminate(stage, instanceId);
  return `after ${seconds} s`;
}
