/**
 * decide(spec, ledger, observation, now) → Decision: all branching of the product, as a table of
 * small rules in priority order. Pure and total: the same question has the same answer, and the
 * last rule always answers.
 */
import type { Decision } from "./model";
import { act, type Rule, record } from "./rule";
import { identityRules } from "./rules-identity";
import { launchRules } from "./rules-launch";
import { restRules } from "./rules-rest";
import { stopRules } from "./rules-stop";
import { slotRules, upkeepRules } from "./rules-upkeep";
import { type Question, type Situation, understand } from "./situation";

export const rules: readonly Rule[] = [
  ...identityRules,
  ...stopRules,
  ...slotRules,
  ...restRules,
  ...launchRules,
  ...upkeepRules,
];

export function decide(question: Question): Decision {
  const situation = understand(question);
  for (const rule of rules) {
    const verdict = rule.apply(situation);
    if (verdict?.kind === "done" && ledgerIsOpen(situation)) return completeCreation(situation);
    if (verdict !== undefined) return { ...verdict, rule: rule.name };
  }
  throw new Error("no rule decided, although the last one always does");
}

const ledgerIsOpen = ({ goal, ledger }: Situation) =>
  ledger.phase === "creating" && goal !== "deallocated";

/** From here on nobody may adopt it any more: a creation with the same name makes another. */
function completeCreation(situation: Situation): Decision {
  const rule = "a creation is complete once the desired state is reached";
  const { anchor, ledger } = situation;
  if (anchor === undefined) throw new Error(`${ledger.id} is done without an anchor`);
  return { ...act(record(situation, anchor, { phase: "active" })), rule };
}
