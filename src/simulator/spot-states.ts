/**
 * The life of a Spot request apart from the calls on it (ec2-facts §1.4): its status follows its
 * instance, and a persistent request opens again when its instance ends, which is how ghosts appear.
 */
import { fulfilSpotRequest } from "./instances-run";
import type { InstanceRecord, SpotRequestRecord } from "./records";
import type { World } from "./world";

const messages: Readonly<Record<string, string>> = {
  fulfilled: "Your spot request is fulfilled.",
  "pending-evaluation":
    "Your Spot request has been submitted for review, and is pending evaluation.",
  "capacity-not-available": "There is no Spot capacity available that matches your request.",
  "marked-for-termination":
    "Your Spot Instance is marked for termination because EC2 needs the capacity.",
  "marked-for-stop": "Your Spot Instance is marked for stop because EC2 needs the capacity.",
  "instance-terminated-by-user": "Spot Instance terminated due to user-initiated termination.",
  "instance-terminated-no-capacity":
    "Your Spot Instance was terminated because there is no Spot capacity available.",
  "instance-stopped-by-user": "You stopped your Spot Instance.",
  "instance-stopped-no-capacity":
    "Your Spot Instance was stopped because there is no Spot capacity available.",
  "request-canceled-and-instance-running":
    "Your Spot request was canceled, but your instance is still running.",
  "canceled-before-fulfillment": "Your Spot request was canceled before it was fulfilled.",
  "schedule-expired": "Your Spot request has expired because it was not fulfilled in time.",
  "bad-parameters": "Your Spot request failed due to bad parameters.",
};

export function setSpotStatus(
  world: World,
  id: string,
  code: string,
  change: Partial<SpotRequestRecord> = {},
): void {
  if (world.spotRequests.get(id) === undefined) return;
  const status = { code, message: messages[code] ?? code, updatedAt: world.now() };
  world.spotRequests.update(id, { ...change, status });
}

/** The instance of a request is `terminated`. */
export function spotInstanceEnded(world: World, instance: InstanceRecord): void {
  const id = instance.spotRequestId;
  const request = id === undefined ? undefined : world.spotRequests.get(id);
  if (id === undefined || request === undefined) return;
  const code =
    instance.stateReason?.code === "Server.SpotInstanceTermination"
      ? "instance-terminated-no-capacity"
      : "instance-terminated-by-user";
  if (request.type === "persistent" && isLive(request)) {
    setSpotStatus(world, id, code, { state: "open", instanceId: undefined });
    scheduleFulfilment(world, id);
    return;
  }
  const state = request.state === "cancelled" ? "cancelled" : "closed";
  setSpotStatus(world, id, code, { state });
  scheduleRemoval(world, id);
}

function isLive(request: SpotRequestRecord): boolean {
  return request.state === "active" || request.state === "disabled" || request.state === "open";
}

export function scheduleRemoval(world: World, id: string): void {
  world.after(world.latencies.spotRequestKept, () => world.spotRequests.remove(id));
}

/** EC2 launches for an open request when there is capacity, and looks again when there is not. */
export function scheduleFulfilment(world: World, id: string): void {
  world.after(world.latencies.spotFulfilment, () => {
    const request = world.spotRequests.get(id);
    if (request?.state !== "open") return;
    if (request.validUntil !== undefined && world.now() >= request.validUntil) {
      setSpotStatus(world, id, "schedule-expired", { state: "closed" });
      scheduleRemoval(world, id);
      return;
    }
    setSpotStatus(world, id, "pending-evaluation");
    fulfilSpotRequest(world, request);
  });
}
