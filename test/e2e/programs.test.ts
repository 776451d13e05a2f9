/**
 * The programs of the repository, run as they are by the real engine on the embedded EC2. The one
 * that needs the AWS provider's plugin is compiled only.
 */
import { createSimulator } from "../../src/simulator";
import { type SimulatorServer, serveSimulator } from "../../src/simulator/server";
import { DEFAULT_SUBNET_IDS, IMAGE_IDS } from "../../src/simulator/start-world";
import { copyProject } from "./project";

jest.setTimeout(120_000);

let server: SimulatorServer;
beforeAll(async () => {
  const simulator = createSimulator({ clock: { kind: "real", speed: 120 } });
  server = await serveSimulator(simulator);
});
afterAll(() => server.close());

const subnetId = DEFAULT_SUBNET_IDS[0];
const imageId = IMAGE_IDS.amazonLinux;

test.each<[string, string, Record<string, string>]>([
  [".", "managed-instance", { imageId, "subnetIds[0]": subnetId }],
  ["examples/single-spot-instance", "single-spot-instance", { imageId, subnetId }],
  ["examples/ami-swap", "ami-swap", { imageId, subnetId }],
])("the program in %s comes up and goes down", async (source, name, config) => {
  const project = await copyProject(source, name);
  try {
    const program = async () => require(`../../${source}/index`) as Record<string, unknown>;
    const stack = await project.stack("dev", program, {
      "aws:region": "us-east-1",
      "managed-instance:endpoint": server.endpoint,
      ...config,
    });
    const { outputs } = await stack.up();
    expect(outputs.privateIp?.value).toMatch(/^172\.31\./);
    await stack.destroy();
  } finally {
    project.remove();
  }
});
