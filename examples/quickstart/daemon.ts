/**
 * The controller's daemon, as `managed-instance controller` runs it: it answers interruptions and
 * takes the periodic snapshots while no `pulumi up` runs. It shares its registry, a directory, with
 * Pulumi's provider.
 */
import { createCloud } from "../../src/aws/cloud";
import { createAnchorRegistry } from "../../src/aws/registry";
import { runDaemon } from "../../src/controller/daemon";
import { createFileControllerRegistry } from "../../src/controller/file-registry";
import { describeFacts, type Facts } from "../../src/engine/facts";
import type { World } from "./world";

export interface Daemon {
  /** Makes it look as soon as it can; resolves when all is as it should be, and nothing is due soon. */
  look(id: string): Promise<Facts>;
  /** Ends at the next safe point. */
  stop(): Promise<void>;
}

/** Short, because an hour of the story takes two minutes and a half. */
export const intervalSeconds = 5;

/** What is to be deleted is looked at twice, and a pending snapshot again: both are within this. */
const soonMs = 45_000;

/** `told` gets each step that it takes, in words. */
export function startDaemon(world: World, told: (step: string) => void): Daemon {
  const { endpoint, registryDirectory, simulator } = world;
  const registry = createFileControllerRegistry(registryDirectory);
  const stop = new AbortController();
  const ended = runDaemon({
    ...{ registry, endpoint, intervalSeconds, region: simulator.region, environment: {} },
    claimant: { host: "quickstart", pid: process.pid },
    signal: stop.signal,
    write(line) {
      const { event, message } = JSON.parse(line) as { event: string; message: string };
      if (event === "step") told(message);
    },
  });
  // Told to whoever looks, or by stop().
  ended.catch(() => undefined);
  const look = async (id: string): Promise<Facts> => {
    const askedAt = simulator.clock.now();
    await registry.wake(id, askedAt);
    while (!stop.signal.aborted) {
      const entry = await registry.get(id);
      const standing = entry?.lease === undefined ? entry?.standing : undefined;
      const isNew = standing !== undefined && standing.at >= askedAt;
      const isDueSoon = (entry?.dueAt ?? 0) < simulator.clock.now() + soonMs;
      if (isNew && standing.kind === "done" && !isDueSoon) return factsOf(world, id);
      if (isNew && ["stuck", "failed"].includes(standing.kind)) throw new Error(standing.reason);
      await Promise.race([simulator.clock.sleep(1000), ended.then(() => stop.abort())]);
    }
    throw new Error("the daemon was stopped");
  };
  return {
    look,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** What EC2 shows, and not what Pulumi or the daemon say. */
async function factsOf({ connect, spec }: World, id: string): Promise<Facts> {
  const { clock, ec2 } = connect();
  const query = { ...spec(), id, wantsSpotMarket: false };
  const cloud = await createCloud(ec2, clock).observe(query);
  const ledger = await createAnchorRegistry(ec2).load(id, cloud.anchors);
  if (ledger === undefined) throw new Error(`nothing of ${id} is to be seen`);
  return describeFacts({ ...cloud, refusals: [] }, ledger);
}
