/** One managed instance as `list` and `status` tell it: to programs as an object, to people in words. */
import type { Entry } from "../controller/registry";
import type { Facts } from "../engine/facts";
import { instantAndRelative, isoInstant, isoInstantOrNever, relative } from "./human-time";
import { fullName, nameOf } from "./identity";
import type { Managed } from "./overview";
import type { Paint, Style } from "./terminal";

/** What `--json` tells of one: documented in docs/cli.md, only ever added to. */
export interface Listed extends Partial<Omit<Facts, "state">> {
  id: string;
  name: string;
  project?: string;
  stack?: string;
  /** As engine/facts.ts names it; "unknown" when the anchor is lost, "damaged" when its tags are. */
  state: string;
  controller?: {
    standing?: string;
    reason?: string;
    remedy?: string;
    at?: string;
    /** Absent when nothing is due any more until somebody asks. */
    dueAt?: string;
    desiredState: string;
    specVersion: number;
    workedOnBy?: string;
    /** What is asked for and not fulfilled yet; a desired state for as long as it overrules the program's. */
    asked: { desiredState?: string; recycleGeneration?: number; snapshotAt?: string };
  };
}

export function listedOf({ damage, entry, facts, id, ledger }: Managed): Listed {
  const key = ledger?.creationKey ?? entry?.creationKey ?? id;
  const state = damage === undefined ? (facts?.state ?? "unknown") : "damaged";
  return { id, ...nameOf(key), ...facts, state, controller: entry && controllerOf(entry, facts) };
}

function controllerOf(entry: Entry, facts: Facts | undefined): Listed["controller"] {
  const { dueAt, lease, spec, specVersion, standing } = entry;
  return {
    standing: standing?.kind,
    reason: standing?.reason,
    remedy: standing?.remedy,
    at: standing && isoInstant(standing.at),
    dueAt: isoInstantOrNever(dueAt),
    desiredState: entry.asked.desiredState ?? spec.desiredState,
    specVersion,
    workedOnBy: lease?.holder,
    asked: pending(entry, facts),
  };
}

function pending({ asked, spec }: Entry, facts: Facts | undefined) {
  const { desiredState, recycleGeneration = 0, snapshotAt = 0 } = asked;
  const { generation = 0, lastSnapshotAt } = facts ?? {};
  const isReplaced = recycleGeneration === 0 || generation > recycleGeneration;
  const isTaken = snapshotAt === 0 || Date.parse(lastSnapshotAt ?? "") >= snapshotAt;
  return {
    desiredState: desiredState === spec.desiredState ? undefined : desiredState,
    recycleGeneration: isReplaced ? undefined : recycleGeneration,
    snapshotAt: isTaken ? undefined : isoInstant(snapshotAt),
  };
}

const colours: Readonly<Record<string, Style>> = {
  running: "green",
  paused: "dim",
  deallocated: "dim",
  unhealthy: "red",
  interrupted: "yellow",
  down: "red",
  unknown: "red",
  damaged: "red",
};

/** Painted after the columns are laid out, because colours have no width. */
export const paintState = (paint: Paint, state: string) => {
  const style = colours[state];
  return style === undefined ? state : paint(style, state);
};

export const listHeading = [
  "ID",
  "NAME",
  "STATE",
  "GEN",
  "INSTANCE",
  "TYPE",
  "MARKET",
  "ZONE",
  "PRIVATE IP",
  "LAST SNAPSHOT",
  "NOTE",
];

export function listRow(managed: Managed, now: number): string[] {
  const listed = listedOf(managed);
  const key = managed.ledger?.creationKey ?? managed.entry?.creationKey ?? listed.id;
  const { lastSnapshotAt } = listed;
  return [
    listed.id,
    fullName(key),
    listed.state,
    listed.generation === undefined ? "" : String(listed.generation),
    listed.instanceId ?? "",
    listed.instanceType ?? "",
    listed.market ?? "",
    listed.availabilityZone ?? "",
    listed.privateIp ?? "",
    lastSnapshotAt === undefined ? "" : relative(Date.parse(lastSnapshotAt), now),
    noteOf(listed),
  ];
}

/** What is worth a look, in a few words; `status` tells the rest. */
function noteOf({ controller, gap, state }: Listed): string {
  if (controller?.standing === "stuck") return "stuck";
  if (controller?.standing === "failed") return "failed";
  if (gap !== undefined) return "writes missing";
  if (controller === undefined) return "";
  const isAsIs = state === controller.desiredState || state === "deallocated";
  return isAsIs ? "" : `to be ${controller.desiredState}`;
}

const named = (id: string | undefined, at: string | undefined, now: number) =>
  id === undefined
    ? undefined
    : [id, at && instantAndRelative(Date.parse(at), now)].filter(Boolean).join(", ");

/** The facts of `status`, one line each. */
export function factLines(listed: Listed, now: number): [string, string | undefined][] {
  const { controller, gap, generation, lineage, project, stack } = listed;
  const type = [listed.instanceType, listed.market].filter(Boolean).join(", ");
  return [
    ["id", listed.id],
    ["name", listed.name],
    ["program", project && `${project}, stack ${stack}`],
    ["state", listed.state],
    ["generation", generation === undefined ? undefined : String(generation)],
    ["lineage", lineage === undefined ? undefined : `${lineage}, of ${listed.imageId}`],
    ["instance", named(listed.instanceId, listed.launchedAt, now)],
    ["type", type],
    ["zone", listed.availabilityZone],
    ["private IP", listed.privateIp],
    ["interface", named(listed.networkInterfaceId, undefined, now)],
    ["subnet", listed.subnetId && `${listed.subnetId} in ${listed.vpcId}`],
    ["root volume", listed.rootVolumeId],
    ["last snapshot", named(listed.lastSnapshotId, listed.lastSnapshotAt, now)],
    ["image", listed.persistedImageId],
    [
      "missing writes",
      gap && `${gap.from} to ${gap.to}${gap.volumeId ? `, on ${gap.volumeId}` : ""}`,
    ],
    ["standing", controller && standingLine(controller, now)],
    ["next look", controller && nextLook(controller, now)],
    ["asked for", controller && askedLine(controller)],
    ["worked on by", controller?.workedOnBy],
  ];
}

type Controller = NonNullable<Listed["controller"]>;

function standingLine({ at, reason, remedy, standing }: Controller, now: number): string {
  if (standing === undefined || at === undefined) return "not looked at yet";
  const when = relative(Date.parse(at), now);
  return [`${standing}, ${when}: ${reason}`, remedy].filter(Boolean).join("; ");
}

const nextLook = ({ dueAt }: Controller, now: number) =>
  dueAt === undefined ? "when somebody asks" : relative(Date.parse(dueAt), now);

function askedLine({ asked }: Controller): string | undefined {
  const parts = [
    asked.desiredState && `to be ${asked.desiredState}`,
    asked.recycleGeneration && `generation ${asked.recycleGeneration} to be replaced`,
    asked.snapshotAt && `a snapshot of ${asked.snapshotAt} or later`,
  ].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join(", ");
}
