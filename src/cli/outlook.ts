/** What the engine would do next, asked of the same `decide` that the controller asks. Pure. */
import type { Entry } from "../controller/registry";
import { decide } from "../engine/decide";
import type { Decision, Ledger, Observation } from "../engine/model";
import { describeStep } from "../engine/reconcile";
import { instant, isoInstantOrNever } from "./human-time";

export interface Situation {
  entry: Entry;
  ledger: Ledger;
  observation: Observation;
  now: number;
}

export function decisionOn({ entry, ledger, now, observation }: Situation): Decision {
  const { asked, deallocate, spec, specVersion } = entry;
  return decide({ spec, specVersion, asked, ledger, observation, now, deallocate });
}

/** More records in a row than the engine ever writes before it does something. */
const mostRecords = 10;

/** The first decision that does something: what is only written down is taken as written. */
export function nextDecision(situation: Situation): Decision {
  let { ledger } = situation;
  for (let records = 0; records < mostRecords; records += 1) {
    const decision = decisionOn({ ...situation, ledger });
    const recorded = decision.kind === "act" ? decision.steps[0] : undefined;
    if (recorded?.kind !== "record" || decision.kind !== "act" || decision.steps.length > 1)
      return decision;
    ledger = recorded.ledger;
  }
  return decisionOn({ ...situation, ledger });
}

/** A decision as `--json` tells it. */
export interface Outlook {
  kind: Decision["kind"];
  rule: string;
  reason?: string;
  remedy?: string;
  steps?: string[];
  at?: string;
}

export function outlookOf(decision: Decision): Outlook {
  const { kind, rule } = decision;
  switch (decision.kind) {
    case "act":
      return { kind, rule, steps: decision.steps.map(describeStep) };
    case "wait":
      return { kind, rule, reason: decision.reason, at: isoInstantOrNever(decision.untilAt) };
    case "done":
      return { kind, rule, at: isoInstantOrNever(decision.wakeAt) };
    case "stuck":
      return { kind, rule, reason: decision.reason, remedy: decision.remedy };
    case "superseded":
      return { kind, rule, reason: decision.reason };
  }
}

export function outlookLine(decision: Decision): string {
  switch (decision.kind) {
    case "act":
      return decision.steps.map(describeStep).join(", ");
    case "wait":
      return `${decision.reason}; at the latest ${instant(decision.untilAt)}`;
    case "done":
      return `nothing; all is as it should be, next upkeep ${instant(decision.wakeAt)}`;
    case "stuck":
      return `stuck: ${decision.reason}; ${decision.remedy}`;
    case "superseded":
      return decision.reason;
  }
}
