/**
 * Who we are to EC2: AWS's own chain of credentials, and for the embedded EC2 on this machine, which
 * accepts any, made-up ones, because the chain would look for some on the network first.
 */
import type { Ec2Options } from "./client";

export type Environment = Readonly<Record<string, string | undefined>>;

export function accessTo(
  { region, endpoint, profile }: Pick<Ec2Options, "region" | "endpoint" | "profile">,
  environment: Environment,
): Ec2Options {
  const isSet = (name: string) => (environment[name] ?? "") !== "";
  const hasOwn = profile !== undefined || isSet("AWS_ACCESS_KEY_ID") || isSet("AWS_PROFILE");
  const needsNone = endpoint !== undefined && isLoopback(endpoint) && !hasOwn;
  return {
    region,
    endpoint,
    profile,
    credentials: needsNone ? { accessKeyId: "embedded", secretAccessKey: "embedded" } : undefined,
  };
}

function isLoopback(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
