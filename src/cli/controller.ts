/** `managed-instance controller`: the daemon, with the registry that the options name. */
import { type DaemonOptions, runDaemon } from "../controller/daemon";
import { placeName } from "../controller/open-registry";
import { openAccount } from "./account";
import type { CommonFlags } from "./flags";
import type { Invocation } from "./invocation";
import { controllerRegistry } from "./registry-choice";

export type ControllerFlags = CommonFlags & {
  once: boolean;
  /** Seconds. */
  interval: number;
  listen?: number;
  topic?: string;
};

export async function controller(this: Invocation, flags: ControllerFlags): Promise<void> {
  const { claimant, environment, process, signal, terminal } = this;
  const account = await openAccount(this, flags);
  const { place, registry } = await controllerRegistry(this, flags, account);
  const { endpoint, region } = account;
  terminal.note(`Keeping the managed instances of ${placeName(place)} in ${region}.`);
  this.stopSafely();
  const options: DaemonOptions = {
    ...{ registry, region, endpoint, environment, claimant, signal },
    profile: flags.profile,
    intervalSeconds: flags.interval,
    once: flags.once,
    listen: flags.listen === undefined ? undefined : { host: "127.0.0.1", port: flags.listen },
    topicArn: flags.topic,
    // With --json standard output is for the one document at the end.
    write: (line) => void (flags.json ? terminal.note(line.trimEnd()) : process.stdout.write(line)),
  };
  const report = await runDaemon(options);
  if (report.failed > 0) this.end("failed");
  else if (report.stuck > 0) this.end("needsYou");
  if (flags.json) terminal.result(flags, { json: report, lines: () => [] });
}
