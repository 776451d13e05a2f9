/**
 * The software inside the instances: it writes files whenever it is told to and again while its
 * operating system goes down, for a durable byte is durable until the very end.
 */
import type { Random } from "../../src/simulator/random";
import type { Scene } from "./scene";
import { find } from "./witness";

/** Those of whose guests it is. */
export type Hosts = Pick<Scene, "simulator" | "trace" | "witness">;

/** One more file on every disk of ours whose operating system runs. */
export function guestsWrite(scene: Hosts, path: string): void {
  const { simulator, trace, witness } = scene;
  for (const life of witness.lives) {
    if (!isUp(scene, life.instanceId)) continue;
    const sizeBytes = 2 ** 20 * (1 + (path.length % 7) * 8);
    try {
      simulator.guest.write({ instanceId: life.instanceId, path, content: path, sizeBytes });
    } catch (error) {
      // It has no disk any more, or not yet.
      if (!(error instanceof Error)) throw error;
      continue;
    }
    life.files.add(path);
    trace.add("guest", `writes ${path} on ${life.instanceId} (${life.volumeId})`);
  }
}

const isUp = ({ witness }: Hosts, instanceId: string): boolean =>
  find(witness.rows().instances(), instanceId)?.osUpSince !== undefined;

/** Watches for instances that are ending and lets them write their last words, a few seconds on. */
export async function runLastWords(
  scene: Hosts & Pick<Scene, "isOver" | "sleep">,
  random: Random,
): Promise<void> {
  const told = new Set<string>();
  while (!scene.isOver()) {
    await scene.sleep(2000 + random.below(3000));
    for (const { id, osUpSince, state } of scene.witness.rows().instances()) {
      const isEnding = state === "shutting-down" || state === "stopping";
      if (!isEnding || osUpSince === undefined || told.has(id)) continue;
      told.add(id);
      guestsWrite(scene, `/srv/last-words-of-${id}`);
    }
  }
}
