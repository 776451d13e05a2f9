/**
 * What a user may say about the root volume, and EBS's limits on it: what EC2 would refuse must be
 * refused before the running instance is ended for it (ec2-facts §2, "EBS volume types").
 */
import { z } from "zod";

export const rootVolumeSchema = z
  .strictObject({
    /** GiB; default: the size that the image says. Never smaller than the disk that it continues. */
    sizeGiB: z.int().min(1).max(65536).optional(),
    volumeType: z.enum(["gp3", "gp2", "io1", "io2", "standard"]).default("gp3"),
    iops: z.int().min(100).max(256000).optional(),
    /** MiB/s, gp3 only. */
    throughput: z.int().min(125).max(2000).optional(),
    encrypted: z.boolean().default(true),
    kmsKeyId: z.string().min(1).optional(),
  })
  .prefault({});

type RootVolume = z.output<typeof rootVolumeSchema>;

interface Limits {
  /** GiB. */
  size: readonly [number, number];
  iops?: readonly [number, number];
  iopsPerGiB?: number;
}

const limits: Readonly<Record<RootVolume["volumeType"], Limits>> = {
  gp3: { size: [1, 65536], iops: [3000, 80000], iopsPerGiB: 500 },
  gp2: { size: [1, 16384] },
  io1: { size: [4, 16384], iops: [100, 64000], iopsPerGiB: 50 },
  io2: { size: [4, 65536], iops: [100, 256000], iopsPerGiB: 1000 },
  standard: { size: [1, 1024] },
};
/** What a gp3 volume has whatever its size, and what its throughput is counted by. */
const gp3 = { iops: 3000, throughputPerIops: 0.25 };

/** Each with the property that it is about. */
export type Complaint = readonly [property: keyof RootVolume, rule: string];

export function rootVolumeComplaints(volume: RootVolume): Complaint[] {
  const { encrypted, kmsKeyId } = volume;
  const complaints = [...sizeComplaints(volume), ...iopsComplaints(volume)];
  complaints.push(...throughputComplaints(volume));
  if (kmsKeyId !== undefined && !encrypted) complaints.push(["kmsKeyId", "needs encrypted: true"]);
  return complaints;
}

const isWithin = (value: number, [least, most]: readonly [number, number]) =>
  value >= least && value <= most;

function sizeComplaints({ sizeGiB, volumeType }: RootVolume): Complaint[] {
  const { size } = limits[volumeType];
  if (sizeGiB === undefined || isWithin(sizeGiB, size)) return [];
  return [
    ["sizeGiB", `must be between ${size[0]} and ${size[1]} GiB with volumeType "${volumeType}"`],
  ];
}

function iopsComplaints({ iops, sizeGiB, volumeType }: RootVolume): Complaint[] {
  const { iops: range, iopsPerGiB = 0 } = limits[volumeType];
  if (iops === undefined)
    return range !== undefined && volumeType !== "gp3"
      ? [["iops", `is required with volumeType "${volumeType}"`]]
      : [];
  if (range === undefined) return [["iops", 'needs volumeType "gp3", "io1" or "io2"']];
  if (!isWithin(iops, range))
    return [
      ["iops", `must be between ${range[0]} and ${range[1]} with volumeType "${volumeType}"`],
    ];
  // Of an image's own size nothing is known here.
  if (sizeGiB === undefined || (volumeType === "gp3" && iops <= gp3.iops)) return [];
  const most = sizeGiB * iopsPerGiB;
  if (iops <= most) return [];
  return [
    [
      "iops",
      `must be at most ${most} for ${sizeGiB} GiB: ${iopsPerGiB} per GiB with volumeType "${volumeType}"`,
    ],
  ];
}

function throughputComplaints({
  iops = gp3.iops,
  throughput,
  volumeType,
}: RootVolume): Complaint[] {
  if (throughput === undefined) return [];
  if (volumeType !== "gp3") return [["throughput", 'needs volumeType "gp3"']];
  const most = iops * gp3.throughputPerIops;
  if (throughput <= most) return [];
  return [
    [
      "throughput",
      `must be at most ${most} MiB/s with ${iops} iops: ${gp3.throughputPerIops} MiB/s for each of them`,
    ],
  ];
}
