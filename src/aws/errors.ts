/**
 * What EC2's error codes mean to the engine: one list per meaning, from ec2-facts §1.5, §2 and §3.
 * A code that is not listed is a definite refusal when EC2 answered with a 4xx, and no answer at
 * all otherwise: after that nothing is assumed, it is observed again.
 */
import { CloudError, type Meaning } from "../engine/ports";

const codes: Partial<Record<Meaning, readonly string[]>> = {
  "no-capacity": [
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientReservedInstanceCapacity",
    "SpotMaxPriceTooLow",
    "MaxSpotInstanceCountExceeded",
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "UnfulfillableCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientVolumeCapacity",
    "Unsupported",
    "UnsupportedHostConfiguration",
  ],
  throttled: [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "ResourceCountExceeded",
    "ConcurrentTagAccess",
  ],
  "too-soon": [
    "SnapshotCreationPerVolumeRateExceeded",
    "ConcurrentSnapshotLimitExceeded",
    "PendingSnapshotLimitExceeded",
    "IncorrectState",
    "IncorrectInstanceState",
    "InvalidState",
  ],
  "in-use": [
    "InvalidNetworkInterface.InUse",
    "InvalidParameterValue.InUse",
    "InvalidSnapshot.InUse",
    "VolumeInUse",
    "InvalidIPAddress.InUse",
  ],
  duplicate: ["InvalidAMIName.Duplicate"],
  "token-spent": ["IdempotentInstanceTerminated"],
  "token-mismatch": ["IdempotentParameterMismatch", "IdempotentParameterMismatchException"],
  denied: [
    "UnauthorizedOperation",
    "AuthFailure",
    "AccessDenied",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "RequestExpired",
    "OptInRequired",
    "CredentialsProviderError",
  ],
};

const meanings = new Map(
  Object.entries(codes).flatMap(([meaning, list]) =>
    list.map((code) => [code, meaning as Meaning] as const),
  ),
);

interface Answered {
  name?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

export function cloudErrorOf(action: string, error: unknown): CloudError {
  const { name = "", message = "", $metadata } = (error ?? {}) as Answered;
  const meaning = isInUse(name, message) ? "in-use" : meaningOf(name, $metadata?.httpStatusCode);
  return new CloudError(meaning, `${action}: ${name}: ${message}`, { cause: error });
}

/** DeleteNetworkInterface has no code of its own for it: "Network interface 'eni-…' is currently in use." */
const isInUse = (code: string, message: string) =>
  code === "InvalidParameterValue" && message.endsWith("is currently in use.");

function meaningOf(code: string, status: number | undefined): Meaning {
  const listed = meanings.get(code);
  if (listed !== undefined) return listed;
  if (/NotFound$|\.Unknown$|^InvalidAMIID\.Unavailable$/.test(code)) return "not-found";
  const isDefinite = status !== undefined && status >= 400 && status < 500;
  return isDefinite ? "invalid" : "unknown";
}
