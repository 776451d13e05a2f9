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

/**
 * From now on whoever is ending writes its last words, up to five seconds on. Woken by EC2's own
 * word: most of the time nobody is ending, and looking every few seconds was a tenth of all work.
 */
export function hearLastWords(scene: Hosts & Pick<Scene, "sleep">, random: Random): void {
  const told = new Set<string>();
  scene.simulator.control.events.subscribe(({ detail }) => {
    const id = String(detail["instance-id"]);
    const isEnding = detail.state === "shutting-down" || detail.state === "stopping";
    if (!isEnding || told.has(id)) return;
    told.add(id);
    const write = () => guestsWrite(scene, `/srv/last-words-of-${id}`);
    void scene.sleep(random.below(5000)).then(write);
  });
}
