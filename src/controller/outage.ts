/**
 * Notices that an instance was lost and that its successor is up, from what a run of the loop sees.
 * What we end ourselves by order is no outage.
 */
import { describeFacts, type Facts } from "../engine/facts";
import type { CloudFacts, Ledger, StopReason, Watch } from "../engine/model";
import { parseClientToken } from "../engine/names";

export interface Loss {
  generation: number;
  at: number;
  message: string;
}

export interface Recovery {
  generation: number;
  at: number;
  message: string;
  /** When the instance was last seen running; undefined when this run did not see it. */
  upUntilAt?: number;
}

/** Ends that nobody ordered: what follows them is a recovery. */
const unordered: readonly StopReason[] = ["unhealthy", "stopped-outside"];

export class OutageWatch {
  /** Generation → when it was last seen running. */
  private readonly upUntil = new Map<number, number>();
  private generation = 0;
  private lostGeneration = 0;
  private sawItDown = false;

  constructor(private readonly lost: (loss: Loss) => void) {}

  /** Told of every full look. */
  saw(cloud: CloudFacts, ledger: Ledger, now: number): void {
    const facts = describeFacts({ ...cloud, refusals: [] }, ledger);
    const isUp = facts.state === "running" && ledger.launch?.healthy === true;
    this.generation = facts.generation;
    if (isUp || facts.state === "interrupted") this.upUntil.set(facts.generation, now);
    if (ledger.phase === "active" && !isUp) this.sawItDown = true;
    const message = lossIn(cloud, ledger, facts);
    if (message === undefined || this.lostGeneration >= facts.generation) return;
    this.lostGeneration = facts.generation;
    this.lost({ generation: facts.generation, at: now, message });
  }

  /** Told of every poll: an instance that is to be taken runs on until then. */
  glanced(watch: Watch, state: string | undefined, now: number): void {
    const isRunning = watch.kind === "instance" && watch.until === "state-change";
    if (isRunning && state === "running") this.upUntil.set(this.generation, now);
  }

  /** Asked once all is as it should be. */
  recovery(facts: Facts, ledger: Ledger, now: number): Recovery | undefined {
    const { generation, instanceId, state } = facts;
    const isUp = state === "running" && ledger.launch?.healthy === true;
    if (!isUp || !this.sawItDown || generation < 2 || wasOrdered(ledger, generation - 1))
      return undefined;
    const message = `${instanceId} carries it as generation ${generation}`;
    const earlier = [...this.upUntil].filter(([each]) => each < generation);
    const [, upUntilAt] = earlier.sort(([a], [b]) => b - a)[0] ?? [];
    return { generation, at: now, message, upUntilAt };
  }
}

const wasOrdered = ({ stop }: Ledger, generation: number) =>
  stop?.generation === generation && !unordered.includes(stop.reason);

/** A sentence on how the newest generation is being lost, or was. */
function lossIn(cloud: CloudFacts, ledger: Ledger, facts: Facts): string | undefined {
  const { generation, state } = facts;
  if (ledger.launch?.ran !== true || wasOrdered(ledger, generation)) return undefined;
  if (state === "interrupted") return `EC2 takes ${facts.instanceId} back`;
  if (state !== "stopping" && state !== "down") return undefined;
  const instance = cloud.instances.find(
    ({ clientToken }) => parseClientToken(ledger.id, clientToken)?.generation === generation,
  );
  if (instance === undefined) return `the instance of generation ${generation} is gone`;
  const why = instance.stateReason === undefined ? "" : ` (${instance.stateReason})`;
  return `${instance.instanceId} is ${instance.state}${why}`;
}
