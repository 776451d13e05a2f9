// What decide must never do, whatever it is asked. The laws are stated on the observation itself, by
// other means than the engine's own, so that a misconception there is not repeated here.

import * as fc from "fast-check";
import { decide } from "../../src/engine/decide";
import type { Decision, Observation, Snapshot, Step, Volume } from "../../src/engine/model";
import { upkeepRules } from "../../src/engine/rules-upkeep";
import type { Question } from "../../src/engine/situation";
import { decodeLedger, encodeLedger } from "../../src/engine/tags";
import { resourcesOf } from "./arbitraries";
import { id, seconds, stepsOf } from "./builders";
import { questions } from "./questions";

const usualRuns = 1000;

/** The same questions in every run, so that a change is judged by itself; others by environment. */
const runs = {
  numRuns: Number(process.env.QUESTION_RUNS ?? usualRuns),
  seed: Number(process.env.QUESTION_SEED ?? 1),
};

/** A law that no question reaches asserts nothing, and fewer questions than usual may not reach it. */
beforeEach(() => {
  if (runs.numRuns >= usualRuns) expect.hasAssertions();
});

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

const frozen = questions.map(freeze);
let drawn: readonly Question[] | undefined;

/** Drawn once for all laws, because that takes longer than to decide. */
function everyQuestion(): readonly Question[] {
  drawn ??= fc.sample(frozen, runs);
  return drawn;
}

function always(law: (question: Question, decision: Decision) => void): void {
  const judge = (question: Question) => law(question, decide(question));
  try {
    everyQuestion().forEach(judge);
  } catch (error) {
    // The same questions again, of which fast-check tells the smallest that breaks the law.
    fc.assert(fc.property(frozen, judge), runs);
    throw error;
  }
}

function forEachStep(law: (question: Question, step: Step) => void): void {
  always((question, decision) => {
    for (const step of stepsOf(decision)) law(question, step);
  });
}

const isOurs = ({ clientToken }: { clientToken: string }) => clientToken.startsWith(`${id}:`);
const aliveIn = ({ instances }: Observation) =>
  instances.filter((each) => isOurs(each) && each.state !== "terminated");
const volumesIn = ({ volumes }: Observation): Volume[] =>
  volumes.filter(
    ({ generation, markedId, operation, volumeId }) =>
      operation === `launch:${generation}` && (markedId ?? volumeId) === volumeId,
  );
const snapshotsIn = ({ snapshots }: Observation): Snapshot[] =>
  snapshots.filter(({ operation, volumeId }) =>
    [`final:${volumeId}`, `periodic:${volumeId}`].includes(operation),
  );
const isEnding = ({ deallocate, ledger }: Question) =>
  deallocate === true || ledger.phase === "deallocating";

test("every question has an answer, and the same question the same one", () => {
  always((question, decision) => expect(decide(question)).toEqual(decision));
});

test("a wait ends, and later than now", () => {
  always(({ now }, decision) => {
    if (decision.kind !== "wait") return;
    expect(Number.isSafeInteger(decision.untilAt)).toBe(true);
    expect(decision.untilAt).toBeGreaterThan(now);
  });
});

test("what is done looks again later than now", () => {
  always(({ now }, decision) => {
    if (decision.kind === "done") expect(decision.wakeAt).toBeGreaterThan(now);
  });
});

test("a ledger that was read back from tags decides as the one that was written", () => {
  always((question, decision) => {
    const ledger = decodeLedger(encodeLedger(question.ledger));
    expect(decide({ ...question, ledger })).toEqual(decision);
  });
});

test("what was asked for and is fulfilled changes no decision, however often it is asked again", () => {
  always((question) => {
    const { ledger, observation, spec } = question;
    const own = snapshotsIn(observation).map(({ startedAt }) => startedAt);
    const fulfilled = {
      desiredState: spec.desiredState,
      recycleGeneration: (ledger.launch?.generation ?? 1) - 1,
      snapshotAt: Math.min(ledger.launch?.recordedAt ?? 0, ...own),
    };
    const without = decide({ ...question, asked: undefined });
    expect(decide({ ...question, asked: fulfilled })).toEqual(without);
  });
});

test("a recycle that was asked for ends no generation but the one it names", () => {
  forEachStep(({ asked, ledger }, step) => {
    if (step.kind !== "terminate" || step.reason !== "requested") return;
    expect(asked?.recycleGeneration).toBe(ledger.launch?.generation);
  });
});

