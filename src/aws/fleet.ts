/**
 * All instances of all managed instances of the account, at the cost of their share of the pages:
 * what can change by itself, read by filter and never one by one. An instance is found by its client
 * token, which it keeps when it loses its tags (ec2-facts §9); of status checks and Spot requests
 * only those are read that tell of trouble.
 */
import type * as sdk from "@aws-sdk/client-ec2";
import type { InstanceState } from "../engine/model";
import { ownerOfClientToken } from "../engine/names";
import { type Ec2, eachPage } from "./client";

/** The instance that carries a managed instance, or the last that did while EC2 still shows it. */
export interface Sighting {
  instanceId: string;
  generation: number;
  state: InstanceState;
  /** One of its status checks fails. */
  isImpaired: boolean;
  /** Spot has announced that it takes it. */
  isInterrupted: boolean;
}

/** By the id of the managed instance. */
export type Fleet = ReadonlyMap<string, Sighting>;

const pageSize = 1000;

export async function readFleet(ec2: Ec2): Promise<Fleet> {
  const [sightings, impaired, interrupted] = await Promise.all([
    readInstances(ec2),
    readImpaired(ec2),
    readInterrupted(ec2),
  ]);
  for (const sighting of sightings.values()) {
    sighting.isImpaired = impaired.has(sighting.instanceId);
    sighting.isInterrupted = interrupted.has(sighting.instanceId);
  }
  return sightings;
}

const filters = (...pairs: readonly [string, string][]): sdk.Filter[] =>
  pairs.map(([Name, value]) => ({ Name, Values: [value] }));

/** Only a few plain values of each are kept: ten thousand whole answers would fill the memory. */
async function readInstances(ec2: Ec2): Promise<Map<string, Sighting>> {
  const found = new Map<string, Sighting>();
  const input = { Filters: filters(["client-token", "pmi-*"]), MaxResults: pageSize };
  for await (const page of eachPage(ec2, "DescribeInstances", input))
    for (const { Instances = [] } of page.Reservations ?? [])
      for (const instance of Instances) note(found, instance);
  return found;
}

function note(found: Map<string, Sighting>, instance: sdk.Instance): void {
  const token = ownerOfClientToken(instance.ClientToken ?? "");
  if (token === undefined) return;
  const sighting: Sighting = {
    instanceId: instance.InstanceId ?? "",
    generation: token.generation,
    state: (instance.State?.Name ?? "pending") as InstanceState,
    isImpaired: false,
    isInterrupted: false,
  };
  const known = found.get(token.id);
  if (known === undefined || isNewer(sighting, known)) found.set(token.id, sighting);
}

/** One that lives before one that has ended; then the higher generation. */
function isNewer(one: Sighting, other: Sighting): boolean {
  const [isOver, wasOver] = [one, other].map(({ state }) => state === "terminated");
  return isOver === wasOver ? one.generation >= other.generation : wasOver === true;
}

/** Of the whole account, because status checks cannot be asked for by tag or token. */
async function readImpaired(ec2: Ec2): Promise<ReadonlySet<string>> {
  const checks = ["instance-status.status", "system-status.status"];
  const failing = await Promise.all(
    checks.map(async (check) => {
      const ids: string[] = [];
      const input = { Filters: filters([check, "impaired"]), MaxResults: pageSize };
      for await (const { InstanceStatuses = [] } of eachPage(ec2, "DescribeInstanceStatus", input))
        ids.push(...InstanceStatuses.map(({ InstanceId }) => InstanceId ?? ""));
      return ids;
    }),
  );
  return new Set(failing.flat());
}

/** The one place where EC2 tells of an interruption to those who ask (ec2-facts §1.4). */
async function readInterrupted(ec2: Ec2): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const Filters = filters(["status-code", "marked-for-termination"]);
  const input = { Filters, MaxResults: pageSize };
  for await (const page of eachPage(ec2, "DescribeSpotInstanceRequests", input))
    for (const { InstanceId } of page.SpotInstanceRequests ?? []) ids.add(InstanceId ?? "");
  return ids;
}
