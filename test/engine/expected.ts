// Decisions written out in full, with the same defaults as the builders: what a row of the table
// expects is compared with all of it.

import type {
  Decision,
  Launch,
  Ledger,
  Provenance,
  RootDevice,
  Step,
  Watch,
} from "../../src/engine/model";
import type { Question } from "../../src/engine/situation";
import { launchFingerprint, type Spec } from "../../src/engine/spec";
import { id, imageA, launch, now, pool, spec } from "./builders";

/** One line of the decision table: a sentence, what is different, and the exact answer. */
export interface Row {
  name: string;
  ask: Partial<Question>;
  /** The name of the rule that must win. */
  rule: string;
  expect: Expected;
}

type WithoutRule<T> = T extends unknown ? Omit<T, "rule"> : never;
export type Expected = WithoutRule<Decision>;

export const acts = (...steps: [Step, ...Step[]]): Expected => ({ kind: "act", steps });
export const waits = (reason: string, watch: Watch, untilAt: number): Expected => ({
  kind: "wait",
  reason,
  watch,
  untilAt,
});
export const time: Watch = { kind: "time" };

type StepOf<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

export const recorded = (
  before: Ledger,
  change: Partial<Ledger>,
  interfaceId = "eni-1",
): StepOf<"record"> => ({
  kind: "record",
  interfaceId,
  ledger: { ...before, ...change, revision: before.revision + 1 },
});

/** The intent of generation 2, made from the image of generation 1's final snapshot. */
export const intent = (change: Partial<Launch> = {}): Launch =>
  launch({
    generation: 2,
    imageId: "ami-1f",
    recordedAt: now,
    instanceId: undefined,
    rootVolumeId: undefined,
    ran: false,
    healthy: false,
    ...change,
  });

const platformText = "arch=x86_64 root=/dev/xvda ena=true os=Linux/UNIX";

export interface Origin {
  lineage?: number;
  generation?: number;
  baseImageId?: string;
  userTags?: Record<string, string>;
}

export const originTags = (
  operation: string,
  { lineage = 1, generation = 1, baseImageId = imageA, userTags = {} }: Origin = {},
) => ({
  ...userTags,
  "pmi:id": id,
  "pmi:lineage": String(lineage),
  "pmi:generation": String(generation),
  "pmi:base-image": baseImageId,
  "pmi:operation": operation,
  "pmi:platform": platformText,
});

type LaunchStep = StepOf<"launch">;
export type LaunchChange = Partial<Omit<LaunchStep, "rootDevice" | "properties">> & {
  rootDevice?: Partial<RootDevice>;
  properties?: Partial<LaunchStep["properties"]>;
};

export const launching = (
  change: LaunchChange = {},
  { launched = spec(), ...origin }: Origin & { launched?: Spec } = {},
): LaunchStep => {
  const generation = change.generation ?? 2;
  const attempt = change.attempt ?? 1;
  const tags = {
    Name: id,
    ...originTags(`launch:${generation}`, { ...origin, generation }),
    "pmi:launch-print": launchFingerprint(launched),
  };
  return {
    kind: "launch",
    token: `${id}:${generation}:${attempt}`,
    pool: pool(),
    imageId: "ami-1f",
    interfaceId: "eni-1",
    omittedDevices: [],
    generation,
    attempt,
    instanceTags: tags,
    volumeTags: tags,
    ...change,
    rootDevice: {
      deviceName: "/dev/xvda",
      volumeType: "gp3",
      encrypted: true,
      deleteOnTermination: false,
      ...change.rootDevice,
    },
    properties: {
      monitoring: false,
      metadataOptions: {
        httpTokens: "required",
        httpPutResponseHopLimit: 2,
        instanceMetadataTags: "disabled",
      },
      ...change.properties,
    },
  };
};

const provenance = (operation: string, origin: Origin): Provenance => ({
  lineage: origin.lineage ?? 1,
  generation: origin.generation ?? 1,
  baseImageId: origin.baseImageId ?? imageA,
  operation,
  platform: {
    architecture: "x86_64",
    rootDeviceName: "/dev/xvda",
    enaSupport: true,
    platformDetails: "Linux/UNIX",
  },
});

export const snapshotting = (
  purpose: "final" | "periodic",
  volumeId: string,
  origin: Origin = {},
): StepOf<"create-snapshot"> => ({
  kind: "create-snapshot",
  volumeId,
  description: `${id} lineage ${origin.lineage ?? 1} generation ${origin.generation ?? 1} ${purpose}`,
  provenance: provenance(`${purpose}:${volumeId}`, origin),
  tags: originTags(`${purpose}:${volumeId}`, origin),
});

export const registering = (
  snapshotId: string,
  name = `${id}/${snapshotId}`,
  origin: Origin = {},
): StepOf<"register-image"> => {
  const told = provenance(`register:${snapshotId}`, origin);
  const { platform } = told;
  if (platform === undefined) throw new Error("a platform is always told here");
  return {
    kind: "register-image",
    name,
    snapshotId,
    platform,
    provenance: told,
    tags: originTags(`register:${snapshotId}`, origin),
  };
};

const at = (instant: number) => new Date(instant).toISOString();

export const condemning = (...resourceIds: string[]): Step => ({
  kind: "tag",
  resourceIds,
  tags: { "pmi:condemned": at(now) },
});

export const keeping = (resourceId: string, deleteAfterAt: number): Step => ({
  kind: "tag",
  resourceIds: [resourceId],
  tags: { "pmi:delete-after": at(deleteAfterAt) },
});
