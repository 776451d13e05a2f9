/**
 * `pulumi up` with the real Pulumi engine on the embedded EC2 over HTTP: what a user sees and what is
 * left in state. The clock runs faster than real time. Deployment from the command line instead of
 * the Automation API is not proven here; it differs in the language host only.
 */
import fs from "node:fs";
import path from "node:path";
import type { EngineEvent, Stack, UpResult } from "@pulumi/pulumi/automation";
import { ManagedInstance, type ManagedInstanceArgs } from "../../components";
import { isReading } from "../../src/aws/reading";
import { createSimulator, type Simulator } from "../../src/simulator";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import { createProject, enginePid, installPackage, type Project, Recording } from "./project";
import { leaksIn, secretUserData, secretWord } from "./secrets";
import { until } from "./until";

jest.setTimeout(180_000);

const declared: ManagedInstanceArgs = {
  imageId: IMAGE_IDS.amazonLinux,
  instanceTypes: ["m5.large"],
  subnetIds: [DEFAULT_SUBNET_IDS[0]],
};

let project: Project;
let simulator: Simulator;
let server: SimulatorServer;

beforeAll(async () => {
  simulator = createSimulator({ clock: { kind: "real", speed: 60 } });
  server = await serveSimulator(simulator, { report: (error) => console.error(error) });
  project = await createProject("lifecycle");
});
afterAll(async () => {
  await server.close();
  project.remove();
});

interface Declared {
  args: ManagedInstanceArgs;
}

/** A stack with one managed instance, whose arguments a test may change between two updates. */
async function stackWith(name: string, args: ManagedInstanceArgs = declared) {
  const program: Declared = { args };
  const stack = await project.stack(
    name,
    async () => {
      const instance = new ManagedInstance(name, program.args);
      return { ...instance };
    },
    { "aws:region": "us-east-1", "managed-instance:endpoint": server.endpoint },
  );
  return { stack, program };
}

const outputsOf = ({ outputs }: UpResult) =>
  Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));

const changingCalls = () => simulator.control.calls().filter(({ action }) => !isReading(action));

async function failureOf(operation: Promise<unknown>): Promise<string> {
  return operation.then(
    () => "it did not fail",
    (error: Error) => error.message,
  );
}

/** Ephemeral messages of progress tell a test where an operation is. */
function watch(words: RegExp) {
  const seen = { isThere: false };
  const onEvent = ({ diagnosticEvent }: EngineEvent) => {
    if (words.test(diagnosticEvent?.message ?? "")) seen.isThere = true;
  };
  return { seen, onEvent };
}

const identityIn = (stackName: string) => {
  const state = JSON.parse(project.stateText(stackName)) as {
    checkpoint: { latest: { resources?: { type: string; id?: string }[] } };
  };
  return state.checkpoint.latest.resources?.find(
    ({ type }) => type.includes("ManagedInstance") && !type.includes("index"),
  );
};

