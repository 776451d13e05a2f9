/**
 * A campaign: many managed instances for many days of virtual time, kept by two controllers, with
 * everything that happens in so many days. What must hold is judged at every call; every hour it is
 * asked of each whether it runs or says why not; in the end all is healed, ended and swept, and
 * nothing may be missing and nothing left.
 */
import { createInventory } from "../../src/aws/inventory";
import type { Entry } from "../../src/controller/registry";
import { sweep } from "../../src/controller/sweep";
import type { InstanceRecord } from "../../src/simulator/records";
import { leftOver } from "../simulation/invariants";
import { find } from "../simulation/witness";
import { Violation } from "../simulation/world";
import { createAll, keepController } from "./controllers";
import { type CampaignOptions, createLand, enter, type Land } from "./land";
import { makeWeather } from "./weather";

export interface CampaignReport {
  land: Land;
  /** Virtual instance-hours looked at hourly: running, down with a reason. */
  hoursRunning: number;
  hoursDown: number;
  /** The reasons told of those that were down, by how often. */
  reasons: ReadonlyMap<string, number>;
  longestStretch: number;
  violation?: Error;
}

const minutes = 60_000;
const hours = 60 * minutes;

export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const land = createLand(options);
  const report: CampaignReport = {
    ...{ land, hoursRunning: 0, hoursDown: 0, longestStretch: 1 },
    reasons: land.counts.of("reasons"),
  };
  const { signal } = land.violation;
  const violated = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([tell(land, report), violated]);
  } catch (error) {
    report.violation = error instanceof Error ? error : new Error(String(error));
  }
  return { ...report, reasons: land.counts.of("reasons") };
}

async function tell(land: Land, report: CampaignReport): Promise<void> {
  const [calm, end] = [new AbortController(), new AbortController()];
  const controllers = ["north", "south"].map((name) =>
    keepController(land, name, calm.signal, end.signal),
  );
  const { days, instances, progress } = land.options;
  await createAll(land);
  progress?.(`${instances} managed instances are up ${clockText(land)}`);
  const weather = makeWeather(land, calm.signal);
  const untilAt = land.now() + days * 24 * hours;
  for (let hour = 1; land.now() < untilAt; hour += 1) {
    await land.sleep(Math.min(hours, untilAt - land.now()));
    await askAll(land, report);
    if (hour % 6 === 0) progress?.(`day ${(hour / 24).toFixed(2)}: ${summary(land, report)}`);
  }
  calm.abort();
  await weather;
  progress?.(`all is healed ${clockText(land)}`);
  await settled(land);
  progress?.(`all run and have all their bytes ${clockText(land)}`);
  await endAll(land);
  progress?.(`all have ended ${clockText(land)}`);
  end.abort();
  await Promise.all(controllers);
  await expectNothingLeft(land);
}

const startedAt = Date.UTC(2026, 0, 1);
const clockText = ({ now }: Land) => `(day ${((now() - startedAt) / (24 * hours)).toFixed(2)})`;

function summary(land: Land, { hoursDown, hoursRunning }: CampaignReport): string {
  const interruptions = land.counts.of("events").get("interruption") ?? 0;
  const share = (100 * hoursRunning) / Math.max(1, hoursRunning + hoursDown);
  return `${interruptions} interruptions, ${share.toFixed(2)} % of instance-hours running`;
}

const carriersOf = ({ witness }: Land): Map<string, InstanceRecord> => {
  const carriers = new Map<string, InstanceRecord>();
  for (const instance of witness.rows().instances())
    if (instance.state === "running")
      carriers.set(instance.clientToken?.split(":")[0] ?? "", instance);
  return carriers;
};

/** Each runs, or is at work, or says why not; what is due does not stay due. */
async function askAll(land: Land, report: CampaignReport): Promise<void> {
  const carriers = carriersOf(land);
  for await (const entry of land.registry.list()) {
    if (carriers.has(entry.id)) {
      report.hoursRunning += 1;
      continue;
    }
    report.hoursDown += 1;
    const reason = reasonOf(land, entry);
    if (reason === undefined)
      throw new Violation(
        `(f) progress: ${entry.id} is down without a reason: ${JSON.stringify(entry.standing)}`,
      );
    land.counts.add("reasons", reason.replace(/\b(i|vol|snap|ami|eni)-[0-9a-f]+/g, "$1-…"));
  }
}

