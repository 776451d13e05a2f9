/**
 * What the handlers use of AWS, put together for one Region. Loaded only when a call needs it: the
 * SDK takes a noticeable part of a second. Process, host and randomness enter here and nowhere else.
 */
import { randomBytes } from "node:crypto";
import { accessTo } from "../aws/access";
import { type Claimant, holderOf, thisProcess } from "../aws/claimant";
import { createEc2, type Ec2 } from "../aws/client";
import { AwsClock } from "../aws/clock";
import { createCloud } from "../aws/cloud";
import { findCreations } from "../aws/creations";
import { type LookRequest, lookAt } from "../aws/look";
import { createPreflight } from "../aws/preflight";
import { createAnchorRegistry } from "../aws/registry";
import { openRegistry, type RegistryPlace } from "../controller/open-registry";
import type { ControllerRegistry } from "../controller/registry";
import { work } from "../controller/worker";
import type { Clock } from "../engine/ports";
import { converge } from "../engine/reconcile";
import type { Configuration } from "./configuration";
import type { Connection, Known } from "./context";

const opened = new Map<string, Connection>();

/** One connection for all calls of a process, so that its caches and AWS's clock are shared. */
export async function connect(region: string, configuration: Configuration): Promise<Connection> {
  const known = opened.get(region);
  if (known !== undefined) return known;
  // What the SDK has to say about Node versions would stand among the messages of every `pulumi up`.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { endpoint, profile } = configuration;
  const options = accessTo({ region, endpoint, profile }, process.env);
  const clock = new AwsClock();
  const connection = openConnection(createEc2(options, clock), clock, {
    registryAt: (place) => openRegistry(place, { region, profile }),
  });
  opened.set(region, connection);
  return connection;
}

export interface ConnectionOptions {
  /** Default: there is no controller anywhere. */
  registryAt?: (place: RegistryPlace) => ControllerRegistry;
  /** Default: this process. */
  claimant?: Claimant;
}

export function openConnection(
  ec2: Ec2,
  clock: Clock & { now(): number },
  { claimant = thisProcess(), registryAt = nowhere }: ConnectionOptions = {},
): Connection {
  const cloud = createCloud(ec2, clock);
  const registry = createAnchorRegistry(ec2);
  return {
    preflight: createPreflight(ec2),
    claimant,
    isAlive,
    newId: () => `pmi-${randomBytes(6).toString("hex")}`,
    now: () => clock.now(),
    sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
    async look(request: LookRequest): Promise<Known | undefined> {
      const { ledger, observation } = await lookAt({ cloud, anchors: registry }, request);
      return ledger && { ledger, observation };
    },
    findCreated: (creationKey) => findCreations(ec2, creationKey),
    save: (ledger, interfaceId) => registry.save(ledger, interfaceId),
    converge: (job) => converge({ ...job, cloud, registry, clock, claimant }),
    registryAt,
    work: ({ id, initial, progress, remembered, ...deps }) => {
      const holder = holderOf(claimant);
      const context = { initial, progress, remembered };
      return work(id, { ...deps, cloud, anchors: registry, clock, claimant, holder }, context);
    },
  };
}

function nowhere(): never {
  throw new Error("no controller can be reached from here");
}

/** A process that we may not signal exists, too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