describe("from the first preview to the end", () => {
  let stack: Stack;
  let program: Declared;
  let first: Record<string, unknown>;

  test("a preview changes nothing in EC2", async () => {
    ({ stack, program } = await stackWith("whole", {
      ...declared,
      userData: secretUserData,
    }));
    const before = changingCalls().length;
    const { changeSummary } = await stack.preview();
    expect(changeSummary).toMatchObject({ create: 3 });
    expect(changingCalls()).toHaveLength(before);
  });

  test("up ends with a running instance, and shows its progress on the resource's row", async () => {
    const recording = new Recording();
    first = outputsOf(await stack.up({ onEvent: recording.onEvent }));
    expect(first).toMatchObject({
      id: expect.stringMatching(/^pmi-[0-9a-f]{12}$/),
      instanceId: expect.stringMatching(/^i-/),
      state: "running",
      generation: 1,
      lineage: 1,
      market: "spot",
      instanceType: "m5.large",
      imageId: IMAGE_IDS.amazonLinux,
      subnetId: DEFAULT_SUBNET_IDS[0],
    });
    const progress = recording.diagnostics.filter(({ ephemeral }) => ephemeral);
    expect(progress.map(({ message }) => message).join("\n")).toMatch(/launching generation 1/);
    expect(progress.every(({ urn }) => urn?.endsWith("ManagedInstance::whole"))).toBe(true);
    const lasting = recording.diagnostics.filter(
      ({ ephemeral, severity }) => !ephemeral && String(severity) !== "debug",
    );
    const aboutOutputs = /^Undefined value .* will not show as a stack output/;
    const words = lasting.map(({ message }) => message);
    expect(words.filter((each) => !aboutOutputs.test(each))).toEqual([]);
  });

  test("user data is nowhere in state, neither in clear nor encoded", () => {
    expect(leaksIn(project.stateText("whole"))).toEqual([]);
  });

  test("a second up finds nothing to do", async () => {
    const { summary } = await stack.up();
    expect(summary.resourceChanges).toEqual({ same: 3 });
  });

  test("the preview of another image says what it does, and replaces nothing", async () => {
    program.args = { ...program.args, imageId: IMAGE_IDS.amazonLinuxNewer };
    const recording = new Recording();
    const { changeSummary } = await stack.preview({ onEvent: recording.onEvent });
    expect(changeSummary).toEqual({ same: 2, update: 1 });
    expect(recording.messages).toContain(
      `imageId ${IMAGE_IDS.amazonLinux} → ${IMAGE_IDS.amazonLinuxNewer}: AMI swap now, down for some minutes; lineage 1 → 2, the present root disk is kept 24 h`,
    );
  });

  test("the update boots the other image under the same identity and address", async () => {
    expect(outputsOf(await stack.up())).toMatchObject({
      id: first.id,
      privateIp: first.privateIp,
      state: "running",
      generation: 2,
      lineage: 2,
      imageId: IMAGE_IDS.amazonLinuxNewer,
    });
  });

  test("user data stays out of state after an update and a refresh", async () => {
    program.args = { ...program.args, tags: { team: "a" } };
    await stack.up();
    expect(leaksIn(project.stateText("whole"))).toEqual([]);
    const { summary } = await stack.refresh();
    expect(summary.resourceChanges).toEqual({ same: 3 });
    expect(leaksIn(project.stateText("whole"))).toEqual([]);
    expect((await stack.up()).summary.resourceChanges).toEqual({ same: 3 });
  });

  test("an upgraded package shows no difference and can still destroy", async () => {
    const installed = path.join(project.folder, "node_modules", "pulumi-managed-instance");
    const provider = path.join(installed, "dist", "src", "provider", "index.js");
    fs.appendFileSync(provider, "\nexports.addedByTheNextVersion = true;\n");
    expect((await stack.preview()).changeSummary).toEqual({ same: 3 });
    installPackage(project.folder);
  });

  test("a refresh after the instance was ended outside shows it, and the next up brings it back", async () => {
    const { instanceId } = outputsOf(await stack.up());
    simulator.call("TerminateInstances", { InstanceIds: [instanceId] });
    await until("it is terminated", () => instanceState(String(instanceId)) === "terminated");
    const { summary } = await stack.refresh();
    expect(summary.resourceChanges).toMatchObject({ update: 1 });
    expect(outputsOf(await stack.up())).toMatchObject({
      id: first.id,
      privateIp: first.privateIp,
      state: "running",
      generation: 3,
      lineage: 2,
    });
  });

  test("get reads it from another stack without owning it", async () => {
    const other = await project.stack(
      "reader",
      async () => {
        const found = ManagedInstance.get("found", String(first.id));
        return { privateIp: found.privateIp, state: found.state };
      },
      { "aws:region": "us-east-1", "managed-instance:endpoint": server.endpoint },
    );
    expect(outputsOf(await other.up())).toEqual({ privateIp: first.privateIp, state: "running" });
    await other.destroy();
    expect((await stack.up()).summary.resourceChanges).toEqual({ same: 3 });
  });

  test("destroy deallocates it, and nothing of it runs any more", async () => {
    await stack.destroy();
    expect(identityIn("whole")).toBeUndefined();
    expect(runningInstances()).toEqual([]);
  });
});

const instancesNow = () =>
  (
    simulator.call("DescribeInstances", {}) as {
      Reservations?: { Instances?: { InstanceId: string; State: { Name: string } }[] }[];
    }
  ).Reservations?.flatMap(({ Instances = [] }) =>
    Instances.map(({ InstanceId, State }) => ({ id: InstanceId, state: State.Name })),
  ) ?? [];

const instanceState = (id: string) => instancesNow().find((each) => each.id === id)?.state;

