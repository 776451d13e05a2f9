/**
 * The program behind `npm run simulator`: serves an embedded EC2 on a real clock until it is
 * stopped. A wrong flag is one line and the usage, exit code 2; a port that is taken, exit code 1.
 */
import { parseArgs } from "node:util";
import { guidance, type StartWorld, startWorld } from "./guidance";
import { type SimulatorServer, serveSimulator } from "./server";
import { createSimulator, type Simulator } from "./simulator";

const usage = `Usage: npm run simulator -- [--port 4599] [--speed 60] [--region us-east-1] [--seed 1]

  --port    port on 127.0.0.1; 0 takes a free one (4599)
  --speed   how many times faster than yours simulated time runs (1)
  --region  the region that it plays (us-east-1)
  --seed    whole number that decides every id and every drawn fault (1)
  --help    this text
`;

interface Flags {
  readonly port: number;
  readonly speed: number;
  readonly region: string;
  readonly seed: number;
}

class FlagError extends Error {}

async function main(): Promise<number | undefined> {
  try {
    const flags = parseFlags(process.argv.slice(2));
    if (flags === undefined) {
      process.stdout.write(usage);
      return 0;
    }
    const { region, seed, speed, port } = flags;
    const simulator = createSimulator({ region, seed, clock: { kind: "real", speed } });
    const world = startWorld(simulator);
    // Looking around for the greeting is not a call that anybody made.
    simulator.control.clearCalls();
    const server = await serveSimulator(simulator, { port, report: printError });
    greet(simulator, server, world);
    stopOnSignal(server);
    return undefined;
  } catch (error) {
    if (error instanceof FlagError) {
      process.stderr.write(`${error.message}\n\n${usage}`);
      return 2;
    }
    process.stderr.write(`${failureLine(error)}\n`);
    return 1;
  }
}

function parseFlags(argv: string[]): Flags | undefined {
  const { values } = readFlags(argv);
  if (values.help) return undefined;
  const region = values.region ?? "us-east-1";
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
    throw new FlagError(`--region ${region}: a region is named like us-east-1`);
  }
  return {
    port: numberFlag("port", values.port ?? "4599", (port) => isWhole(port) && port <= 65535),
    speed: numberFlag("speed", values.speed ?? "1", (speed) => speed > 0),
    seed: numberFlag("seed", values.seed ?? "1", isWhole),
    region,
  };
}

function readFlags(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        port: { type: "string" },
        speed: { type: "string" },
        region: { type: "string" },
        seed: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

const rules = {
  port: "a whole number from 0 to 65535",
  speed: "a number above 0",
  seed: "a whole number from 0",
};

function numberFlag(
  name: keyof typeof rules,
  text: string,
  accepts: (value: number) => boolean,
): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (accepts(value)) return value;
  throw new FlagError(`--${name} ${text}: it must be ${rules[name]}`);
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value);
}

function greet(simulator: Simulator, { endpoint }: SimulatorServer, world: StartWorld): void {
  const text = `${guidance(simulator, endpoint, world.imageId)}\n${world.text}`;
  process.stdout.write(`${text}\nStop it with Ctrl-C.\n`);
}

function stopOnSignal(server: SimulatorServer): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      server.close().then(
        () => process.exit(0),
        (error: unknown) => {
          printError(error);
          process.exit(1);
        },
      );
    });
  }
}

function printError(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
}

function failureLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE" && "port" in error) {
    return `Port ${error.port} is taken by another program; choose another with --port, or --port 0 for a free one.`;
  }
  if ("code" in error && error.code === "EACCES") {
    return `${error.message}: ports below 1024 need permission; choose another with --port.`;
  }
  return error.stack ?? error.message;
}

void main().then((exitCode) => {
  if (exitCode !== undefined) process.exitCode = exitCode;
});
