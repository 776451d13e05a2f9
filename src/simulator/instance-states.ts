/**
 * The life of an instance apart from the calls on it: booting, its operating system going down,
 * and what becomes of its disks, interfaces, tags and Spot request. Every change after a delay first
 * looks whether it still applies, because anything may have happened in between.
 */

import { forgetToken } from "./client-tokens";
import { runUserData } from "./cloud-init";
import { type LaunchFailure, launchFailures } from "./faults";
import {
  beginInterfaceRelease,
  confirmInterface,
  disassociate,
  finishInterfaceRelease,
} from "./interface-states";
import type { InstanceRecord, InstanceState, StateReason } from "./records";
import { spotInstanceEnded } from "./spot-states";
import { NO_TAGS } from "./tag-sets";
import {
  beginVolumeRelease,
  confirmVolume,
  finishVolumeRelease,
  giveUpVolume,
  rootVolume,
} from "./volume-states";
import type { World } from "./world";

export const USER_SHUTDOWN: StateReason = {
  code: "Client.UserInitiatedShutdown",
  message: "Client.UserInitiatedShutdown: User initiated shutdown",
};
export const SPOT_TERMINATION: StateReason = {
  code: "Server.SpotInstanceTermination",
  message: "Server.SpotInstanceTermination: Spot instance termination",
};
export const SPOT_SHUTDOWN: StateReason = {
  code: "Server.SpotInstanceShutdown",
  message: "Server.SpotInstanceShutdown: Spot instance shutdown",
};

/** From `pending` to `running`: the operating system comes up and user data runs. */
export function scheduleBoot(world: World, id: string): void {
  publishState(world, id, "pending");
  world.after(world.latencies.pendingToRunning, () => {
    const instance = world.instances.get(id);
    if (instance?.state !== "pending") return;
    for (const volumeId of instance.volumeIds) confirmVolume(world, volumeId, id);
    for (const interfaceId of instance.interfaceIds) confirmInterface(world, interfaceId, id);
    enter(world, id, { state: "running" });
    startOs(world, instance);
  });
}

/**
 * From `pending` to `terminated` without having run. What is wrong with the client's wish is wrong with
 * its disks, as a key or a limit, so none is left of them.
 */
export function scheduleFailure(world: World, id: string, code: LaunchFailure): void {
  publishState(world, id, "pending");
  world.after(world.latencies.pendingToRunning, () => {
    const instance = world.instances.get(id);
    if (instance?.state !== "pending") return;
    for (const volumeId of code.startsWith("Client.") ? instance.volumeIds : [])
      giveUpVolume(world, volumeId);
    const message = `${code}: ${launchFailures[code]}`;
    terminate(world, id, { reason: { code, message }, transition: message, isGraceful: false });
  });
}

/** Whether the checks will pass is a property of the disk that it boots from. */
function startOs(world: World, instance: InstanceRecord): void {
  const disk = rootVolume(world, instance)?.disk;
  const impairedSince =
    disk?.boots === "never-healthy"
      ? world.now() + world.latencies.bootToStatusImpaired * 1000
      : undefined;
  world.instances.update(instance.id, { osUpSince: world.now(), impairedSince });
  runUserData(world, instance.id);
}

export interface Shutdown {
  readonly reason: StateReason;
  readonly transition: string;
  /** Whether the operating system gets its time to shut down (ec2-facts §2). */
  readonly isGraceful: boolean;
}

export function terminate(world: World, id: string, shutdown: Shutdown): void {
  const instance = world.instances.get(id);
  if (instance === undefined) return;
  if (instance.state === "shutting-down" || instance.state === "terminated") return;
  enter(world, id, {
    state: "shutting-down",
    stateReason: shutdown.reason,
    stateTransitionReason: shutdown.transition,
  });
  const osSeconds = endOs(world, instance, shutdown.isGraceful);
  world.after(osSeconds + world.latencies.shuttingDownToTerminated, () =>
    finishTermination(world, id),
  );
}

/** Says how long the operating system goes on writing. */
function endOs(world: World, instance: InstanceRecord, isGraceful: boolean): number {
  if (instance.osUpSince === undefined) return 0;
  const bootedAt = instance.osUpSince;
  const seconds = isGraceful ? world.latencies.osShutdown : 0;
  const down = () => {
    if (world.instances.get(instance.id)?.osUpSince === bootedAt)
      world.instances.update(instance.id, { osUpSince: undefined });
  };
  if (seconds === 0) down();
  else world.after(seconds, down);
  return seconds;
}

