/**
 * The story, in order: what a managed instance is good for, told by doing it. Each step ends with
 * claims that are checked; the first that does not hold ends the story.
 */
import { createCloud } from "../../src/aws/cloud";
import { sweep } from "../../src/controller/sweep";
import { IMAGE_IDS } from "../../src/simulator";
import { aliveInstances, completedSnapshots, leftovers } from "./account";
import {
  hasJournal,
  look,
  measure,
  passTime,
  present,
  readFile,
  type Stage,
  up,
  verifyJournal,
  writeJournal,
} from "./stage";

export async function tellStory(stage: Stage): Promise<void> {
  await create(stage);
  await takeSnapshots(stage);
  await survive(stage);
  await swapImage(stage);
  await recycle(stage);
  await pause(stage);
  await resume(stage);
  await destroy(stage);
  await sweepUp(stage);
}

async function create(stage: Stage): Promise<void> {
  const { claims, display } = stage;
  display.step("pulumi up: create a managed instance on Spot");
  await measure(stage, { name: "create", downtimeOf: "create" }, async () => {
    const outputs = await up(stage);
    await look(stage);
    const { generation, instanceId, lineage, market, privateIp, state } = present(stage);
    const facts = { generation, lineage, market, state };
    const first = { generation: 1, lineage: 1, market: "spot", state: "running" };
    claims.check(`${instanceId} carries ${outputs.id} at ${privateIp}`, facts, first);
    claims.check("Pulumi's outputs name that instance", outputs.instanceId, instanceId);
    return undefined;
  });
  display.step("The guest writes a file to its root disk");
  writeJournal(stage, "written after the creation");
  verifyJournal(stage, `/srv/journal.txt has ${stage.journal.length.toLocaleString("en")} bytes`);
}

const minutes = 60;

async function takeSnapshots(stage: Stage): Promise<void> {
  const { claims, display, stopwatch, world } = stage;
  display.step("27 minutes pass: a snapshot every 5, of which 3 are kept");
  await measure(stage, { name: "periodic snapshots" }, async () => {
    await passTime(stage, 27 * minutes);
    const taken = stopwatch.calls().get("CreateSnapshot") ?? 0;
    // On a busy machine a simulated minute may pass between a due time and its snapshot.
    const isInTime = taken >= 4 && taken <= 6;
    claims.check(`${taken} snapshots were taken, about one every 5 minutes`, isInTime, true);
    await look(stage);
    const { length } = completedSnapshots(world.simulator);
    // One more may just have completed, and one more be condemned until the next look.
    const isPruned = length >= 3 && length <= 5;
    claims.check(
      `${length} are completed: 3 that are kept, and what comes or goes`,
      isPruned,
      true,
    );
    return undefined;
  });
}

async function survive(stage: Stage): Promise<void> {
  const { claims, display, world } = stage;
  const before = present(stage);
  display.step("EC2 interrupts the Spot instance, with two minutes' notice");
  await measure(stage, { name: "interruption", downtimeOf: "interruption" }, async () => {
    world.simulator.control.interrupt({ instanceId: before.instanceId });
    writeJournal(stage, "written after the notice");
    await skipNotice(stage);
    await look(stage);
    const after = present(stage);
    const { generation, lineage } = after;
    claims.check(
      "another generation carries it",
      { generation, lineage },
      { generation: 2, lineage: 1 },
    );
    claims.check("in another instance", after.instanceId !== before.instanceId, true);
    return verifySame(
      stage,
      before.privateIp,
      "every byte is there, those written after the notice too",
    );
  });
}

/** Once the daemon has met the notice with a snapshot, only EC2 is waited for. */
async function skipNotice({ stopwatch, world }: Stage): Promise<void> {
  const { clock, latencies } = world.simulator;
  const endsAt = clock.now() + latencies.interruptionNotice * 1000;
  const isMet = () => stopwatch.calls().has("CreateSnapshot");
  while (!isMet() && clock.now() < endsAt) await clock.sleep(1000);
  clock.advance(Math.max(0, (endsAt - clock.now()) / 1000 - 20));
}

