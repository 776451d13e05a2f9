/** All scenes of the contract, in the order of docs/ec2-facts.md. */
import type { Scene } from "./scene";
import { dataVolumes, elasticIps } from "./scenes/data-volumes";
import { describing } from "./scenes/describing";
import { images } from "./scenes/images";
import { heldInterface, interfaceLaunch, launchTokens } from "./scenes/interface-launch";
import { replaceRoot } from "./scenes/replace-root";
import { rootDisk } from "./scenes/root-disk";
import { spot } from "./scenes/spot";
import { stopAndStart } from "./scenes/stop-and-start";
import { tagging } from "./scenes/tagging";

export const suite: readonly Scene[] = [
  launchTokens,
  interfaceLaunch,
  heldInterface,
  spot,
  rootDisk,
  dataVolumes,
  images,
  elasticIps,
  replaceRoot,
  describing,
  tagging,
  stopAndStart,
];