function finishTermination(world: World, id: string): void {
  const instance = world.instances.get(id);
  if (instance?.state !== "shutting-down") return;
  enter(world, id, { state: "terminated", osUpSince: undefined });
  releaseVolumes(world, instance);
  releaseInterfaces(world, instance);
  spotInstanceEnded(world, instance);
  scheduleOblivion(world, instance);
}

/** When a kept volume becomes available is a moment of its own (ec2-facts §2). */
function releaseVolumes(world: World, instance: InstanceRecord): void {
  const ids = instance.volumeIds;
  for (const id of ids) beginVolumeRelease(world, id);
  world.after(world.latencies.terminatedToVolumeAvailable + slowDetach(world), () => {
    for (const id of ids)
      finishVolumeRelease(world, id, { instanceId: instance.id, isTermination: true });
  });
}

function releaseInterfaces(world: World, instance: InstanceRecord): void {
  const keepsElasticIp = world.options.elasticIpSurvivesOnKeptInterface ?? true;
  for (const id of instance.interfaceIds) {
    if (world.interfaces.get(id)?.attachment?.instanceId !== instance.id) continue;
    beginInterfaceRelease(world, id);
    if (!keepsElasticIp)
      for (const allocationId of [...(world.addressesByInterface.get(id) ?? [])])
        disassociate(world, allocationId);
  }
  world.after(world.latencies.terminatedToInterfaceAvailable + slowDetach(world), () => {
    for (const id of instance.interfaceIds) finishInterfaceRelease(world, id, instance.id);
  });
}

export function slowDetach(world: World): number {
  return world.faults.current().slowDetach?.seconds ?? 0;
}

/** A terminated instance loses its tags bit by bit and within an hour is gone (ec2-facts §9). */
function scheduleOblivion(world: World, instance: InstanceRecord): void {
  const { id } = instance;
  const visible = world.latencies.terminatedVisible;
  world.after(visible * (0.25 + world.chance.next() * 0.25), () => dropSomeTags(world, id));
  world.after(visible * (0.5 + world.chance.next() * 0.4), () => dropTags(world, id));
  world.after(visible, () => world.instances.remove(id));
  const { clientToken, tokenScope } = instance;
  if (clientToken === undefined || tokenScope === undefined) return;
  world.after(world.latencies.terminatedTokenKept, () =>
    forgetToken(world, tokenScope, clientToken),
  );
}

export function dropTags(world: World, id: string): void {
  if (world.instances.get(id) !== undefined) world.instances.update(id, { tags: NO_TAGS });
}

function dropSomeTags(world: World, id: string): void {
  const instance = world.instances.get(id);
  if (instance === undefined) return;
  const kept = [...instance.tags].filter(() => world.chance.chance(0.5));
  world.instances.update(id, { tags: new Map(kept) });
}

export function stop(world: World, id: string, shutdown: Shutdown): void {
  const instance = world.instances.get(id);
  if (instance?.state !== "running") return;
  enter(world, id, {
    state: "stopping",
    stateReason: shutdown.reason,
    stateTransitionReason: shutdown.transition,
  });
  const osSeconds = endOs(world, instance, shutdown.isGraceful);
  world.after(osSeconds + world.latencies.stoppingToStopped, () => {
    if (world.instances.get(id)?.state !== "stopping") return;
    for (const interfaceId of instance.interfaceIds)
      if (world.interfaces.get(interfaceId)?.publicIp !== undefined)
        world.interfaces.update(interfaceId, { publicIp: undefined });
    enter(world, id, { state: "stopped", osUpSince: undefined, impairedSince: undefined });
  });
}

export function start(world: World, id: string): void {
  world.instances.update(id, {
    state: "pending",
    stateReason: undefined,
    stateTransitionReason: "",
    launchedAt: world.now(),
  });
  scheduleBoot(world, id);
}

/** The operating system is down for a while; the instance stays `running`. */
export function reboot(world: World, id: string, seconds = world.latencies.reboot): void {
  world.instances.update(id, { osUpSince: undefined });
  world.after(seconds, () => {
    const instance = world.instances.get(id);
    if (instance?.state !== "running" || instance.osUpSince !== undefined) return;
    startOs(world, instance);
  });
}

function enter(
  world: World,
  id: string,
  change: Partial<InstanceRecord> & { readonly state: InstanceState },
): void {
  world.instances.update(id, change);
  publishState(world, id, change.state);
}

function publishState(world: World, id: string, state: InstanceState): void {
  world.events.publish(
    "EC2 Instance State-change Notification",
    [`arn:aws:ec2:${world.region}:${world.account}:instance/${id}`],
    { "instance-id": id, state },
  );
}
