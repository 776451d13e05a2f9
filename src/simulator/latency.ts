/**
 * How long everything takes: the published latency table. Each row says what it measures and where
 * the number comes from; "assumed" marks numbers that AWS publishes nowhere. All rows are seconds.
 * Tests and benchmarks change rows through the simulator's `latencies` option.
 */

export interface LatencyRow {
  readonly seconds: number;
  readonly meaning: string;
  readonly source: string;
}

const rows = {
  runInstancesCall: row(
    1.4,
    "The RunInstances call itself, before its answer arrives.",
    "ec2-facts §1.6 (measured median)",
  ),
  call: row(0.2, "Any other call, before its answer arrives.", "assumed"),
  pendingToRunning: row(
    3.4,
    "From RunInstances' answer, or StartInstances, to `running`; user data runs then.",
    "ec2-facts §1.6 (running 4.8 s after the request, 1.4 s of them the call)",
  ),
  bootToStatusOk: row(
    75,
    "From `running` to both status checks `ok`.",
    "assumed: checks run once a minute",
  ),
  bootToStatusImpaired: row(
    180,
    "From `running` to `impaired` when the disk does not boot.",
    "assumed: several failed checks",
  ),
  impairedDetection: row(
    0,
    "From a fault in a running instance to `impaired`.",
    "assumed; 0 so that a test sees it at once",
  ),
  osShutdown: row(
    8,
    "From the terminate or stop request until the operating system has written its last byte.",
    "assumed; a graceful shutdown is attempted (ec2-facts §2)",
  ),
  shuttingDownToTerminated: row(
    25,
    "From the end of the operating system to `terminated`.",
    "assumed",
  ),
  terminatedToVolumeAvailable: row(
    6,
    "From `terminated` until a kept volume is `available`.",
    "undocumented moment (ec2-facts §2), assumed",
  ),
  terminatedToInterfaceAvailable: row(
    3,
    "From `terminated` until a kept network interface is `available`.",
    "undocumented moment (ec2-facts §4), assumed",
  ),
  terminatedVisible: row(3600, "How long a terminated instance is still listed.", "ec2-facts §9"),
  terminatedTokenKept: row(
    86400,
    "How long a client token is remembered after its instance was terminated.",
    "ec2-facts §1.1 (at least 24 hours)",
  ),
  spotRequestKept: row(
    14400,
    "How long a Spot request is listed after it has ended.",
    "ec2-facts §1.4",
  ),
  spotFulfilment: row(
    5,
    "From an open Spot request to its instance being launched, where capacity exists.",
    "assumed",
  ),
  interruptionNotice: row(
    120,
    "From the interruption warning to the interruption.",
    "ec2-facts §8",
  ),
  stoppingToStopped: row(20, "From the end of the operating system to `stopped`.", "assumed"),
  reboot: row(20, "How long a reboot keeps the operating system down.", "assumed"),
  volumeCreate: row(2, "From CreateVolume to `available`.", "assumed"),
  volumeDelete: row(2, "From DeleteVolume until the volume is gone.", "assumed"),
  attach: row(2, "From AttachVolume or AttachNetworkInterface to `attached`.", "assumed"),
  detach: row(4, "From DetachVolume or DetachNetworkInterface to `available`.", "assumed"),
  snapshotBase: row(15, "A snapshot's least time in `pending`.", "assumed"),
  snapshotPerGib: row(
    12,
    "More time for each GiB changed since the last snapshot of the same lineage; the first is full.",
    "assumed (about 85 MiB/s); may be hours (ec2-facts §2)",
  ),
  snapshotSpacing: row(15, "Least time between two snapshots of one volume.", "ec2-facts §2"),
  imageRegistration: row(
    5,
    "From RegisterImage, or the end of CreateImage's snapshots, to `available`.",
    "assumed",
  ),
  imageNameReuse: row(
    30,
    "How long a deregistered image's name stays taken.",
    "ec2-facts §3 (not free at once), length assumed",
  ),
  deregisteredVisible: row(
    5,
    "How long a deregistered image is still listed.",
    "ec2-facts §3 (a short interval), length assumed",
  ),
  replaceRootStart: row(2, "A replace-root task's time in `pending`.", "assumed"),
  replaceRoot: row(
    30,
    "A replace-root task's time in `in-progress`, the reboot included.",
    "assumed: a reboot plus an attach (ec2-facts §5)",
  ),
  describeLag: row(
    0,
    "How old the state is that Describe calls answer with.",
    "ec2-facts §9 publishes none; raise it, or use the lag fault",
  ),
  tagLag: row(
    0,
    "How old the tag index is that tag filters read.",
    "ec2-facts §9 publishes none; raise it, or use the lag fault",
  ),
} as const;

export type LatencyTable = { readonly [Name in keyof typeof rows]: number };

/** The table with its explanations, for documentation. */
export const latencyRows: { readonly [Name in keyof typeof rows]: LatencyRow } = rows;

export const defaultLatencies: LatencyTable = secondsOf(rows);

function row(seconds: number, meaning: string, source: string): LatencyRow {
  return { seconds, meaning, source };
}

function secondsOf(table: { readonly [Name in keyof typeof rows]: LatencyRow }): LatencyTable {
  const entries = Object.entries(table).map(([name, { seconds }]) => [name, seconds]);
  return Object.fromEntries(entries) as LatencyTable;
}
