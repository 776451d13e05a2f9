/**
 * Tells the story of one plan. Phase 1: everything happens at once, and what must hold is judged
 * after every call. Phase 2: all faults are healed, and what the program says must come true within
 * a bound; then everything is destroyed, retention passes, and nothing may be left.
 */
import { createInventory } from "../../src/aws/inventory";
import { sweep } from "../../src/controller/sweep";
import { createRandom, type Random } from "../../src/simulator/random";
import { createFaultSwitch, type FaultSwitch } from "./faults";
import { guestsWrite, hearLastWords } from "./guests";
import { leftOver } from "./invariants";
import type { Plan, PlannedEvent } from "./plan";
import type { Process } from "./processes";
import { runProcess } from "./reconcilers";
import { type Counts, createScene, type Scene } from "./scene";
import { expectTargets } from "./targets";
import {
  createIdentity,
  currentIdentity,
  followRemedy,
  newestSpec,
  tellRegistry,
  userActs,
  userAsks,
} from "./users";
import { allIds } from "./witness";
import { connect, sdkIsLoaded, Violation } from "./world";

export interface Told {
  plan: Plan;
  hash: string;
  lines: readonly string[];
  counts: Counts;
  virtualMinutes: number;
  violation?: Error;
}

/** Virtual time that phase 2 may take until all is as the program says. */
const convergenceMinutes = 300;

export async function runPlan(plan: Plan): Promise<Told> {
  if (plan.isWire) await sdkIsLoaded();
  const scene = createScene(plan);
  const startedAt = scene.now();
  const violation = await tell(scene).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  if (violation !== undefined) scene.trace.add("VIOLATION", violation.message);
  scene.finish();
  return {
    plan,
    hash: scene.trace.hash(),
    lines: scene.trace.lines(),
    counts: scene.counts,
    virtualMinutes: (scene.now() - startedAt) / 60_000,
    violation,
  };
}

async function tell(scene: Scene): Promise<void> {
  const { plan } = scene;
  const random = (stream: string) => createRandom(plan.seed, stream);
  createIdentity(scene.program, plan.spec);
  await tellRegistry(scene.program, scene.registry);
  const faults = createFaultSwitch({
    simulator: scene.simulator,
    foreignVolumeId: foreignVolume(scene),
    plant: (make) => plant(scene, make),
  });
  hearLastWords(scene, random("last words"));
  const processes = Array.from({ length: plan.processes }, (_, index): Process => {
    const name = `process-${index + 1}`;
    const abort = new AbortController();
    const claimant = { host: "test", pid: plan.isClaimed === true ? index + 1 : 1 };
    const hostAheadMs = (plan.hostsAheadSeconds?.[index] ?? 0) * 1000;
    return {
      ...{ name, claimant, abort, random: random(name) },
      ...{ dooms: [], staleUntil: 0, hostAheadMs },
    };
  });
  const direct = async () => {
    await happen(scene, plan.events, { faults, processes });
    faults.healAll();
    for (const process of processes) {
      process.dooms.length = 0;
      process.staleUntil = 0;
    }
    scene.heal();
    scene.trace.add("director", "everything is healed");
    await converged(scene, processes);
    await endAll(scene, processes);
  };
  await Promise.all([direct(), ...processes.map((process) => runProcess(scene, process))]);
}

function foreignVolume(scene: Scene): string {
  const { simulator } = scene;
  const AvailabilityZone = `${simulator.region}a`;
  const made = simulator.call("CreateVolume", { AvailabilityZone, Size: 8 }) as {
    VolumeId: string;
  };
  simulator.clock.advance(60);
  scene.witness.foreign.add(made.VolumeId);
  for (const id of allIds(scene.witness.rows())) scene.witness.foreign.add(id);
  return made.VolumeId;
}

/** What comes to be in there is foreign. */
function plant({ counts, witness }: Scene, make: () => void): void {
  const before = new Set(allIds(witness.rows()));
  make();
  for (const id of allIds(witness.rows())) {
    if (before.has(id)) continue;
    witness.foreign.add(id);
    counts.add("fault", "planted");
  }
}

interface Cast {
  faults: FaultSwitch;
  processes: readonly Process[];
}

async function happen(scene: Scene, events: readonly PlannedEvent[], cast: Cast): Promise<void> {
  const { minutes } = scene.plan;
  const startedAt = scene.now();
  const ends = events.flatMap((event) =>
    event.kind === "fault"
      ? [{ atSeconds: event.atSeconds + event.forSeconds, event, isEnd: true }]
      : [],
  );
  const all = [
    ...events.map((event) => ({ atSeconds: event.atSeconds, event, isEnd: false })),
    ...ends,
  ]
    .filter(({ atSeconds }) => atSeconds < minutes * 60)
    .sort((a, b) => a.atSeconds - b.atSeconds);
  for (const { atSeconds, event, isEnd } of all) {
    await scene.sleep(Math.max(0, startedAt + atSeconds * 1000 - scene.now()));
    if (isEnd) cast.faults.end(event.number);
    else await begin(scene, event, cast);
  }
  await scene.sleep(Math.max(0, startedAt + minutes * 60_000 - scene.now()));
}

