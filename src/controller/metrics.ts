/** What the daemon measures, in the text format of Prometheus. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Action } from "../aws/client";
import type { Meaning } from "../engine/ports";
import type { Notice, Notifier } from "./notifications";
import type { Standings } from "./survey";
import type { WorkResult } from "./worker";

export interface Metrics {
  /** One request to EC2 and its answer. */
  answered(action: Action, answer: "ok" | Meaning): void;
  surveyed(survey: { at: number; shown: number; strangers: number; stretch: number }): void;
  worked(result: WorkResult): void;
  /** How every entry of the registry stands; the whole of it replaces what was known. */
  standings(all: Standings): void;
  /** Counts what people are told of. */
  notifier: Notifier;
  /** What `/metrics` answers. */
  text(): Promise<string>;
  contentType: string;
}

/** Asked when somebody reads. */
export interface QueueState {
  depth: { waiting: number; active: number };
  lagMs: number;
}

const standingKinds = ["new", "done", "waiting", "stuck", "failed"] as const;

export function createMetrics(queue: () => QueueState): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const m = meters(registers, queue);
  const known = new Map<string, (typeof standingKinds)[number]>();
  const show = () => {
    const kinds = [...known.values()];
    for (const kind of standingKinds)
      m.instances.set({ standing: kind }, kinds.filter((each) => each === kind).length);
  };
  show();
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    answered(action, answer) {
      m.calls.inc({ action, outcome: answer });
      if (answer === "throttled") m.throttles.inc({ action });
    },
    surveyed({ at, shown, strangers, stretch }) {
      m.surveyedAt.set(at / 1000);
      m.shown.set(shown);
      m.strangers.set(strangers);
      m.stretch.set(stretch);
    },
    worked(result) {
      m.work.inc({ result: result.kind });
      if (result.kind === "busy" || result.kind === "lost") m.conflicts.inc({ how: result.kind });
      const isGone = result.kind === "deallocated" || result.kind === "absent";
      if (isGone) known.delete(result.id);
      else if ("standing" in result && result.standing !== undefined)
        known.set(result.id, result.standing.kind);
      show();
    },
    standings(all) {
      known.clear();
      for (const [id, kind] of all) known.set(id, kind);
      show();
    },
    notifier: { notify: async (notice) => count(m, notice) },
  };
}

function count(m: ReturnType<typeof meters>, { downtimeSeconds, kind, resourceIds }: Notice) {
  if (kind === "interrupted") m.interruptions.inc();
  if (kind === "recovered") m.recoveries.inc();
  if (downtimeSeconds !== undefined) m.downtime.observe(downtimeSeconds);
  m.expired.inc(resourceIds?.length ?? 0);
}

const prefix = "managed_instance_";

function meters(registers: Registry[], queue: () => QueueState) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `${prefix}${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `${prefix}${name}`, help, labelNames, registers });
  queueGauges(registers, queue);
  return {
    instances: gauge("entries", "Managed instances by how their last look ended.", ["standing"]),
    shown: gauge("shown", "Managed instances of which EC2 shows an instance."),
    strangers: gauge("strangers", "Those among them that this registry does not know."),
    stretch: gauge(
      "snapshot_stretch_ratio",
      "How many times longer than specified the account needs between two snapshots.",
    ),
    surveyedAt: gauge("last_survey_timestamp_seconds", "When the last survey began."),
    work: counter("work_total", "Looks at one managed instance, by result.", ["result"]),
    conflicts: counter(
      "lease_conflicts_total",
      "Looks that found somebody else at work (busy), or were taken over (lost).",
      ["how"],
    ),
    interruptions: counter("interruptions_total", "Instances that were lost without an order."),
    recoveries: counter("recoveries_total", "Instances that came back after such a loss."),
    downtime: new Histogram({
      name: `${prefix}downtime_seconds`,
      help: "From when an instance was last seen running to its successor's status checks.",
      buckets: [30, 60, 90, 120, 180, 300, 600, 1200, 3600, 14_400],
      registers,
    }),
    expired: counter("expired_total", "Resources that were deleted after their retention."),
    calls: counter("ec2_calls_total", "Requests to EC2.", ["action", "outcome"]),
    throttles: counter("ec2_throttles_total", "Requests that EC2 refused for their rate.", [
      "action",
    ]),
  };
}

function queueGauges(registers: Registry[], queue: () => QueueState): void {
  new Gauge({
    name: `${prefix}queue_depth`,
    help: "Managed instances that wait for a look, and that are being looked at.",
    labelNames: ["state"],
    registers,
    collect() {
      const { active, waiting } = queue().depth;
      this.set({ state: "waiting" }, waiting);
      this.set({ state: "active" }, active);
    },
  });
  new Gauge({
    name: `${prefix}due_lag_seconds`,
    help: "How long the one that waits longest has waited for a look.",
    registers,
    collect() {
      this.set(queue().lagMs / 1000);
    },
  });
}
