/**
 * The processes that carry the program out: the production loop, again and again, each with the
 * specification that it happens to know.
 */
import { CloudError } from "../../src/engine/ports";
import { converge } from "../../src/engine/reconcile";
import {
  connectProcess,
  type Ending,
  newestOrder,
  noteDecision,
  type Order,
  type Process,
  type Ran,
  specOf,
} from "./processes";
import type { Scene } from "./scene";
import { workOnce } from "./workers";
import { Crash, Violation } from "./world";

/** Runs until the scene is over. A violation ends it at once. */
export async function runProcess(scene: Scene, process: Process): Promise<void> {
  const run = scene.plan.isControlled === true ? workOnce : carryOut;
  while (!scene.isOver()) {
    const beganAt = scene.now();
    try {
      const ran = await run(scene, process);
      if (ran !== undefined) {
        process.last = { ...ran, beganAt };
        scene.trace.add(process.name, `ends ${endText(ran.ending)}`);
      }
      await scene.sleep(pauseMs(scene, process, ran), process.abort.signal);
    } catch (error) {
      if (error instanceof CloudError) {
        if (!isOutdated(process))
          throw new Violation(`(f) progress: the loop gave up: ${error.message}`, { cause: error });
        scene.trace.add(process.name, `gives an outdated order up: ${error.message}`);
        await scene.sleep(30_000);
        continue;
      }
      if (!(error instanceof Crash)) throw error;
      process.connection = undefined;
      scene.trace.add(process.name, error.message);
      await scene.sleep(scene.isHealed() ? 1000 : Number(error.cause));
    }
  }
}

/** What it wants is not wanted any more, and what others have ended it cannot find. */
function isOutdated({ known }: Process): boolean {
  if (known === undefined) return false;
  const { deallocate, identity, specVersion } = known;
  const isEnded = identity.destroyedAt !== undefined && !deallocate;
  return isEnded || specVersion < identity.specs.length;
}

/** Now and then it goes on with an identity that is not the newest, until that has ended. */
function orderOf(scene: Scene, process: Process): Order {
  const { identities } = scene.program;
  const newest = identities.at(-1);
  const unended = identities.filter(({ id }) => !scene.ended.has(id));
  const mayBeStale = process.known !== undefined && scene.now() < process.staleUntil;
  if (mayBeStale && !scene.isHealed()) return process.known as Order;
  const identity = unended[process.random.below(unended.length)] ?? newest;
  if (identity === undefined) throw new Error("the program has said nothing yet");
  process.known = newestOrder(identity);
  return process.known;
}

/** As `pulumi up` does without a controller. */
async function carryOut(scene: Scene, process: Process): Promise<Ran> {
  const order = orderOf(scene, process);
  const { deallocate, identity, specVersion } = order;
  process.connection ??= connectProcess(scene, process);
  process.abort = new AbortController();
  scene.trace.add(
    process.name,
    `carries out ${identity.id} version ${specVersion}${deallocate ? ", deallocating" : ""}`,
  );
  const { cloud, clock, registry } = process.connection;
  const ending = await converge({
    id: identity.id,
    spec: specOf(order),
    specVersion,
    deallocate,
    initial: identity.initial,
    cloud,
    clock,
    registry,
    claimant: process.claimant,
    deadlineAt: clock.now() + (5 + process.random.below(20)) * 60_000,
    signal: process.abort.signal,
    decided: (decision) => noteDecision(scene, process, decision),
  });
  return { order, ending };
}

function endText(ending: Ending): string {
  if (ending.kind === "done") return "done";
  const text = `${ending.kind}: ${ending.reason}`;
  if (ending.reason === "") throw new Violation("(f) progress: it ended without a reason");
  return text;
}

/** Short enough to meet what others do, long enough that most looks find something to do. */
const longestPauseMs = 600_000;

function pauseMs(scene: Scene, process: Process, ran: Ran | undefined): number {
  const drawnMs = 1000 + process.random.below(longestPauseMs);
  if (ran?.ending.kind !== "done") return Math.min(drawnMs, 30_000);
  return Math.max(1000, Math.min(ran.ending.wakeAt - scene.now(), drawnMs));
}