const runningInstances = () =>
  instancesNow().filter(({ state }) => state === "running" || state === "pending");

describe("bad input", () => {
  const cases: [string, object, string][] = [
    ["imageId", { imageId: "my-image" }, 'imageId is "my-image" and must be an image id'],
    [
      "an image that is not there",
      { imageId: "ami-0000dead" },
      "ami-0000dead does not exist in us-east-1",
    ],
    ["a stranger", { keyPair: "ops" }, "There is no property keyPair. Did you mean keyName?"],
    ["another architecture", { instanceTypes: ["m6g.large"] }, "m6g.large is arm64"],
  ];
  test.each(cases)("%s fails the preview with a sentence", async (_name, change, sentence) => {
    const { stack } = await stackWith("bad", { ...declared, ...change });
    const recording = new Recording();
    expect(await failureOf(stack.preview({ onEvent: recording.onEvent }))).not.toBe(
      "it did not fail",
    );
    expect(recording.messages.join("\n")).toContain(sentence);
  });

  test("user data that is too long is refused without being shown", async () => {
    const { stack } = await stackWith("bad", { ...declared, userData: secretWord.repeat(1000) });
    const recording = new Recording();
    const failure = await failureOf(stack.preview({ onEvent: recording.onEvent }));
    expect(recording.messages.join("\n")).toContain("userData must be at most 16 KiB");
    expect(`${failure}${JSON.stringify(recording.events)}`).not.toContain(secretWord);
  });
});

describe("cut off", () => {
  test("one Ctrl-C during a create stops at a safe point, and the next up completes the same one", async () => {
    const { stack } = await stackWith("cancelled");
    const controller = new AbortController();
    const { seen, onEvent } = watch(/launching generation 1/);
    const up = failureOf(stack.up({ onEvent, signal: controller.signal }));
    await until("it launches", () => seen.isThere);
    controller.abort();
    expect(await up).not.toBe("it did not fail");
    const saved = identityIn("cancelled")?.id;
    expect(saved).toMatch(/^pmi-/);
    expect(outputsOf(await stack.up())).toMatchObject({
      id: saved,
      generation: 1,
      state: "running",
    });
    await stack.destroy();
  });

  test("two Ctrl-C in a row lose nothing either", async () => {
    const { stack } = await stackWith("impatient");
    const { seen, onEvent } = watch(/launching generation 1/);
    const up = failureOf(stack.up({ onEvent }));
    await until("it launches", () => seen.isThere);
    const engine = enginePid();
    process.kill(engine, "SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(engine, "SIGINT");
    expect(await up).not.toBe("it did not fail");
    await stack.cancel().catch(() => undefined);
    expect(outputsOf(await stack.up())).toMatchObject({ generation: 1, state: "running" });
    expect(runningInstances()).toHaveLength(1);
    await stack.destroy();
  });

  test("SIGKILL of the engine during a create: the next up adopts what it made", async () => {
    const { stack } = await stackWith("killed");
    const { seen, onEvent } = watch(/launching generation 1/);
    const up = failureOf(stack.up({ onEvent }));
    await until("it launches", () => seen.isThere);
    process.kill(enginePid(), "SIGKILL");
    expect(await up).not.toBe("it did not fail");
    await stack.cancel();
    expect(outputsOf(await stack.up())).toMatchObject({ generation: 1, state: "running" });
    expect(runningInstances()).toHaveLength(1);
    await stack.destroy();
  });

  test("SIGKILL of the engine during an update: the next up completes it", async () => {
    const { stack, program } = await stackWith("killed-later");
    const before = outputsOf(await stack.up());
    program.args = { ...declared, imageId: IMAGE_IDS.amazonLinuxNewer };
    const { seen, onEvent } = watch(/terminating/);
    const up = failureOf(stack.up({ onEvent }));
    await until("it terminates the old instance", () => seen.isThere);
    process.kill(enginePid(), "SIGKILL");
    expect(await up).not.toBe("it did not fail");
    await stack.cancel();
    expect(outputsOf(await stack.up())).toMatchObject({
      id: before.id,
      privateIp: before.privateIp,
      lineage: 2,
      generation: 2,
      state: "running",
    });
    expect(runningInstances()).toHaveLength(1);
    await stack.destroy();
  });
});