async function begin(
  scene: Scene,
  event: PlannedEvent,
  { faults, processes }: Cast,
): Promise<void> {
  const { counts, plan, trace } = scene;
  const random = createRandom(plan.seed, `event ${event.number}`);
  switch (event.kind) {
    case "user": {
      if (!(await acts(scene, event.action, random))) return;
      counts.add("user", event.action);
      trace.add("user", `${event.action}: ${changeText(scene)}`);
      processes[0]?.abort.abort();
      return;
    }
    case "write":
      guestsWrite(scene, `/srv/${event.number}`);
      return;
    case "fault":
      counts.add("fault", event.fault);
      trace.add("fault", `${event.fault}, for ${event.forSeconds} s`);
      faults.begin(event.number, event.fault, random);
      return;
    case "stale": {
      const process = processes[event.process];
      if (process !== undefined) process.staleUntil = scene.now() + event.forSeconds * 1000;
      counts.add("fault", "process with an older specification");
      return;
    }
    case "clock": {
      const process = processes[event.process];
      if (process?.connection === undefined) return;
      process.connection.jump(event.bySeconds * 1000);
      counts.add("fault", "a clock jumps");
      trace.add(process.name, `has its clock set ahead by ${event.bySeconds} s`);
      return;
    }
    case "crash":
    case "freeze": {
      const kind = event.kind === "freeze" ? "freeze" : (`die-${event.moment}` as const);
      const { call, forSeconds } = event;
      processes[event.process]?.dooms.push({ kind, call, forSeconds });
    }
  }
}

async function acts(scene: Scene, action: string, random: Random): Promise<boolean> {
  const { plan, program, registry } = scene;
  if (plan.isControlled !== true) return userActs(program, action, random);
  if (await userAsks(program, currentIdentity(program), { action, registry })) return true;
  if (!userActs(program, action, random)) return false;
  await tellRegistry(program, registry);
  return true;
}

function changeText({ program }: Scene): string {
  const identity = currentIdentity(program);
  const { desiredState, imageId, persistRootDevice } = newestSpec(identity);
  return `${identity.id} version ${identity.specs.length} (${imageId}, ${desiredState}, root ${persistRootDevice ? "persisted" : "not persisted"})`;
}

/** Every process that looks from now on must find it done, each on its own. */
async function converged(scene: Scene, processes: readonly Process[]): Promise<void> {
  const startedAt = scene.now();
  const random = createRandom(scene.plan.seed, "remedies");
  for (;;) {
    const identity = currentIdentity(scene.program);
    const unsettled = processes.filter((process) => !isSettled(scene, process, startedAt));
    if (unsettled.length === 0) return await expectTargets(scene, identity);
    for (const { last } of processes) {
      if (last?.ending.kind !== "stuck" || last.beganAt < startedAt) continue;
      if (last.order.specVersion !== last.order.identity.specs.length) continue;
      const remedy = followRemedy(last.order.identity, last.ending.reason, random);
      // Some reasons pass by themselves, as failures count for ten minutes; all must within the bound.
      if (remedy === undefined) continue;
      scene.trace.add("user", `${remedy}, because ${last.ending.reason}`);
      scene.counts.add("remedy", remedy);
      await tellRegistry(scene.program, scene.registry);
    }
    await scene.sleep(20_000);
    if (scene.now() > startedAt + convergenceMinutes * 60_000) throw notConverged(processes);
  }
}

/** It has looked since then, and found everything done that the program says. */
function isSettled(scene: Scene, { last }: Process, sinceAt: number): boolean {
  if (last === undefined || last.ending.kind !== "done" || last.beganAt < sinceAt) return false;
  const { identity, specVersion } = last.order;
  if (last.order.deallocate) scene.ended.add(identity.id);
  const open = scene.program.identities.filter(({ id }) => !scene.ended.has(id));
  if (open.length === 0) return true;
  const isNewest = specVersion === identity.specs.length && !last.order.deallocate;
  return (
    open.length === 1 && isNewest && open[0] === identity && identity.destroyedAt === undefined
  );
}

function notConverged(processes: readonly Process[]): Violation {
  const ends = processes.map(({ last, name }) => {
    const { ending } = last ?? {};
    return `${name}: ${ending === undefined ? "nothing" : ending.kind === "done" ? "done" : ending.reason}`;
  });
  return new Violation(
    `(f) progress: not converged ${convergenceMinutes} minutes after all faults: ${ends.join("; ")}`,
  );
}

/** Destroy, a hundred hours, the sweep: nothing is left, and nothing foreign is gone. */
async function endAll(scene: Scene, processes: readonly Process[]): Promise<void> {
  const identity = currentIdentity(scene.program);
  identity.destroyedAt ??= scene.now();
  scene.trace.add("user", "destroys what is left");
  await tellRegistry(scene.program, scene.registry);
  for (const process of processes) process.abort.abort();
  await converged(scene, processes);
  const { simulator, witness } = scene;
  scene.finish();
  for (const process of processes) process.abort.abort();
  await scene.sleep(100 * 3_600_000);
  const connection = connect(simulator, { wire: scene.plan.isWire });
  const inventory = createInventory(connection.ec2);
  const { deleted } = await sweep({ ...connection, inventory });
  const touched = deleted.filter((id) => witness.foreign.has(id));
  if (touched.length > 0)
    throw new Violation(`(d) the sweep deleted foreign ${touched.join(", ")}`);
  await scene.sleep(60_000);
  const left = leftOver(witness);
  if (left.length > 0) throw new Violation(`(e) left over: ${left.join(", ")}`);
  const present = new Set(allIds(witness.rows()));
  const gone = [...witness.foreign].filter((id) => !present.has(id));
  if (gone.length > 0) throw new Violation(`(d) foreign and gone: ${gone.join(", ")}`);
}
