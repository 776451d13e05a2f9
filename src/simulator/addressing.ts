/**
 * IPv4 arithmetic and who uses which private address. EC2 keeps the first four and the last address
 * of each subnet to itself; the rest is handed out from a seeded starting point, as arbitrarily as
 * EC2 does, so that nobody comes to rely on an order.
 */
import { Ec2Error } from "./errors";
import type { SubnetRecord } from "./records";
import { invalidValue } from "./refusals";
import type { World } from "./world";

export interface Cidr {
  readonly base: number;
  readonly prefix: number;
  readonly size: number;
}

export function parseCidr(text: string): Cidr | undefined {
  const [address = "", prefixText = ""] = text.split("/");
  const base = parseIp(address);
  const prefix = /^\d{1,2}$/.test(prefixText) ? Number(prefixText) : 33;
  if (base === undefined || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(base / size) * size, prefix, size };
}

function parseIp(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  if (!parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

function ipText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export function isWithin(inner: Cidr, outer: Cidr): boolean {
  return inner.base >= outer.base && inner.base + inner.size <= outer.base + outer.size;
}

export function overlaps(one: Cidr, other: Cidr): boolean {
  return one.base < other.base + other.size && other.base < one.base + one.size;
}

const RESERVED_FIRST = 4;
const RESERVED_LAST = 1;

function cidrOf(subnet: SubnetRecord): Cidr {
  const cidr = parseCidr(subnet.cidr);
  if (cidr === undefined) throw new Error(`Subnet ${subnet.id} has a malformed CIDR.`);
  return cidr;
}

export function freeIpCount(world: World, subnet: SubnetRecord): number {
  const used = world.usedIps.get(subnet.id)?.size ?? 0;
  return cidrOf(subnet).size - RESERVED_FIRST - RESERVED_LAST - used;
}

/** The address asked for, or any free one. Nothing is taken yet. `also` are chosen but not yet taken. */
export function chooseIp(
  world: World,
  subnet: SubnetRecord,
  wanted?: string,
  also: readonly string[] = [],
): string {
  const used = world.usedIps.get(subnet.id);
  const isUsed = (ip: string) => used?.has(ip) === true || also.includes(ip);
  const { base, size } = cidrOf(subnet);
  const usable = size - RESERVED_FIRST - RESERVED_LAST;
  if (wanted !== undefined) {
    checkWantedIp(wanted, { subnet, offset: (parseIp(wanted) ?? -1) - base, size });
    if (isUsed(wanted))
      throw new Ec2Error("InvalidIPAddress.InUse", `Address ${wanted} is in use.`);
    return wanted;
  }
  const start = world.ids.below(usable);
  for (let step = 0; step < usable; step += 1) {
    const ip = ipText(base + RESERVED_FIRST + ((start + step) % usable));
    if (!isUsed(ip)) return ip;
  }
  throw new Ec2Error(
    "InsufficientFreeAddressesInSubnet",
    `The specified subnet does not have enough free addresses to satisfy the request.`,
  );
}

function checkWantedIp(
  wanted: string,
  place: { readonly subnet: SubnetRecord; readonly offset: number; readonly size: number },
): void {
  if (parseIp(wanted) === undefined)
    throw invalidValue(
      `Value (${wanted}) for parameter privateIpAddress is invalid. Invalid IPv4 address.`,
    );
  if (place.offset < 0 || place.offset >= place.size)
    throw invalidValue("Address does not fall within the subnet's address range");
  if (place.offset < RESERVED_FIRST || place.offset >= place.size - RESERVED_LAST)
    throw invalidValue("Address is in subnet's reserved address range");
}

export function takeIps(world: World, subnetId: string, ips: readonly string[]): void {
  const used = world.usedIps.get(subnetId) ?? new Set();
  for (const ip of ips) used.add(ip);
  world.usedIps.set(subnetId, used);
}

export function releaseIps(world: World, subnetId: string, ips: readonly string[]): void {
  const used = world.usedIps.get(subnetId);
  for (const ip of ips) used?.delete(ip);
}

/** A public address, unique for as long as ids are. */
export function newPublicIp(world: World): string {
  return `54.${world.ids.below(254) + 1}.${world.ids.below(256)}.${world.ids.below(254) + 1}`;
}
