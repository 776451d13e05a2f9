/**
 * Carries an order out together with a controller: registers it, and then works itself where nobody
 * else does, under the same lease and with the same history; while a controller is at work its
 * progress is shown. Either may begin and the other end it.
 */
import type { RegistryPlace } from "../controller/open-registry";
import type { ControllerRegistry, Entry, HistoryEvent } from "../controller/registry";
import type { WorkResult } from "../controller/worker";
import type { Outcome, ProgressEvent } from "../engine/reconcile";
import { fingerprint } from "../engine/spec";
import type { Connection, Context, Job } from "./context";

const pollMs = 2000;

export interface Controlled {
  registry: ControllerRegistry;
  job: Job;
  /** As people know it. */
  creationKey: string;
}

export async function convergeControlled(
  context: Context,
  connection: Connection,
  { creationKey, job, registry }: Controlled,
): Promise<Outcome> {
  const known = await registry.get(job.id);
  const order = { ...job, specVersion: versionOf(job, known) };
  const registeredAt = connection.now();
  const { deallocate = false, id, remembered, spec, specVersion } = order;
  const { interfaceId } = remembered ?? {};
  const registration = { id, creationKey, spec, specVersion, interfaceId, deallocate };
  const entry = await registry.register(registration, registeredAt);
  if (fingerprint(entry.spec) !== fingerprint(spec))
    return { kind: "superseded", reason: `specification ${entry.specVersion} was registered` };
  const others = new OthersProgress(registry, order, registeredAt);
  for (;;) {
    const result = await workOn(context, connection, registry, order);
    const outcome = outcomeOf(result, order) ?? stopOf(context, connection, order, others.words);
    if (outcome !== undefined) return outcome;
    if (result.kind === "absent") return await afterRemoval(connection, order);
    await others.tell();
    await connection.sleep(pollMs, context.signal);
  }
}

/** Higher than what is registered, unless that is the very same order. */
function versionOf({ deallocate = false, spec, specVersion }: Job, known?: Entry): number {
  if (known === undefined || known.specVersion < specVersion) return specVersion;
  const isSame = fingerprint(known.spec) === fingerprint(spec) && (known.deallocate || !deallocate);
  return isSame ? known.specVersion : known.specVersion + 1;
}

function workOn(
  context: Context,
  connection: Connection,
  registry: ControllerRegistry,
  order: Job,
): Promise<WorkResult> {
  const { deadlineAt, id, initial, progress, remembered, signal } = order;
  return connection.work({
    ...{ id, registry, deadlineAt, initial, progress, remembered, signal },
    report: (_id, what, error) =>
      context.log(`${what} could not be written: ${String(error)}`, { severity: "debug" }),
  });
}

/** Undefined while it is somebody else's. */
function outcomeOf(result: WorkResult, { specVersion }: Job): Outcome | undefined {
  switch (result.kind) {
    case "worked":
      // Somebody may have registered something newer meanwhile: that was carried out then.
      return result.standing.specVersion > specVersion
        ? { kind: "superseded", reason: `specification ${result.standing.specVersion} is in force` }
        : result.outcome;
    case "deallocated":
      return result.outcome;
    case "failed":
      throw result.error;
    case "busy":
    case "lost":
    case "absent":
      return undefined;
  }
}

function stopOf(
  { signal }: Context,
  connection: Connection,
  { deadlineAt = Number.POSITIVE_INFINITY }: Job,
  reason: string,
): Outcome | undefined {
  if (signal.aborted) return { kind: "stopped", why: "aborted", reason };
  if (connection.now() < deadlineAt) return undefined;
  return { kind: "stopped", why: "timed-out", reason };
}

/** Whoever ends a managed instance deregisters it; that it has ended is for EC2 to say. */
function afterRemoval(connection: Connection, order: Job): Promise<Outcome> {
  if (order.deallocate === true) return connection.converge(order);
  const reason = `${order.id} was removed from the controller's registry`;
  return Promise.resolve({ kind: "superseded", reason });
}

/** What a controller writes down while it works on our order, each event once. */
class OthersProgress {
  words = "a controller is at work on it";
  private readonly told = new Set<string>();

  constructor(
    private readonly registry: ControllerRegistry,
    private readonly order: Pick<Job, "id" | "progress">,
    private readonly sinceAt: number,
  ) {}

  async tell(): Promise<void> {
    const { id, progress } = this.order;
    const entry = await this.registry.get(id);
    if (entry?.lease !== undefined) this.words = `${entry.lease.holder} is at work on it`;
    const newestFirst = await this.registry.history(id, { limit: 20 });
    const news = newestFirst.filter((event) => this.isNew(event)).reverse();
    for (const event of news) progress?.(progressOf(event));
    if (news.length === 0) progress?.({ kind: "wait", message: this.words });
  }

  private isNew(event: HistoryEvent): boolean {
    const key = JSON.stringify(event);
    if (event.at < this.sinceAt || this.told.has(key)) return false;
    this.told.add(key);
    return true;
  }
}

const progressOf = ({ kind, message }: HistoryEvent): ProgressEvent => ({
  kind: kind === "step" ? "step" : "wait",
  message,
});

/** Takes it out of a controller's registry, so that this controller leaves it alone from now on. */
export async function leaveController(
  context: Context,
  connection: Connection,
  place: RegistryPlace,
  id: string,
): Promise<void> {
  try {
    await connection.registryAt(place).deregister(id);
  } catch (error) {
    const name = place.table ?? place.directory;
    context.log(
      `${id} could not be taken out of the former controller's registry ${name}: ${String(error)}. If that controller still runs, it goes on with what it was told last until the newer specification supersedes it.`,
      { severity: "warning" },
    );
  }
}
