/**
 * What every step of the story works with: the world, the claims, the guest's journal and the
 * measurements. A step that ends an instance is measured; a step that starts one is followed by a
 * look at the bytes.
 */
import type { Operation } from "../../bench/critical-path";
import { type Stopwatch, startStopwatch } from "../../bench/stopwatch";
import { createInventory, type Inventory } from "../../src/aws/inventory";
import type { Facts } from "../../src/engine/facts";
import type { Claims } from "./claims";
import { type Daemon, intervalSeconds, startDaemon } from "./daemon";
import type { Display } from "./display";
import type { Row } from "./table";
import type { World } from "./world";

export interface Stage {
  world: World;
  display: Display;
  claims: Claims;
  stopwatch: Stopwatch;
  /** Of the one who looks at what is retained, and sweeps. */
  connection: ReturnType<World["connect"]>;
  inventory: Inventory;
  rows: Row[];
  /** `pmi-…`, once it is created. */
  id?: string;
  /** What the guest has written to its root disk so far. */
  journal: string;
  /** The managed instance as it was last seen; absent before it is created. */
  facts?: Facts;
  daemon: Daemon;
}

export function setStage(world: World, display: Display, claims: Claims): Stage {
  const stopwatch = startStopwatch(world.simulator);
  const connection = world.connect();
  const inventory = createInventory(connection.ec2);
  const daemon = startDaemon(world, (step) => noteStep(display, step, "daemon: "));
  return {
    world,
    display,
    claims,
    stopwatch,
    connection,
    inventory,
    daemon,
    rows: [],
    journal: "",
  };
}

const journalPath = "/srv/journal.txt";
/** Some hundred kilobytes, so that "the bytes are there" says something. */
const firstEntry = Array.from(
  { length: 4096 },
  (_, line) => `${String(line).padStart(5, "0")} a line that only this disk has\n`,
).join("");

/** The facts of an instance that must be there. */
export function present({ facts }: Stage): Facts & { instanceId: string; privateIp: string } {
  const { instanceId, privateIp } = facts ?? {};
  if (facts === undefined || instanceId === undefined || privateIp === undefined)
    throw new Error("no instance carries the managed instance");
  return { ...facts, instanceId, privateIp };
}

export function writeJournal(stage: Stage, entry: string): void {
  const { instanceId } = present(stage);
  if (stage.journal === "") stage.journal = firstEntry;
  stage.journal += `${entry}\n`;
  const file = { path: journalPath, content: stage.journal };
  stage.world.simulator.guest.write({ instanceId, ...file });
}

/** Compares every byte; returns how many. */
export function verifyJournal(stage: Stage, claim: string): number {
  const { instanceId } = present(stage);
  const found = readFile(stage, instanceId, journalPath);
  stage.claims.check(claim, found, stage.journal);
  return Buffer.byteLength(stage.journal);
}

/** The content of a file, or a sentence that says why there is none. */
export function readFile({ world }: Stage, instanceId: string, path: string): string {
  try {
    return world.simulator.guest.read({ instanceId, path });
  } catch (error) {
    return `(${error instanceof Error ? error.message : String(error)})`;
  }
}

export const hasJournal = (stage: Stage) =>
  stage.world.simulator.guest.list(present(stage)).includes(journalPath);

/** Performs a step and puts it into the summary. */
export async function measure(
  stage: Stage,
  step: { name: string; downtimeOf?: Operation },
  perform: () => Promise<number | undefined>,
): Promise<void> {
  const { rows, stopwatch } = stage;
  stopwatch.start();
  const verifiedBytes = (await perform()) ?? 0;
  const { downtimeOf, name } = step;
  const calls = [...stopwatch.calls().values()].reduce((sum, count) => sum + count, 0);
  const downtime = downtimeOf && stopwatch.read(downtimeOf);
  rows.push({ step: name, downtime, calls, verifiedBytes });
}

/** `pulumi up`; from then on the daemon knows what it declares. */
export async function up(stage: Stage): Promise<Record<string, unknown>> {
  const { outputs } = await stage.world.up();
  stage.id = String(outputs.id);
  return outputs;
}

/** Of all steps those that the story is about; the others keep books and clear away. */
export function noteStep(display: Display, message: string, prefix = ""): void {
  if (/^(creating|launching|terminating|snapshotting|registering)/.test(message))
    display.note(`${prefix}${message}`);
}

const skippedSeconds = 15;

/** Lets time pass, mostly skipped, and leaves the daemon some of it to notice what is due. */
export async function passTime(stage: Stage, seconds: number): Promise<void> {
  const { clock } = stage.world.simulator;
  const endsAt = clock.now() + seconds * 1000;
  while (clock.now() < endsAt) {
    clock.advance(Math.min(skippedSeconds, (endsAt - clock.now()) / 1000));
    await clock.sleep(intervalSeconds * 1000);
  }
}

/** Has the daemon look, and sees what is there then. */
export async function look(stage: Stage): Promise<void> {
  if (stage.id !== undefined) stage.facts = await stage.daemon.look(stage.id);
}
