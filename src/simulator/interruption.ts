/**
 * A Spot interruption (ec2-facts §1.4, §8): rebalance recommendation and warning, two minutes, then
 * EC2 terminates or stops the instance. What was stopped, EC2 starts again when there is capacity.
 */

import { SPOT_SHUTDOWN, SPOT_TERMINATION, start, stop, terminate } from "./instance-states";
import { poolOf } from "./instances-lifecycle";
import { room, takeRoom } from "./launch-market";
import type { InstanceRecord, SpotRequestRecord } from "./records";
import { setSpotStatus } from "./spot-states";
import type { World } from "./world";

export function interrupt(
  world: World,
  request: { readonly instanceId: string; readonly noticeSeconds?: number },
): void {
  world.timeline.settle();
  const instance = world.instances.get(request.instanceId);
  if (instance === undefined) throw new Error(`There is no instance ${request.instanceId}.`);
  if (!instance.isSpot) throw new Error(`${instance.id} is not a Spot instance.`);
  if (instance.state !== "running" && instance.state !== "pending")
    throw new Error(`${instance.id} is ${instance.state} and cannot be interrupted.`);
  const noticeSeconds = request.noticeSeconds ?? world.latencies.interruptionNotice;
  const spot = world.spotRequests.get(instance.spotRequestId ?? "");
  const isStop = spot !== undefined && spot.interruptionBehavior !== "terminate";
  if (noticeSeconds <= 0) {
    carryOut(world, instance.id, spot, isStop);
    return;
  }
  if (spot !== undefined)
    setSpotStatus(world, spot.id, isStop ? "marked-for-stop" : "marked-for-termination");
  warn(world, instance, isStop ? "stop" : "terminate");
  world.after(noticeSeconds, () => carryOut(world, instance.id, spot, isStop));
}

function warn(world: World, instance: InstanceRecord, action: "stop" | "terminate"): void {
  // The zone stands where the region should, and there is no account.
  const resources = [`arn:aws:ec2:${instance.zone}:instance/${instance.id}`];
  world.events.publish("EC2 Instance Rebalance Recommendation", resources, {
    "instance-id": instance.id,
  });
  world.events.publish("EC2 Spot Instance Interruption Warning", resources, {
    "instance-id": instance.id,
    "instance-action": action,
  });
}

function carryOut(
  world: World,
  id: string,
  spot: SpotRequestRecord | undefined,
  isStop: boolean,
): void {
  const state = world.instances.get(id)?.state;
  if (state !== "running" && state !== "pending") return;
  const shutdown = { transition: "Server.SpotInstanceTermination", isGraceful: true };
  if (!isStop) {
    terminate(world, id, { ...shutdown, reason: SPOT_TERMINATION });
    return;
  }
  stop(world, id, {
    ...shutdown,
    transition: "Server.SpotInstanceShutdown",
    reason: SPOT_SHUTDOWN,
  });
  if (spot !== undefined)
    setSpotStatus(world, spot.id, "instance-stopped-no-capacity", { state: "open" });
  awaitCapacity(world, id);
}

/** Only EC2 restarts what it stopped itself, in the same pool. */
function awaitCapacity(world: World, id: string): void {
  const again = world.latencies.osShutdown + world.latencies.stoppingToStopped;
  world.after(again + world.latencies.spotFulfilment, () => {
    const instance = world.instances.get(id);
    const spot = world.spotRequests.get(instance?.spotRequestId ?? "");
    if (instance === undefined || spot?.state !== "open") return;
    if (instance.state !== "stopped" || room(world, poolOf(instance)) < 1) {
      if (instance.state === "stopping" || instance.state === "stopped") awaitCapacity(world, id);
      return;
    }
    start(world, id);
    takeRoom(world, poolOf(instance), 1);
    setSpotStatus(world, spot.id, "fulfilled", { state: "active" });
  });
}
