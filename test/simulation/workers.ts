/**
 * Controlled processes: the production worker on a registry that they all share, woken by what is
 * due and, as events are lost, doubled and late, by what is not. A dead one's lease runs out, a
 * frozen one comes back to a lease that it has lost.
 */
import type { ControllerRegistry, Entry } from "../../src/controller/registry";
import { type WorkResult, work } from "../../src/controller/worker";
import {
  connectProcess,
  type Ending,
  type Life,
  noteDecision,
  type Process,
  type Ran,
} from "./processes";
import type { Scene } from "./scene";
import type { Identity } from "./users";
import { Crash, Violation } from "./world";

/** Undefined when somebody else is at work or took it over. */
export async function workOnce(scene: Scene, process: Process): Promise<Ran | undefined> {
  const identity = await chosen(scene, process);
  process.connection ??= connectProcess(scene, process);
  process.abort = new AbortController();
  const { clock, cloud, life, registry: anchors } = process.connection;
  const seen = (entry: Entry) => {
    const { deallocate, specVersion } = entry;
    process.known = { identity, specVersion, deallocate };
  };
  scene.trace.add(process.name, `works on ${identity.id}`);
  const result = await work(
    identity.id,
    {
      registry: mortal(scene, life, seen),
      ...{ anchors, clock, cloud },
      claimant: process.claimant,
      holder: `${process.name}-${process.random.hex(6)}`,
      signal: process.abort.signal,
      deadlineAt: clock.now() + (5 + process.random.below(20)) * 60_000,
    },
    { initial: identity.initial, decided: (decision) => noteDecision(scene, process, decision) },
  );
  return ranOf(scene, process, { identity, result });
}

/** What is due first, or anything at all. */
async function chosen({ ended, now, program, registry }: Scene, process: Process) {
  const open = program.identities.filter(({ id }) => !ended.has(id));
  const any = open[process.random.below(open.length)] ?? program.identities.at(-1);
  if (any === undefined) throw new Error("the program has said nothing yet");
  if (process.random.chance(0.3)) return any;
  for await (const due of registry.due(now())) return open.find(({ id }) => id === due) ?? any;
  return any;
}

/** A process that is dead or stands still does not reach the registry either. */
function mortal(scene: Scene, life: Life, seen: (entry: Entry) => void): ControllerRegistry {
  const live = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    if (scene.now() < life.frozenUntil) await scene.sleep(life.frozenUntil - scene.now());
    if (life.isDead) throw new Crash("dead already", { cause: 1000 });
    return call();
  };
  const { registry } = scene;
  return {
    ...registry,
    get: async (id) => {
      const entry = await live(() => registry.get(id));
      if (entry !== undefined) seen(entry);
      return entry;
    },
    acquire: (...asked) => live(() => registry.acquire(...asked)),
    append: (...asked) => live(() => registry.append(...asked)),
    deregister: (id) => live(() => registry.deregister(id)),
    history: (...asked) => live(() => registry.history(...asked)),
    release: (...asked) => live(() => registry.release(...asked)),
    renew: (...asked) => live(() => registry.renew(...asked)),
    saveLedger: (...asked) => live(() => registry.saveLedger(...asked)),
  };
}

function ranOf(
  scene: Scene,
  { known, name }: Process,
  { identity, result }: { identity: Identity; result: WorkResult },
): Ran | undefined {
  const { specVersion = 0, deallocate = false } = known ?? {};
  const ran = (ending: Ending): Ran => ({ order: { identity, specVersion, deallocate }, ending });
  switch (result.kind) {
    case "busy":
    case "lost":
      scene.counts.add("lease", result.kind);
      scene.trace.add(name, result.kind);
      return undefined;
    case "absent":
    case "deallocated":
      scene.ended.add(identity.id);
      return { order: { identity, specVersion, deallocate: true }, ending: endedNow(scene) };
    case "worked":
      return ran(result.outcome);
    case "failed":
      if (result.error instanceof Crash || result.error instanceof Violation) throw result.error;
      throw new Violation(`(f) progress: the worker gave up: ${String(result.error)}`, {
        cause: result.error,
      });
  }
}

const endedNow = (scene: Scene): Ending => ({ kind: "done", wakeAt: scene.now() });
