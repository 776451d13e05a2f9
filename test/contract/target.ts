/**
 * What the contract suite runs against: the simulator, moto or AWS, each behind an unmodified client
 * of the AWS SDK. A target says how patient its slow states want a caller to be and where things are.
 */
import type { EC2 } from "@aws-sdk/client-ec2";

export interface TargetClock {
  /** Epoch milliseconds, in the target's time. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

export interface Patience {
  readonly pollSeconds: number;
  /** How long a state may take before it counts as never reached. */
  readonly limitSeconds: number;
  /** The longest that a probe waits for something to be forgotten. */
  readonly longWaitSeconds: number;
}

/** Where the suite works, and with what: found by `discoverPlace`, never assumed. */
export interface Place {
  readonly zone: string;
  readonly subnetId: string;
  readonly imageId: string;
  readonly rootDeviceName: string;
  readonly rootSizeGib: number;
  readonly platformDetails: string;
}

export interface Target {
  readonly name: "simulator" | "moto" | "aws";
  readonly ec2: EC2;
  readonly region: string;
  readonly clock: TargetClock;
  readonly patience: Patience;
  /** On everything that the suite makes, as the value of the tag `RUN_TAG`. */
  readonly runId: string;
  /** Ends what the target itself has started. */
  close(): Promise<void>;
}

export const RUN_TAG = "pmi-contract:run";

/** The smallest types that every target offers; one size apart, so that a type can be changed. */
export const TYPES = { small: "t3.nano", larger: "t3.micro" } as const;
