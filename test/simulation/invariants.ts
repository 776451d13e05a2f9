/**
 * What must hold after every single call, whatever goes wrong (design §10): a simulation looks at
 * the simulator's own state, never at what our code believes.
 */
import { sweepAll, Violation, type World } from "./world";

interface SimulatedState {
  instances: { id: string; state: string; clientToken?: string }[];
  volumes: { id: string; state: string; tags: Record<string, string> }[];
  snapshots: { id: string; state: string; tags: Record<string, string> }[];
  images: { id: string; state: string; tags: Record<string, string> }[];
  interfaces: { id: string; state?: string; tags: Record<string, string> }[];
}

export const stateOf = (world: World) =>
  world.simulator.control.state() as unknown as SimulatedState;

const live = ["pending", "running", "shutting-down", "stopping", "stopped"];

/** (a) Of one managed instance there are never two instances that could write. */
function expectOneWriter(world: World): void {
  const writers = stateOf(world).instances.filter(
    (each) => live.includes(each.state) && /^pmi-/.test(each.clientToken ?? ""),
  );
  const owners = writers.map((each) => each.clientToken?.split(":")[0]);
  if (new Set(owners).size !== owners.length)
    throw new Violation(`two instances of one managed instance: ${JSON.stringify(writers)}`);
}

/** Watches (a) from now on: a writer comes into being by a launch or a start, and by nothing else. */
export function watchWriters(world: World): void {
  world.hooks.after.push((action) => {
    if (action === "RunInstances" || action === "StartInstances") expectOneWriter(world);
  });
}

/** (e) After retention has passed and the sweep has run, nothing of ours is left. */
export async function expectNothingLeft(world: World): Promise<void> {
  world.simulator.clock.advance(100 * 3600);
  await sweepAll(world);
  const { images, interfaces, snapshots, volumes } = stateOf(world);
  const gone = ["deregistered", "deleted", "deleting"];
  const left = [
    ...images,
    ...snapshots,
    ...volumes,
    ...interfaces.map((each) => ({ ...each, state: "" })),
  ]
    .filter((each) => each.tags["pmi:id"] !== undefined && !gone.includes(each.state))
    .map((each) => `${each.id} ${each.state}`);
  expect(left).toEqual([]);
}
