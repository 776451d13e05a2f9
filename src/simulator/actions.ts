/** Every action that the simulator knows, by its API name. */

import { accountActions } from "./account";
import type { Action } from "./action";
import { addressActions } from "./addresses";
import { imageRegistrationActions } from "./image-registration";
import { imageActions } from "./images";
import { instanceAttributeActions } from "./instance-attributes";
import { describeInstanceActions } from "./instances-describe";
import { lifecycleActions } from "./instances-lifecycle";
import { runActions } from "./instances-run";
import { interfaceAttachmentActions } from "./interface-attachments";
import { keyPairActions } from "./key-pairs";
import { networkActions } from "./network";
import { networkInterfaceActions } from "./network-interfaces";
import { instanceTypeActions } from "./offerings";
import { replaceRootActions } from "./replace-root";
import { securityGroupActions } from "./security-groups";
import { snapshotActions } from "./snapshots";
import { spotActions } from "./spot";
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
    ...spotActions,
    ...securityGroupActions,
    ...replaceRootActions,
    ...networkActions,
    ...keyPairActions,
    ...interfaceAttachmentActions,
    ...instanceTypeActions,
    ...instanceAttributeActions,
    ...addressActions,
    ...accountActions,
  }),
);