test("what is wanted is what was asked for, else what the spec says", () => {
  forEachStep(({ asked, spec }, step) => {
    const wanted = asked?.desiredState ?? spec.desiredState;
    if (step.kind === "launch") expect(wanted).toBe("running");
    if (step.kind === "terminate" && step.reason === "pause") expect(wanted).toBe("paused");
  });
});

test("upkeep has its turn only while an instance of ours runs and is to run on", () => {
  const upkeep = upkeepRules.map(({ name }) => name);
  always(({ asked, deallocate, ledger, observation, spec }, { rule }) => {
    if (!upkeep.includes(rule)) return;
    expect(deallocate).not.toBe(true);
    expect(["creating", "active"]).toContain(ledger.phase);
    expect(asked?.desiredState ?? spec.desiredState).toBe("running");
    expect(aliveIn(observation).map(({ state }) => state)).toContain("running");
  });
});

test("nothing is launched while an instance of ours is not terminated or the anchor is not free", () => {
  forEachStep(({ observation }, step) => {
    if (step.kind !== "launch") return;
    expect(aliveIn(observation)).toEqual([]);
    const anchor = observation.anchors.find((each) => each.interfaceId === step.interfaceId);
    expect(anchor?.status).toBe("available");
  });
});

test("a launch is recorded before it is asked for, or was recorded already", () => {
  always(({ ledger }, decision) => {
    const steps = stepsOf(decision);
    const at = steps.findIndex(({ kind }) => kind === "launch");
    const step = steps[at];
    if (step?.kind !== "launch") return;
    const recorded = steps[at - 1]?.kind === "record" ? steps[at - 1] : undefined;
    const intent = recorded?.kind === "record" ? recorded.ledger.launch : ledger.launch;
    expect(intent).toMatchObject({ generation: step.generation, attempt: step.attempt });
  });
});

test("no token is used for two launches", () => {
  forEachStep(({ ledger, observation }, step) => {
    if (step.kind !== "launch") return;
    const used = observation.instances.filter(isOurs).map((each) => each.clientToken);
    expect(used).not.toContain(step.token);
    const { launch } = ledger;
    if (launch?.instanceId !== undefined && launch.generation === step.generation)
      throw new Error(`generation ${step.generation} is used up`);
  });
});

test("no instance is terminated whose root would go with it, unless the root is not to be kept", () => {
  forEachStep(({ observation, spec }, step) => {
    if (step.kind !== "terminate" || !spec.persistRootDevice) return;
    const instance = observation.instances.find((each) => each.instanceId === step.instanceId);
    expect(instance).toMatchObject({ rootDeletedOnTermination: false });
    expect(instance?.rootVolumeId).toBeDefined();
  });
});

test("no base image is booted in a lineage that has a state, or ran and was to be kept", () => {
  forEachStep(({ ledger, observation, spec }, step) => {
    if (step.kind !== "launch" || step.imageId !== spec.imageId) return;
    // What was recorded is asked for again as it is, whatever else a wild ledger has seen since.
    if (ledger.launch?.generation === step.generation && ledger.launch.attempt === step.attempt)
      return;
    const lineage = Number(step.instanceTags["pmi:lineage"]);
    const states = [...volumesIn(observation), ...snapshotsIn(observation)];
    if (spec.persistRootDevice)
      expect(states.filter((each) => each.lineage === lineage)).toEqual([]);
    const { launch } = ledger;
    if (launch?.lineage === lineage) expect(launch.ran && launch.rootKept).toBe(false);
  });
});

test("a persisted image that is launched was verified", () => {
  forEachStep(({ observation, spec }, step) => {
    if (step.kind !== "launch" || step.imageId === spec.imageId) return;
    const image = observation.images.find((each) => each.imageId === step.imageId);
    expect(image).toMatchObject({ state: "available" });
  });
});

test("a final snapshot is taken of a free volume only", () => {
  forEachStep(({ observation }, step) => {
    if (step.kind !== "create-snapshot" || !step.provenance.operation.startsWith("final:")) return;
    const volume = observation.volumes.find((each) => each.volumeId === step.volumeId);
    expect(volume?.state).toBe("available");
  });
});

test("two snapshots of one volume are 15 seconds apart", () => {
  forEachStep(({ now, observation }, step) => {
    if (step.kind !== "create-snapshot") return;
    const times = snapshotsIn(observation)
      .filter((each) => each.volumeId === step.volumeId)
      .map((each) => each.startedAt);
    expect(now - Math.max(0, ...times)).toBeGreaterThanOrEqual(15 * seconds);
  });
});

