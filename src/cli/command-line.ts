/**
 * One run of the command line, from its arguments to its exit code. Everything that it has of the
 * world is passed in, so that tests run it in their own process.
 */
import {
  type ApplicationText,
  ArgumentScannerError,
  buildApplication,
  formatMessageForArgumentScannerError,
  proposeCompletions,
  run,
  text_en,
} from "@stricli/core";
import type { Environment } from "../aws/access";
import type { Claimant } from "../aws/claimant";
import { messageOf } from "../engine/error-text";
import { commands } from "./commands";
import { type Ending, exitCodes, Failure, failureOf } from "./failure";
import type { Invocation } from "./invocation";
import { type Streams, Terminal } from "./terminal";

export interface CommandLineOptions {
  args: readonly string[];
  streams: Streams;
  environment: Environment;
  home: string;
  claimant: Claimant;
  signal: AbortSignal;
  ask?: (question: string) => Promise<string>;
  version: string;
}

const name = "managed-instance";

export async function runCommandLine(options: CommandLineOptions): Promise<number> {
  const { args, signal } = options;
  const terminal = new Terminal(options.streams, options.environment);
  const state: State = { ending: "done", complaints: [], isCareful: false };
  const app = applicationFor(options.version, state);
  const context = contextFor(options, terminal, state);
  if (args[0] === "__complete") {
    const proposals = await proposeCompletions(app, args.slice(1), context);
    for (const { completion } of proposals) options.streams.stdout.write(`${completion}\n`);
    return exitCodes.done;
  }
  await Promise.race([run(app, args, context), cutOff(signal, state)]);
  const failure = state.failure ?? complaintOf(state, args);
  if (failure === undefined) return exitCodes[state.ending];
  tell(failure, terminal, options);
  return exitCodes[failure.ending];
}

/** What a run comes to. */
interface State {
  ending: Ending;
  failure?: Failure;
  /** What the parser has to say about the arguments. */
  complaints: string[];
  isCareful: boolean;
}

function applicationFor(currentVersion: string, state: State) {
  return buildApplication<Invocation>(commands, {
    name,
    versionInfo: { currentVersion },
    scanner: { caseStyle: "allow-kebab-for-camel" },
    documentation: { caseStyle: "convert-camel-to-kebab", onlyRequiredInUsageLine: true },
    localization: { text: textFor(state) },
  });
}

/** What went wrong is collected as it is: it is told once, at the end, to people or to programs. */
function textFor(state: State): ApplicationText {
  const remember = (thrown: unknown) => {
    state.failure = failureOf(thrown);
    return "";
  };
  return {
    ...text_en,
    exceptionWhileParsingArguments(error) {
      state.complaints.push(complaint(error));
      return "";
    },
    noCommandRegisteredForInput({ corrections, input }) {
      const isGuess = corrections.length === 0 || input === "help";
      const meant = isGuess ? "" : ` Did you mean ${corrections.join(" or ")}?`;
      state.complaints.push(`There is no command ${input}.${meant}`);
      return "";
    },
    exceptionWhileLoadingCommandFunction: remember,
    exceptionWhileRunningCommand: remember,
  };
}

function complaint(error: unknown): string {
  if (!(error instanceof ArgumentScannerError)) return messageOf(error);
  return formatMessageForArgumentScannerError(error, {
    ArgumentParseError: ({ exception, externalFlagNameOrPlaceholder, input }) => {
      const rule = messageOf(exception);
      const isFlag = externalFlagNameOrPlaceholder !== "instance";
      const option = isFlag ? `--${externalFlagNameOrPlaceholder} ` : "";
      return `${option}${input}: ${rule}.`;
    },
    FlagNotFoundError: ({ corrections, input }) => {
      const likely = corrections.map((each) => `--${each}`).join(" or ");
      const meant = likely === "" ? "" : ` Did you mean ${likely}?`;
      return `There is no option --${input}.${meant}`;
    },
    AliasNotFoundError: ({ input }) => `There is no option -${input}.`,
    UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} is given twice.`,
    UnexpectedPositionalError: ({ input }) => `${input} is one argument too many.`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value.`,
    UnsatisfiedPositionalError: ({ placeholder }) => `<${placeholder}> is missing.`,
  });
}

function complaintOf({ complaints }: State, args: readonly string[]): Failure | undefined {
  if (complaints.length === 0) return undefined;
  const command = commands.getAllEntries().find((entry) => entry.name.original === args[0]);
  const help = [name, command?.name.original, "--help"].filter(Boolean).join(" ");
  return new Failure("usage", complaints.join(" "), `\`${help}\` shows how it is used.`);
}

function contextFor(options: CommandLineOptions, terminal: Terminal, state: State) {
  const { ask, claimant, environment, home, signal, streams } = options;
  const silent = { write: () => undefined };
  const invocation: Invocation = {
    ...{ ask, claimant, environment, home, signal, terminal },
    process: { stdout: { write: (text) => void streams.stdout.write(text) }, stderr: silent },
    stopSafely() {
      state.isCareful = true;
    },
    end(ending) {
      state.ending = ending;
    },
  };
  return invocation;
}

/** Ends what only reads at once; what is careful ends by itself at its next safe point. */
function cutOff(signal: AbortSignal, state: State): Promise<void> {
  return new Promise((resolve) => {
    const onAbort = () => {
      if (state.isCareful) return;
      state.failure = new Failure("interrupted", "Interrupted.");
      resolve();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Two lines for people; for programs a document on standard output, as every answer is. */
function tell(failure: Failure, terminal: Terminal, { args, streams }: CommandLineOptions): void {
  const { ending, message, next } = failure;
  terminal.clear();
  if (args.includes("--json")) {
    const error = { ending, exitCode: exitCodes[ending], message, next };
    streams.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
  } else {
    terminal.note(message);
    if (next !== undefined) terminal.note(next);
  }
  if (args.includes("--debug")) terminal.note(traceOf(failure));
}

function traceOf(failure: Failure): string {
  const { cause, stack } = failure;
  const below = cause instanceof Error ? [cause.stack ?? cause.message] : [];
  return [stack ?? "", ...below].join("\ncaused by ");
}
