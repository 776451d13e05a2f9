/**
 * A stack whose every operation is listened to: all that the engine prints and tells, what the
 * operation returns or fails with, and the files it leaves are searched for the secret. An operation
 * that leaks fails, so that no end-to-end test can forget to look.
 */
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { leaksIn, leaksUnder } from "./secrets";

export class LeakError extends Error {}

interface Listening {
  onOutput?: (text: string) => void;
  onError?: (text: string) => void;
  onEvent?: (event: EngineEvent) => void;
}

/** `folders` are searched after each operation: state with its history and backups, and the engine's home. */
export function watchStack(stack: Stack, folders: readonly string[]): Stack {
  const watch =
    <Options extends Listening, Answer>(operation: (options: Options) => Promise<Answer>) =>
    (options: Options) =>
      watched(operation, options, folders);
  const up = watch(stack.up.bind(stack));
  const preview = watch(stack.preview.bind(stack));
  const refresh = watch(stack.refresh.bind(stack));
  const destroy = watch(stack.destroy.bind(stack));
  return Object.assign(stack, {
    up: (options = {}) => up(options),
    preview: (options = {}) => preview(options),
    refresh: (options = {}) => refresh(options),
    destroy: (options = {}) => destroy(options),
  } satisfies Partial<Stack>);
}

async function watched<Options extends Listening, Answer>(
  operation: (options: Options) => Promise<Answer>,
  options: Options,
  folders: readonly string[],
): Promise<Answer> {
  const heard: string[] = [];
  const call = operation({
    ...options,
    onOutput: (text: string) => {
      heard.push(text);
      options.onOutput?.(text);
    },
    onError: (text: string) => {
      heard.push(text);
      options.onError?.(text);
    },
    onEvent: (event: EngineEvent) => {
      if (!isOfPulumiItself(event)) heard.push(JSON.stringify(event));
      options.onEvent?.(event);
    },
  });
  await call.then(
    (answer) => heard.push(printedBy(answer)),
    (error: Error) => heard.push(error.message, error.stack ?? ""),
  );
  refuseLeaks(heard.join(""), folders);
  return call;
}

/**
 * With --debug, Pulumi's own SDK prints every property that a program registers, secret or not. These
 * messages are in each event log, never in what is shown without that flag, and not ours to change.
 */
function isOfPulumiItself({ diagnosticEvent }: EngineEvent): boolean {
  const { message = "", severity } = diagnosticEvent ?? {};
  return String(severity) === "debug" && /^(RegisterResource|ReadResource) RPC /.test(message);
}

/** Not the outputs: the program that asked for a secret gets it. */
function printedBy(answer: unknown): string {
  const { stdout, stderr } = answer as { stdout?: string; stderr?: string };
  return `${stdout}${stderr}`;
}

function refuseLeaks(heard: string, folders: readonly string[]): void {
  const leaks = [
    ...leaksIn(heard).map((how) => `what the engine told: ${how}`),
    ...folders.flatMap(leaksUnder),
  ];
  if (leaks.length > 0) throw new LeakError(`user data leaks\n${leaks.join("\n")}`);
}
