/**
 * Writes down what happens to one managed instance, in order and beside the work: the history never
 * holds a step up, and what cannot be written or told is reported and does not fail the work.
 */
import type { Notice, Notifier } from "./notifications";
import type { ControllerRegistry, HistoryEvent } from "./registry";

export interface JournalDeps {
  registry: ControllerRegistry;
  notifier?: Notifier;
  /** Told of every event, also where the registry cannot be written. */
  told?: (id: string, event: HistoryEvent) => void;
  /** Told of what could not be written down or notified. */
  report?: (id: string, what: string, error: unknown) => void;
}

type Details = Omit<Notice, "id" | "creationKey" | "kind" | "at" | "message">;

/** How far back an occasion counts as told. */
const remembered = 100;

export class Journal {
  private written: Promise<void> = Promise.resolve();
  creationKey: string | undefined;

  constructor(
    private readonly deps: JournalDeps,
    private readonly id: string,
  ) {}

  add(event: HistoryEvent): void {
    this.afterwards("history", () => this.write(event));
  }

  /** An event that people are told of as well. */
  announce(event: HistoryEvent & { kind: Notice["kind"] }, details: Details = {}): void {
    this.afterwards("history", async () => {
      await this.write(event);
      this.notify(event, details);
    });
  }

  /** Unless the same has been told of the same generation: several workers see one occasion. */
  announceOnce(
    event: HistoryEvent & { kind: Notice["kind"] },
    detailsFrom: (history: readonly HistoryEvent[]) => Details = () => ({}),
  ): void {
    this.afterwards("history", async () => {
      const history = await this.deps.registry.history(this.id, { limit: remembered });
      const { generation, kind } = event;
      if (history.some((each) => each.kind === kind && each.generation === generation)) return;
      await this.write(event);
      this.notify(event, detailsFrom(history));
    });
  }

  /** Resolves when all is written, or reported. */
  async flush(): Promise<void> {
    let last: Promise<void>;
    do {
      last = this.written;
      await last;
    } while (last !== this.written);
  }

  private async write(event: HistoryEvent): Promise<void> {
    this.deps.told?.(this.id, event);
    await this.deps.registry.append(this.id, [event]);
  }

  private notify(event: HistoryEvent & { kind: Notice["kind"] }, details: Details): void {
    const { at, generation, kind, message } = event;
    const { creationKey, id } = this;
    const notice = { kind, id, creationKey, at, message, generation, ...details };
    this.afterwards("notification", async () => this.deps.notifier?.notify(notice));
  }

  private afterwards(what: string, task: () => Promise<void>): void {
    this.written = this.written
      .then(task)
      .catch((error: unknown) => this.deps.report?.(this.id, what, error));
  }
}
