/**
 * The embedded EC2: one object that answers API calls in the SDK's shapes, lets a guest use its
 * disks, and lets a test decide what goes wrong. Everything in it is a function of its options, its
 * seed and the calls made; it neither reads a clock of its own nor does any input or output.
 */
import { checkParameters } from "./action";
import { actions } from "./actions";
import type { ClockOptions, SimulatorClock } from "./clock";
import { Ec2Error, LostReplyError } from "./errors";
import type { EventLog } from "./event-bridge";
import type { Faults } from "./faults";
import { createGuest } from "./guest";
import type { LatencyTable } from "./latency";
import type {
  ImageRecord,
  InstanceRecord,
  InterfaceRecord,
  SnapshotRecord,
  VolumeRecord,
} from "./records";
import { type CallLog, createControl } from "./simulator-control";
import { fillStartWorld } from "./start-world";
import { createThrottle, requestLimitExceeded, type Throttle } from "./throttle";
import { createWorld, dryRunOperation, type World } from "./world";

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

/** One kind of resource as it is, in order of creation. */
export interface RowSet<R> extends Iterable<R> {
  get(id: string): R | undefined;
  withTag(key: string, value: string): readonly R[];
}

export interface Rows {
  instances(): RowSet<InstanceRecord>;
  volumes(): RowSet<VolumeRecord>;
  snapshots(): RowSet<SnapshotRecord>;
  images(): RowSet<ImageRecord>;
  interfaces(): RowSet<InterfaceRecord>;
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
  /** The records as they are, not copied: for tests that look at each step. */
  rows(): Rows;
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
  call(action: string, input: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Like `call`, but first waits for as long as the latency table says such a call takes. */
  request(
    action: string,
    input: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>>;
}

export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const world = createWorld(options);
  fillStartWorld(world);
  const throttle = options.throttling === false ? undefined : createThrottle(world.now);
  const calls = createCallLog(options.keptCalls ?? 100_000);
  const call: Simulator["call"] = (name, input) => {
    world.timeline.settle();
    const note = (outcome: string) =>
      calls.add({ time: world.now(), action: name, parameters: input, outcome });
    try {
      const output = carryOut(world, { name, input, throttle });
      if (world.faults.strikesCall("lostReply", name)) throw new LostReplyError(name);
      note("ok");
      return output;
    } catch (error) {
      note(outcomeOf(error));
      throw error;
    }
  };
  return {
    region: world.region,
    account: world.account,
    latencies: world.latencies,
    clock: world.timeline,
    guest: createGuest(world),
    control: createControl(world, calls),
    actions: [...actions.keys()].sort(),
    call,
    request: async (name, input, signal) => {
      const { runInstancesCall, call: otherCall } = world.latencies;
      const seconds = name === "RunInstances" ? runInstancesCall : otherCall;
      if (seconds > 0) await world.timeline.sleep(seconds * 1000, signal);
      return call(name, input);
    },
  };
}

function carryOut(
  world: World,
  request: {
    readonly name: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly throttle: Throttle | undefined;
  },
): Record<string, unknown> {
  const { name, input, throttle } = request;
  const action = actions.get(name);
  if (action === undefined) throw invalidAction(name);
  throttle?.admit(name, input);
  if (world.faults.strikesCall("throttle", name)) throw requestLimitExceeded();
  checkParameters(name, action.honours, input);
  world.isDryRun = input.DryRun === true;
  try {
    const output = action.run(world, input);
    // A call that writes nothing has nothing to stop at.
    if (world.isDryRun) throw dryRunOperation();
    return { ...output };
  } finally {
    world.isDryRun = false;
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof LostReplyError) return "lost-reply";
  return error instanceof Ec2Error ? error.code : "internal-error";
}

const EC2_VERBS =
  /^(Accept|Allocate|Assign|Associate|Attach|Authorize|Cancel|Copy|Create|Delete|Deregister|Describe|Detach|Disable|Disassociate|Enable|Export|Get|Import|List|Modify|Move|Provision|Purchase|Reboot|Register|Reject|Release|Replace|Request|Reset|Restore|Revoke|Run|Search|Send|Start|Stop|Terminate|Unassign|Unmonitor|Monitor|Update|Withdraw)[A-Z]/;

/** AWS's words; for what looks like a real action, also that it is the simulator that lacks it. */
function invalidAction(name: string): Ec2Error {
  const text = `The action ${name} is not valid for this web service.`;
  const hint = EC2_VERBS.test(name) ? " The simulator does not simulate it." : "";
  return new Ec2Error("InvalidAction", text + hint);
}

interface GrowingCallLog extends CallLog {
  add(record: CallRecord): void;
}

function createCallLog(limit: number): GrowingCallLog {
  const records: CallRecord[] = [];
  return {
    list: () => records,
    clear: () => {
      records.length = 0;
    },
    add: (record) => {
      // The older half goes at once: trimming one by one would cost more than the calls.
      if (records.length >= limit) records.splice(0, Math.ceil(limit / 2));
      if (limit > 0) records.push(record);
    },
  };
}
