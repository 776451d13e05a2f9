/**
 * The controllers of a campaign: each a process with the production survey, queue, rations and
 * worker, which is killed or stands still now and then, and starts again knowing nothing.
 */

import { createCloud } from "../../src/aws/cloud";
import { createInventory } from "../../src/aws/inventory";
import { createAnchorRegistry } from "../../src/aws/registry";
import { daemonDefaults, sittingMs } from "../../src/controller/daemon";
import { WorkQueue } from "../../src/controller/queue";
import { createRationing, type Rationing } from "../../src/controller/rationing";
import { createSurveyor, type Wanted } from "../../src/controller/survey";
import { sweep } from "../../src/controller/sweep";
import { type WorkDeps, work } from "../../src/controller/worker";
import { messageOf } from "../../src/engine/error-text";
import { CloudError } from "../../src/engine/ports";
import type { Random } from "../../src/simulator/random";
import { creator, enter, type Land } from "./land";
import { Mortal } from "./mortal";

const minutes = 60_000;
const hours = 60 * minutes;
const surveyEveryMs = minutes;
const sweepEveryMs = 10 * minutes;

/** Starts it again whenever it has died, until the signal; then nothing kills it any more. */
export async function keepController(
  land: Land,
  name: string,
  calm: AbortSignal,
  end: AbortSignal,
): Promise<void> {
  const random = land.random(name);
  for (let life = 1; !end.aborted; life += 1) {
    const mortal = new Mortal(clockOf(land));
    startController(land, mortal, `${name}-${life}`, end);
    await fate(land, mortal, random, { calm, end });
    await land.sleep(1000 + random.below(10 * minutes));
  }
}

const clockOf = ({ now, simulator }: Land) => ({
  now,
  sleep: (milliseconds: number, signal?: AbortSignal) =>
    simulator.clock.sleep(milliseconds, signal).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    }),
});

/** Stands still every eight hours or so and dies once a day, at whatever it is doing then. */
async function fate(
  land: Land,
  mortal: Mortal,
  random: Random,
  { calm, end }: { calm: AbortSignal; end: AbortSignal },
): Promise<void> {
  const diesAt = land.now() + random.below(48) * hours + random.below(hours);
  let stillAt = land.now() + random.below(16) * hours;
  while (!end.aborted) {
    await land.sleep(10_000 + random.below(20_000));
    if (calm.aborted) continue;
    if (land.now() >= stillAt) {
      mortal.standStill(1000 * (5 + random.below(random.chance(0.5) ? 60 : 600)));
      stillAt = land.now() + random.below(16) * hours;
      land.counts.add("events", "a controller stands still");
    }
    if (land.now() < diesAt) continue;
    mortal.die();
    land.counts.add("events", "a controller is killed");
    return;
  }
}

/** Lives for as long as its mortal does. */
function startController(land: Land, mortal: Mortal, name: string, end: AbortSignal): void {
  const clock = mortal.ownClock();
  const registry = mortal.registry(land.registry);
  const ec2 = mortal.ec2(enter(land).ec2);
  const rationing = createRationing({ ec2, registry, clock });
  const now = () => clock.now();
  const surveyor = createSurveyor({ ec2: rationing.ec2(() => "recovery"), registry, now });
  const workers = {
    recovery: depsOf(land, mortal, rationing, "recovery"),
    upkeep: depsOf(land, mortal, rationing, "upkeep"),
  };
  let looks = 0;
  const queue = new WorkQueue({
    atOnce: daemonDefaults.atOnce,
    now,
    run: async ({ id, urgency }: Wanted) => {
      looks += 1;
      const stretch = () => surveyor.stretch();
      const holder = `${name}:${looks}`;
      const deadlineAt = now() + sittingMs;
      const result = await work(id, { ...workers[urgency], deadlineAt, holder, stretch });
      const kind = result.kind === "worked" ? result.standing.kind : result.kind;
      land.counts.add("looks", `${urgency}: ${kind}`);
      if (result.kind === "failed") land.counts.add("failures", messageOf(result.error));
    },
  });
  const again = (everyMs: number, what: string, act: () => Promise<void>) =>
    void repeat(land, { clock, end, everyMs, what }, act);
  again(surveyEveryMs, "survey", async () => {
    const { wanted } = await surveyor.survey();
    for (const each of wanted) queue.add(each);
  });
  const upkeepEc2 = rationing.ec2(() => "upkeep");
  again(sweepEveryMs, "sweep", async () => {
    const inventory = createInventory(upkeepEc2);
    await sweep({ cloud: createCloud(upkeepEc2, clock), inventory, clock });
  });
}

function depsOf(
  land: Land,
  mortal: Mortal,
  rationing: Rationing,
  urgency: Wanted["urgency"],
): Omit<WorkDeps, "holder"> {
  const clock = mortal.ownClock();
  const ec2 = rationing.ec2(() => urgency);
  return {
    registry: mortal.registry(land.registry),
    cloud: createCloud(ec2, clock),
    anchors: createAnchorRegistry(ec2),
    clock,
    claimant: { host: "controller", pid: 2 },
    told: (_id, { kind }) => land.counts.add("told", kind),
    report: (_id, what) => land.counts.add("failures", `${what} not written`),
  };
}

interface Rhythm {
  clock: ReturnType<typeof clockOf>;
  end: AbortSignal;
  everyMs: number;
  what: string;
}

/** What EC2 does not answer is tried again the next time; anything else is a defect. */
async function repeat(land: Land, rhythm: Rhythm, act: () => Promise<void>): Promise<void> {
  const { clock, end, everyMs, what } = rhythm;
  while (!end.aborted) {
    try {
      await act();
      land.counts.add("rounds", what);
    } catch (error) {
      if (!(error instanceof CloudError)) land.violation.abort(error);
      land.counts.add("rounds", `${what} without an answer`);
    }
    await clock.sleep(everyMs, end);
  }
}

/** Creates all under one controller that nothing kills; the answer ends it. */
export async function keepCalmly(land: Land): Promise<() => Promise<void>> {
  const [calm, end] = [new AbortController(), new AbortController()];
  calm.abort();
  const controller = keepController(land, "only", calm.signal, end.signal);
  await createAll(land);
  return async () => {
    end.abort();
    await controller;
  };
}

/** Creates all managed instances, some at once, as `pulumi up` does with a controller. */
export async function createAll(land: Land): Promise<void> {
  const clock = clockOf(land);
  const connection = enter(land);
  const open = [...land.identities.values()];
  const createNext = async () => {
    for (let identity = open.shift(); identity !== undefined; identity = open.shift()) {
      const { id, initial, specs } = identity;
      const [spec] = specs;
      if (spec === undefined) throw new Error(`${id} has no specification`);
      const registration = { id, creationKey: initial.creationKey, spec, specVersion: 1 };
      await land.registry.register({ ...registration, deallocate: false }, land.now());
      for (let attempt = 1; ; attempt += 1) {
        const holder = `up:${id}:${attempt}`;
        const deps = { ...connection, registry: land.registry, anchors: connection.registry };
        const result = await work(id, { ...deps, clock, claimant: creator, holder }, { initial });
        if (result.kind === "worked" && result.standing.kind === "done") break;
        if (land.violation.signal.aborted) return;
        await land.sleep(30_000);
      }
      land.counts.add("events", "created");
    }
  };
  await Promise.all(Array.from({ length: 20 }, createNext));
}
