/** What simulations print: the failure with its command, and what was reached and what was not. */
import { createHash } from "node:crypto";
import { rules } from "../../src/engine/decide";
import { faultNames } from "./faults";
import type { Plan, PlannedEvent } from "./plan";
import type { Told } from "./run-plan";
import { createCounts } from "./scene";
import { userActionNames } from "./users";

const kinds = ["user", "fault", "answer", "rule", "step", "call", "remedy"] as const;
type Kind = (typeof kinds)[number];

const titles: Record<Kind, string> = {
  user: "what users did",
  fault: "what went wrong",
  answer: "what EC2 refused",
  rule: "rules that decided",
  step: "steps that were decided on",
  call: "changing calls",
  remedy: "remedies that users followed",
};

/** Everything that simulations can reach; what is missing is told. */
const reachable: Partial<Record<Kind, readonly string[]>> = {
  user: userActionNames,
  fault: faultNames,
  rule: rules.map((rule) => rule.name),
};

export interface Summary {
  add(told: Told): void;
  fail(message: string): void;
  failures: string[];
  seeds: number;
  calls: number[];
  faults: number[];
  of(kind: Kind): ReadonlyMap<string, number>;
  /** Of all traces, in order. */
  hash(): string;
}

const total = (counted: ReadonlyMap<string, number>) =>
  [...counted.values()].reduce((sum, count) => sum + count, 0);

export function startSummary(): Summary {
  const counts = createCounts();
  let hash = "";
  const summary: Summary = {
    failures: [],
    seeds: 0,
    calls: [],
    faults: [],
    hash: () => hash,
    of: (kind) => counts.of(kind),
    fail: (message) => {
      summary.failures.push(message);
    },
    add(told) {
      summary.seeds += 1;
      hash = createHash("sha256").update(hash).update(told.hash).digest("hex").slice(0, 16);
      summary.calls.push(total(told.counts.of("step")));
      summary.faults.push(total(told.counts.of("fault")));
      for (const kind of kinds)
        for (const [name, count] of told.counts.of(kind)) counts.add(kind, name, count);
    },
  };
  return summary;
}

function unreached(summary: Summary): string[] {
  return Object.entries(reachable).flatMap(([kind, names]) =>
    names.filter((name) => !summary.of(kind as Kind).has(name)).map((name) => `${kind}: ${name}`),
  );
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

export function summaryText(summary: Summary): string {
  const tables = kinds.map((kind) => {
    const rows = [...summary.of(kind)].sort((a, b) => b[1] - a[1]);
    return [`\n${titles[kind]}`, ...rows.map(([name, n]) => `${String(n).padStart(9)}  ${name}`)];
  });
  const missing = unreached(summary);
  return `${[
    ...tables.flat(),
    "\nnever reached",
    ...(missing.length === 0 ? ["  nothing"] : missing.map((each) => `  ${each}`)),
    `\n${summary.seeds} seeds, ${total(summary.of("step"))} steps, ${total(summary.of("fault"))} faults; median ${median(summary.calls)} steps and ${median(summary.faults)} faults, traces ${summary.hash()}`,
    ...summary.failures.map((failure) => `FAILED ${failure}`),
    `${summary.seeds - summary.failures.length} held, ${summary.failures.length} violated`,
  ].join("\n")}\n`;
}

export function failureText({ hash, plan, violation }: Told, shrunk: Plan, args: string[]): string {
  const kept = args.filter(
    (arg, at) => /^--(faults|wire)/.test(arg) || /^--(faults|wire)$/.test(args[at - 1] ?? ""),
  );
  return [
    "",
    `seed ${plan.seed} (trace ${hash}): ${violation?.message}`,
    `it takes ${shrunk.events.length} of ${plan.events.length} events:`,
    ...shrunk.events.map((event) => `  ${eventText(event)}`),
    `pin it: ${JSON.stringify({ ...shrunk, isWire: false })}`,
    `see it: npm run simulate -- --from ${plan.seed} --seeds 1 --timeline${kept.map((arg) => ` ${JSON.stringify(arg)}`).join("")}`,
    "",
  ].join("\n");
}

function eventText(event: PlannedEvent): string {
  const { kind, atSeconds, number, ...rest } = event;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return `${String(atSeconds).padStart(6)} s  #${number} ${kind} ${details.join(", ")}`;
}
