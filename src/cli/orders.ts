/**
 * What people ask of one managed instance: in which words it is registered, when it makes no sense,
 * and how to tell that it is fulfilled. Pure.
 */
import { goalOf } from "../controller/news";
import type { Entry } from "../controller/registry";
import { describeFacts } from "../engine/facts";
import type { Asked } from "../engine/model";
import { isOurSnapshot } from "../engine/tags";
import { Failure } from "./failure";
import type { Seen } from "./look";
import { decisionOn } from "./outlook";

export type Verb = "pause" | "resume" | "recycle" | "snapshot";

export interface Order {
  verb: Verb;
  asked: Asked;
  /** For the history: who reads it later knows that a person wanted it. */
  message: string;
  /** What there is to say once it is fulfilled. */
  done: string;
  /** Whether a look at EC2 is worth its calls, as the registry tells. */
  mayBeFulfilled(entry: Entry): boolean;
  isFulfilled(seen: Seen, entry: Entry, now: number): boolean;
}

/** Throws a Failure where it makes no sense. */
export function orderOf(verb: Verb, { entry, now, seen }: Situation): Order {
  refuseEnded(entry, seen);
  switch (verb) {
    case "pause":
      return {
        ...{ verb, asked: { desiredState: "paused" }, done: "paused" },
        message: "to be paused",
        mayBeFulfilled: ({ standing }) => standing?.kind === "done",
        isFulfilled: isAtRest,
      };
    case "resume":
      return {
        ...{ verb, asked: { desiredState: "running" }, done: "running" },
        message: "to be resumed",
        mayBeFulfilled: ({ ledger }) => ledger?.launch?.healthy === true,
        isFulfilled: isHealthy,
      };
    case "recycle":
      return recycling({ entry, now, seen });
    case "snapshot":
      return snapshotting({ entry, now, seen });
  }
}

interface Situation {
  entry: Entry;
  seen: Seen;
  now: number;
}

function recycling({ entry, seen }: Situation): Order {
  refuseAtRest("recycle", entry);
  const present = seen.ledger.launch?.generation ?? 0;
  const generation = isBeingReplaced(entry, seen) ? present - 1 : present;
  return {
    verb: "recycle",
    asked: { recycleGeneration: generation },
    message: `generation ${generation} to be replaced`,
    done: "recycled",
    mayBeFulfilled: ({ ledger }) => (ledger?.launch?.generation ?? 0) > generation,
    isFulfilled: (later) => (later.ledger.launch?.generation ?? 0) > generation && isHealthy(later),
  };
}

/**
 * The generation before was asked away, and its successor is not healthy yet although somebody is at
 * it, or was cut off: asked again it is the same recycle, and does not replace the successor too.
 */
function isBeingReplaced({ asked, lease, standing }: Entry, { ledger: { launch } }: Seen): boolean {
  if (launch === undefined || launch.healthy) return false;
  const isUnderWay = lease !== undefined || standing?.kind === "waiting";
  return isUnderWay && asked.recycleGeneration === launch.generation - 1;
}

function snapshotting({ entry, now, seen }: Situation): Order {
  refuseAtRest("snapshot", entry);
  if (stateOf(seen) !== "running" || !entry.spec.persistRootDevice)
    throw new Failure(
      "needsYou",
      entry.spec.persistRootDevice
        ? `${seen.id} is ${stateOf(seen)}: there is no running disk to snapshot.`
        : `${seen.id} does not persist its root disk, so nothing of it is snapshotted.`,
      entry.spec.persistRootDevice
        ? "Wait until `managed-instance status` says that it is running."
        : "Set `persistRootDevice: true` in the program.",
    );
  return {
    verb: "snapshot",
    asked: { snapshotAt: now },
    message: "a snapshot to be taken now",
    done: "snapshotted",
    mayBeFulfilled: () => true,
    isFulfilled: ({ ledger, observation }) =>
      observation.snapshots.some(
        (each) =>
          isOurSnapshot(each) &&
          each.startedAt >= now &&
          each.state === "completed" &&
          each.generation === ledger.launch?.generation,
      ),
  };
}

const stateOf = ({ ledger, observation }: Seen) => describeFacts(observation, ledger).state;

/** Its last writes are safe, too: the engine itself sees nothing left to do. */
function isAtRest(seen: Seen, entry: Entry, now: number): boolean {
  return stateOf(seen) === "paused" && decisionOn({ entry, ...seen, now }).kind === "done";
}

const isHealthy = (seen: Seen) =>
  stateOf(seen) === "running" && seen.ledger.launch?.healthy === true;

function refuseEnded(entry: Entry, { id, ledger }: Seen): void {
  const isEnding = ledger.phase === "deallocating" || ledger.phase === "deallocated";
  if (!isEnding && !entry.deallocate) return;
  const next = "`managed-instance status` shows what is kept, and until when.";
  throw new Failure("needsYou", `${id} is being ended, or has ended.`, next);
}

function refuseAtRest(verb: Verb, entry: Entry): void {
  if (goalOf(entry) === "running") return;
  const next = "Resume it with `managed-instance resume`.";
  throw new Failure("needsYou", `${entry.id} is paused: there is nothing to ${verb}.`, next);
}
