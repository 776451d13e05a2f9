/**
 * The commands with their options and help texts. What they do is loaded when one of them is run, so
 * that help and completion are there at once.
 */
import { buildCommand, buildRouteMap } from "@stricli/core";
import {
  accountFlags,
  commonFlags,
  managedInstance,
  outputFlags,
  positiveNumber,
  span,
  topicArn,
  wholeNumber,
} from "./flags";
import type { RequestCommand } from "./request";

type Load<Module> = () => Module;
const lazily = <Module>(load: Load<Module>): Load<Module> => load;

const modules = {
  completion: lazily(() => require("./completion") as typeof import("./completion")),
  controller: lazily(() => require("./controller") as typeof import("./controller")),
  doctor: lazily(() => require("./doctor") as typeof import("./doctor")),
  gc: lazily(() => require("./gc") as typeof import("./gc")),
  history: lazily(() => require("./history") as typeof import("./history")),
  list: lazily(() => require("./list") as typeof import("./list")),
  request: lazily(() => require("./request") as typeof import("./request")),
  simulator: lazily(() => require("./simulator") as typeof import("./simulator")),
  status: lazily(() => require("./status") as typeof import("./status")),
} as const;

const list = buildCommand({
  loader: async () => modules.list().list,
  parameters: {
    flags: {
      ...commonFlags,
      all: {
        kind: "boolean",
        brief: "Also what is deallocated and partly kept",
        default: false,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: "List the managed instances of the account in a Region",
    fullDescription:
      "Lists what the network interfaces' tags tell, and with a controller's registry also how\neach one stands.",
  },
});

const one = { kind: "tuple", parameters: [managedInstance] } as const;

const status = buildCommand({
  loader: async () => modules.status().status,
  parameters: { flags: commonFlags, positional: one },
  docs: {
    brief: "Show one managed instance, what holds its state, and what happens next",
    fullDescription:
      "What happens next is what the controller would decide on what EC2 shows at this moment.\nThat takes the registry, which knows the specification.",
  },
});

const history = buildCommand({
  loader: async () => modules.history().history,
  parameters: {
    flags: {
      ...commonFlags,
      limit: {
        kind: "parsed",
        parse: wholeNumber(1, 1000),
        brief: "How many of the newest events",
        placeholder: "number",
        default: "50",
      },
    },
    positional: one,
  },
  docs: {
    brief: "Show what happened to one managed instance, oldest first",
    fullDescription: "Kept in the controller's registry: each step with its reason, and who asked.",
  },
});

const handing =
  "The request is written to the controller's registry and stands until it is fulfilled.\nWhere no controller is at work the command does the work itself.";

const requesting = (load: () => RequestCommand, brief: string, description: string) =>
  buildCommand({
    loader: async () => load(),
    parameters: {
      flags: {
        ...commonFlags,
        wait: { kind: "boolean", brief: "Wait until it is done", default: true },
        timeout: {
          kind: "parsed",
          parse: span,
          brief: "How long to wait, like 90s, 30m or 2h",
          placeholder: "span",
          default: "60m",
        },
      },
      positional: one,
    },
    docs: { brief, fullDescription: `${description}\n${handing}` },
  });

const pause = requesting(
  () => modules.request().pause,
  "End the instance and keep its state",
  "Terminates the instance. Its root disk is kept as a snapshot and an image, its address by its\nnetwork interface.",
);

const resume = requesting(
  () => modules.request().resume,
  "Launch a paused managed instance again",
  "Launches the next generation from the kept state, at the same address, and waits until it\nis healthy.",
);

const recycle = requesting(
  () => modules.request().recycle,
  "Replace the instance, with the same disk and address",
  "Takes a snapshot while the instance still runs, terminates it, and launches the next\ngeneration from its disk.",
);

const snapshot = requesting(
  () => modules.request().snapshot,
  "Take a snapshot of the running root disk now",
  "Besides the periodic ones, and counted among those that are kept.",
);

const gc = buildCommand({
  loader: async () => modules.gc().gc,
  parameters: {
    flags: {
      ...accountFlags,
      ...outputFlags,
      yes: {
        kind: "boolean",
        brief: "Delete without asking",
        default: false,
        withNegated: false,
      },
      dryRun: {
        kind: "boolean",
        brief: "Only show what would be deleted",
        default: false,
        withNegated: false,
      },
    },
    aliases: { y: "yes" },
  },
  docs: {
    brief: "Delete what retention keeps no longer",
    fullDescription:
      "Deletes images, snapshots, volumes and network interfaces whose time is over, as their tags\ntell, after two looks at each. Nothing without our tags and our own marks is touched, nor\nanything that is in use.",
  },
});

const doctor = buildCommand({
  loader: async () => modules.doctor().doctor,
  parameters: { flags: commonFlags },
  docs: {
    brief: "Check permissions, limits, leftovers and drift",
    fullDescription:
      "Permissions are asked of EC2 with DryRun, which changes nothing, and for ids that do not\nexist. Ends with exit code 3 when something needs you.",
  },
});

const controller = buildCommand({
  loader: async () => modules.controller().controller,
  parameters: {
    flags: {
      ...commonFlags,
      once: {
        kind: "boolean",
        brief: "Look at everything that is due once, and end",
        default: false,
        withNegated: false,
      },
      interval: {
        kind: "parsed",
        parse: wholeNumber(1, 300),
        brief: "Between two surveys of the account",
        placeholder: "seconds",
        default: "15",
      },
      listen: {
        kind: "parsed",
        parse: wholeNumber(0, 65535),
        brief: "Port for /healthz and /metrics on 127.0.0.1; none without it",
        placeholder: "port",
        optional: true,
      },
      topic: {
        kind: "parsed",
        parse: topicArn,
        brief: "SNS topic that is told of interruptions, recoveries and what needs you",
        placeholder: "arn",
        optional: true,
      },
    },
  },
  docs: {
    brief: "Keep the managed instances alive: the loop, as one process",
    fullDescription:
      "Answers interruptions, takes the periodic snapshots and carries out what is asked for, until\nCtrl-C. The registry is made in ~/.managed-instance when none is named.",
  },
});

const simulator = buildCommand({
  loader: async () => modules.simulator().simulator,
  parameters: {
    flags: {
      port: {
        kind: "parsed",
        parse: wholeNumber(0, 65535),
        brief: "Port on 127.0.0.1; 0 takes a free one",
        placeholder: "port",
        default: "4599",
      },
      speed: {
        kind: "parsed",
        parse: positiveNumber,
        brief: "How many times faster than yours its time runs",
        placeholder: "factor",
        default: "1",
      },
      region: { ...accountFlags.region, brief: "The Region that it plays; else us-east-1" },
      seed: {
        kind: "parsed",
        parse: wholeNumber(0, 4_294_967_295),
        brief: "Decides every id and every drawn fault",
        placeholder: "number",
        default: "1",
      },
      ...outputFlags,
    },
  },
  docs: {
    brief: "Serve the embedded EC2 for tests, until Ctrl-C",
    fullDescription:
      "EC2's wire protocol on loopback, for the AWS CLI, the SDKs and this package: no account, no\ncosts, nothing leaves the machine.",
  },
});

const completion = buildCommand({
  loader: async () => modules.completion().completion,
  parameters: {
    flags: outputFlags,
    positional: {
      kind: "tuple",
      parameters: [
        {
          brief: "bash, zsh or fish",
          placeholder: "shell",
          parse: (text: string) => text,
          proposeCompletions: () => ["bash", "zsh", "fish"],
        },
      ],
    },
  },
  docs: {
    brief: "Print a completion script for your shell",
    fullDescription: 'For bash: eval "$(managed-instance completion bash)" in ~/.bashrc.',
  },
});

export const commands = buildRouteMap({
  routes: {
    ...{ list, status, history },
    ...{ pause, resume, recycle, snapshot },
    ...{ gc, doctor },
    ...{ controller, simulator, completion },
  },
  docs: {
    brief: "Managed instances: EC2 instances with a durable identity",
    fullDescription:
      "Managed instances: EC2 instances with a durable identity. Every command takes --json.\nExit codes: 0 done, 1 failed, 2 usage, 3 needs you, 4 not found, 5 timed out, 130 interrupted.",
  },
});
