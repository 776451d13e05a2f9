/**
 * Asks EC2, before anything is made, whether what the program names exists and fits together. Only
 * what has changed is asked for: an image that was withdrawn after the launch must not stop a later
 * change of a tag. A question that we are not permitted to ask is left out.
 */
import { codeOf, type ImageFacts, type Preflight } from "../aws/preflight";
import type { Spec } from "../engine/spec";
import { isAssignable } from "./address";
import type { Failure } from "./validation";

export interface PreflightRequest {
  spec: Spec;
  region: string;
  preflight: Preflight;
  /** Properties that are known and differ from those of the last update. */
  changed: ReadonlySet<string>;
  /** One that exists is taken over: it descends from the image already, which may be gone by now. */
  takesOver: boolean;
  /** Properties that a preview cannot know. */
  unknown: ReadonlySet<string>;
  warn(message: string): void;
  skip(question: string, error: Error): void;
}

interface Question {
  name: string;
  /** Asked when all of these are known and one of them has changed. */
  about: readonly (keyof Spec)[];
  ask(request: PreflightRequest): Promise<Failure[]>;
}

const questions: readonly Question[] = [
  { name: "the image", about: ["imageId", "rootVolume", "persistRootDevice"], ask: checkImage },
  { name: "the instance types", about: ["imageId", "instanceTypes", "lifeCycle"], ask: checkTypes },
  { name: "the subnets", about: ["subnetIds", "privateIp"], ask: checkSubnets },
  { name: "the offerings", about: ["instanceTypes", "subnetIds"], ask: checkOfferings },
  { name: "the groups", about: ["securityGroupIds", "subnetIds"], ask: checkSecurityGroups },
  { name: "the key pair", about: ["keyName"], ask: checkKeyPair },
];

export async function runPreflight(request: PreflightRequest): Promise<Failure[]> {
  const due = questions.filter(
    ({ about }) =>
      about.some((name) => request.changed.has(name)) &&
      !about.some((name) => request.unknown.has(name)),
  );
  const answers = await Promise.all(due.map((question) => answer(question, request)));
  return distinct(answers.flat());
}

async function answer(question: Question, request: PreflightRequest): Promise<Failure[]> {
  try {
    return await question.ask(request);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (isNoAnswer(error)) {
      request.skip(question.name, error);
      return [];
    }
    return [{ property: "region", reason: unreachable(request.region, error) }];
  }
}

const noAnswerCodes = ["UnauthorizedOperation", "AccessDenied", "RequestLimitExceeded"];

/** Neither a missing permission nor a busy EC2 says anything about the program. */
const isNoAnswer = (error: Error) => noAnswerCodes.includes(codeOf(error));

const unreachable = (region: string, error: Error) =>
  `EC2 in ${region} could not be asked: ${error.message || error.name}. Check the Region, the network and AWS's credentials (\`aws sts get-caller-identity\`).`;

/** Questions run apart, so two of them may say the same. */
function distinct(failures: readonly Failure[]): Failure[] {
  const byText = new Map(failures.map((each) => [`${each.property} ${each.reason}`, each]));
  return [...byText.values()];
}

/** On licensed platforms see ec2-facts §3. */
async function checkImage(request: PreflightRequest): Promise<Failure[]> {
  const { spec, preflight, changed, takesOver, warn } = request;
  const image = await preflight.image(spec.imageId);
  const unfit = takesOver ? [] : checkFitness(request, image);
  if (unfit.length > 0 || image === undefined) return unfit;
  if (spec.persistRootDevice && image.platformDetails !== "Linux/UNIX") {
    warn(
      `${spec.imageId} is a licensed platform (${image.platformDetails}). An image registered from its root disk can lose the billing code; such an image is refused, and the instance then does not come back by itself. Test a recycle before relying on it.`,
    );
  }
  // Whoever runs from such an image already must be able to change the root disk.
  const failures = changed.has("imageId") && !takesOver ? checkDisks(image) : [];
  return [...failures, ...checkRootSize(spec, image.rootSizeGiB)];
}

