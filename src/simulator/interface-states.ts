/**
 * The life of a network interface apart from the calls on it: made, held by one instance at a time,
 * let go of, gone. An interface counts as held from the moment that a launch accepted it.
 */
import { chooseIp, newPublicIp, releaseIps, takeIps } from "./addressing";
import type { InterfaceRecord, SubnetRecord } from "./records";
import { find, invalidValue, nouns } from "./refusals";
import type { Tags } from "./table";
import type { World } from "./world";

export interface InterfaceWish {
  readonly subnet: SubnetRecord;
  readonly description?: string | undefined;
  readonly groupIds?: readonly string[] | undefined;
  readonly privateIp?: string | undefined;
  /** More addresses by number or by value, besides the primary one. */
  readonly secondaryIps?: readonly string[];
  readonly secondaryCount?: number | undefined;
  readonly wantsPublicIp?: boolean;
  readonly tags: Tags;
}

/** Chooses everything about a new interface; nothing is changed yet. */
export function planInterface(world: World, wish: InterfaceWish): InterfaceRecord {
  const privateIps = chooseIps(world, wish);
  return {
    id: world.newId("eni"),
    tags: wish.tags,
    createdAt: world.now(),
    subnetId: wish.subnet.id,
    vpcId: wish.subnet.vpcId,
    zone: wish.subnet.zone,
    description: wish.description ?? "",
    status: "available",
    privateIps,
    mac: `02:${(world.ids.hex(10).match(/../g) ?? []).join(":")}`,
    groupIds: checkedGroups(world, wish.subnet, wish.groupIds),
    sourceDestCheck: true,
    wantsPublicIp: wish.wantsPublicIp ?? false,
  };
}

function chooseIps(world: World, wish: InterfaceWish): string[] {
  const chosen: string[] = [];
  const choose = (wanted?: string) => chosen.push(chooseIp(world, wish.subnet, wanted, chosen));
  choose(wish.privateIp);
  for (const ip of wish.secondaryIps ?? []) choose(ip);
  for (let index = 0; index < (wish.secondaryCount ?? 0); index += 1) choose();
  return chosen;
}

/** The VPC's default group stands in when none is named. */
export function checkedGroups(
  world: World,
  subnet: { readonly id: string; readonly vpcId: string },
  groupIds: readonly string[] | undefined,
): readonly string[] {
  if (groupIds === undefined || groupIds.length === 0) return defaultGroups(world, subnet.vpcId);
  for (const id of groupIds) {
    const group = find(world.securityGroups, nouns.securityGroup, id);
    if (group.vpcId !== subnet.vpcId)
      throw invalidValue(
        `Security group ${id} and subnet ${subnet.id} belong to different networks.`,
      );
  }
  return groupIds;
}

function defaultGroups(world: World, vpcId: string): readonly string[] {
  for (const group of world.securityGroups.all())
    if (group.vpcId === vpcId && group.name === "default") return [group.id];
  return [];
}

export function insertInterface(world: World, row: InterfaceRecord): InterfaceRecord {
  world.interfaces.insert(row);
  takeIps(world, row.subnetId, row.privateIps);
  return row;
}

export function removeInterface(world: World, id: string): void {
  const row = world.interfaces.get(id);
  if (row === undefined) return;
  world.interfaces.remove(id);
  releaseIps(world, row.subnetId, row.privateIps);
  for (const allocationId of world.addressesByInterface.get(id) ?? [])
    disassociate(world, allocationId);
}

export interface Hold {
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly deleteOnTermination: boolean;
}

/** From here on nobody else can have the interface (design: the anchor is the lock). */
export function holdInterface(world: World, id: string, hold: Hold): InterfaceRecord {
  const attachment = {
    ...hold,
    id: world.newId("eni-attach"),
    state: "attaching" as const,
    attachedAt: world.now(),
  };
  const isLaunch = world.instances.get(hold.instanceId)?.state !== "running";
  return world.interfaces.update(id, { status: isLaunch ? "in-use" : "attaching", attachment });
}

export function confirmInterface(world: World, id: string, instanceId: string): void {
  const row = world.interfaces.get(id);
  if (row?.attachment?.instanceId !== instanceId) return;
  const attachment = { ...row.attachment, state: "attached" as const };
  const hasElasticIp = (world.addressesByInterface.get(id)?.size ?? 0) > 0;
  const publicIp =
    row.publicIp ?? (row.wantsPublicIp && !hasElasticIp ? newPublicIp(world) : undefined);
  world.interfaces.update(id, { status: "in-use", attachment, publicIp });
}

export function beginInterfaceRelease(world: World, id: string): void {
  const row = world.interfaces.get(id);
  if (row?.attachment === undefined) return;
  const attachment = { ...row.attachment, state: "detaching" as const };
  world.interfaces.update(id, { status: "detaching", attachment, publicIp: undefined });
}

/** The end of an attachment: the interface is free again, or gone when it was to go along. */
export function finishInterfaceRelease(world: World, id: string, instanceId: string): void {
  const row = world.interfaces.get(id);
  if (row?.attachment?.instanceId !== instanceId) return;
  if (row.attachment.deleteOnTermination && world.instances.get(instanceId)?.state !== "running") {
    removeInterface(world, id);
    return;
  }
  world.interfaces.update(id, { status: "available", attachment: undefined, publicIp: undefined });
}

export function associate(
  world: World,
  allocationId: string,
  target: { readonly interfaceId: string; readonly privateIp: string },
): string {
  disassociate(world, allocationId);
  const associationId = world.newId("eipassoc");
  world.addresses.update(allocationId, { associationId, ...target });
  const held = world.addressesByInterface.get(target.interfaceId) ?? new Set();
  world.addressesByInterface.set(target.interfaceId, held.add(allocationId));
  if (world.interfaces.get(target.interfaceId)?.publicIp !== undefined)
    world.interfaces.update(target.interfaceId, { publicIp: undefined });
  return associationId;
}

export function disassociate(world: World, allocationId: string): void {
  const address = world.addresses.get(allocationId);
  if (address?.interfaceId === undefined) return;
  world.addresses.update(allocationId, {
    associationId: undefined,
    interfaceId: undefined,
    privateIp: undefined,
  });
  const held = world.addressesByInterface.get(address.interfaceId);
  held?.delete(allocationId);
  if (held?.size === 0) world.addressesByInterface.delete(address.interfaceId);
}
