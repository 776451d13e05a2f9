/** An account on a served embedded EC2 with one managed instance that a controller knows. */
import { accessTo } from "../../src/aws/access";
import { createEc2 } from "../../src/aws/client";
import { AwsClock } from "../../src/aws/clock";
import { createCloud } from "../../src/aws/cloud";
import { createAnchorRegistry } from "../../src/aws/registry";
import type { ControllerRegistry } from "../../src/controller/registry";
import { work } from "../../src/controller/worker";
import type { Ledger } from "../../src/engine/model";
import { fingerprint } from "../../src/engine/spec";
import type { Simulator } from "../../src/simulator";
import type { SimulatorServer } from "../../src/simulator/server";
import { base } from "../simulation/operations";
import { parse } from "../simulation/world";

export const region = "us-east-1";
export const id = "pmi-00000000000a";

/** What `pulumi up` does with a controller: register, and carry out itself. */
export async function create(server: SimulatorServer, registry: ControllerRegistry): Promise<void> {
  const clock = new AwsClock();
  const ec2 = createEc2(accessTo({ region, endpoint: server.endpoint }, {}), clock);
  const cloud = createCloud(ec2, clock);
  const spec = parse({ ...base, region });
  await ec2.call("DescribeSubnets", {});
  const initial: Ledger = {
    ...{ id, creationKey: "test", phase: "creating", revision: 0 },
    ...{ specVersion: 1, specFingerprint: fingerprint(spec) },
    claim: { host: "test", pid: 1, touchedAt: clock.now() },
  };
  const registration = { id, creationKey: "test", spec, specVersion: 1, deallocate: false };
  await registry.register(registration, clock.now());
  const anchors = createAnchorRegistry(ec2);
  const claimant = { host: "test", pid: 1 };
  const deps = { registry, cloud, anchors, clock, claimant, holder: "test:1:up" };
  const result = await work(id, deps, { initial });
  if (result.kind !== "worked" || result.standing.kind !== "done")
    throw new Error(`it was not created: ${JSON.stringify(result)}`);
}

/** Those of the account that have not ended. */
export function instancesOf({ account, control }: Simulator): { id: string; state: string }[] {
  const all = control.state().instances as { id: string; state: string; ownerId?: string }[];
  return all.filter(
    ({ ownerId = account, state }) => ownerId === account && state !== "terminated",
  );
}
