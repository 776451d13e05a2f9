/**
 * What every handler may use of the world, whichever front-end serves it: the dynamic provider today,
 * a native plugin later. Handlers get this and the properties, and nothing else.
 */
import type { Claimant } from "../aws/claimant";
import type { LookRequest } from "../aws/look";
import type { Preflight } from "../aws/preflight";
import type { RegistryPlace } from "../controller/open-registry";
import type { ControllerRegistry } from "../controller/registry";
import type { WorkContext, WorkDeps, WorkResult } from "../controller/worker";
import type { Ledger, Observation } from "../engine/model";
import type { ConvergeOptions, Outcome } from "../engine/reconcile";
import type { Severity } from "./bridge";
import type { Configuration } from "./configuration";

export interface LogOptions {
  severity?: Severity;
  /** Shown while it is the newest, and not repeated in the summary. */
  ephemeral?: boolean;
}

export interface Context {
  /** The resource's, where the front-end knows it. */
  urn?: string;
  /** The time-out of the user's `customTimeouts`. */
  timeoutSeconds?: number;
  /** Aborted when the user cancels: stop at the next safe point. */
  signal: AbortSignal;
  configuration: Configuration;
  /** Writes on the resource's row; never fails. */
  log(message: string, options?: LogOptions): void;
  connect(region: string): Promise<Connection>;
}

/** What one run of the loop is told; the rest of its options belong to the connection. */
export type Job = Omit<ConvergeOptions, "cloud" | "registry" | "clock" | "claimant">;

/** One piece of work under the controller's lease; the rest of what it needs belongs to the connection. */
export type ControlledJob = Pick<WorkDeps, "registry" | "signal" | "deadlineAt" | "report"> &
  WorkContext & { id: string };

export interface Known {
  ledger: Ledger;
  observation: Observation;
}

/** The managed instances of one account in one Region. */
export interface Connection {
  preflight: Preflight;
  claimant: Claimant;
  isAlive(pid: number): boolean;
  newId(): string;
  /** AWS's clock, epoch ms. */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** What exists of one managed instance, or undefined when nothing does. */
  look(request: LookRequest): Promise<Known | undefined>;
  /** Those that were begun with this key, completed or not, and were not deallocated. */
  findCreated(creationKey: string): Promise<{ ledger: Ledger; interfaceId: string }[]>;
  save(ledger: Ledger, interfaceId: string): Promise<void>;
  converge(job: Job): Promise<Outcome>;
  /** Reads nothing yet. */
  registryAt(place: RegistryPlace): ControllerRegistry;
  work(job: ControlledJob): Promise<WorkResult>;
}
