/** The error answers that several families of actions share, in AWS's words. */
import { Ec2Error } from "./errors";

export function invalidValue(message: string): Ec2Error {
  return new Ec2Error("InvalidParameterValue", message);
}

export function invalidCombination(message: string): Ec2Error {
  return new Ec2Error("InvalidParameterCombination", message);
}

export function missingParameter(name: string): Ec2Error {
  return new Ec2Error("MissingParameter", `The request must contain the parameter ${name}`);
}

/** What AWS would do, but the simulator does not: said so instead of being ignored. */
export function notSimulated(what: string): Ec2Error {
  return new Ec2Error("Unsupported", `The simulator does not simulate ${what}.`);
}

export function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined || value === "") throw missingParameter(name);
  return value;
}

export function requiredList<Value>(values: readonly Value[] | undefined, name: string) {
  if (values === undefined || values.length === 0) throw missingParameter(name);
  return values;
}

/** How one kind of resource is called in ids and errors. */
export interface ResourceNoun {
  readonly prefix: string;
  readonly malformedCode: string;
  readonly notFoundCode: string;
  /** The subject of AWS's sentences. */
  readonly subject: string;
  /** Where AWS words it unlike the rest. */
  readonly notFoundText?: (ids: readonly string[]) => string;
}

export const nouns = {
  instance: noun("i", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "instance"),
  volume: {
    ...noun("vol", "InvalidParameterValue", "InvalidVolume.NotFound", "volume"),
    notFoundText: ([id]: readonly string[]) => `The volume '${id}' does not exist.`,
  },
  snapshot: {
    ...noun("snap", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound", "snapshot"),
    notFoundText: ([id]: readonly string[]) => `The snapshot '${id}' does not exist.`,
  },
  image: {
    ...noun("ami", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound", "image id"),
    notFoundText: (ids: readonly string[]) =>
      `The image id${ids.length > 1 ? "s" : ""} '[${ids.join(", ")}]' do${ids.length > 1 ? "" : "es"} not exist`,
  },
  networkInterface: {
    ...noun(
      "eni",
      "InvalidNetworkInterfaceID.Malformed",
      "InvalidNetworkInterfaceID.NotFound",
      "networkInterface",
    ),
    notFoundText: ([id]: readonly string[]) => `The networkInterface ID '${id}' does not exist`,
  },
  spotRequest: {
    ...noun(
      "sir",
      "InvalidSpotInstanceRequestID.Malformed",
      "InvalidSpotInstanceRequestID.NotFound",
      "spot instance request",
    ),
    notFoundText: ([id]: readonly string[]) =>
      `The spot instance request ID '${id}' does not exist`,
  },
  address: {
    ...noun(
      "eipalloc",
      "InvalidAllocationID.Malformed",
      "InvalidAllocationID.NotFound",
      "allocation",
    ),
    notFoundText: ([id]: readonly string[]) => `The allocation ID '${id}' does not exist`,
  },
  vpc: noun("vpc", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "vpc"),
  subnet: noun("subnet", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "subnet"),
  securityGroup: {
    ...noun("sg", "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "security group"),
    notFoundText: ([id]: readonly string[]) => `The security group '${id}' does not exist`,
  },
  securityGroupRule: {
    ...noun(
      "sgr",
      "InvalidSecurityGroupRuleId.Malformed",
      "InvalidSecurityGroupRuleId.NotFound",
      "security group rule",
    ),
    notFoundText: ([id]: readonly string[]) => `The security group rule ID '${id}' does not exist`,
  },
  keyPair: {
    ...noun("key", "InvalidKeyPair.Format", "InvalidKeyPair.NotFound", "key pair"),
    notFoundText: ([id]: readonly string[]) => `The key pair '${id}' does not exist`,
  },
  replaceRootTask: noun(
    "replacevol",
    "InvalidReplaceRootVolumeTaskID.Malformed",
    "InvalidReplaceRootVolumeTaskID.NotFound",
    "replace root volume task",
  ),
} as const satisfies Record<string, ResourceNoun>;

function noun(
  prefix: string,
  malformedCode: string,
  notFoundCode: string,
  subject: string,
): ResourceNoun {
  return { prefix, malformedCode, notFoundCode, subject };
}

export function notFound(kind: ResourceNoun, ids: readonly string[]): Ec2Error {
  const plural = ids.length > 1;
  const text =
    kind.notFoundText?.(ids) ??
    `The ${kind.subject} ID${plural ? "s" : ""} '${ids.join(", ")}' do${plural ? "" : "es"} not exist`;
  return new Ec2Error(kind.notFoundCode, text);
}

export function checkId(kind: ResourceNoun, id: string): void {
  const isWellFormed =
    id.startsWith(`${kind.prefix}-`) && /^[0-9a-f]{8,17}$/.test(id.slice(kind.prefix.length + 1));
  if (isWellFormed) return;
  if (kind.prefix === "vol")
    throw invalidValue(`Value (${id}) for parameter volumeId is invalid. Expected: 'vol-...'.`);
  throw new Ec2Error(kind.malformedCode, `Invalid id: "${id}" (expecting "${kind.prefix}-...")`);
}

/** The row with this id, or AWS's error for a malformed or an unknown one. */
export function find<R>(
  table: { get(id: string): R | undefined },
  kind: ResourceNoun,
  id: string,
): R {
  checkId(kind, id);
  const row = table.get(id);
  if (row === undefined) throw notFound(kind, [id]);
  return row;
}

/** All rows or one error that names every missing id. */
export function findAll<R>(
  table: { get(id: string): R | undefined },
  kind: ResourceNoun,
  ids: readonly string[],
): R[] {
  for (const id of ids) checkId(kind, id);
  const missing = ids.filter((id) => table.get(id) === undefined);
  if (missing.length > 0) throw notFound(kind, missing);
  return ids.flatMap((id) => table.get(id) ?? []);
}
