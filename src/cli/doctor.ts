/** `managed-instance doctor`: looks at everything that could keep the rest from working. */
import { createInventory } from "../aws/inventory";
import { placeName } from "../controller/open-registry";
import { type Account, openAccount } from "./account";
import { checkController, checkLeftovers, checkLimits, checkRequests } from "./account-check";
import { checkDrift } from "./drift-check";
import { type Check, counted, type Finding } from "./finding";
import type { CommonFlags } from "./flags";
import type { Invocation } from "./invocation";
import { readOverview } from "./overview";
import { checkPermissions } from "./permission-check";
import { chosenRegistry } from "./registry-choice";
import type { Paint, Style } from "./terminal";

export async function doctor(this: Invocation, flags: CommonFlags): Promise<void> {
  const { terminal } = this;
  const account = await openAccount(this, flags);
  terminal.pass("Asking EC2 what it permits");
  const permissions = await checkPermissions(account);
  // Whoever may not read would find nothing, which proves nothing.
  const isBlind = permissions.some(({ status }) => status === "problem");
  const rest = isBlind ? [] : await lookAround(this, flags, account);
  const findings = [...permissions, ...rest];
  const problems = findings.filter(({ status }) => status === "problem").length;
  const warnings = findings.filter(({ status }) => status === "warning").length;
  if (problems > 0) this.end("needsYou");
  const paint = terminal.painter(flags);
  terminal.result(flags, {
    json: { region: account.region, problems, warnings, findings },
    lines: () => [...sections(findings, paint), "", summary(problems, warnings)],
  });
}

async function lookAround(
  invocation: Invocation,
  flags: CommonFlags,
  account: Account,
): Promise<Finding[]> {
  const { clock, ec2 } = account;
  invocation.terminal.pass("Reading all managed instances");
  const chosen = await chosenRegistry(invocation, flags, account);
  const [overview, retained] = await Promise.all([
    readOverview(account, chosen?.registry),
    createInventory(ec2).retained(),
  ]);
  const now = clock.now();
  return [
    ...checkLimits(overview),
    ...checkRequests(overview),
    ...checkLeftovers(overview, retained, now),
    ...checkController(overview, chosen && placeName(chosen.place), now),
    ...(await checkDrift(ec2, overview, now)),
  ];
}

const titles: Record<Check, string> = {
  permissions: "Permissions",
  limits: "Limits",
  requests: "Requests",
  leftovers: "Leftovers",
  controller: "Controller",
  drift: "Drift",
};

const signs: Record<Finding["status"], { sign: string; style?: Style }> = {
  ok: { sign: "✓", style: "green" },
  note: { sign: "·", style: "dim" },
  warning: { sign: "!", style: "yellow" },
  problem: { sign: "✗", style: "red" },
};

function sections(findings: readonly Finding[], paint: Paint): string[] {
  const checks = [...new Set(findings.map(({ check }) => check))];
  return checks.flatMap((check, index) => [
    ...(index === 0 ? [] : [""]),
    paint("bold", titles[check]),
    ...findings.filter((each) => each.check === check).flatMap((each) => findingLines(each, paint)),
  ]);
}

function findingLines({ message, next, status }: Finding, paint: Paint): string[] {
  const { sign, style } = signs[status];
  const mark = style === undefined ? sign : paint(style, sign);
  return [`  ${mark} ${message}`, ...(next === undefined ? [] : [`    ${next}`])];
}

function summary(problems: number, warnings: number): string {
  if (problems + warnings === 0) return "All is well.";
  return `${counted(problems, "problem")}, ${counted(warnings, "warning")}.`;
}
