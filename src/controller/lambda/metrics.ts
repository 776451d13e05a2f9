/** The metrics of the functions by name: what alarms and dashboard are made of. */

export const metricNamespace = "ManagedInstances";
/** The one dimension, the same for all functions: each further one is billed as a metric of its own. */
export const metricService = "controller";

export const metricUnits = {
  /** Managed instances of which EC2 shows an instance; once a minute, so its absence says more. */
  Instances: "Count",
  /** Managed instances that EC2 shows and the table does not know. */
  Strangers: "Count",
  /** How many times longer than specified the account needs between two snapshots. */
  SnapshotStretch: "Count",
  /** Events that were about something of ours, and those that were not. */
  Events: "Count",
  ForeignEvents: "Count",
  /** Messages sent to the worker. */
  Wakes: "Count",
  /** Looks that found a managed instance in need of people. */
  Stuck: "Count",
  /** Looks that ended with an error. */
  Failed: "Count",
  /** Looks whose time was over before their work. */
  Unfinished: "Count",
  /** Looks that found somebody else at work. */
  Busy: "Count",
  Interrupted: "Count",
  Recovered: "Count",
  DowntimeSeconds: "Seconds",
  /** Calls of EC2, and those that EC2 refused because there were too many. */
  Calls: "Count",
  Throttles: "Count",
  /** What the sweep deleted, and what is past its time and cannot be deleted. */
  Deleted: "Count",
  Blocked: "Count",
} as const;

export type Metric = keyof typeof metricUnits;
