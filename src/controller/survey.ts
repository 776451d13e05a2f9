/**
 * Once a minute: what EC2 shows of all managed instances against what was left of them, to find the
 * ones worth a look before they are due. A survey wakes and does nothing else; whoever is woken
 * looks for himself. It can therefore be lost, repeated, or be wrong about an instance that EC2 shows
 * late, and what it misses is found when it is due.
 */
import type { Ec2 } from "../aws/client";
import { type Fleet, readFleet, type Sighting } from "../aws/fleet";
import { inBatches } from "../engine/batches";
import { messageOf } from "../engine/error-text";
import { goalOf, type News, newsOf, type Urgency } from "./news";
import type { ControllerRegistry, Entry, Standing } from "./registry";
import { type Demand, demandOf, noDemand, stretchOf } from "./stretch";

export interface Wanted {
  id: string;
  urgency: Urgency;
  /** A sentence: why it is woken. */
  reason: string;
}

/** A managed instance that EC2 shows and this registry does not know: reported, never touched. */
export interface Stranger {
  id: string;
  instanceId: string;
  state: string;
}

export interface Survey {
  /** Epoch ms, when it began. */
  at: number;
  /** What to work on, recovery first, then the longest overdue. */
  wanted: Wanted[];
  /** How many managed instances EC2 shows an instance of. */
  shown: number;
  /** Whether every entry of the registry was compared, or only those that EC2 made suspicious. */
  isThorough: boolean;
  /** As the last thorough survey found them. */
  strangers: readonly Stranger[];
  /** How many times longer than specified the account needs between two snapshots; 1 or more. */
  stretch: number;
  /** As the last thorough survey found them: how every entry that can be read stands. */
  standings: Standings;
  /** One sentence for each entry that cannot be read. */
  damaged: readonly string[];
}

/** By managed instance; new is what nobody has looked at yet. */
export type Standings = ReadonlyMap<string, Standing["kind"] | "new">;

export interface SurveyorOptions {
  ec2: Ec2;
  registry: Pick<ControllerRegistry, "due" | "get" | "list">;
  now(): number;
  /** Seconds between two surveys that read the whole registry; default 600. */
  thoroughEverySeconds?: number;
  /** How many that are merely due one survey returns at most; default 1000. The rest stays due. */
  mostUpkeep?: number;
}

export interface Surveyor {
  /** Throws CloudError when EC2 does not answer; the next one makes up for it. */
  survey(): Promise<Survey>;
  /** `Survey.stretch` as it is now, for whoever carries upkeep out; 1 before the first survey. */
  stretch(): number;
}

/** What was last told of a managed instance, so that it is told once. */
interface Told {
  sight: string;
  at: number;
}

interface Memory {
  told: Map<string, Told>;
  thoroughAt: number;
  strangers: readonly Stranger[];
  standings: Standings;
  damaged: readonly string[];
  demand: Demand;
}

/** Remembers between surveys what it has told; losing that costs a look each, never safety. */
export function createSurveyor(options: SurveyorOptions): Surveyor {
  const memory: Memory = {
    told: new Map(),
    thoroughAt: Number.NEGATIVE_INFINITY,
    strangers: [],
    standings: new Map(),
    damaged: [],
    demand: noDemand,
  };
  return {
    survey: () => survey(options, memory),
    stretch: () => stretchOf(memory.demand),
  };
}

const defaults = { thoroughEverySeconds: 600, mostUpkeep: 1000 };

async function survey(options: SurveyorOptions, memory: Memory): Promise<Survey> {
  const { ec2, thoroughEverySeconds = defaults.thoroughEverySeconds } = options;
  const at = options.now();
  const fleet = await readFleet(ec2);
  const due = await readDue(options, at);
  const isThorough = at >= memory.thoroughAt + thoroughEverySeconds * 1000;
  const wanted = isThorough
    ? await compareAll(options, memory, { fleet, due, at })
    : await compareSuspicious(options, memory, { fleet, due, at });
  return {
    at,
    wanted: inOrder(wanted, due, options.mostUpkeep ?? defaults.mostUpkeep),
    shown: fleet.size,
    isThorough,
    strangers: memory.strangers,
    stretch: stretchOf(memory.demand),
    standings: memory.standings,
    damaged: memory.damaged,
  };
}

interface Seen {
  fleet: Fleet;
  /** Longest overdue first. */
  due: ReadonlySet<string>;
  at: number;
}

async function readDue({ registry }: SurveyorOptions, at: number): Promise<Set<string>> {
  const due = new Set<string>();
  for await (const id of registry.due(at)) due.add(id);
  return due;
}

