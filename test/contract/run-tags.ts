/**
 * Puts the run's own tag on everything that a client makes, in the client itself: no scene can forget
 * it, and whatever carries it may be deleted again. A creation that is not listed here is refused
 * before it is sent, because nothing could find what it made.
 */
import type { EC2, ResourceType, Tag, TagSpecification } from "@aws-sdk/client-ec2";
import { RUN_TAG } from "./target";

/** What each creating command makes, in the words of its TagSpecifications. */
const MADE_BY: Readonly<Record<string, readonly ResourceType[]>> = {
  AllocateAddressCommand: ["elastic-ip"],
  CreateFleetCommand: ["fleet", "instance", "volume"],
  CreateImageCommand: ["image", "snapshot"],
  CreateLaunchTemplateCommand: ["launch-template"],
  CreateNetworkInterfaceCommand: ["network-interface"],
  CreateReplaceRootVolumeTaskCommand: ["replace-root-volume-task"],
  CreateSnapshotCommand: ["snapshot"],
  CreateVolumeCommand: ["volume"],
  RegisterImageCommand: ["image"],
  RunInstancesCommand: ["instance", "volume"],
};

/** Changes what is there already and makes nothing that could be left behind. */
const MAKES_NOTHING = new Set(["CreateTagsCommand"]);
const CREATES = /^(Allocate|Copy|Create|Import|Register|Request|Run)[A-Z]/;

export function tagEverything(ec2: EC2, runId: string): void {
  ec2.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (request) => {
        const made = MADE_BY[commandName];
        if (made !== undefined) {
          const input: object & { TagSpecifications?: TagSpecification[] } = request.input;
          const tagged = { ...input, TagSpecifications: withRunTag(input, made, runId) };
          return next({ ...request, input: tagged });
        }
        if (CREATES.test(commandName) && !MAKES_NOTHING.has(commandName))
          throw new Error(`${commandName}: list what it makes in MADE_BY, so that it is tagged`);
        return next(request);
      },
    { step: "initialize", name: "tagEverything" },
  );
}

function withRunTag(
  { TagSpecifications: given = [] }: { readonly TagSpecifications?: TagSpecification[] },
  made: readonly ResourceType[],
  runId: string,
): TagSpecification[] {
  const tag: Tag = { Key: RUN_TAG, Value: runId };
  const missing = made.filter((type) => !given.some((each) => each.ResourceType === type));
  return [
    ...given.map((each) =>
      made.some((type) => type === each.ResourceType)
        ? { ...each, Tags: [...(each.Tags ?? []), tag] }
        : each,
    ),
    ...missing.map((ResourceType) => ({ ResourceType, Tags: [tag] })),
  ];
}
