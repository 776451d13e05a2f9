/** An account on the embedded EC2, in process and on a virtual clock, with handlers connected to it. */
import type { Claimant } from "../../src/aws/claimant";
import { createEc2, type Ec2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { RegistryPlace } from "../../src/controller/open-registry";
import type { ControllerRegistry } from "../../src/controller/registry";
import type { Clock } from "../../src/engine/ports";
import { openConnection } from "../../src/provider/connection";
import type { Connection, Context } from "../../src/provider/context";
import { createSimulator, type Simulator } from "../../src/simulator";
import { simulatorRequestHandler } from "../../src/simulator/request-handler";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import type { Logged } from "./world";

export const images = IMAGE_IDS;
export const subnetIds = DEFAULT_SUBNET_IDS;
const region = "us-east-1";
export const table = "managed-instances";

export interface Account {
  simulator: Simulator;
  ec2: Ec2;
  /** Of the controller at `table`, and at every directory. */
  registry: ControllerRegistry;
  connection: Connection;
  /** The same account as another process sees it; one that does not exist counts as dead. */
  connectionOf(claimant: Claimant): Connection;
  /** A context of its own for each call, as a front-end makes one. */
  context(overrides?: Partial<Context>): Context & { logged: Logged[] };
}

export function openAccount(): Account {
  const simulator = createSimulator();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const requestHandler = simulatorRequestHandler(simulator);
  const ec2 = createEc2({ region, requestHandler, credentials }, new AwsClock());
  const registry = createMemoryControllerRegistry();
  const registryAt = (place: RegistryPlace): ControllerRegistry => {
    if (place.table === undefined || place.table === table) return registry;
    const get = () => Promise.reject(new Error(`there is no table ${place.table}`));
    return { ...registry, get };
  };
  const connection = openConnection(ec2, clockOf(simulator), { registryAt });
  return {
    simulator,
    ec2,
    connection,
    registry,
    connectionOf: (claimant) => openConnection(ec2, clockOf(simulator), { claimant, registryAt }),
    context(overrides = {}) {
      const logged: Logged[] = [];
      return {
        urn: "urn:pulumi:test::test::pulumi-nodejs:dynamic/managed-instance:ManagedInstance::db",
        signal: new AbortController().signal,
        configuration: { region, unsupported: [] },
        log: (message, { severity = "info", ephemeral = false } = {}) => {
          logged.push({ message, severity, ephemeral });
        },
        connect: async () => connection,
        logged,
        ...overrides,
      };
    },
  };
}

function clockOf({ clock }: Simulator): Clock & { now(): number } {
  return {
    now: () => clock.now(),
    sleep: (milliseconds, signal) =>
      clock.sleep(milliseconds, signal).catch((error: unknown) => {
        if (signal?.aborted !== true) throw error;
      }),
  };
}

export const declared = {
  imageId: images.amazonLinux,
  instanceTypes: ["m5.large"],
  subnetIds: [subnetIds[0]],
  region,
  creationKey: "org/urn:pulumi:test::test::pulumi-managed-instance:index:ManagedInstance::db",
  __provider: "text",
};
