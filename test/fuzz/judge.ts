/**
 * What must hold of every argument set, however broken: check and diff answer, refusals are sentences
 * that name a property and can be shown, nothing shows a secret, and a create that fails leaves
 * nothing that nobody knows of.
 */
import { isDeepStrictEqual } from "node:util";
import type { Ec2 } from "../../src/aws/client";
import type { Facts } from "../../src/engine/facts";
import { check } from "../../src/provider/check";
import { openConnection } from "../../src/provider/connection";
import type { Connection, Context } from "../../src/provider/context";
import { create } from "../../src/provider/create";
import { deallocate } from "../../src/provider/delete";
import { diff } from "../../src/provider/diff";
import { PartialFailure } from "../../src/provider/failure";
import { hasUnknown } from "../../src/provider/unknown";
import type { Failure } from "../../src/provider/validation";
import { leaksIn } from "../e2e/secrets";
import { createWorld, sweepAll, type World } from "../simulation/world";
import { type Arguments, knownProperties } from "./arguments";

export interface FuzzAccount {
  world: World;
  ec2: Ec2;
  connection: Connection;
}

export function openFuzzAccount(): FuzzAccount {
  const world = createWorld({ throttling: false });
  world.simulator.call("CreateKeyPair", { KeyName: "ops" });
  return { world, ec2: world.ec2, connection: openConnection(world.ec2, world.clock) };
}

export interface Heard {
  context: Context;
  messages: string[];
}

function listen({ connection }: FuzzAccount): Heard {
  const messages: string[] = [];
  const context: Context = {
    urn: "urn:pulumi:fuzz::fuzz::pulumi-nodejs:dynamic/managed-instance:ManagedInstance::db",
    signal: new AbortController().signal,
    configuration: { region: "us-east-1", unsupported: [] },
    log: (message) => {
      messages.push(message);
    },
    connect: async () => connection,
  };
  return { context, messages };
}

/** Longer than this nobody reads, and a terminal shows nothing else. */
const longestSentence = 1500;

function judgeSentence(text: string): void {
  const wrong = [
    ...(text.trim() === "" ? ["it is empty"] : []),
    ...(text.length > longestSentence ? [`it has ${text.length} characters`] : []),
    ...(/\[object |\[native code\]|\bundefined\b/.test(text) ? ["it shows JavaScript"] : []),
    ...(Buffer.from(text).toString() === text ? [] : ["it is no well-formed text"]),
    ...leaksIn(text).map((how) => `it shows the secret ${how}`),
  ];
  if (wrong.length > 0) throw new Error(`${wrong.join(", ")}: ${text.slice(0, 400)}`);
}

function judgeFailure({ property, reason }: Failure, inputs: Arguments): void {
  judgeSentence(reason);
  const root = property.split(".")[0] ?? "";
  if (knownProperties.includes(root)) return;
  const names = [...knownProperties, ...Object.keys(inputs).map((name) => name.slice(0, 20))];
  const isNamed = names.some((name) => reason.includes(name));
  if (property !== "" || !isNamed)
    throw new Error(`a refusal names no property: ${JSON.stringify({ property, reason })}`);
}

/** What check makes of them, which is what Pulumi hands on to create; undefined when it refuses them. */
export async function judgeCheck(
  account: FuzzAccount,
  inputs: Arguments,
): Promise<Arguments | undefined> {
  const { context, messages } = listen(account);
  const answer = await check(context, {}, inputs);
  for (const failure of answer.failures) judgeFailure(failure, inputs);
  messages.forEach(judgeSentence);
  JSON.stringify(answer);
  return answer.failures.length === 0 ? answer.inputs : undefined;
}

/** Against a state that the good arguments left, and against themselves. */
export function judgeDiff(account: FuzzAccount, good: Arguments, inputs: Arguments): void {
  const facts: Facts = recordedFacts;
  const { context, messages } = listen(account);
  diff(context, { ...good, facts }, inputs);
  messages.forEach(judgeSentence);
  const state = inputs.desiredState === "paused" ? "paused" : "running";
  const itself = diff(context, { ...inputs, facts: { ...facts, state } }, inputs);
  const isSettled =
    !hasUnknown(inputs) && ["running", "paused", undefined].includes(stateIn(inputs));
  if (isSettled && !isDeepStrictEqual(itself, { changes: false }))
    throw new Error(`they differ from themselves: ${messages.join("; ").slice(0, 400)}`);
}

const stateIn = ({ desiredState }: Arguments) => desiredState as string | undefined;

const recordedFacts: Facts = {
  state: "running",
  generation: 1,
  lineage: 1,
  instanceId: "i-0123456789abcdef0",
  instanceType: "m5.large",
  privateIp: "172.31.5.9",
} as Facts;

export type Creation = "running" | "paused" | "kept for the next run" | "nothing made";

/** What became of a create. Whatever it was, a destroy and the sweep leave nothing behind. */
export async function judgeCreate(inputs: Arguments): Promise<Creation> {
  const account = openFuzzAccount();
  const { context, messages } = listen(account);
  const made = await create(context, inputs).then(
    ({ id, outs }) => ({ id, outs, error: undefined }),
    (error: unknown) => ({ ...partOf(error), error }),
  );
  messages.forEach(judgeSentence);
  if (made.error instanceof Error) judgeSentence(made.error.message);
  judgeOwners(account, made.id);
  if (made.id === undefined) return "nothing made";
  const creation =
    made.error === undefined ? judgeMade(account, made.outs) : "kept for the next run";
  await deallocate(context, made.id, JSON.parse(JSON.stringify(made.outs)));
  await judgeEnd(account);
  return creation;
}

function partOf(error: unknown): { id?: string; outs: Arguments } {
  if (error instanceof PartialFailure) return { id: error.id, outs: { ...error.properties } };
  if (error instanceof Error) return { outs: {} };
  throw error;
}

interface Tagged {
  id: string;
  state?: string;
  tags: ReadonlyMap<string, string>;
}

function ours({ world }: FuzzAccount): Tagged[] {
  const { images, instances, interfaces, snapshots, volumes } = world.simulator.control.rows();
  const rows: Iterable<Tagged>[] = [images(), instances(), interfaces(), snapshots(), volumes()];
  return rows
    .flatMap((each) => [...each])
    .filter((each) => each.tags.has("pmi:id"))
    .filter((each) => !["terminated", "deleted", "deregistered"].includes(each.state ?? ""));
}

/** All that is tagged ours belongs to the one id that Pulumi was told, and to none when it was told none. */
function judgeOwners(account: FuzzAccount, id: string | undefined): void {
  const stray = ours(account).filter((each) => each.tags.get("pmi:id") !== id);
  if (stray.length > 0)
    throw new Error(
      `${stray.map((each) => each.id).join(", ")} left, of which Pulumi knows nothing`,
    );
}

function judgeMade(account: FuzzAccount, outs: Arguments): "running" | "paused" {
  const { state } = outs.facts as Facts;
  const live = ours(account).filter((each) => each.id.startsWith("i-"));
  if (state === "paused" && live.length === 0) return "paused";
  if (state === "running" && live.length === 1) return "running";
  throw new Error(`created as ${state}, with ${live.length} instances`);
}

async function judgeEnd(account: FuzzAccount): Promise<void> {
  account.world.simulator.clock.advance(400 * 24 * 3600);
  await sweepAll(account.world);
  account.world.simulator.clock.advance(3600);
  const left = ours(account);
  if (left.length > 0)
    throw new Error(`after destroy and sweep: ${left.map(({ id }) => id).join(", ")}`);
}
