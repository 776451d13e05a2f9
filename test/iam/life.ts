/**
 * A whole life of managed instances on the simulator, with every call that each part of us makes and
 * what AWS would ask IAM for it at that moment: everything that a user can order, and everything that
 * befalls an instance.
 */
import { findCreations } from "../../src/aws/creations";
import { ownersOf } from "../../src/aws/owners";
import type { Part } from "../../src/aws/policy";
import { createPreflight } from "../../src/aws/preflight";
import { createMemoryControllerRegistry } from "../../src/controller/memory-registry";
import { createSurveyor } from "../../src/controller/survey";
import { createSimulator, DEFAULT_SUBNET_IDS, type Simulator } from "../../src/simulator";
import { live } from "../simulation/loop";
import {
  base,
  begin,
  carrierOf,
  change,
  destroy,
  firstImage,
  secondImage,
  upDone,
} from "../simulation/operations";
import { connect, sweepAll, type World } from "../simulation/world";
import { type AuthorizationRequest, authorizationsOf } from "./authorization";

export interface Call {
  action: string;
  requests: AuthorizationRequest[];
}

export type Life = Readonly<Record<Part, readonly Call[]>>;

const [firstSubnet = "", secondSubnet = ""] = DEFAULT_SUBNET_IDS;
const none = { images: 0, snapshots: 0, volumes: 0, networkInterfaces: 0 };

export async function recordLife(): Promise<Life> {
  const simulator = createSimulator();
  const loop: Call[] = [];
  const checks: Call[] = [];
  const router: Call[] = [];
  const sweep: Call[] = [];
  const world = worldFor(simulator, loop);
  const sweeper = worldFor(simulator, sweep);
  await liveThrough(world, sweeper);
  await survey(worldFor(simulator, router));
  await checkBeforehand(worldFor(simulator, checks));
  return { provider: [...loop, ...checks], worker: loop, router, sweep };
}

/** One part of us, with a list of the calls that it makes. */
function worldFor(simulator: Simulator, calls: Call[]): World {
  const connection = connect(simulator);
  const account = {
    region: simulator.region,
    account: simulator.account,
    rows: () => simulator.control.rows(),
  };
  connection.hooks.before.push((action, input) => {
    const requests = authorizationsOf(account, action, input as Record<string, unknown>);
    calls.push({ action, requests });
  });
  return { simulator, ...connection };
}

async function liveThrough(world: World, sweeper: World): Promise<void> {
  const story = begin(world, {
    instanceTypes: ["m5.large", "m6i.large", "r5.large"],
    tags: { team: "data" },
    persistRootDevice: false,
    keyName: "operators",
  });
  world.simulator.call("CreateKeyPair", { KeyName: "operators" });
  await upDone(story);
  change(story, { persistRootDevice: true });
  await live(story, 20);
  const { simulator } = world;
  simulator.control.interrupt({ instanceId: await carrierOf(story), noticeSeconds: 120 });
  await live(story, 5);
  change(story, { imageId: secondImage });
  await upDone(story);
  await live(story, 20);
  change(story, { imageId: firstImage, tags: { team: "data", stage: "live" } });
  await upDone(story);
  change(story, { securityGroupIds: [securityGroupIn(simulator)] });
  await upDone(story);
  change(story, { persistPrivateIp: false, subnetIds: [secondSubnet] });
  await upDone(story);
  change(story, { lifeCycle: "on_demand", desiredState: "paused" });
  await upDone(story);
  change(story, { desiredState: "running" });
  await upDone(story);
  await live(story, 10);
  await destroy(story);
  simulator.clock.advance(200 * 3600);
  await sweepAll(sweeper);
  const brief = begin(world, { ...base, retentionHours: none });
  await upDone(brief);
  await destroy(brief);
}

function securityGroupIn(simulator: Simulator): string {
  const made = simulator.call("CreateSecurityGroup", {
    GroupName: "web",
    Description: "of the stack",
    VpcId: [...simulator.control.rows().interfaces()][0]?.vpcId,
  });
  return String(made.GroupId);
}

async function survey(world: World): Promise<void> {
  const { clock, ec2, simulator } = world;
  const registry = createMemoryControllerRegistry();
  await createSurveyor({ ec2, registry, now: () => clock.now() }).survey();
  const rows = simulator.control.rows();
  await ownersOf(ec2, {
    instanceIds: [...rows.instances()].map(({ id }) => id),
    snapshotIds: ["snap-00000001"],
    imageIds: [firstImage],
  });
}

async function checkBeforehand({ ec2 }: World): Promise<void> {
  const preflight = createPreflight(ec2);
  await preflight.image(firstImage);
  await preflight.subnets([firstSubnet]);
  await preflight.instanceTypes(["m5.large"]);
  await preflight.offerings(["m5.large"]);
  await preflight.securityGroups(["sg-00000001"]);
  await preflight.hasKeyPair("key");
  await findCreations(ec2, "organization/project/stack/name");
}
