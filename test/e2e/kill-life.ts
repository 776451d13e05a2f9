/**
 * One managed instance lives on the real Pulumi engine, and every operation of its life is cut off
 * once. After each cut its user does what the guide says, and nothing else: `pulumi cancel` where the
 * stack is locked, then the same command again. Then there is one instance with every byte.
 */
import { ConcurrentUpdateError, type Stack } from "@pulumi/pulumi/automation";
import { ManagedInstance, type ManagedInstanceArgs } from "../../components";
import type { Simulator } from "../../src/simulator";
import type { Random } from "../../src/simulator/random";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import { KillAccount } from "./kill-account";
import { drawMoment, type Moment, strikeAt } from "./kill-moment";
import { type Project, Recording } from "./project";

export const operations = ["create", "recycle", "pause", "resume", "AMI swap", "destroy"] as const;
export type Operation = (typeof operations)[number];

/** About how many calls of EC2 each makes on a clock 60 times as fast, from its preview to its end. */
const callsOf: Readonly<Record<Operation, number>> = {
  create: 60,
  recycle: 110,
  pause: 80,
  resume: 60,
  "AMI swap": 120,
  destroy: 80,
};

export interface Cut {
  operation: Operation;
  moment: Moment;
  /** The operation ended before its moment came, or ended well all the same. */
  missed: boolean;
  /** What had been asked of EC2 when it was struck. */
  calls: number;
  /** Whether the next command needed a `pulumi cancel` first. */
  wasLocked: boolean;
  /** A completed managed instance that Pulumi did not come to save, named by the next `pulumi up`. */
  unsaved?: string;
}

export interface Stage {
  project: Project;
  simulator: Simulator;
  endpoint: string;
}

export class Life {
  readonly cuts: Cut[] = [];
  private readonly account: KillAccount;
  private args: ManagedInstanceArgs = {
    imageId: IMAGE_IDS.amazonLinux,
    instanceTypes: ["m5.large"],
    subnetIds: [DEFAULT_SUBNET_IDS[0]],
  };
  private readonly unsaved = new Set<string>();
  private id = "";

  constructor(
    private readonly stage: Stage,
    private readonly name: string,
    private readonly random: Random,
  ) {
    this.account = new KillAccount(stage.simulator, name);
  }

  /** Stops early, with a destroy, once there were so many cuts. */
  async live(mostCuts: number): Promise<void> {
    const { endpoint, project } = this.stage;
    const program = async () => {
      const { id, instanceId, state } = new ManagedInstance(this.name, this.args);
      return { id, instanceId, state };
    };
    const config = { "aws:region": "us-east-1", "managed-instance:endpoint": endpoint };
    const stack = await project.stack(this.name, program, config);
    for (const operation of operations) {
      if (this.cuts.filter(({ missed }) => !missed).length >= mostCuts) break;
      await this.carryOut(stack, operation);
    }
    await stack.destroy();
  }

  private async carryOut(stack: Stack, operation: Operation): Promise<void> {
    this.declare(operation);
    const cut = await this.cutOff(stack, operation);
    this.cuts.push(cut);
    const { told, wasLocked } = await this.runAgain(stack, operation);
    cut.wasLocked = wasLocked;
    if (operation === "create") cut.unsaved = this.findUnsaved(told);
    await this.check(operation);
    if (operation !== "destroy") this.account.write(`after ${operation}`);
  }

  private declare(operation: Operation): void {
    const changes: Record<Operation, Partial<ManagedInstanceArgs>> = {
      create: {},
      recycle: { recycleToken: "again" },
      pause: { desiredState: "paused" },
      resume: { desiredState: "running" },
      "AMI swap": { imageId: IMAGE_IDS.amazonLinuxNewer },
      destroy: {},
    };
    this.args = { ...this.args, ...changes[operation] };
  }

  private async cutOff(stack: Stack, operation: Operation): Promise<Cut> {
    const { simulator } = this.stage;
    const moment = drawMoment(this.random, callsOf[operation]);
    const first = simulator.control.calls().length;
    let calls = 0;
    let ended: "well" | "badly" | undefined;
    const run = (operation === "destroy" ? stack.destroy() : stack.up()).then(
      () => {
        ended = "well";
      },
      (error: Error) => {
        ended = "badly";
        if (/leaks/.test(error.message)) throw error;
      },
    );
    const { struck } = await strikeAt(moment, simulator, {
      hasEnded: () => ended !== undefined,
      before: () => {
        calls = simulator.control.calls().length - first;
        this.account.write(`while ${operation} was cut off`);
      },
    });
    await run;
    return { operation, moment, missed: !struck || ended === "well", calls, wasLocked: false };
  }

  /** What the guide says. */
  private async runAgain(stack: Stack, operation: Operation) {
    const recording = new Recording();
    const { onEvent } = recording;
    const again = async () => {
      if (operation === "destroy") await stack.destroy({ onEvent });
      else this.id = String((await stack.up({ onEvent })).outputs.id?.value);
    };
    try {
      await again();
      return { told: recording.messages, wasLocked: false };
    } catch (error) {
      if (!(error instanceof ConcurrentUpdateError)) throw error;
      await stack.cancel();
      await again();
      return { told: recording.messages, wasLocked: true };
    }
  }

  /**
   * The known window: everything was there and recorded as completed, and Pulumi died before it had
   * saved that. The next `pulumi up` makes another one, and must name the first.
   */
  private findUnsaved(told: readonly string[]): string | undefined {
    const others = this.account.anchors().filter(({ id }) => id !== this.id);
    for (const { id, phase } of others) {
      const isNamed = told.some((message) => message.includes(`adopt: "${id}"`));
      if (phase !== "active" || !isNamed)
        throw new Error(`a second managed instance ${id} (${phase}) beside ${this.id}`);
      this.unsaved.add(id);
    }
    return others[0]?.id;
  }

  private async check(operation: Operation): Promise<void> {
    const anchors = this.account.anchors().filter(({ id }) => !this.unsaved.has(id));
    const ids = anchors.map(({ id }) => id);
    if (ids.length !== 1 || ids[0] !== this.id)
      throw new Error(`after ${operation} there are ${ids.join(", ")} and not only ${this.id}`);
    const wanted = operation === "pause" || operation === "destroy" ? 0 : 1;
    const instances = this.account.instancesOf(this.id);
    if (instances.length !== wanted)
      throw new Error(`after ${operation} ${instances.length} instances carry ${this.id}`);
    if (operation === "destroy") await this.account.checkKept(this.id);
    else this.account.checkBytes(this.id);
  }
}
