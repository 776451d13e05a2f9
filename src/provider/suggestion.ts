/**
 * What somebody meant who used a property that does not exist: our name for one of Spot.io's or of
 * aws.ec2.Instance, or the nearest of ours.
 */

/** Names of Spot.io's Managed Instance (API, Terraform, Pulumi) and of aws.ec2.Instance. */
const knownNames: Readonly<Record<string, string>> = {
  ami: "imageId",
  instanceType: "instanceTypes",
  types: "instanceTypes",
  preferredType: "preferredInstanceTypes",
  preferredTypes: "preferredInstanceTypes",
  subnetId: "subnetIds",
  vpcSecurityGroupIds: "securityGroupIds",
  securityGroups: "securityGroupIds",
  keyPair: "keyName",
  iamRole: "iamInstanceProfile",
  userDataBase64: "userData",
  enableMonitoring: "monitoring",
  rootBlockDevice: "rootVolume",
  blockDeviceMappings: "rootVolume",
  fallbackToOd: "fallbackToOnDemand",
  fallbackToOndemand: "fallbackToOnDemand",
  spotPrice: "maxSpotPrice",
  maxPrice: "maxSpotPrice",
  gracePeriod: "gracePeriodSeconds",
  healthCheckGracePeriod: "gracePeriodSeconds",
  unhealthyDuration: "unhealthyDurationSeconds",
  managedInstanceAction: "desiredState",
  privateIpAddress: "privateIp",
  persistBlockDevices: "persistRootDevice",
  deallocationConfig: "retentionHours",
  deletes: "retentionHours",
};

/** What of Spot.io has no counterpart here, with what to do instead. */
const withoutCounterpart: Readonly<Record<string, string>> = {
  vpcId: "The VPC follows from subnetIds: leave it out.",
  product: "The platform follows from the image: leave it out.",
  name: "The name is the resource's name, the first argument: leave it out, or set tags.Name.",
  description: "Leave it out, or put it into tags.",
  count: "One resource is one instance: use a loop in the program.",
  availabilityZone: "The zone follows from subnetIds: name a subnet of that zone.",
};

/** Nobody means one of ours by a longer one. */
const longestName = 40;

/** The sentence that follows "There is no property X." */
export function suggestFor(name: string, known: readonly string[]): string {
  if (name.length > longestName) return `The properties are: ${known.join(", ")}.`;
  const camel = name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
  const other = ownOf(withoutCounterpart, camel);
  if (other !== undefined) return other;
  const renamed = ownOf(knownNames, camel) ?? "";
  const ours = known.includes(renamed)
    ? renamed
    : (beginning(camel, known) ?? nearest(camel, known));
  return ours === undefined ? `The properties are: ${known.join(", ")}.` : `Did you mean ${ours}?`;
}

/** A property may be called `toString`, which every object has and no table of ours. */
const ownOf = (table: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** Mostly a forgotten unit: `size` for `sizeGiB`. */
const beginning = (name: string, known: readonly string[]) =>
  known.find((each) => name.length > 3 && each.toLowerCase().startsWith(name.toLowerCase()));

function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, name.length / 3)
    ? best.each
    : undefined;
}

/** Levenshtein's, one row at a time. */
function editDistance(source: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...source].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...target].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min((row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[target.length] ?? 0;
}
