/**
 * Lives, one after the other, until so many operations were cut off. What a seed decides is which
 * operation is cut off how and when; the machine decides how far it has come by then.
 */
import { createSimulator } from "../../src/simulator";
import { createRandom } from "../../src/simulator/random";
import { serveSimulator } from "../../src/simulator/server";
import { type Cut, Life } from "./kill-life";
import { createProject } from "./project";

export interface CampaignOptions {
  /** How many operations are cut off; those that ended before their moment do not count. */
  times: number;
  seed: number;
  told?: (cut: Cut, life: number) => void;
}

/** Rejects at the first life that does not end well, naming it. */
export async function killCampaign({ times, seed, told }: CampaignOptions): Promise<Cut[]> {
  const simulator = createSimulator({ seed, clock: { kind: "real", speed: 60 } });
  const server = await serveSimulator(simulator);
  const project = await createProject("killed");
  const cuts: Cut[] = [];
  const counted = () => cuts.filter(({ missed }) => !missed).length;
  try {
    for (let number = 1; counted() < times; number += 1) {
      const stage = { project, simulator, endpoint: server.endpoint };
      const life = new Life(stage, `life-${number}`, createRandom(seed, `life ${number}`));
      try {
        await life.live(times - counted());
      } catch (error) {
        throw new Error(`life ${number} of seed ${seed}: ${JSON.stringify(life.cuts)}`, {
          cause: error,
        });
      }
      cuts.push(...life.cuts);
      for (const cut of life.cuts) told?.(cut, number);
    }
    return cuts;
  } finally {
    await server.close();
    project.remove();
  }
}
