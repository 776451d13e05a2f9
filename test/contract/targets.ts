/** The three targets: a simulator of the suite's own, any endpoint that plays EC2, and AWS. */
import { setTimeout as pause } from "node:timers/promises";
import { EC2 } from "@aws-sdk/client-ec2";
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
  serveSimulator,
} from "../../src/simulator";
import { tagEverything } from "./run-tags";
import type { Target, TargetClock } from "./target";

const REGION = "us-east-1";
const anyCredentials = { accessKeyId: "contract", secretAccessKey: "contract" };
const HOUR = 3600;

export interface SimulatorTarget extends Target {
  readonly simulator: Simulator;
}

/** Over real HTTP, on virtual time: waiting costs nothing. */
export async function simulatorTarget(options: SimulatorOptions = {}): Promise<SimulatorTarget> {
  const simulator = createSimulator(options);
  const server = await serveSimulator(simulator);
  const ec2 = new EC2({
    region: REGION,
    endpoint: server.endpoint,
    credentials: anyCredentials,
    maxAttempts: 1,
  });
  const runId = "simulated";
  tagEverything(ec2, runId);
  return {
    name: "simulator",
    ec2,
    region: REGION,
    simulator,
    clock: simulator.clock,
    patience: { pollSeconds: 5, limitSeconds: HOUR, longWaitSeconds: 25 * HOUR },
    runId,
    close: async () => {
      ec2.destroy();
      await server.close();
    },
  };
}

const realClock: TargetClock = { now: () => Date.now(), sleep: (ms) => pause(ms) };

/** Moto changes every state at once, so what is not there soon never comes. */
export function motoTarget(endpoint: string, runId: string): Target {
  const ec2 = new EC2({ region: REGION, endpoint, credentials: anyCredentials, maxAttempts: 1 });
  tagEverything(ec2, runId);
  return {
    name: "moto",
    ec2,
    region: REGION,
    clock: realClock,
    patience: { pollSeconds: 0.2, limitSeconds: 2, longWaitSeconds: 1 },
    runId,
    close: async () => ec2.destroy(),
  };
}

/** Credentials come from the SDK's usual chain. Throttled calls are repeated: the account has other users. */
export function awsTarget(region: string, runId: string): Target {
  const ec2 = new EC2({ region, maxAttempts: 6 });
  tagEverything(ec2, runId);
  return {
    name: "aws",
    ec2,
    region,
    clock: realClock,
    patience: { pollSeconds: 5, limitSeconds: 20 * 60, longWaitSeconds: 5 * 60 },
    runId,
    close: async () => ec2.destroy(),
  };
}
