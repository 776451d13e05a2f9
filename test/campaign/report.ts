/** What a campaign prints in the end. */
import type { CampaignReport } from "./campaign";
import { defaultIntervals } from "./land";

const titles: Readonly<Record<string, string>> = {
  events: "what happened",
  looks: "looks of the controllers, by urgency and result",
  rounds: "rounds of the controllers",
  told: "what the history tells",
  reasons: "why an instance was down when it was asked, every hour",
  failures: "what failed and was tried again",
  refusals: "what EC2 refused or did not answer",
  calls: "changing calls, each judged",
  describes: "describes",
};

export function reportText(report: CampaignReport): string {
  const { hoursDown, hoursRunning, land, violation } = report;
  const { days, instances, intervals = defaultIntervals, seed } = land.options;
  const tables = Object.entries(titles).flatMap(([kind, title]) => {
    const rows = [...land.counts.of(kind)].sort((a, b) => b[1] - a[1]);
    return ["", title, ...rows.map(([name, count]) => `${String(count).padStart(10)}  ${name}`)];
  });
  const hours = hoursRunning + hoursDown;
  const share = ((100 * hoursRunning) / Math.max(1, hours)).toFixed(3);
  return [
    ...tables,
    "",
    `${instances} managed instances, ${days} days, seed ${seed}, a snapshot every ${intervals.join(", ")} minutes`,
    `asked ${hours} times: ${hoursRunning} running (${share} %), ${hoursDown} down with a reason`,
    violation === undefined ? "everything held" : `VIOLATED: ${violation.stack}`,
  ].join("\n");
}
