/**
 * What a run on AWS costs at most, from list prices of us-east-1 in USD: printed before anything is
 * made. Instances count by the minute, disks for an hour although they live for minutes.
 */
interface CostRow {
  readonly what: string;
  readonly count: number;
  readonly unitUsd: number;
}

/** How many launches one run makes at most; a test holds the suite to it. */
export const LAUNCHES_AT_MOST = 24;

const MINUTES_EACH = 15;
const GIB_EACH = 8;
const gp3GibHourUsd = 0.08 / 730;
const snapshotGibHourUsd = 0.05 / 730;
const publicIpHourUsd = 0.005;

const costRows: readonly CostRow[] = [
  {
    what: `t3.nano or t3.micro, ${MINUTES_EACH} minutes each`,
    count: LAUNCHES_AT_MOST,
    unitUsd: (0.0104 * MINUTES_EACH) / 60,
  },
  { what: "t3.medium with Windows, one hour", count: 1, unitUsd: 0.0416 + 0.0184 },
  { what: "t3.medium with RHEL, one hour", count: 1, unitUsd: 0.0416 + 0.0288 },
  {
    what: `root volume of ${GIB_EACH} GiB, one hour`,
    count: 2 * LAUNCHES_AT_MOST,
    unitUsd: GIB_EACH * gp3GibHourUsd,
  },
  { what: "root volume of 30 GiB, one hour", count: 2, unitUsd: 30 * gp3GibHourUsd },
  { what: "snapshot of 16 GiB, one hour", count: 12, unitUsd: 16 * snapshotGibHourUsd },
  {
    what: "public IPv4 address, one hour",
    count: LAUNCHES_AT_MOST + 4,
    unitUsd: publicIpHourUsd,
  },
];

export const costUsd = costRows.reduce((sum, { count, unitUsd }) => sum + count * unitUsd, 0);

export function costText(): string {
  const rows = costRows.map(
    ({ what, count, unitUsd }) =>
      `  ${String(count).padStart(3)} × ${what.padEnd(44)} ${(count * unitUsd).toFixed(3).padStart(7)}`,
  );
  return [
    "A run on AWS costs at most, in USD at list prices of us-east-1:",
    ...rows,
    `  ${"in all".padEnd(50)} ${costUsd.toFixed(2).padStart(7)}`,
  ].join("\n");
}
