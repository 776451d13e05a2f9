/**
 * How many requests of each kind EC2 takes from one account in one Region (ec2-facts §7): so many at
 * once, and so many more each second. All callers of the account share them.
 */
import type { Action } from "./client";
import { isReading } from "./reading";

export interface RequestBucket {
  capacity: number;
  refillPerSecond: number;
}

const read: RequestBucket = { capacity: 100, refillPerSecond: 20 };
const change: RequestBucket = { capacity: 50, refillPerSecond: 5 };
const ownChange: RequestBucket = { capacity: 100, refillPerSecond: 5 };
const tagging: RequestBucket = { capacity: 100, refillPerSecond: 10 };

const own: Partial<Record<Action, RequestBucket>> = {
  RunInstances: { capacity: 5, refillPerSecond: 2 },
  CreateNetworkInterface: ownChange,
  CreateSnapshot: ownChange,
  CreateTags: tagging,
  DeleteNetworkInterface: ownChange,
  DeleteSnapshot: ownChange,
  DeleteTags: tagging,
  DeleteVolume: ownChange,
  DeregisterImage: ownChange,
  ModifyNetworkInterfaceAttribute: ownChange,
  TerminateInstances: ownChange,
};

/** Our describes are all filtered or paginated, so the smaller bucket of those that are not is none of ours. */
export const requestBucket = (action: Action): RequestBucket =>
  own[action] ?? (isReading(action) ? read : change);
