/** A context for handlers under test: it records what is logged, and answers the checks from a table. */
import type { Preflight } from "../../src/aws/preflight";
import type { Severity } from "../../src/provider/bridge";
import type { Connection, Context } from "../../src/provider/context";

export interface Logged {
  message: string;
  severity: Severity;
  ephemeral: boolean;
}

export interface TestContext extends Context {
  logged: Logged[];
}

export function contextWith(preflight: Preflight, overrides: Partial<Context> = {}): TestContext {
  const logged: Logged[] = [];
  return {
    urn: "urn:pulumi:test::test::pulumi-nodejs:dynamic/managed-instance:ManagedInstance::db",
    signal: new AbortController().signal,
    configuration: { region: "eu-central-1", unsupported: [] },
    log: (message, { severity = "info", ephemeral = false } = {}) => {
      logged.push({ message, severity, ephemeral });
    },
    // The checks use nothing else of a connection.
    connect: () => Promise.resolve({ preflight } as unknown as Connection),
    logged,
    ...overrides,
  };
}

/** An account with one image, two subnets of one VPC, and a few types. */
export function accountFacts(overrides: Partial<Preflight> = {}): Preflight {
  const zones = ["eu-central-1a", "eu-central-1b"];
  const types = [
    { instanceType: "m5.large", architectures: ["x86_64"], usageClasses: ["on-demand", "spot"] },
    { instanceType: "m6g.large", architectures: ["arm64"], usageClasses: ["on-demand", "spot"] },
    { instanceType: "u-6tb1.metal", architectures: ["x86_64"], usageClasses: ["on-demand"] },
  ];
  const subnets = [
    { subnetId: "subnet-00000001", vpcId: "vpc-1", zone: "eu-central-1a", cidr: "10.0.1.0/24" },
    { subnetId: "subnet-00000002", vpcId: "vpc-1", zone: "eu-central-1b", cidr: "10.0.2.0/24" },
    { subnetId: "subnet-00000003", vpcId: "vpc-2", zone: "eu-central-1a", cidr: "10.0.3.0/24" },
  ];
  return {
    image: async (imageId) =>
      imageId === "ami-00000001"
        ? {
            imageId,
            state: "available",
            architecture: "x86_64",
            rootDeviceType: "ebs",
            platformDetails: "Linux/UNIX",
            rootSizeGiB: 8,
            rootDevice: "/dev/xvda",
            otherDevices: [],
          }
        : undefined,
    subnets: async (ids) => subnets.filter(({ subnetId }) => ids.includes(subnetId)),
    instanceTypes: async (names) =>
      types.filter(({ instanceType }) => names.includes(instanceType)),
    offerings: async (names) =>
      names.flatMap((instanceType) => zones.map((zone) => ({ instanceType, zone }))),
    securityGroups: async (ids) =>
      [
        { groupId: "sg-00000001", vpcId: "vpc-1" },
        { groupId: "sg-00000002", vpcId: "vpc-2" },
      ].filter(({ groupId }) => ids.includes(groupId)),
    hasKeyPair: async (name) => name === "ops",
    ...overrides,
  };
}

export const goodInputs = {
  imageId: "ami-00000001",
  instanceTypes: ["m5.large"],
  subnetIds: ["subnet-00000001"],
  creationKey: "org/urn:pulumi:test::test::pulumi-managed-instance:index:ManagedInstance::db",
  __provider: "text",
};
