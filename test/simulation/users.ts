/**
 * What users do, as a table: each action changes what the program says, and `pulumi up` follows.
 * Adding a capability adds its rows here; every simulation draws from them.
 */
import type { ControllerRegistry } from "../../src/controller/registry";
import type { Asked, Ledger } from "../../src/engine/model";
import { fingerprint, type Spec, type SpecInput } from "../../src/engine/spec";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator";
import type { Random } from "../../src/simulator/random";
import { parse } from "./world";

export const imageIds = [IMAGE_IDS.amazonLinux, IMAGE_IDS.amazonLinuxNewer, IMAGE_IDS.ubuntu];

/** One managed instance of the program; a new one comes when it is created again after a destroy. */
export interface Identity {
  id: string;
  /** What the program has said, oldest first; the position is the version minus one. */
  specs: Spec[];
  initial: Ledger;
  destroyedAt?: number;
}

export interface Program {
  identities: Identity[];
  securityGroupIds: readonly string[];
  now(): number;
}

export const newestSpec = ({ specs }: Identity): Spec => {
  const spec = specs.at(-1);
  if (spec === undefined) throw new Error("an identity has a specification");
  return spec;
};

export function currentIdentity({ identities }: Program): Identity {
  const identity = identities.at(-1);
  if (identity === undefined) throw new Error("the program has said nothing yet");
  return identity;
}

export function createIdentity(program: Program, input: SpecInput): Identity {
  const spec = parse(input);
  const number = program.identities.length + 1;
  const id = `pmi-${number.toString(16).padStart(12, "0")}`;
  const initial: Ledger = {
    id,
    creationKey: fingerprint("one name"),
    phase: "creating",
    revision: 0,
    specVersion: 1,
    specFingerprint: fingerprint(spec),
    claim: { host: "test", pid: 1, touchedAt: program.now() },
  };
  const identity = { id, specs: [spec], initial };
  program.identities.push(identity);
  return identity;
}

type Change = Partial<SpecInput> | undefined;

/** A change of the specification, or undefined where it says nothing here. */
type Draw = (
  spec: Spec,
  random: Random,
  said: Identity & Pick<Program, "securityGroupIds">,
) => Change;

const other = <Item>(random: Random, items: readonly Item[], present: Item): Item => {
  const others = items.filter((item) => item !== present);
  return others[random.below(others.length)] ?? present;
};

const changes: Record<string, Draw> = {
  "swap the image": (spec, random) => ({ imageId: other(random, imageIds, spec.imageId) }),
  "swap the image again": (spec, random) => ({ imageId: other(random, imageIds, spec.imageId) }),
  "take the last change of the image back": (_spec, _random, { specs }) => {
    const before = specs.findLast((each) => each.imageId !== specs.at(-1)?.imageId);
    return before && { imageId: before.imageId };
  },
  recycle: (_spec, random) => ({ recycleToken: `recycle ${random.hex(6)}` }),
  "recycle once more": (_spec, random) => ({ recycleToken: `recycle ${random.hex(6)}` }),
  pause: () => ({ desiredState: "paused" }),
  resume: () => ({ desiredState: "running" }),
  "pause or resume": ({ desiredState }) => ({
    desiredState: desiredState === "paused" ? "running" : "paused",
  }),
  "toggle root persistence": ({ persistRootDevice }) =>
    persistRootDevice
      ? { persistRootDevice: false, persistPrivateIp: true }
      : { persistRootDevice: true },
  "toggle the persistence of the address": ({ persistPrivateIp, persistRootDevice }) =>
    persistRootDevice ? { persistPrivateIp: !persistPrivateIp } : undefined,
  "change tags": (_spec, random) => ({ tags: { team: "simulation", run: random.hex(4) } }),
  "change the root disk": (_spec, random) => ({ rootVolume: { sizeGiB: 10 + random.below(30) } }),
  "change the market": ({ lifeCycle }) => ({
    lifeCycle: lifeCycle === "spot" ? "on_demand" : "spot",
  }),
  "change the types": (_spec, random) => ({
    instanceTypes: random.chance(0.5) ? ["m6i.large", "m5.large"] : ["r5.large", "c5.large"],
    preferredInstanceTypes: [],
  }),
  "change a launch property": ({ monitoring }) => ({ monitoring: !monitoring }),
  "change the security groups": (spec, random, { securityGroupIds }) => ({
    securityGroupIds: [other(random, securityGroupIds, spec.securityGroupIds[0] ?? "")],
  }),
  "allow all subnets": () => ({ subnetIds: [...DEFAULT_SUBNET_IDS] }),
  "allow one subnet alone": (_spec, random) => {
    const subnetId = DEFAULT_SUBNET_IDS[random.below(DEFAULT_SUBNET_IDS.length)];
    return subnetId === undefined ? undefined : { subnetIds: [subnetId] };
  },
};