function checkFitness({ spec, region }: PreflightRequest, image: ImageFacts | undefined) {
  const property = "imageId";
  if (image === undefined) {
    const reason = `${spec.imageId} does not exist in ${region}, or is not shared with this account. Image ids differ from Region to Region: find one with aws.ec2.getAmi.`;
    return [{ property, reason }];
  }
  if (image.state !== "available") {
    const reason = `${spec.imageId} is ${image.state} and must be available. Wait until it is, or choose another.`;
    return [{ property, reason }];
  }
  if (image.rootDeviceType === "ebs") return [];
  const reason = `${spec.imageId} has a root device of type ${image.rootDeviceType} and must have one on EBS: only such a disk outlives its instance. Choose another image.`;
  return [{ property, reason }];
}

/** EC2 makes what an image maps anew at each launch, and tags it as the root (ec2-facts §2). */
function checkDisks({ imageId, otherDevices, rootDevice }: ImageFacts): Failure[] {
  if (otherDevices.length === 0) return [];
  const volumes = otherDevices.length === 1 ? "another EBS volume" : "further EBS volumes";
  const reason = `${imageId} maps ${volumes} (${otherDevices.join(", ")}) besides its root device ${rootDevice}, and must map that alone: a managed instance carries one root disk, and data disks that are attached otherwise outlive it. Register an image without ${otherDevices.length === 1 ? "it" : "them"}, or choose another.`;
  return [{ property: "imageId", reason }];
}

function checkRootSize({ rootVolume, imageId }: Spec, imageSizeGiB = 0): Failure[] {
  const { sizeGiB } = rootVolume;
  if (sizeGiB === undefined || sizeGiB >= imageSizeGiB) return [];
  const reason = `rootVolume.sizeGiB is ${sizeGiB} and must be at least ${imageSizeGiB}, the size of the root disk of ${imageId}. Raise it, or leave it out.`;
  return [{ property: "rootVolume.sizeGiB", reason }];
}

async function checkTypes({ spec, region, preflight }: PreflightRequest): Promise<Failure[]> {
  const [image, types] = await Promise.all([
    preflight.image(spec.imageId),
    preflight.instanceTypes(spec.instanceTypes),
  ]);
  const property = "instanceTypes";
  const found = new Map(types.map((type) => [type.instanceType, type]));
  return spec.instanceTypes.flatMap((name) => {
    const type = found.get(name);
    if (type === undefined) {
      const reason = `${name} does not exist in ${region}. Correct or remove it: \`aws ec2 describe-instance-types\` lists what there is.`;
      return [{ property, reason }];
    }
    if (image !== undefined && !type.architectures.includes(image.architecture)) {
      const reason = `${name} is ${type.architectures.join("/")}, and the image ${image.imageId} is ${image.architecture}. Remove the type, or choose an image of its architecture.`;
      return [{ property, reason }];
    }
    if (spec.lifeCycle === "spot" && !type.usageClasses.includes("spot")) {
      const reason = `${name} is not sold on Spot. Remove it, or set lifeCycle: "on_demand".`;
      return [{ property, reason }];
    }
    return [];
  });
}