/** A worker that died, and a survey that has just begun, take two minutes each to be made up for. */
const graceMs = 15 * minutes;

function reasonOf(land: Land, { dueAt, id, lease, standing }: Entry): string | undefined {
  const now = land.now();
  if (lease !== undefined && lease.untilAt > now) return "somebody is at work on it";
  if (standing === undefined) return undefined;
  if (now > Math.max(dueAt, standing.at) + graceMs) return undefined;
  if (standing.kind === "done")
    return now < downSinceAt(land, id) + graceMs ? "it went down in this moment" : undefined;
  return standing.reason === "" ? undefined : standing.reason;
}

const downSinceAt = ({ downSinceAt, witness }: Land, id: string): number =>
  downSinceAt.get(witness.lives.findLast(({ owner }) => owner === id)?.instanceId ?? "") ?? 0;

const convergenceMs = 6 * hours;

/** With all healed, every single one is up again, with every byte that its guest ever wrote. */
async function settled(land: Land): Promise<void> {
  const untilAt = land.now() + convergenceMs;
  for (;;) {
    const complaints = await unsettled(land);
    if (complaints.length === 0) return countGaps(land);
    if (land.now() > untilAt)
      throw new Violation(
        `(f) progress: ${complaints.length} are not up 6 hours after all is healed: ${complaints.slice(0, 3).join("; ")}`,
      );
    await land.sleep(5 * minutes);
  }
}

/** Disks that go on from an older snapshot, because the final one failed, and say so. */
function countGaps({ counts, witness }: Land): void {
  for (const { tags } of witness.rows().interfaces())
    if ((tags.get("pmi:gap") ?? "") !== "") counts.add("events", "a gap in the writes was told");
}

async function unsettled(land: Land): Promise<string[]> {
  const carriers = carriersOf(land);
  const complaints: string[] = [];
  for await (const { id, standing } of land.registry.list()) {
    const carrier = carriers.get(id);
    if (carrier === undefined) complaints.push(`${id} is down: ${standing?.reason}`);
    else if (standing?.kind !== "done") complaints.push(`${id}: ${standing?.reason}`);
    else complaints.push(...missing(land, id, carrier));
  }
  return complaints;
}

/** Of all that its guests have written on any of its disks, what the present one lacks untold. */
function missing({ witness }: Land, id: string, carrier: InstanceRecord): string[] {
  const disk = find(witness.rows().volumes(), carrier.volumeIds[0])?.disk;
  const anchor = [...witness.rows().interfaces()].find((each) => each.tags.get("pmi:id") === id);
  if ((anchor?.tags.get("pmi:gap") ?? "") !== "") return [];
  const gone = witness.lives
    .filter((life) => life.owner === id)
    .flatMap(({ files }) => [...files].filter((path) => disk?.files.has(path) !== true));
  return gone.length === 0 ? [] : [`${id} lacks ${gone.join(", ")}`];
}

/** `pulumi destroy` of all: each ends, and is forgotten by the registry. */
async function endAll(land: Land): Promise<void> {
  for (const identity of land.identities.values()) {
    const entry = await land.registry.get(identity.id);
    if (entry === undefined) throw new Violation(`${identity.id} is not registered any more`);
    identity.destroyedAt = land.now();
    await land.registry.register({ ...entry, deallocate: true }, land.now());
  }
  const untilAt = land.now() + convergenceMs;
  for (;;) {
    const open: string[] = [];
    for await (const { id, standing } of land.registry.list())
      open.push(`${id}: ${standing?.reason}`);
    if (open.length === 0) return;
    if (land.now() > untilAt)
      throw new Violation(`(f) progress: ${open.length} have not ended: ${open.slice(0, 3)}`);
    await land.sleep(5 * minutes);
  }
}

/** A hundred hours later all retention has passed, and one sweep leaves nothing. */
async function expectNothingLeft(land: Land): Promise<void> {
  await land.sleep(100 * hours);
  const connection = enter(land);
  await sweep({ ...connection, inventory: createInventory(connection.ec2) });
  await land.sleep(minutes);
  const left = leftOver(land.witness);
  if (left.length > 0)
    throw new Violation(`(e) ${left.length} left over: ${left.slice(0, 10).join(", ")}`);
}
