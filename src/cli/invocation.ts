/** What a command has of the world around it: the terminal, the environment and the wish to stop. */
import type { CommandContext } from "@stricli/core";
import type { Environment } from "../aws/access";
import type { Claimant } from "../aws/claimant";
import type { Ending } from "./failure";
import type { Terminal } from "./terminal";

export interface Invocation extends CommandContext {
  readonly terminal: Terminal;
  readonly environment: Environment;
  /** The user's home directory: where the registry is without --table and --directory. */
  readonly home: string;
  /** This process, as claims of creations and leases name it. */
  readonly claimant: Claimant;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks a person; undefined where nobody can answer. */
  readonly ask?: (question: string) => Promise<string>;
  /** From here on Ctrl-C waits for the command's next safe point; before, it ends it at once. */
  stopSafely(): void;
  /** Ends otherwise than with "done", although nothing failed. */
  end(ending: Ending): void;
}
