/**
 * What must be true of the account once a storm is over, read off the simulator itself: each managed
 * instance is as its specification and what was asked for say, and no byte is missing.
 */
import { goalOf } from "../../src/controller/news";
import type { Entry } from "../../src/controller/registry";
import { recycleFingerprint } from "../../src/engine/situation";
import type { InstanceRecord } from "../../src/simulator/records";
import type { Land } from "../campaign/land";
import { find, type Life } from "../simulation/witness";

/** One sentence for each thing that is not yet so. */
export async function complaintsOn(land: Land): Promise<string[]> {
  const complaints: string[] = [];
  for await (const entry of land.registry.list()) {
    const found = checks.flatMap((check) => check(land, entry) ?? []);
    complaints.push(...found.map((complaint) => `${entry.id}: ${complaint}`));
  }
  return complaints;
}

type Check = (land: Land, entry: Entry) => string | string[] | undefined;

const alive = ({ witness }: Land, id: string): InstanceRecord[] =>
  [...witness.rows().instances()].filter(
    ({ clientToken, state }) =>
      clientToken?.startsWith(`${id}:`) === true && state !== "terminated",
  );

const livesOf = ({ witness }: Land, id: string): Life[] =>
  witness.lives.filter(({ owner }) => owner === id);

const restsWell: Check = (land, { dueAt, lease, specVersion, standing }) => {
  if (lease !== undefined) return `${lease.holder} is at work on it`;
  if (standing?.kind !== "done") return `${standing?.kind}: ${standing?.reason}`;
  if (standing.specVersion !== specVersion) return "the last look knew an older specification";
  return dueAt <= land.now() ? "it is due" : undefined;
};

const hasItsInstance: Check = (land, entry) => {
  const instances = alive(land, entry.id);
  const wanted = goalOf(entry) === "running" ? 1 : 0;
  if (instances.length !== wanted)
    return `${instances.length} instances carry it, and it is to be ${goalOf(entry)}`;
  const [carrier] = instances;
  if (carrier === undefined) return undefined;
  const { launch } = entry.ledger ?? {};
  const isKnown = launch?.instanceId === carrier.id && launch.healthy;
  return isKnown && carrier.state === "running" ? undefined : `${carrier.id} is not yet healthy`;
};

const hasOneInterface: Check = ({ witness }, { id }) => {
  const interfaces = [...witness.rows().interfaces()].filter(
    ({ tags }) => tags.get("pmi:id") === id,
  );
  return interfaces.length === 1 ? undefined : `it has ${interfaces.length} network interfaces`;
};

/** Whoever waits for something reads the registry's copy of the ledger. */
const isCopied: Check = ({ witness }, { id, ledger }) => {
  const [anchor] = [...witness.rows().interfaces()].filter(({ tags }) => tags.get("pmi:id") === id);
  const revision = /revision=(\d+)/.exec(anchor?.tags.get("pmi:spec") ?? "")?.[1];
  return Number(revision) === ledger?.revision
    ? undefined
    : `the registry has revision ${ledger?.revision} and the interface ${revision}`;
};

/** A paused one gets another image, another token's recycle and the like when it is resumed. */
const isAsSpecified: Check = (land, entry) => {
  const { asked, id, ledger, spec } = entry;
  if (goalOf(entry) !== "running") return undefined;
  const life = livesOf(land, id).at(-1);
  if (life?.baseImageId !== spec.imageId) return `it runs ${life?.baseImageId}`;
  if (ledger?.launch?.recycleFingerprint !== recycleFingerprint(spec)) return "it is not recycled";
  if ((asked.recycleGeneration ?? 0) >= ledger.launch.generation) return "a recycle is open";
  const snapshots = [...land.witness.rows().snapshots().withTag("pmi:id", id)];
  const newestAt = Math.max(0, ...snapshots.map(({ createdAt }) => createdAt));
  return (asked.snapshotAt ?? 0) > newestAt ? "a snapshot is open" : undefined;
};

/**
 * On the disk that runs, or where none does in what is kept. Nothing fails here but what is between
 * EC2 and us, so that no older snapshot is ever good enough.
 */
const hasEveryByte: Check = (land, entry) => {
  const { id, ledger } = entry;
  if (ledger?.gap !== undefined) return `a gap: ${JSON.stringify(ledger.gap)}`;
  const lives = livesOf(land, id);
  const ofLineage = lives.filter(({ lineage }) => lineage === lives.at(-1)?.lineage);
  const written = [...new Set(ofLineage.flatMap(({ files }) => [...files]))];
  const [carrier] = alive(land, id);
  const { snapshots, volumes } = land.witness.rows();
  const kept = [...snapshots().withTag("pmi:id", id)].filter(({ state }) => state === "completed");
  const running = find(volumes(), carrier?.volumeIds[0]);
  const disks = carrier === undefined ? kept : running === undefined ? [] : [running];
  const missingOn = ({ disk }: { disk: { files: ReadonlyMap<string, string> } }) =>
    written.filter((path) => !disk.files.has(path));
  const missing = disks.map(missingOn).sort((a, b) => a.length - b.length)[0] ?? written;
  return missing.length === 0 ? undefined : `it lacks ${missing.join(", ")}`;
};

const checks: readonly Check[] = [
  restsWell,
  hasItsInstance,
  hasOneInterface,
  isCopied,
  isAsSpecified,
  hasEveryByte,
];
