/** What EC2's codes mean to the engine, by ec2-facts §1.5, §2, §3 and §9. */
import { cloudErrorOf } from "../../src/aws/errors";
import type { Meaning } from "../../src/engine/ports";

const rows: [code: string, status: number | undefined, meaning: Meaning][] = [
  ["InsufficientInstanceCapacity", 500, "no-capacity"],
  ["SpotMaxPriceTooLow", 400, "no-capacity"],
  ["InsufficientFreeAddressesInSubnet", 400, "no-capacity"],
  ["InsufficientVolumeCapacity", 500, "no-capacity"],
  ["MaxSpotInstanceCountExceeded", 400, "no-capacity"],
  ["RequestLimitExceeded", 503, "throttled"],
  ["SnapshotCreationPerVolumeRateExceeded", 400, "too-soon"],
  ["ConcurrentSnapshotLimitExceeded", 400, "too-soon"],
  ["InvalidNetworkInterface.InUse", 400, "in-use"],
  ["InvalidSnapshot.InUse", 400, "in-use"],
  ["InvalidAMIName.Duplicate", 400, "duplicate"],
  ["IdempotentInstanceTerminated", 400, "token-spent"],
  ["IdempotentParameterMismatch", 400, "token-mismatch"],
  ["InvalidInstanceID.NotFound", 400, "not-found"],
  ["InvalidAMIID.Unavailable", 400, "not-found"],
  ["UnauthorizedOperation", 403, "denied"],
  ["InvalidKeyPair.Format", 400, "invalid"],
  ["SomethingNew", 400, "invalid"],
  ["InternalError", 500, "unknown"],
  ["TimeoutError", undefined, "unknown"],
];

test.each(rows)("%s (HTTP %s) means %s", (name, httpStatusCode, meaning) => {
  const error = cloudErrorOf("RunInstances", { name, message: "…", $metadata: { httpStatusCode } });
  expect(error.meaning).toBe(meaning);
  expect(error.message).toContain(`RunInstances: ${name}`);
});

test.each([
  ["Network interface 'eni-1' is currently in use.", "in-use"],
  ["Value (x) for parameter y is invalid.", "invalid"],
])("InvalidParameterValue with the message %s means %s", (message, meaning) => {
  const answer = { name: "InvalidParameterValue", message, $metadata: { httpStatusCode: 400 } };
  expect(cloudErrorOf("DeleteNetworkInterface", answer).meaning).toBe(meaning);
});
