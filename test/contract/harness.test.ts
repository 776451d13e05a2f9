/** The suite can fail, and its judge, its cleaning and its program do what docs/contract.md says. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { SimulatorOptions } from "../../src/simulator";
import { clean } from "./clean";
import { costUsd } from "./cost";
import { motoDeviations } from "./moto-deviations";
import { discoverPlace } from "./place";
import { probes } from "./probes";
import { type Outcome, runScene, type Verdict } from "./run";
import type { Scene } from "./scene";
import { rootDisk } from "./scenes/root-disk";
import { stopAndStart } from "./scenes/stop-and-start";
import { plainLaunch } from "./steps";
import { stopCallsOn } from "./stop";
import { suite } from "./suite";
import { type SimulatorTarget, simulatorTarget } from "./targets";
import { judge } from "./verdicts";

const ROOT = path.join(__dirname, "..", "..");
const open: SimulatorTarget[] = [];

async function targetWith(options: SimulatorOptions = {}): Promise<SimulatorTarget> {
  const target = await simulatorTarget(options);
  open.push(target);
  return target;
}

afterEach(async () => {
  for (const target of open.splice(0)) await target.close();
});

describe("a target that deviates is found out", () => {
  const deviations: [what: string, options: SimulatorOptions, scene: Scene, sentence: string][] = [
    [
      "no rate for snapshots",
      { latencies: { snapshotSpacing: 0 } },
      rootDisk,
      "a second snapshot of a volume within fifteen seconds is refused",
    ],
    [
      "nothing is ever pending",
      { latencies: { pendingToRunning: 0, runInstancesCall: 0 } },
      stopAndStart,
      "what is pending cannot be stopped",
    ],
    [
      "a kept volume that is never let go",
      { latencies: { terminatedToVolumeAvailable: 86_400 } },
      rootDisk,
      "a kept root volume becomes available and has its tags still",
    ],
  ];

  test.each(deviations)("%s", async (_what, options, scene, sentence) => {
    const target = await targetWith(options);
    const patience = { ...target.patience, limitSeconds: 300 };
    const stage = { ...target, patience, place: await discoverPlace(target.ec2) };
    const { problems } = judge("simulator", await runScene(stage, scene));
    expect(problems.join("\n")).toContain(sentence);
  });

  test("a scene that cannot be prepared breaks each of its behaviours", async () => {
    const target = await targetWith();
    const place = await discoverPlace(target.ec2);
    const stage = { ...target, place: { ...place, imageId: "ami-0123456789abcdef0" } };
    const { problems } = judge("simulator", await runScene(stage, rootDisk));
    expect(problems).toHaveLength(rootDisk.behaviours.length);
    expect(problems[0]).toContain("InvalidAMIID.NotFound");
  });
});

describe("a judgement", () => {
  const verdict = (sentence: string, outcome: Outcome): Verdict => {
    return { scene: "scene", sentence, fact: "§1", outcome };
  };
  const holds: Outcome = { kind: "holds" };
  const isBroken: Outcome = { kind: "broken", why: "because" };
  const unseen: Outcome = { kind: "inconclusive", why: "too fast" };
  const listed = [{ sentence: "a", instead: "b", fact: "§1" }];

  test("lets pass what is listed and broken", () => {
    expect(judge("moto", [verdict("a", isBroken)], listed).problems).toEqual([]);
  });

  test("tells what is broken and not listed", () => {
    expect(judge("moto", [verdict("a", isBroken)]).problems).toEqual([
      "broken: scene: a (§1)\n    because",
    ]);
  });

  test("tells what is listed and holds, so that it leaves the list", () => {
    expect(judge("moto", [verdict("a", holds)], listed).problems).toEqual([
      "holds on moto now, remove it from the list: a",
    ]);
  });

  test("tells what is listed and said by no behaviour", () => {
    expect(judge("moto", [], listed).problems).toEqual(["is listed, but no behaviour says so: a"]);
  });

  test("forgives AWS alone that something was over too soon", () => {
    expect(judge("aws", [verdict("a", unseen)]).problems).toEqual([]);
    expect(judge("simulator", [verdict("a", unseen)]).problems).toHaveLength(1);
  });
});

test("what moto is known to get wrong is in the suite, and listed once", () => {
  const sentences = suite.flatMap((scene) => scene.behaviours.map(({ sentence }) => sentence));
  const listed = motoDeviations.map(({ sentence }) => sentence);
  expect(listed.filter((sentence) => !sentences.includes(sentence))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});

test("the page tells how much there is, and what it costs", () => {
  const page = fs.readFileSync(path.join(ROOT, "docs", "contract.md"), "utf8").replace(/\s+/g, " ");
  const count = suite.reduce((sum, { behaviours }) => sum + behaviours.length, 0);
  expect(page).toContain(`${count} behaviours in ${suite.length} scenes`);
  expect(page).toContain(`${probes.length} probes`);
  expect(page).toContain(
    `| ${count} | ${count - motoDeviations.length} | ${motoDeviations.length} |`,
  );
  expect(page).toContain(`at most USD ${(Math.ceil(costUsd * 10) / 10).toFixed(2)}`);
});

describe("cleaning", () => {
  const cleanOf = (target: SimulatorTarget, runId?: string) =>
    clean({ ec2: target.ec2, clock: target.clock, pollSeconds: 10, runId, say: () => undefined });

  test("ends a protected instance, and the untagged volumes that it has", async () => {
    const target = await targetWith();
    const { ec2, simulator } = target;
    const stage = { ...target, place: await discoverPlace(ec2) };
    const { rootDeviceName: DeviceName } = stage.place;
    await ec2.runInstances({
      ...plainLaunch(stage, "protected"),
      DisableApiTermination: true,
      BlockDeviceMappings: [{ DeviceName, Ebs: { DeleteOnTermination: false } }],
    });
    const [volume] = [...simulator.control.rows().volumes()];
    simulator.call("DeleteTags", { Resources: [volume?.id] });
    expect(await cleanOf(target, target.runId)).toEqual([]);
    expect([...simulator.control.rows().volumes()]).toEqual([]);
  });

  test("leaves alone what another run or somebody else has made", async () => {
    const target = await targetWith();
    const { simulator } = target;
    const volume = { AvailabilityZone: "us-east-1a", Size: 1 };
    simulator.call("CreateVolume", volume);
    await target.ec2.createVolume(volume);
    expect(await cleanOf(target, "another run")).toEqual([]);
    expect([...simulator.control.rows().volumes()]).toHaveLength(2);
    expect(await cleanOf(target)).toEqual([]);
    expect([...simulator.control.rows().volumes()]).toHaveLength(1);
  });

  test("tells what it could not delete", async () => {
    const target = await targetWith();
    const stage = { ...target, place: await discoverPlace(target.ec2) };
    const { NetworkInterface } = await target.ec2.createNetworkInterface({
      SubnetId: stage.place.subnetId,
    });
    const NetworkInterfaces = [
      { DeviceIndex: 0, NetworkInterfaceId: NetworkInterface?.NetworkInterfaceId },
    ];
    // A foreign instance holds an interface of the run.
    target.simulator.call("RunInstances", {
      ...plainLaunch(stage, "foreign"),
      SubnetId: undefined,
      NetworkInterfaces,
    });
    expect(await cleanOf(target, target.runId)).toEqual([
      `network interface ${NetworkInterface?.NetworkInterfaceId}: InvalidParameterValue`,
    ]);
  });
});

test("a creation whose resources nobody could find again is not sent", async () => {
  const { ec2, simulator } = await targetWith();
  await expect(ec2.createVpc({ CidrBlock: "10.0.0.0/16" })).rejects.toThrow("MADE_BY");
  expect(simulator.control.calls()).toEqual([]);
});

test("a run that was stopped makes nothing more", async () => {
  const { ec2, simulator } = await targetWith();
  const controller = new AbortController();
  stopCallsOn(ec2, controller.signal);
  controller.abort(new Error("stopped by SIGINT"));
  await expect(ec2.describeVpcs({})).rejects.toThrow("stopped by SIGINT");
  expect(simulator.control.calls()).toEqual([]);
});

describe("on AWS the program refuses to start", () => {
  const nothing = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_PROFILE: undefined,
    AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
    AWS_CONFIG_FILE: path.join(ROOT, "no-such-file"),
    AWS_SHARED_CREDENTIALS_FILE: path.join(ROOT, "no-such-file"),
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const refusals: [what: string, task: string, env: NodeJS.ProcessEnv, says: string][] = [
    ["without a region", "run", { REMOTE: "1", REGION: undefined }, "name the region"],
    ["without credentials", "run", { REMOTE: "1", REGION: "eu-central-1" }, "no AWS credentials"],
    ["to clean unless AWS is meant", "clean", { REMOTE: undefined }, "set REMOTE=1"],
  ];

  test.each(refusals)(
    "%s",
    (_what, task, env, says) => {
      const tsx = path.join(ROOT, "node_modules", "tsx", "dist", "cli.mjs");
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [tsx, "test/contract/main.ts", task],
        { cwd: ROOT, encoding: "utf8", env: { ...process.env, ...nothing, ...env } },
      );
      expect({ status, stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(says),
      });
      // The price stands before everything else, also before what is missing.
      if (task === "run") expect(stdout).toContain("costs at most");
    },
    60_000,
  );
});
