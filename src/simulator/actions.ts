/** Every action that the simulator knows, by its API name. */
import type { Action } from "./action";
import { imageRegistrationActions } from "./image-registration";
import { imageActions } from "./images";
import { describeInstanceActions } from "./instances-describe";
import { lifecycleActions } from "./instances-lifecycle";
import { runActions } from "./instances-run";
import { networkInterfaceActions } from "./network-interfaces";
import { snapshotActions } from "./snapshots";
import { tagActions } from "./tags";
import { volumeActions } from "./volumes";

export const actions: ReadonlyMap<string, Action> = new Map(
  Object.entries({
    ...runActions,
    ...lifecycleActions,
    ...describeInstanceActions,
    ...volumeActions,
    ...snapshotActions,
    ...imageRegistrationActions,
    ...imageActions,
    ...networkInterfaceActions,
    ...tagActions,
  }),
);
