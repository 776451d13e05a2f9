/**
 * The embedded EC2: one object that answers API calls in the SDK's shapes, lets a guest use its
 * disks, and lets a test decide what goes wrong. Everything in it is a function of its options, its
 * seed and the calls made; it neither reads a clock of its own nor does any input or output.
 */
import type { ClockOptions, SimulatorClock } from "./clock";
import type { EventLog } from "./event-bridge";
import type { Faults } from "./faults";
import type { LatencyTable } from "./latency";

export interface SimulatorOptions {
  readonly region?: string;
  readonly account?: string;
  /** Decides every id, address and drawn fault. */
  readonly seed?: number;
  readonly clock?: ClockOptions;
  /** Rows that differ from the published table. */
  readonly latencies?: Partial<LatencyTable>;
  /** EC2's request and resource buckets (ec2-facts §7); on unless switched off. */
  readonly throttling?: boolean;
  /** Whether RegisterImage finds the platform in the snapshot's metadata (ec2-facts §3); otherwise every registered image says Linux/UNIX. */
  readonly registerImageDerivesPlatform?: boolean;
  /** Whether an Elastic IP stays with a network interface that outlives its instance (ec2-facts §4: likely, not stated). */
  readonly elasticIpSurvivesOnKeptInterface?: boolean;
  /** How many calls are remembered for `control.calls()`. */
  readonly keptCalls?: number;
}

export interface CallRecord {
  /** Simulated epoch milliseconds. */
  readonly time: number;
  readonly action: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** "ok", or the error's code; "lost-reply" when the call was carried out and its answer lost. */
  readonly outcome: string;
}

export interface GuestPlace {
  readonly instanceId: string;
  /** The root device when left out. */
  readonly device?: string;
}

export interface Guest {
  /** Writes a file. `sizeBytes` makes a short content count as more data for snapshots. */
  write(
    request: GuestPlace & {
      readonly path: string;
      readonly content: string;
      readonly sizeBytes?: number;
    },
  ): void;
  read(request: GuestPlace & { readonly path: string }): string;
  /** The paths of all files, sorted. */
  list(request: GuestPlace): readonly string[];
}

export interface SimulatorControl {
  /** Interrupts a Spot instance, with the usual two minutes' notice unless told otherwise; 0 gives none. */
  interrupt(request: { readonly instanceId: string; readonly noticeSeconds?: number }): void;
  /** How many more launches a pool takes. Ended instances give nothing back: EC2 may always need it elsewhere. */
  setCapacity(request: {
    readonly instanceType: string;
    readonly zone: string;
    readonly market: "spot" | "on-demand";
    readonly available: number | "unlimited";
  }): void;
  /** Replaces all faults; `{}` heals. */
  setFaults(faults: Faults): void;
  /** Whether disks made from this image from now on ever pass the status checks. */
  markImage(request: {
    readonly imageId: string;
    readonly boots: "never-healthy" | "healthy";
  }): void;
  /** Status checks fail from now on. */
  impair(instanceId: string): void;
  /** What EC2 does to terminated instances sooner or later. */
  dropTags(instanceId: string): void;
  calls(): readonly CallRecord[];
  clearCalls(): void;
  /** Every resource, ready for JSON. */
  state(): Readonly<Record<string, unknown>>;
  readonly events: EventLog;
}

export interface Simulator {
  readonly region: string;
  readonly account: string;
  readonly latencies: LatencyTable;
  readonly clock: SimulatorClock;
  readonly guest: Guest;
  readonly control: SimulatorControl;
  /** The names of all simulated actions, sorted. */
  readonly actions: readonly string[];
  /**
   * Carries out one API call at once. Input and output have the SDK's member names. Throws Ec2Error,
   * or LostReplyError when the call was carried out but its answer is lost.
   */
  call(
    action: string,
    input: Readonly<Record<string, unknown>>,
    caller?: { readonly account?: string },
  ): Record<string, unknown>;
  /** Like `call`, but first waits for as long as the latency table says such a call takes. */
  request(
    action: string,
    input: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>>;
}

export function createSimulator(_options: SimulatorOptions = {}): Simulator {
  throw new Error("The simulator's core is not connected yet.");
}
