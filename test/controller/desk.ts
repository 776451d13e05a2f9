/**
 * A controller's desk for tests: a simulated account on virtual time, a registry in memory, and
 * workers that are as many as a test calls for.
 */
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import type { Notice } from "../../src/controller/notifications";
import type { ControllerRegistry, HistoryEvent } from "../../src/controller/registry";
import {
  type WorkContext,
  type WorkDeps,
  type WorkResult,
  work,
} from "../../src/controller/worker";
import type { SpecInput } from "../../src/engine/spec";
import { begin, type Story } from "../simulation/operations";
import { createWorld } from "../simulation/world";

export interface Desk {
  story: Story;
  registry: ControllerRegistry;
  notices: Notice[];
  reported: string[];
  /** Everything that a worker needs; `holder` names another one. */
  deps(overrides?: Partial<WorkDeps>): WorkDeps;
  work(overrides?: Partial<WorkDeps>, context?: WorkContext): Promise<WorkResult>;
  register(change?: { deallocate?: boolean }): Promise<void>;
  /** Oldest first. */
  history(): Promise<HistoryEvent[]>;
}

/** With one managed instance that is declared and not created. */
export function openDesk(input: Partial<SpecInput> = {}): Desk {
  const story = begin(createWorld(), input);
  const { world } = story;
  const registry = createMemoryControllerRegistry();
  const notices: Notice[] = [];
  const reported: string[] = [];
  const deps = (overrides: Partial<WorkDeps> = {}): WorkDeps => ({
    registry,
    cloud: world.cloud,
    anchors: world.registry,
    clock: world.clock,
    claimant: { host: "test", pid: 1 },
    holder: "test:1:a",
    notifier: { notify: async (notice) => void notices.push(notice) },
    report: (id, what, error) => reported.push(`${id} ${what}: ${error}`),
    ...overrides,
  });
  return {
    story,
    registry,
    notices,
    reported,
    deps,
    work: (overrides, context) => work(story.initial.id, deps(overrides), context),
    async register({ deallocate = false } = {}) {
      const { id, creationKey } = story.initial;
      const { spec, specVersion } = story;
      const registration = { id, creationKey, spec, specVersion, deallocate };
      await registry.register(registration, world.clock.now());
    },
    history: async () =>
      (await registry.history(story.initial.id, { limit: 1000 })).slice().reverse(),
  };
}

/** With one that runs, registered and created as `pulumi up` does it. */
export async function openRunningDesk(input: Partial<SpecInput> = {}): Promise<Desk> {
  const desk = openDesk(input);
  await desk.register();
  const result = await desk.work({}, { initial: desk.story.initial });
  if (result.kind !== "worked" || result.outcome.kind !== "done")
    throw new Error(`it was not created: ${JSON.stringify(result)}`);
  return desk;
}
