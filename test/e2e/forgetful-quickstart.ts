/**
 * The quick start on an EC2 that breaks the root rule: whatever image a launch names, the base image
 * boots. Nothing else is wrong with it, so the bytes are what must be missed.
 */
import { runQuickstart } from "../../examples/quickstart/main";
import {
  createSimulator,
  IMAGE_IDS,
  type Simulator,
  type SimulatorOptions,
} from "../../src/simulator";

function makeForgetfulSimulator(options: SimulatorOptions): Simulator {
  const simulator = createSimulator(options);
  const baseImages: readonly unknown[] = Object.values(IMAGE_IDS);
  return {
    ...simulator,
    request(action, input, signal) {
      const isPersisted = action === "RunInstances" && !baseImages.includes(input.ImageId);
      const other = isPersisted ? { ...input, ImageId: IMAGE_IDS.amazonLinux } : input;
      return simulator.request(action, other, signal);
    },
  };
}

void runQuickstart({ makeSimulator: makeForgetfulSimulator }).then((exitCode) => {
  process.exitCode = exitCode;
});
