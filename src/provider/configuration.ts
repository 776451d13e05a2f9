/**
 * The stack's configuration as the provider uses it, read once. What is set and cannot be honoured is
 * refused and not ignored: working in another account than the user meant would be the worst outcome.
 */

export interface Configuration {
  region?: string;
  /** AWS_REGION and its like; weaker than everything in the program and the stack. */
  environmentRegion?: string;
  /** Another EC2 than AWS's: the embedded one, on loopback. */
  endpoint?: string;
  profile?: string;
  /** Set keys that we cannot honour. */
  unsupported: readonly string[];
}

/** Credentials come from AWS's own chain, which knows roles, profiles and web identities. */
const unsupportedKeys = [
  "aws:accessKey",
  "aws:secretKey",
  "aws:token",
  "aws:assumeRole",
  "aws:assumeRoles",
  "aws:assumeRoleWithWebIdentity",
] as const;

export function readConfiguration(
  get: (key: string) => string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Configuration {
  const read = (key: string) => (isSet(get(key)) ? get(key) : undefined);
  return {
    region: read("aws:region"),
    environmentRegion: environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION,
    endpoint: read("managed-instance:endpoint"),
    profile: read("aws:profile"),
    unsupported: unsupportedKeys.filter((key) => isSet(get(key))),
  };
}

const isSet = (value: string | undefined) =>
  value !== undefined && !["", "{}", "[]"].includes(value);
