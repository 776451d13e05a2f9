/**
 * What EC2 shows of a managed instance and nobody expected, as a table of sentences. It compares
 * with the one thing that is known for certain, what the user wants; why it is so and what to do is
 * the engine's to find out.
 */
import type { Sighting } from "../aws/fleet";
import type { Entry } from "./registry";

/** Recovery goes first: somebody is down, or will be in two minutes. */
export type Urgency = "recovery" | "upkeep";

export interface News {
  /** The same text as long as the same is seen. */
  sight: string;
  urgency: Urgency;
  reason: string;
  /** Nobody who sees it may call the managed instance done. */
  contradictsDone: boolean;
}

export type Goal = "running" | "paused" | "ended";

export function goalOf({ asked, deallocate, spec }: Entry): Goal {
  if (deallocate) return "ended";
  return asked.desiredState ?? spec.desiredState;
}

interface Rule {
  goals: readonly Goal[];
  sees(sighting: Sighting): boolean;
  urgency: Urgency;
  text(sighting: Sighting, goal: Goal): string;
  contradictsDone(entry: Entry): boolean;
}

const always = () => true;

/** The first that applies counts. */
const rules: readonly Rule[] = [
  {
    goals: ["running"],
    sees: ({ state }) => state !== "running" && state !== "pending",
    urgency: "recovery",
    text: ({ instanceId, state }) => `${instanceId} is ${state}`,
    contradictsDone: always,
  },
  {
    goals: ["running"],
    sees: ({ isInterrupted }) => isInterrupted,
    urgency: "recovery",
    text: ({ instanceId }) => `Spot takes ${instanceId} back`,
    contradictsDone: always,
  },
  {
    goals: ["running"],
    sees: ({ state }) => state === "pending",
    urgency: "recovery",
    text: ({ instanceId }) => `${instanceId} is starting, and nobody is at it`,
    contradictsDone: always,
  },
  {
    goals: ["running"],
    sees: ({ isImpaired }) => isImpaired,
    urgency: "recovery",
    text: ({ instanceId }) => `${instanceId} fails its status checks`,
    // Otherwise it is the user's to heal, and a look every minute would help nobody.
    contradictsDone: ({ spec }) => spec.autoHealing,
  },
  {
    goals: ["paused", "ended"],
    sees: ({ state }) => ["pending", "running", "stopping", "stopped"].includes(state),
    urgency: "upkeep",
    text: ({ instanceId, state }, goal) => `${instanceId} is ${state}, and it is to be ${goal}`,
    contradictsDone: always,
  },
];

/** Undefined where all is as expected. */
export function newsOf(entry: Entry, sighting: Sighting | undefined): News | undefined {
  const goal = goalOf(entry);
  if (sighting === undefined) return goal === "running" ? absence(entry) : undefined;
  const rule = rules.find((each) => each.goals.includes(goal) && each.sees(sighting));
  if (rule === undefined) return undefined;
  const reason = rule.text(sighting, goal);
  const { urgency } = rule;
  return { sight: reason, urgency, reason, contradictsDone: rule.contradictsDone(entry) };
}

/** EC2 forgets what was terminated within an hour (ec2-facts §9). */
function absence({ ledger }: Entry): News {
  const carrier = ledger?.launch?.instanceId;
  const reason =
    carrier === undefined
      ? "EC2 shows no instance of it"
      : `EC2 shows no instance of it any more, the last was ${carrier}`;
  return { sight: "nothing", urgency: "recovery", reason, contradictsDone: true };
}