/** What they ask for at the command line of a controller, of the generation that they see. */
const requests: Record<string, (generation: number, now: number) => Asked> = {
  "ask for a recycle": (generation) => ({ recycleGeneration: generation }),
  "ask for a snapshot": (_generation, now) => ({ snapshotAt: now }),
  "ask for a pause": () => ({ desiredState: "paused" }),
  "ask to go on": () => ({ desiredState: "running" }),
};

export const userActionNames: readonly string[] = [
  ...Object.keys(changes),
  ...Object.keys(requests),
  "destroy",
  "destroy and create again at once",
];

/** Whether it is something to ask for, and somebody was there to be asked. */
export async function userAsks(
  { now }: Program,
  { id }: Identity,
  { action, registry }: { action: string; registry: ControllerRegistry },
): Promise<boolean> {
  const request = requests[action];
  const entry = request && (await registry.get(id));
  if (request === undefined || entry === undefined) return false;
  const generation = entry.ledger?.launch?.generation ?? 0;
  return (await registry.ask(id, request(generation, now()), now())) !== undefined;
}

/** `pulumi up`, as far as the registry learns of it. */
export async function tellRegistry(program: Program, registry: ControllerRegistry): Promise<void> {
  for (const identity of program.identities) {
    const { destroyedAt, id, initial, specs } = identity;
    if (destroyedAt !== undefined && (await registry.get(id)) === undefined) continue;
    const registration = {
      id,
      creationKey: initial.creationKey,
      spec: newestSpec(identity),
      specVersion: specs.length,
      deallocate: destroyedAt !== undefined,
    };
    await registry.register(registration, program.now());
  }
}

/** Returns whether the program says anything new. */
export function userActs(program: Program, action: string, random: Random): boolean {
  const identity = currentIdentity(program);
  const spec = newestSpec(identity);
  const isDestroyed = identity.destroyedAt !== undefined;
  if (action === "destroy and create again at once") identity.destroyedAt ??= program.now();
  // Whatever a program that holds nothing is changed to, it makes a new one.
  if (isDestroyed || action === "destroy and create again at once") {
    if (action === "destroy") return false;
    createIdentity(program, { ...spec, desiredState: "running" });
    return true;
  }
  if (action === "destroy") {
    identity.destroyedAt = program.now();
    return true;
  }
  const { securityGroupIds } = program;
  const change = changes[action]?.(spec, random, { ...identity, securityGroupIds });
  if (change === undefined) return false;
  const next = parse({ ...spec, ...change });
  if (fingerprint(next) === fingerprint(spec)) return false;
  identity.specs.push(next);
  return true;
}

/** What a user does who follows the remedy of something stuck; undefined where no remedy is known. */
export function followRemedy(
  identity: Identity,
  reason: string,
  random: Random,
): string | undefined {
  const spec = newestSpec(identity);
  const say = (change: Partial<SpecInput>) => identity.specs.push(parse({ ...spec, ...change }));
  if (/status checks|no root state of lineage|root disk is gone/.test(reason)) {
    // Where changes wait for the next recycle, that is asked for too, as the remedy says.
    const recycleToken = `remedy ${random.hex(6)}`;
    say({ imageId: other(random, imageIds, spec.imageId), recycleToken });
    return "start afresh with another image";
  }
  if (/subnetIds no longer contains/.test(reason)) {
    say({ subnetIds: [...DEFAULT_SUBNET_IDS] });
    return "allow all subnets again";
  }
  return undefined;
}
