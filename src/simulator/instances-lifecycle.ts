/** Terminate, stop, start and reboot, with what they refuse (ec2-facts §1.4, §2, §11). */
import type {
  InstanceStateChange,
  RebootInstancesRequest,
  StartInstancesRequest,
  StartInstancesResult,
  StopInstancesRequest,
  StopInstancesResult,
  TerminateInstancesRequest,
  TerminateInstancesResult,
} from "@aws-sdk/client-ec2";
import { action } from "./action";
import { Ec2Error } from "./errors";
import { reboot, start, stop, terminate, USER_SHUTDOWN } from "./instance-states";
import { stateView } from "./instance-view";
import { insufficientCapacity, type Pool, room, takeRoom } from "./launch-market";
import type { InstanceRecord } from "./records";
import { findAll, nouns, requiredList } from "./refusals";
import { setSpotStatus } from "./spot-states";
import type { World } from "./world";

function wanted(world: World, ids: string[] | undefined): InstanceRecord[] {
  return findAll(world.instances, nouns.instance, requiredList(ids, "InstanceId"));
}

function changes(world: World, before: readonly InstanceRecord[]): InstanceStateChange[] {
  return before.map((instance) => ({
    CurrentState: stateView(world.instances.get(instance.id)?.state ?? "terminated"),
    InstanceId: instance.id,
    PreviousState: stateView(instance.state),
  }));
}

function userInitiated(world: World): string {
  return `User initiated (${new Date(world.now()).toISOString().slice(0, 19).replace("T", " ")} GMT)`;
}

function terminateInstances(
  world: World,
  input: TerminateInstancesRequest,
): TerminateInstancesResult {
  const instances = wanted(world, input.InstanceIds);
  const kept = instances.find((instance) => instance.disableApiTermination);
  if (kept !== undefined)
    throw new Ec2Error(
      "OperationNotPermitted",
      `The instance '${kept.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    );
  const isGraceful = input.SkipOsShutdown !== true && input.Force !== true;
  for (const { id } of instances)
    terminate(world, id, {
      reason: USER_SHUTDOWN,
      transition: userInitiated(world),
      isGraceful,
    });
  return { TerminatingInstances: changes(world, instances) };
}

function stopInstances(world: World, input: StopInstancesRequest): StopInstancesResult {
  const instances = wanted(world, input.InstanceIds);
  for (const instance of instances) checkStoppable(world, instance);
  const isGraceful = input.SkipOsShutdown !== true && input.Force !== true;
  for (const instance of instances) {
    stop(world, instance.id, {
      reason: USER_SHUTDOWN,
      transition: userInitiated(world),
      isGraceful,
    });
    if (instance.spotRequestId !== undefined)
      setSpotStatus(world, instance.spotRequestId, "instance-stopped-by-user", {
        state: "disabled",
      });
  }
  return { StoppingInstances: changes(world, instances) };
}

function checkStoppable(world: World, instance: InstanceRecord): void {
  if (instance.disableApiStop)
    throw new Ec2Error(
      "OperationNotPermitted",
      `The instance '${instance.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.`,
    );
  if (instance.state === "stopped" || instance.state === "stopping") return;
  if (instance.isSpot) checkSpotStoppable(world, instance);
  if (instance.state !== "running")
    throw new Ec2Error(
      "IncorrectInstanceState",
      `The instance '${instance.id}' is not in a state from which it can be stopped.`,
    );
}

/** Only an instance of a live persistent request can be stopped by its user (ec2-facts §11). */
function checkSpotStoppable(world: World, instance: InstanceRecord): void {
  const request = world.spotRequests.get(instance.spotRequestId ?? "");
  if (request?.type === "persistent" && request.state === "active") return;
  const why =
    request?.type === "persistent"
      ? `its Spot Instance request is ${request.state}`
      : "it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests";
  throw new Ec2Error(
    "UnsupportedOperation",
    `You can't stop the Spot Instance '${instance.id}' because ${why}.`,
  );
}

function startInstances(world: World, input: StartInstancesRequest): StartInstancesResult {
  const instances = wanted(world, input.InstanceIds);
  for (const instance of instances) checkStartable(world, instance);
  for (const instance of instances) {
    if (instance.state !== "stopped") continue;
    start(world, instance.id);
    takeRoom(world, poolOf(instance), 1);
    if (instance.spotRequestId !== undefined)
      setSpotStatus(world, instance.spotRequestId, "fulfilled", { state: "active" });
  }
  return { StartingInstances: changes(world, instances) };
}

function checkStartable(world: World, instance: InstanceRecord): void {
  if (instance.state === "running" || instance.state === "pending") return;
  if (instance.state !== "stopped")
    throw new Ec2Error(
      "IncorrectInstanceState",
      `The instance '${instance.id}' is not in a state from which it can be started.`,
    );
  const request = world.spotRequests.get(instance.spotRequestId ?? "");
  if (instance.isSpot && request?.state !== "disabled")
    throw new Ec2Error(
      "IncorrectSpotRequestState",
      `The Spot Instance '${instance.id}' can be started only if you stopped it; its Spot Instance request is ${request?.state ?? "gone"}.`,
    );
  const root = [...instance.volumeIds].some(
    (id) => world.volumes.get(id)?.attachment?.device === instance.rootDeviceName,
  );
  if (!root)
    throw new Ec2Error(
      "IncorrectInstanceState",
      `Instance '${instance.id}' does not have a volume attached at root (${instance.rootDeviceName})`,
    );
  if (room(world, poolOf(instance)) < 1) throw insufficientCapacity(world, poolOf(instance));
}

export function poolOf(instance: InstanceRecord): Pool {
  const { instanceType, zone, isSpot } = instance;
  return { instanceType, zone, market: isSpot ? "spot" : "on-demand" };
}

function rebootInstances(world: World, input: RebootInstancesRequest) {
  const instances = wanted(world, input.InstanceIds);
  const unfit = instances.find((instance) => instance.state !== "running");
  if (unfit !== undefined)
    throw new Ec2Error(
      "IncorrectInstanceState",
      `The instance '${unfit.id}' is not in the 'running' state.`,
    );
  for (const { id } of instances) reboot(world, id);
  return {};
}

export const lifecycleActions = {
  TerminateInstances: action<TerminateInstancesRequest, TerminateInstancesResult>(
    { InstanceIds: true, Force: true, SkipOsShutdown: true },
    terminateInstances,
  ),
  StopInstances: action<StopInstancesRequest, StopInstancesResult>(
    { InstanceIds: true, Force: true, Hibernate: [false], SkipOsShutdown: true },
    stopInstances,
  ),
  StartInstances: action<StartInstancesRequest, StartInstancesResult>(
    { InstanceIds: true },
    startInstances,
  ),
  RebootInstances: action<RebootInstancesRequest, object>({ InstanceIds: true }, rebootInstances),
};