async function checkSubnets({ spec, region, preflight }: PreflightRequest): Promise<Failure[]> {
  const subnets = await preflight.subnets(spec.subnetIds);
  const property = "subnetIds";
  const missing = spec.subnetIds.filter((id) => !subnets.some(({ subnetId }) => subnetId === id));
  if (missing.length > 0) {
    const reason = `${missing.join(", ")} does not exist in ${region}. Correct the id, or the Region.`;
    return [{ property, reason }];
  }
  if (new Set(subnets.map(({ vpcId }) => vpcId)).size > 1) {
    const each = subnets.map(({ subnetId, vpcId }) => `${subnetId} in ${vpcId}`).join(", ");
    const reason = `The subnets must be in one VPC, and are not: ${each}. Keep those of one VPC.`;
    return [{ property, reason }];
  }
  const [subnet] = subnets;
  if (spec.privateIp === undefined || subnet === undefined) return [];
  if (isAssignable(spec.privateIp, subnet.cidr)) return [];
  const reason = `privateIp is "${spec.privateIp}" and must be an address of ${subnet.subnetId} (${subnet.cidr}), other than its first four and its last, which EC2 keeps. Give another, or leave it out.`;
  return [{ property: "privateIp", reason }];
}

async function checkOfferings({ spec, preflight }: PreflightRequest): Promise<Failure[]> {
  const [subnets, offerings, types] = await Promise.all([
    preflight.subnets(spec.subnetIds),
    preflight.offerings(spec.instanceTypes),
    preflight.instanceTypes(spec.instanceTypes),
  ]);
  const zones = new Set(subnets.map(({ zone }) => zone));
  if (zones.size === 0) return [];
  const nowhere = types
    .map(({ instanceType }) => instanceType)
    .filter(
      (name) => !offerings.some((each) => each.instanceType === name && zones.has(each.zone)),
    );
  return nowhere.map((name) => {
    const elsewhere = offerings.filter((each) => each.instanceType === name);
    const hint =
      elsewhere
        .map(({ zone }) => zone)
        .sort()
        .join(", ") || "no zone of this Region";
    const reason = `${name} is not offered in ${[...zones].join(", ")}, where the subnets are, but in ${hint}. Remove it, or add a subnet there.`;
    return { property: "instanceTypes", reason };
  });
}

async function checkSecurityGroups({ spec, region, preflight }: PreflightRequest) {
  if (spec.securityGroupIds.length === 0) return [];
  const [groups, subnets] = await Promise.all([
    preflight.securityGroups(spec.securityGroupIds),
    preflight.subnets(spec.subnetIds),
  ]);
  const vpcId = subnets[0]?.vpcId;
  return spec.securityGroupIds.flatMap((id) => {
    const group = groups.find(({ groupId }) => groupId === id);
    const problem =
      group === undefined
        ? `does not exist in ${region}`
        : vpcId !== undefined &&
          group.vpcId !== vpcId &&
          `is in ${group.vpcId}, the subnets in ${vpcId}`;
    if (!problem) return [];
    const reason = `${id} ${problem}. Name a security group of the VPC of the subnets.`;
    return [{ property: "securityGroupIds", reason }];
  });
}

async function checkKeyPair({ spec, region, preflight }: PreflightRequest): Promise<Failure[]> {
  if (spec.keyName === undefined || (await preflight.hasKeyPair(spec.keyName))) return [];
  const reason = `There is no key pair "${spec.keyName}" in ${region}. Create it (aws.ec2.KeyPair), or leave keyName out.`;
  return [{ property: "keyName", reason }];
}

/** The same answers serve several questions, so each is asked of EC2 once. */
export function askedOnce(preflight: Preflight): Preflight {
  const answers = new Map<string, unknown>();
  const once =
    <Argument, Answer>(name: string, ask: (argument: Argument) => Promise<Answer>) =>
    (argument: Argument): Promise<Answer> => {
      const key = `${name} ${JSON.stringify(argument)}`;
      const known = answers.get(key) as Promise<Answer> | undefined;
      const promise = known ?? ask(argument);
      answers.set(key, promise);
      return promise;
    };
  return {
    image: once("image", preflight.image),
    subnets: once("subnets", preflight.subnets),
    instanceTypes: once("instanceTypes", preflight.instanceTypes),
    offerings: once("offerings", preflight.offerings),
    securityGroups: once("securityGroups", preflight.securityGroups),
    hasKeyPair: once("hasKeyPair", preflight.hasKeyPair),
  };
}
