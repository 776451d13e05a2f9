/**
 * `npm run quickstart`: sets the stage, tells the story and clears everything away again, also after
 * Ctrl-C. Exit code 0 only if every claim was checked and held.
 */
import { createClaims, describeFailure, FailedClaim } from "./claims";
import { createDisplay, type Display } from "./display";
import { noteStep, type Stage, setStage } from "./stage";
import { tellStory } from "./story";
import { renderTable } from "./table";
import { createWorld, type World, type WorldOptions } from "./world";

const interruptedCode = 130;

export async function runQuickstart(options: Pick<WorldOptions, "makeSimulator"> = {}) {
  const stop = new AbortController();
  const startedAt = performance.now();
  let world: World | undefined;
  let beganAt = 0;
  const display = createDisplay({
    write: (line) => process.stdout.write(`${line}\n`),
    hasColours: process.stdout.isTTY === true && !process.env.NO_COLOR,
    elapsed: () => ({
      simulatedMs: world === undefined ? 0 : world.simulator.clock.now() - beganAt,
      realMs: performance.now() - startedAt,
    }),
  });
  let stoppedAt = Number.POSITIVE_INFINITY;
  const onSignal = () => {
    // One Ctrl-C may arrive twice, through npm; a later one does not wait for anything.
    if (performance.now() - stoppedAt > 1000) process.exit(interruptedCode);
    if (stop.signal.aborted) return;
    stoppedAt = performance.now();
    display.plain(["", "Stopping at a safe point and clearing up …"]);
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  try {
    const progress = (message: string) => noteStep(display, message);
    world = await createWorld({ ...options, progress, signal: stop.signal });
    beganAt = world.simulator.clock.now();
    return await perform(world, display, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return interruptedCode;
    display.failure([error instanceof Error ? (error.stack ?? error.message) : String(error)]);
    return 1;
  } finally {
    await world?.close();
  }
}

async function perform(world: World, display: Display, signal: AbortSignal): Promise<number> {
  const claims = createClaims((claim) => display.held(claim));
  const stage = setStage(world, display, claims);
  display.plain([
    `Embedded EC2 at ${world.endpoint}, ${world.simulator.clock.speed} times as fast as yours; idle time is skipped.`,
    "",
    "simulated     real",
  ]);
  // Pulumi hears of it by itself; the story must not wait for a daemon that answers no more.
  signal.addEventListener("abort", () => void end(stage), { once: true });
  try {
    await tellStory(stage);
    display.plain(["", ...renderTable(stage.rows), "", `${claims.held} claims checked, all held.`]);
    return 0;
  } catch (error) {
    if (!(error instanceof FailedClaim)) throw error;
    display.failure(describeFailure(error));
    display.plain(["", `${claims.held} claims held, 1 did not.`]);
    return 1;
  } finally {
    await end(stage);
  }
}

async function end({ daemon, stopwatch }: Stage): Promise<void> {
  stopwatch.stop();
  await daemon.stop().catch(() => undefined);
}

if (require.main === module) {
  void runQuickstart().then((exitCode) => {
    process.exitCode = exitCode;
  });
}
