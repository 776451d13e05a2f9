/**
 * Which instance types exist, what they have and cost, and where they are offered. A fixed, small
 * but realistic part of EC2's own list; prices are On-Demand list prices of us-east-1 in rounded
 * form, Spot prices are derived from them so that zones and types differ but never change.
 */

export interface InstanceTypeFacts {
  readonly name: string;
  readonly architectures: readonly string[];
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly isBurstable: boolean;
  readonly isNitro: boolean;
  readonly isFreeTier: boolean;
  readonly onDemandPrice: number;
  /** Index of the one zone that does not offer it, if any. */
  readonly missingZone?: number;
}

interface Family {
  readonly name: string;
  readonly architectures: readonly string[];
  readonly isNitro?: false;
  readonly missingZone?: number;
  /** Size, vCPUs, GiB, USD an hour. */
  readonly sizes: readonly (readonly [string, number, number, number])[];
}

const X86 = ["x86_64"];
const ARM = ["arm64"];

const families: readonly Family[] = [
  {
    name: "t2",
    architectures: ["i386", "x86_64"],
    isNitro: false,
    sizes: [
      ["micro", 1, 1, 0.0116],
      ["small", 1, 2, 0.023],
      ["medium", 2, 4, 0.0464],
    ],
  },
  { name: "t3", architectures: X86, sizes: burstable(0.0104) },
  { name: "t4g", architectures: ARM, sizes: burstable(0.0084) },
  { name: "m5", architectures: X86, sizes: regular(4, 0.096) },
  { name: "m6i", architectures: X86, sizes: regular(4, 0.096) },
  { name: "m6g", architectures: ARM, sizes: [["medium", 1, 4, 0.0385], ...regular(4, 0.077)] },
  { name: "c5", architectures: X86, sizes: regular(2, 0.085) },
  { name: "c6i", architectures: X86, sizes: regular(2, 0.085) },
  {
    name: "c7g",
    architectures: ARM,
    missingZone: 2,
    sizes: [["medium", 1, 2, 0.0363], ...regular(2, 0.0725)],
  },
  { name: "r5", architectures: X86, sizes: regular(8, 0.126) },
];

function burstable(microPrice: number): Family["sizes"] {
  return [
    ["nano", 2, 0.5, microPrice / 2],
    ["micro", 2, 1, microPrice],
    ["small", 2, 2, microPrice * 2],
    ["medium", 2, 4, microPrice * 4],
    ["large", 2, 8, microPrice * 8],
    ["xlarge", 4, 16, microPrice * 16],
    ["2xlarge", 8, 32, microPrice * 32],
  ];
}

function regular(gibPerVcpu: number, largePrice: number): Family["sizes"] {
  return (["large", "xlarge", "2xlarge", "4xlarge"] as const).map((size, index) => {
    const vcpus = 2 ** (index + 1);
    return [size, vcpus, vcpus * gibPerVcpu, largePrice * 2 ** index] as const;
  });
}

export const instanceTypes: ReadonlyMap<string, InstanceTypeFacts> = new Map(
  families.flatMap((family) =>
    family.sizes.map(([size, vcpus, gib, price]) => {
      const name = `${family.name}.${size}`;
      const facts: InstanceTypeFacts = {
        name,
        architectures: family.architectures,
        vcpus,
        memoryMib: gib * 1024,
        isBurstable: family.name.startsWith("t"),
        isNitro: family.isNitro ?? true,
        isFreeTier: name === "t2.micro" || name === "t3.micro",
        onDemandPrice: price,
        missingZone: family.missingZone,
      };
      return [name, facts] as const;
    }),
  ),
);

export function isOffered(type: InstanceTypeFacts, zoneIndex: number): boolean {
  return type.missingZone !== zoneIndex;
}

/** Between 30 and 45 per cent of the On-Demand price, fixed by type and zone. */
export function spotPrice(type: InstanceTypeFacts, zone: string): number {
  let mixed = 7;
  for (const character of `${type.name}/${zone}`)
    mixed = (mixed * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return type.onDemandPrice * (0.3 + (0.15 * mixed) / 9973);
}

export function priceText(price: number): string {
  return price.toFixed(6);
}
