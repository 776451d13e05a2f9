/** `managed-instance status`: everything about one managed instance, and what happens to it next. */
import type { Entry } from "../controller/registry";
import { describeFacts } from "../engine/facts";
import type { Observation } from "../engine/model";
import { openAccount } from "./account";
import type { CommonFlags } from "./flags";
import { instantAndRelative, isoInstant, relative } from "./human-time";
import type { Invocation } from "./invocation";
import { factLines, listedOf, paintState } from "./listing";
import { idOf, lookWith, notFound, type Seen } from "./look";
import { nextDecision, outlookLine, outlookOf } from "./outlook";
import { chosenRegistry } from "./registry-choice";
import { facts as factTable, table } from "./table";

export async function status(this: Invocation, flags: CommonFlags, which: string): Promise<void> {
  const account = await openAccount(this, flags);
  const chosen = await chosenRegistry(this, flags, account);
  const { region } = account;
  const id = await idOf(which, account, chosen?.registry);
  const entry = await chosen?.registry.get(id);
  const seen = await lookWith(account, id, entry);
  if (seen === undefined && entry === undefined) throw notFound(id, region);
  const now = account.clock.now();
  const listed = listedOf({
    id,
    entry,
    ledger: seen?.ledger,
    observation: seen?.observation ?? nothingSeen,
    facts: seen && describeFacts(seen.observation, seen.ledger),
  });
  const decision = decisionFor(entry, seen, now);
  const held = seen === undefined ? [] : heldOf(seen.observation);
  const paint = this.terminal.painter(flags);
  this.terminal.result(flags, {
    json: {
      region,
      managedInstance: listed,
      next: decision && outlookOf(decision),
      resources: held.map(({ at, deleteAfterAt, ...each }) => ({
        ...each,
        at: isoInstant(at),
        deleteAfter: deleteAfterAt === undefined ? undefined : isoInstant(deleteAfterAt),
      })),
    },
    lines: () => [
      ...factTable([...factLines(listed, now), ["next", decision && outlookLine(decision)]]).map(
        (line) =>
          line.startsWith("state ")
            ? line.replace(listed.state, paintState(paint, listed.state))
            : line,
      ),
      ...(held.length === 0 ? [] : ["", ...heldTable(held, now)]),
    ],
  });
}

const nothingSeen: Observation = {
  anchors: [],
  instances: [],
  volumes: [],
  snapshots: [],
  images: [],
  baseImage: { kind: "absent", imageId: "" },
  zones: {},
  spotMarket: { usdPerHour: {}, zoneScores: {} },
  refusals: [],
};

function decisionFor(entry: Entry | undefined, seen: Seen | undefined, now: number) {
  return entry && seen && nextDecision({ entry, ...seen, now });
}

interface HeldResource {
  kind: "volume" | "snapshot" | "image";
  id: string;
  state: string;
  generation: number;
  lineage: number;
  sizeGiB?: number;
  at: number;
  deleteAfterAt?: number;
}

function heldOf({ images, snapshots, volumes }: Observation): HeldResource[] {
  const all = [
    ...volumes.map((each) => ({
      ...each,
      kind: "volume" as const,
      id: each.volumeId,
      at: each.createdAt,
    })),
    ...snapshots.map((each) => ({
      ...each,
      kind: "snapshot" as const,
      id: each.snapshotId,
      at: each.startedAt,
    })),
    ...images.map((each) => ({
      ...each,
      kind: "image" as const,
      id: each.imageId,
      at: each.createdAt,
      sizeGiB: undefined,
    })),
  ];
  return all.map(({ kind, id, state, generation, lineage, sizeGiB, at, deleteAfterAt }) => ({
    ...{ kind, id, state, generation, lineage, sizeGiB, at, deleteAfterAt },
  }));
}

const heldTable = (held: readonly HeldResource[], now: number) =>
  table(
    ["KIND", "ID", "STATE", "GEN", "LINEAGE", "GIB", "MADE", "KEPT"],
    held.map((each) => [
      each.kind,
      each.id,
      each.state,
      String(each.generation),
      String(each.lineage),
      each.sizeGiB === undefined ? "" : String(each.sizeGiB),
      instantAndRelative(each.at, now),
      each.deleteAfterAt === undefined ? "" : `expires ${relative(each.deleteAfterAt, now)}`,
    ]),
  );
