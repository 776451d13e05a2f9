/**
 * Where EC2 differs from what is specified, as the engine sees it: each managed instance is put to
 * the same `decide` that the controller asks, on facts that were read in bulk.
 */
import { allPages, type Ec2 } from "../aws/client";
import { batchesOf } from "../aws/owners";
import { baseImageOf } from "../aws/shapes";
import type { Decision, Ledger, Observation, Step } from "../engine/model";
import { slotRules, upkeepRules } from "../engine/rules-upkeep";
import { anchorInForce, launchDifferences } from "../engine/situation";
import type { Spec } from "../engine/spec";
import { counted, type Finding, some } from "./finding";
import { nextDecision, outlookLine } from "./outlook";
import type { Overview } from "./overview";

export async function checkDrift(
  ec2: Ec2,
  { damaged, managed }: Overview,
  now: number,
): Promise<Finding[]> {
  const unreadable = managed.flatMap(({ damage }) => (damage === undefined ? [] : [damage]));
  const findings: Finding[] = [...unreadable, ...damaged].map((message) => ({
    check: "drift",
    status: "problem",
    message,
  }));
  const registered = managed.filter(
    (each) => each.entry !== undefined && each.ledger !== undefined,
  );
  const specs = registered.flatMap(({ entry }) => (entry === undefined ? [] : [entry.spec]));
  const surroundings = await readSurroundings(ec2, specs);
  let asSpecified = 0;
  for (const { entry, id, ledger, observation } of registered) {
    if (entry === undefined || ledger === undefined) continue;
    const seen = { ...observation, ...surroundings(entry.spec) };
    const decision = nextDecision({ entry, ledger, observation: seen, now });
    const finding = judge(id, decision) ?? postponed(id, entry.spec, ledger, seen);
    if (finding === undefined) asSpecified += 1;
    else findings.push({ check: "drift", ...finding });
  }
  if (asSpecified > 0) {
    const verb = asSpecified === 1 ? "is" : "are";
    const message = `${counted(asSpecified, "managed instance")} ${verb} as specified.`;
    findings.push({ check: "drift", status: "ok", message });
  }
  return findings;
}

const upkeep = new Set([...slotRules, ...upkeepRules].map(({ name }) => name));

/** Steps of upkeep that change what runs; its others are due now and then. */
const changesWhatRuns = ({ kind }: Step) =>
  /^(launch|terminate|create-anchor|delete-anchor|set-security-groups|keep-root)$/.test(kind);

function judge(id: string, decision: Decision): Omit<Finding, "check"> | undefined {
  const message = `${id}: ${outlookLine(decision)}.`;
  switch (decision.kind) {
    case "done":
      return undefined;
    case "act":
      if (upkeep.has(decision.rule) && !decision.steps.some(changesWhatRuns)) return undefined;
      return { status: "warning", message: `${message} Because: ${decision.rule}.` };
    case "stuck":
      return {
        status: "problem",
        message: `${id} is stuck: ${decision.reason}.`,
        next: decision.remedy,
      };
    case "wait":
    case "superseded":
      return { status: "note", message };
  }
}

/** What is specified and waits for the next recycle, as the specification says. */
function postponed(id: string, spec: Spec, ledger: Ledger, observation: Observation) {
  const { launch } = ledger;
  const isRunning = observation.instances.some(({ state }) => state === "running");
  if (launch === undefined || !isRunning) return undefined;
  const differences = launchDifferences(spec, launch, anchorInForce(ledger, observation));
  if (differences.length === 0) return undefined;
  return {
    status: "note" as const,
    message: `${id} waits for its next recycle with: ${some(differences)}.`,
    next: `\`managed-instance recycle ${id}\` does it now.`,
  };
}

/** The images and zones that the specifications name, each read once. */
async function readSurroundings(ec2: Ec2, specs: readonly Spec[]) {
  const imageIds = batchesOf(specs.map(({ imageId }) => imageId));
  const subnetIds = batchesOf(specs.flatMap((spec) => spec.subnetIds));
  const images = await Promise.all(
    imageIds.map((Values) =>
      allPages(
        ec2,
        "DescribeImages",
        { Filters: [{ Name: "image-id", Values }], IncludeDisabled: true },
        (page) => page.Images,
      ),
    ),
  );
  const subnets = await Promise.all(
    subnetIds.map((Values) =>
      allPages(
        ec2,
        "DescribeSubnets",
        { Filters: [{ Name: "subnet-id", Values }] },
        (page) => page.Subnets,
      ),
    ),
  );
  const imageOfId = new Map(images.flat().map((image) => [image.ImageId, image]));
  const zoneOf = new Map(
    subnets.flat().map((subnet) => [subnet.SubnetId ?? "", subnet.AvailabilityZone ?? ""]),
  );
  return (spec: Spec): Pick<Observation, "baseImage" | "zones"> => ({
    baseImage: baseImageOf(spec.imageId, imageOfId.get(spec.imageId)),
    zones: Object.fromEntries(spec.subnetIds.map((id) => [id, zoneOf.get(id) ?? ""])),
  });
}
