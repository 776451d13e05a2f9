/**
 * What a person is told about a running simulator: on the terminal when it starts, and in a browser
 * or by curl at its root. Pure text; the commands in it can be pasted as they are.
 */
import type { Simulator } from "./simulator";

/** How to use and control a simulator that listens at `endpoint`. */
export function guidance(
  { region, account, clock }: Simulator,
  endpoint: string,
  imageId = "ami-...",
): string {
  const control = `${endpoint}/_simulator`;
  return [
    `Embedded EC2, region ${region}, account ${account}, at ${endpoint}`,
    `Simulated time is ${new Date(clock.now()).toISOString()}${paceOf(clock)}.`,
    "",
    "Use it with any client of EC2 (any access key is accepted, signatures are not verified):",
    "  export AWS_ACCESS_KEY_ID=simulator AWS_SECRET_ACCESS_KEY=simulator",
    // The AWS CLI and boto3 read the one, the SDK for JavaScript the other.
    `  export AWS_DEFAULT_REGION=${region} AWS_REGION=${region}`,
    `  aws --endpoint-url ${endpoint} ec2 run-instances --image-id ${imageId} --instance-type t3.micro`,
    `  aws --endpoint-url ${endpoint} ec2 describe-instances`,
    "",
    "Control it:",
    `  curl -d '{"instanceId":"i-...","path":"/etc/motd","content":"hello"}' ${control}/guest/write`,
    `  curl -d '{"instanceId":"i-...","path":"/etc/motd"}' ${control}/guest/read`,
    `  curl -d '{"instanceId":"i-...","noticeSeconds":120}' ${control}/interrupt`,
    `  curl -d '{"instanceType":"t3.micro","zone":"${region}a","market":"spot","available":0}' ${control}/capacity`,
    `  curl -d '{"throttle":{"action":"RunInstances","next":2}}' ${control}/faults`,
    `  curl -d '{"imageId":"${imageId}","boots":"never-healthy"}' ${control}/image`,
    `  curl -d '{"seconds":3600}' ${control}/advance`,
    `  curl ${control}/calls      curl ${control}/state      curl ${control}/events`,
    "",
  ].join("\n");
}

/**
 * What is said when it starts, once the endpoint is known: how to use it, and the images and subnets
 * that are there before anybody made one.
 */
export function greeting(simulator: Simulator): (endpoint: string) => string {
  const images = listIn(simulator.call("DescribeImages", { Owners: ["amazon"] }), "Images");
  const subnets = listIn(simulator.call("DescribeSubnets", {}), "Subnets");
  // Looking around for the greeting is not a call that anybody made.
  simulator.control.clearCalls();
  const lines = [
    "Images:",
    ...images.map((image) => columns([image.ImageId, image.Architecture, image.Name])),
    "Subnets:",
    ...subnets.map((subnet) =>
      columns([subnet.SubnetId, subnet.AvailabilityZone, subnet.CidrBlock]),
    ),
    "",
  ];
  const imageId = String(images[0]?.ImageId);
  return (endpoint) => `${guidance(simulator, endpoint, imageId)}\n${lines.join("\n")}`;
}

function paceOf({ kind, speed }: Simulator["clock"]): string {
  if (kind === "virtual") return " and moves only when told to";
  return speed === 1 ? "" : ` and runs ${speed} times as fast as yours`;
}

function listIn(output: Record<string, unknown>, member: string): Record<string, unknown>[] {
  const list = output[member];
  return Array.isArray(list) ? list : [];
}

function columns(values: readonly unknown[]): string {
  return `  ${values.map((value) => String(value).padEnd(24)).join(" ")}`.trimEnd();
}
