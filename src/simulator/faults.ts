/**
 * What can be made to go wrong, and the draws that decide when it does. A fault either strikes the
 * next n times or with a probability; both come from the seeded generator. Setting faults replaces
 * all of them, so `{}` heals.
 */
import type { Random } from "./random";

/** Strikes calls of `action`, or of every action when none is named. */
export interface CallFault {
  readonly action?: string;
  readonly probability?: number;
  readonly next?: number;
}

export interface SnapshotFault {
  readonly next?: number;
  readonly probability?: number;
  readonly volumeId?: string;
}

/** What EC2 gives as the reason when it ends a launch before the instance runs (ec2-facts §1.5). */
export const launchFailures = {
  "Client.InternalError": "Client error on launch",
  "Client.InvalidKMSKey.InvalidState": "The KMS key provided is in an incorrect state",
  "Client.InvalidSnapshot.NotFound": "The snapshot was not found",
  "Client.VolumeLimitExceeded": "Volume limit exceeded",
  "Server.InsufficientInstanceCapacity": "There is insufficient capacity for the launch",
  "Server.InternalError": "Internal error on launch",
} as const;

export type LaunchFailure = keyof typeof launchFailures;

export interface Faults {
  /** RequestLimitExceeded, nothing is carried out. */
  readonly throttle?: CallFault | readonly CallFault[];
  /** The call is carried out, its answer never arrives. */
  readonly lostReply?: CallFault | readonly CallFault[];
  /** Describe calls see the world as it was `seconds` ago, tag filters as it was `tagSeconds` ago; `varies` draws each call's age between 0 and that. */
  readonly lag?: {
    readonly seconds?: number;
    readonly tagSeconds?: number;
    readonly varies?: boolean;
  };
  /** New snapshots end in `error`. */
  readonly failSnapshots?: SnapshotFault;
  /** New snapshots stay `pending` until this fault is taken away. */
  readonly hangSnapshots?: SnapshotFault;
  /** New images end in `failed`. */
  readonly failImages?: { readonly next?: number; readonly probability?: number };
  /** Launches are accepted, and end before they run; by default as Server.InternalError. */
  readonly failLaunches?: {
    readonly code?: LaunchFailure;
    readonly probability?: number;
    readonly next?: number;
  };
  /** Volumes and network interfaces take that much longer to become free. */
  readonly slowDetach?: { readonly seconds: number };
  /** Pages without items but with a NextToken (ec2-facts §9). */
  readonly emptyPages?: { readonly probability?: number; readonly next?: number };
  readonly loseEvents?: { readonly probability: number };
  readonly duplicateEvents?: { readonly probability: number };
}

export interface FaultBox {
  current(): Faults;
  set(faults: Faults): void;
  strikesCall(kind: "throttle" | "lostReply", action: string): boolean;
  strikesSnapshot(kind: "failSnapshots" | "hangSnapshots", volumeId: string): boolean;
  strikes(kind: "failImages" | "emptyPages"): boolean;
  /** Why the launch at hand is to fail, if it is. */
  strikesLaunch(): LaunchFailure | undefined;
  strikesEvent(kind: "loseEvents" | "duplicateEvents"): boolean;
  /** Age in milliseconds of what the call at hand may see. */
  drawLag(): { readonly stateMilliseconds: number; readonly tagMilliseconds: number };
}

interface Draw {
  readonly probability?: number;
  readonly next?: number;
}

export function createFaultBox(random: Random): FaultBox {
  let faults: Faults = {};
  let used = new Map<Draw, number>();

  const hits = (draw: Draw | undefined): boolean => {
    if (draw === undefined) return false;
    if (draw.next === undefined) return random.chance(draw.probability ?? 1);
    const count = used.get(draw) ?? 0;
    if (count >= draw.next) return false;
    if (draw.probability !== undefined && !random.chance(draw.probability)) return false;
    used.set(draw, count + 1);
    return true;
  };
  return {
    current: () => faults,
    set: (next) => {
      faults = next;
      used = new Map();
    },
    strikesCall: (kind, action) =>
      listOf(faults[kind]).some(
        (fault) => (fault.action === undefined || fault.action === action) && hits(fault),
      ),
    strikesSnapshot: (kind, volumeId) => {
      const fault = faults[kind];
      if (fault?.volumeId !== undefined && fault.volumeId !== volumeId) return false;
      return hits(fault);
    },
    strikes: (kind) => hits(faults[kind]),
    strikesLaunch: () => {
      const { failLaunches } = faults;
      if (!hits(failLaunches)) return undefined;
      return failLaunches?.code ?? "Server.InternalError";
    },
    strikesEvent: (kind) => random.chance(faults[kind]?.probability ?? 0),
    drawLag: () => {
      const { seconds = 0, tagSeconds = 0, varies = false } = faults.lag ?? {};
      const share = varies && seconds + tagSeconds > 0 ? random.next() : 1;
      return {
        stateMilliseconds: seconds * share * 1000,
        tagMilliseconds: tagSeconds * share * 1000,
      };
    },
  };
}

function listOf(fault: CallFault | readonly CallFault[] | undefined): readonly CallFault[] {
  if (fault === undefined) return [];
  return "length" in fault ? fault : [fault];
}
