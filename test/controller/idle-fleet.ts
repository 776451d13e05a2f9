/**
 * An account in which many managed instances run and nothing is to be done: what a survey mostly
 * sees. Launched directly, because what launched them does not matter to it.
 */
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { ControllerRegistry, Standing } from "../../src/controller/registry";
import type { SpecInput } from "../../src/engine/spec";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator";
import { createWorld, parse, type World } from "../simulation/world";

export interface IdleFleet {
  world: World;
  registry: ControllerRegistry;
  ids: readonly string[];
  instanceIdOf(id: string): string;
  /** As if a worker had just looked at it. */
  settle(id: string, standing?: Partial<Standing>, dueAt?: number): Promise<void>;
}

const hours = 3_600_000;

export async function openIdleFleet(
  count: number,
  input: Partial<SpecInput> = {},
): Promise<IdleFleet> {
  const world = createWorld({ throttling: false, keptCalls: 0, latencies: { call: 0 } });
  const registry = createMemoryControllerRegistry();
  const ids = Array.from({ length: count }, (_, index) => idOf(index));
  const instances = new Map(ids.map((id, index) => [id, launch(world, id, index)]));
  world.simulator.clock.advance(600);
  const settle = (id: string, standing: Partial<Standing> = {}, dueAt?: number) =>
    settleEntry({ world, registry }, id, standing, dueAt);
  const imageId = IMAGE_IDS.amazonLinux;
  const spec = parse({
    ...{ imageId, instanceTypes: ["m5.large"], subnetIds: [...DEFAULT_SUBNET_IDS] },
    ...input,
  });
  for (const id of ids) {
    const registration = { id, creationKey: `o/p/s/${id}`, spec, specVersion: 1 };
    await registry.register({ ...registration, deallocate: false }, world.clock.now());
    await settle(id);
  }
  return { world, registry, ids, instanceIdOf: (id) => instances.get(id) ?? "", settle };
}

const idOf = (index: number) => `pmi-${(index + 1).toString(16).padStart(12, "0")}`;

export function launch({ simulator }: World, id: string, index = 0): string {
  const { Instances } = simulator.call("RunInstances", {
    ...{ ImageId: IMAGE_IDS.amazonLinux, InstanceType: "m5.large", MinCount: 1, MaxCount: 1 },
    SubnetId: DEFAULT_SUBNET_IDS[index % DEFAULT_SUBNET_IDS.length],
    ClientToken: `${id}:1:1`,
    InstanceMarketOptions: { MarketType: "spot" },
    TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "pmi:id", Value: id }] }],
  }) as { Instances: { InstanceId: string }[] };
  return Instances[0]?.InstanceId ?? "";
}

async function settleEntry(
  { registry, world }: Pick<IdleFleet, "registry" | "world">,
  id: string,
  standing: Partial<Standing>,
  dueAt?: number,
): Promise<void> {
  const now = world.clock.now();
  const lease = await registry.acquire(id, "settler", { now, untilAt: now + 1000 });
  if (lease === undefined) throw new Error(`somebody works on ${id}`);
  await registry.release(lease, {
    dueAt: dueAt ?? now + 24 * hours,
    standing: { kind: "done", reason: "running", at: now, specVersion: 1, ...standing },
  });
}
