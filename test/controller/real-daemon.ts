/** `managed-instance controller` as a process of its own, as a user starts it. */
import { type RunningProgram, startProgram } from "../cli/real-program";
import { region } from "./served-account";

interface Place {
  directory: string;
  endpoint: string;
}

export type Daemon = RunningProgram;

export function startDaemon({ directory, endpoint }: Place): Daemon {
  const args = ["controller", "--directory", directory, "--endpoint", endpoint];
  return startProgram([...args, "--region", region, "--interval", "5"]);
}
