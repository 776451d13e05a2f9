/**
 * All managed instances of the account in this Region, read in bulk: their anchors with the ledgers
 * on them, what carries them, what holds their state, and what the registry knows. A handful of
 * filtered describes however many there are.
 */
import type * as sdk from "@aws-sdk/client-ec2";
import { allInstances, allPages } from "../aws/client";
import { readFleet } from "../aws/fleet";
import { ownImages } from "../aws/own-images";
import { anchorOf, imageOf, instanceOf, snapshotOf, tagsOf, volumeOf } from "../aws/shapes";
import type { ControllerRegistry, Entry } from "../controller/registry";
import { describeFacts, type Facts } from "../engine/facts";
import { newestLedger } from "../engine/ledgers";
import type {
  Anchor,
  Health,
  Image,
  Instance,
  Ledger,
  Observation,
  Snapshot,
  Volume,
} from "../engine/model";
import { ownerOfClientToken } from "../engine/names";
import { DamagedLedgerError, decodeLedger, tagKeys } from "../engine/tags";
import type { Account } from "./account";

export interface Managed {
  id: string;
  /** Absent when no anchor is left, or its tags cannot be read. */
  ledger?: Ledger;
  /** Why the anchor's tags cannot be read. */
  damage?: string;
  observation: Observation;
  facts?: Facts;
  entry?: Entry;
}

/** Everything tagged as ours, by the id that it is tagged with. */
export interface Belongings {
  anchors: Anchor[];
  instances: Instance[];
  volumes: Volume[];
  snapshots: Snapshot[];
  images: Image[];
}

/** What an account is looked at with. */
export type Eyes = Pick<Account, "ec2" | "clock">;

export interface Overview {
  /** What of the registry cannot be read, in a sentence each. */
  damaged: string[];
  /** Those that have an anchor, or an entry in the registry. */
  managed: Managed[];
  /** What is tagged with an id that neither an anchor nor the registry knows. */
  unclaimed: ReadonlyMap<string, Belongings>;
}

export async function readOverview(
  eyes: Eyes,
  registry: Pick<ControllerRegistry, "list"> | undefined,
): Promise<Overview> {
  const damaged: string[] = [];
  const [tagged, entries] = await Promise.all([
    readTagged(eyes),
    readEntries(registry, ({ message }) => damaged.push(message)),
  ]);
  const managed: Managed[] = [];
  const unclaimed = new Map<string, Belongings>();
  for (const id of new Set([...tagged.keys(), ...entries.keys()])) {
    const belongings = tagged.get(id) ?? nothing();
    const entry = entries.get(id);
    if (belongings.anchors.length === 0 && entry === undefined) unclaimed.set(id, belongings);
    else managed.push(managedOf(id, belongings, entry));
  }
  return { damaged, managed: managed.sort((a, b) => (a.id < b.id ? -1 : 1)), unclaimed };
}

async function readEntries(
  registry: Pick<ControllerRegistry, "list"> | undefined,
  damaged: (error: Error) => void,
) {
  const entries = new Map<string, Entry>();
  for await (const entry of registry?.list({ damaged }) ?? []) entries.set(entry.id, entry);
  return entries;
}

const nothing = (): Belongings => ({
  anchors: [],
  instances: [],
  volumes: [],
  snapshots: [],
  images: [],
});

function managedOf(id: string, belongings: Belongings, entry: Entry | undefined): Managed {
  const observation: Observation = {
    ...belongings,
    baseImage: { kind: "absent", imageId: "" },
    zones: {},
    spotMarket: { usdPerHour: {}, zoneScores: {} },
    refusals: [],
  };
  try {
    const ledger = ledgerOf(belongings.anchors, entry);
    const facts = ledger && describeFacts(observation, ledger);
    return { id, ledger, observation, facts, entry };
  } catch (error) {
    if (!(error instanceof DamagedLedgerError)) throw error;
    return { id, damage: error.message, observation, entry };
  }
}

/** The anchor's own is the truth; the registry's copy may be newer than EC2's tags show. */
const ledgerOf = (anchors: readonly Anchor[], entry: Entry | undefined) =>
  newestLedger([...anchors.map(({ tags }) => decodeLedger(tags)), entry?.ledger]);

const Filters = [{ Name: "tag-key", Values: [tagKeys.id] }];

async function readTagged(eyes: Eyes): Promise<Map<string, Belongings>> {
  const { ec2 } = eyes;
  const [interfaces, instances, volumes, snapshots, images] = await Promise.all([
    allPages(ec2, "DescribeNetworkInterfaces", { Filters }, (page) => page.NetworkInterfaces),
    readInstances(eyes),
    allPages(ec2, "DescribeVolumes", { Filters }, (page) => page.Volumes),
    allPages(ec2, "DescribeSnapshots", { OwnerIds: ["self"], Filters }, (page) => page.Snapshots),
    allPages(ec2, "DescribeImages", ownImages(Filters), (page) => page.Images),
  ]);
  const found = new Map<string, Belongings>();
  const of = (id: string): Belongings => {
    const known = found.get(id) ?? nothing();
    found.set(id, known);
    return known;
  };
  const ofTags = (tags: readonly sdk.Tag[] | undefined) => of(tagsOf(tags)[tagKeys.id] ?? "");
  for (const each of interfaces) ofTags(each.TagSet).anchors.push(anchorOf(each));
  for (const each of volumes) ofTags(each.Tags).volumes.push(...volumeOf(each));
  for (const each of snapshots) ofTags(each.Tags).snapshots.push(...snapshotOf(each));
  for (const each of images) ofTags(each.Tags).images.push(...imageOf(each));
  for (const each of instances) {
    const owner = ownerOfClientToken(each.clientToken);
    if (owner !== undefined && each.state !== "terminated") of(owner.id).instances.push(each);
  }
  return found;
}

/**
 * By client token, which a terminated instance keeps when it loses its tags (ec2-facts §9). Only
 * failing status checks are read: what does not fail counts as good.
 */
async function readInstances({ ec2, clock }: Eyes): Promise<Instance[]> {
  const filters = [{ Name: "client-token", Values: ["pmi-*"] }];
  const [found, fleet] = await Promise.all([allInstances(ec2, filters), readFleet(ec2)]);
  const sightings = new Map([...fleet.values()].map((each) => [each.instanceId, each]));
  return found.map((each) => {
    const seen = sightings.get(each.InstanceId ?? "");
    const health: Health = seen?.isImpaired
      ? { kind: "impaired", sinceAt: clock.now() }
      : { kind: "ok" };
    const spotStatusCode = seen?.isInterrupted ? "marked-for-termination" : undefined;
    return { ...instanceOf(each, { spotStatusCode }), health };
  });
}