/** Every entry, and who of those that EC2 shows is in none. */
async function compareAll({ registry }: SurveyorOptions, memory: Memory, seen: Seen) {
  const wanted: Wanted[] = [];
  const standings = new Map<string, Standing["kind"] | "new">();
  const damaged: string[] = [];
  let demand = noDemand;
  for await (const entry of registry.list({ damaged: ({ message }) => damaged.push(message) })) {
    standings.set(entry.id, entry.standing?.kind ?? "new");
    demand = demandOf(entry, demand);
    wanted.push(...wantedOf(entry, memory, seen));
  }
  memory.demand = demand;
  memory.damaged = damaged;
  memory.standings = standings;
  memory.strangers = [...seen.fleet].flatMap(([id, sighting]) =>
    standings.has(id) ? [] : strangerOf(id, sighting),
  );
  for (const id of memory.told.keys()) if (!standings.has(id)) memory.told.delete(id);
  memory.thoroughAt = seen.at;
  return wanted;
}

const strangerOf = (id: string, { instanceId, state }: Sighting): Stranger[] =>
  state === "terminated" ? [] : [{ id, instanceId, state }];

/** Only those that do not simply run, so that idle ones cost the registry nothing. */
async function compareSuspicious(options: SurveyorOptions, memory: Memory, seen: Seen) {
  const suspicious = [...seen.fleet].filter(([, sighting]) => !isQuiet(sighting));
  const isRunning = (id: string) => isQuiet(seen.fleet.get(id));
  const ids = new Set(suspicious.map(([id]) => id));
  const wanted: Wanted[] = [];
  for (const id of seen.due)
    if (isRunning(id)) wanted.push({ id, urgency: "upkeep", reason: "it is due" });
    else ids.add(id);
  for (const id of memory.told.keys()) if (isRunning(id)) memory.told.delete(id);
  const damaged = new Set(memory.damaged);
  const note = (error: unknown) => damaged.add(messageOf(error));
  for await (const entry of entriesOf(options.registry, [...ids], note))
    wanted.push(...wantedOf(entry, memory, seen));
  memory.damaged = [...damaged];
  return wanted;
}

const isQuiet = (sighting: Sighting | undefined) =>
  sighting?.state === "running" && !sighting.isImpaired && !sighting.isInterrupted;

/** So many reads of the registry are under way at once. */
const readsAtOnce = 25;

/** One that cannot be read is reported, and keeps nobody from the others. */
async function* entriesOf(
  registry: Pick<ControllerRegistry, "get">,
  ids: readonly string[],
  damaged: (error: unknown) => void,
) {
  for (const batch of inBatches(ids, readsAtOnce)) {
    for (const read of await Promise.allSettled(batch.map((id) => registry.get(id)))) {
      if (read.status === "rejected") damaged(read.reason);
      else if (read.value !== undefined) yield read.value;
    }
  }
}

/** Nothing, or one: a lease holder sees by himself what happens, and needs no waking. */
function wantedOf(entry: Entry, memory: Memory, { at, due, fleet }: Seen): Wanted[] {
  const { id, lease } = entry;
  if (lease !== undefined && lease.untilAt > at) return [];
  const sighting = fleet.get(id);
  const news = newsOf(entry, sighting);
  if (news === undefined) memory.told.delete(id);
  else if (isWorthTelling(entry, news, memory.told.get(id))) {
    memory.told.set(id, { sight: news.sight, at });
    return [{ id, urgency: news.urgency, reason: news.reason }];
  }
  if (!due.has(id)) return [];
  const isDown = goalOf(entry) === "running" && sighting?.state !== "running";
  return [{ id, urgency: isDown ? "recovery" : "upkeep", reason: "it is due" }];
}

/**
 * What somebody has looked at since it was told is left to its due time: in a drought a thousand
 * instances are down, and looking at each every minute would help none. Only where somebody said
 * that all is well and EC2 shows that it is not, it is told again and again: he may have been shown
 * an older state than we (ec2-facts §9).
 */
function isWorthTelling(entry: Entry, news: News, told: Told | undefined): boolean {
  const { standing } = entry;
  if (told?.sight !== news.sight || standing === undefined) return true;
  return standing.at <= told.at || (standing.kind === "done" && news.contradictsDone);
}

function inOrder(wanted: readonly Wanted[], due: ReadonlySet<string>, mostUpkeep: number) {
  const positions = new Map([...due].map((id, position) => [id, position]));
  const position = ({ id }: Wanted) => positions.get(id) ?? -1;
  const sorted = [...wanted].sort((a, b) => position(a) - position(b));
  const upkeep = sorted.filter(({ urgency }) => urgency === "upkeep").slice(0, mostUpkeep);
  return [...sorted.filter(({ urgency }) => urgency === "recovery"), ...upkeep];
}