async function swapImage(stage: Stage): Promise<void> {
  const { claims, display, world } = stage;
  const before = present(stage);
  display.step("pulumi config set imageId: another AMI");
  await world.configure("imageId", IMAGE_IDS.amazonLinuxNewer);
  const preview = await world.preview();
  const said = preview.messages.filter((message) => message.includes("AMI swap"));
  for (const message of said) display.note(`preview: ${message}`);
  claims.check("preview names the AMI swap", said.length, 1);
  claims.check("preview replaces nothing", replacements(preview.changes), []);
  display.step("pulumi up: the new image boots, with a root disk of its own");
  await measure(stage, { name: "AMI swap", downtimeOf: "ami-swap" }, async () => {
    const outputs = await up(stage);
    await look(stage);
    const { generation, imageId, instanceId, lineage, privateIp } = present(stage);
    const found = { generation, imageId, lineage, privateIp };
    const expected = {
      generation: 3,
      imageId: IMAGE_IDS.amazonLinuxNewer,
      lineage: 2,
      privateIp: before.privateIp,
    };
    claims.check("a new lineage at the same address", found, expected);
    claims.check("the same identity", outputs.id, stage.id);
    const release = readFile(stage, instanceId, "/etc/os-release");
    claims.check("it runs the new release", release.includes("2023.9.20251208"), true);
    claims.check("the old disk's file is not on the new disk", hasJournal(stage), false);
    return Buffer.byteLength(release);
  });
  stage.journal = "";
  writeJournal(stage, "written by the second lineage");
}

async function recycle(stage: Stage): Promise<void> {
  const { claims, display, world } = stage;
  const before = present(stage);
  display.step("pulumi config set recycleToken: another instance, the same disk");
  await measure(stage, { name: "recycle", downtimeOf: "recycle" }, async () => {
    await world.configure("recycleToken", "once");
    await up(stage);
    await look(stage);
    const { generation, lineage } = present(stage);
    claims.check(
      "another generation of the same lineage",
      { generation, lineage },
      { generation: 4, lineage: 2 },
    );
    return verifySame(stage, before.privateIp, "every byte is there");
  });
}

async function pause(stage: Stage): Promise<void> {
  const { claims, display, world } = stage;
  display.step("pulumi config set desiredState paused");
  writeJournal(stage, "written before the pause");
  await measure(stage, { name: "pause", downtimeOf: "pause" }, async () => {
    await world.configure("desiredState", "paused");
    await up(stage);
    const { privateIp } = present(stage);
    await look(stage);
    const { facts } = stage;
    const found = { state: facts?.state, privateIp: facts?.privateIp };
    claims.check("it is paused and keeps its address", found, { state: "paused", privateIp });
    claims.check("no instance is left to pay for", aliveInstances(world.simulator), []);
    return undefined;
  });
}

async function resume(stage: Stage): Promise<void> {
  const { claims, display, facts, world } = stage;
  display.step("9 hours later: pulumi config set desiredState running");
  world.simulator.clock.advance(9 * 60 * minutes);
  await measure(stage, { name: "resume", downtimeOf: "resume" }, async () => {
    await world.configure("desiredState", "running");
    await up(stage);
    await look(stage);
    const { generation, lineage } = present(stage);
    claims.check(
      "the next generation of the same lineage",
      { generation, lineage },
      { generation: 5, lineage: 2 },
    );
    return verifySame(stage, facts?.privateIp ?? "", "every byte is there");
  });
}

async function destroy(stage: Stage): Promise<void> {
  const { claims, daemon, display, inventory, world } = stage;
  display.step("pulumi destroy: deallocate, and keep what retention says");
  await measure(stage, { name: "destroy" }, async () => {
    await world.destroy();
    await daemon.stop();
    claims.check("no instance is left", aliveInstances(world.simulator), []);
    const now = world.simulator.clock.now();
    const retained = await inventory.retained();
    for (const { id, kind, resource } of retained)
      display.note(`kept: ${kind} ${id} ${untilWhen(resource.deleteAfterAt, now)}`);
    const keptIds = retained.map(({ id }) => id).sort();
    claims.check(
      "all that is left says until when it is kept",
      leftovers(world.simulator),
      keptIds,
    );
    return undefined;
  });
}

const retentionHours = 96;

async function sweepUp(stage: Stage): Promise<void> {
  const { claims, display, inventory, world } = stage;
  const { ec2, clock } = stage.connection;
  const cloud = createCloud(ec2, clock);
  const progress = (message: string) => {
    if (!message.startsWith("tagging")) display.note(`sweep: ${message}`);
  };
  display.step(`${retentionHours} hours later: the sweep`);
  await measure(stage, { name: "sweep" }, async () => {
    world.simulator.clock.advance(retentionHours * 60 * minutes);
    const { deleted } = await sweep({ cloud, inventory, clock, progress });
    claims.check(
      `${deleted.length} expired resources are deleted; nothing is left`,
      leftovers(world.simulator),
      [],
    );
    return undefined;
  });
}

function verifySame(stage: Stage, privateIp: string, claim: string): number {
  stage.claims.check("the same private IP", present(stage).privateIp, privateIp);
  return verifyJournal(stage, claim);
}

const replacements = (changes: Record<string, number>) =>
  Object.keys(changes).filter((operation) => !["same", "update"].includes(operation));

function untilWhen(at: number | undefined, now: number): string {
  if (at === undefined) return "for ever";
  return `for ${Math.round((at - now) / 3_600_000)} h, until ${new Date(at).toISOString()}`;
}