test("an image is registered of a completed snapshot only", () => {
  forEachStep(({ observation }, step) => {
    if (step.kind !== "register-image") return;
    const snapshot = observation.snapshots.find((each) => each.snapshotId === step.snapshotId);
    expect(snapshot?.state).toBe("completed");
  });
});

/** The id of what a step deletes, other than an anchor. */
function deletedBy(step: Step): string | undefined {
  if (step.kind === "delete-snapshot") return step.snapshotId;
  if (step.kind === "delete-volume") return step.volumeId;
  return step.kind === "deregister-image" ? step.imageId : undefined;
}

test("nothing is deleted that was not condemned for half a minute", () => {
  forEachStep(({ now, observation }, step) => {
    const deleted = resourcesOf(observation).find((each) => each.id === deletedBy(step));
    if (deleted === undefined) return;
    expect(deleted.condemnedAt).toBeDefined();
    expect(now - (deleted.condemnedAt ?? now)).toBeGreaterThanOrEqual(30 * seconds);
  });
});

test("no snapshot is deleted while an image uses it, whoever's", () => {
  forEachStep(({ observation }, step) => {
    if (step.kind !== "delete-snapshot") return;
    expect(observation.images.map((each) => each.snapshotId)).not.toContain(step.snapshotId);
  });
});

test("no volume is deleted that is not free or does not wear its own id", () => {
  forEachStep(({ observation }, step) => {
    if (step.kind !== "delete-volume") return;
    const volume = observation.volumes.find((each) => each.volumeId === step.volumeId);
    expect(volume).toMatchObject({ state: "available", markedId: step.volumeId });
  });
});

test("while it is wanted, the newest snapshot of the lineage that ran stays", () => {
  forEachStep((question, step) => {
    const { ledger, observation, spec } = question;
    if (step.kind !== "delete-snapshot" || isEnding(question) || !spec.persistRootDevice) return;
    const completed = snapshotsIn(observation).filter((each) => each.state === "completed");
    const gone = completed.find((each) => each.snapshotId === step.snapshotId);
    if (gone === undefined || gone.lineage !== ledger.launch?.lineage) return;
    const newer = completed.filter(
      (each) =>
        each !== gone &&
        each.lineage === gone.lineage &&
        (each.generation > gone.generation || each.volumeId === gone.volumeId),
    );
    expect(newer).not.toEqual([]);
  });
});

test("while it is wanted, a volume of the lineage that ran stays until its final snapshot is completed", () => {
  forEachStep((question, step) => {
    const { ledger, observation } = question;
    if (step.kind !== "delete-volume" || isEnding(question)) return;
    const volume = observation.volumes.find((each) => each.volumeId === step.volumeId);
    if (volume?.lineage !== ledger.launch?.lineage) return;
    const finals = snapshotsIn(observation).filter(
      (each) =>
        each.volumeId === step.volumeId &&
        each.state === "completed" &&
        each.operation === `final:${step.volumeId}`,
    );
    expect(finals).not.toEqual([]);
  });
});

/** Every id that a step changes or makes something of. */
function touchedBy(step: Step): readonly string[] {
  switch (step.kind) {
    case "record":
    case "delete-anchor":
    case "set-security-groups":
      return [step.interfaceId];
    case "create-anchor":
      return [];
    case "launch":
      return [step.interfaceId];
    case "terminate":
    case "keep-root":
      return [step.instanceId];
    case "create-snapshot":
      return [step.volumeId];
    case "register-image":
      return [step.snapshotId];
    case "tag":
    case "untag":
      return step.resourceIds;
    case "deregister-image":
    case "delete-snapshot":
    case "delete-volume":
      return [deletedBy(step) ?? ""];
  }
}

test("nothing is touched that is not ours by its tags and by itself", () => {
  forEachStep(({ observation }, step) => {
    const ours = [
      ...observation.anchors.map((each) => each.interfaceId),
      ...observation.instances.filter(isOurs).map((each) => each.instanceId),
      ...observation.instances.filter(isOurs).map((each) => each.rootVolumeId),
      ...volumesIn(observation).map((each) => each.volumeId),
      ...snapshotsIn(observation).map((each) => each.snapshotId),
      ...observation.images
        .filter((each) => each.operation === `register:${each.snapshotId}`)
        .map((each) => each.imageId),
    ];
    expect(ours).toEqual(expect.arrayContaining([...touchedBy(step)]));
  });
});

test("an anchor is deleted only while it is free", () => {
  forEachStep(({ observation }, step) => {
    if (step.kind !== "delete-anchor") return;
    const anchor = observation.anchors.find((each) => each.interfaceId === step.interfaceId);
    expect(anchor?.status).toBe("available");
  });
});
