/**
 * Commands of the real program, each cut off at a moment that a seed draws and then given once more,
 * as whoever gave it would do. What a seed decides is which command is cut off how and when; the
 * machine decides how far it has come by then.
 */
import fs from "node:fs";
import path from "node:path";
import { DEFAULT_SUBNET_IDS } from "../../src/simulator";
import { createRandom, type Random } from "../../src/simulator/random";
import { KillAccount } from "../e2e/kill-account";
import { until } from "../e2e/until";
import { type Account, openAccount } from "./account";
import { type RunningProgram, startProgram } from "./real-program";

/** In an order in which each has something to do; gc has what an ended one has left. */
const commands = ["recycle", "snapshot", "pause", "gc", "resume"] as const;
type Command = (typeof commands)[number];

/** About how many calls of EC2 each makes on a clock 100 times as fast. */
const callsOf: Readonly<Record<Command, number>> = {
  recycle: 130,
  snapshot: 40,
  pause: 90,
  gc: 20,
  resume: 70,
};

const ways = ["ctrl-c", "ctrl-c twice", "killed"] as const;

export interface Cut {
  command: Command;
  way: (typeof ways)[number];
  /** Calls of EC2 that the command has made by then; 0 counts from the start of the process. */
  calls: number;
  /** And so long after that. */
  thenMs: number;
  secondMs: number;
  /** The command had ended, or came to its end all the same. */
  missed: boolean;
}

export interface KillOptions {
  /** How many commands are cut off; those that ended before their moment do not count. */
  times: number;
  seed: number;
  told?: (cut: Cut) => void;
}

/** Rejects at the first command that does not end well when it is given again, naming the cut. */
export async function killCommands({ seed, times, told }: KillOptions): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const counted = () => cuts.filter(({ missed }) => !missed).length;
  const random = createRandom(seed, "cuts");
  const story = await Story.begin();
  try {
    for (let number = 0; counted() < times; number += 1) {
      const command = commands[number % commands.length] ?? "recycle";
      const cut = drawCut(command, random);
      try {
        await story.carryOut(cut);
      } catch (error) {
        throw new Error(`seed ${seed}, cut ${number}: ${JSON.stringify(cut)}`, { cause: error });
      }
      cuts.push(cut);
      told?.(cut);
    }
    await story.end();
    return cuts;
  } finally {
    await story.account.close();
  }
}

/** Of three in ten the moment is one in time, so that it can lie before the first call. */
function drawCut(command: Command, random: Random): Cut {
  const way = ways[random.below(ways.length)] ?? "killed";
  const isTimed = random.chance(0.3);
  return {
    ...{ command, way, missed: false },
    calls: isTimed ? 0 : 1 + random.below(callsOf[command]),
    thenMs: random.below(isTimed ? 3000 : 50),
    secondMs: random.below(100),
  };
}

/** A busy machine lets simulated hours pass. */
const patient = ["--timeout", "900h"];
const id = "pmi-00000000000a";

/** One managed instance that a registry knows, and nobody at work on it but whoever gives commands. */
class Story {
  private readonly journal: KillAccount;
  private ended = 0;

  private constructor(
    readonly account: Account,
    private readonly registration: Awaited<ReturnType<Account["create"]>>,
  ) {
    this.journal = new KillAccount(account.simulator, "dev");
  }

  static async begin(): Promise<Story> {
    const account = await openAccount();
    const registration = await account.create(id, "db", { subnetIds: [...DEFAULT_SUBNET_IDS] });
    await account.register(registration);
    const story = new Story(account, registration);
    story.journal.write("at first");
    return story;
  }

  async carryOut(cut: Cut): Promise<void> {
    const { command } = cut;
    if (command === "gc") await this.leaveSomething();
    await this.cutOff(cut);
    const again = this.start(command);
    const ending = await again.ended;
    if (ending !== 0) throw new Error(`given again it ends with ${ending}:\n${again.text()}`);
    await this.check(command);
    await this.checkRegistry(again);
    this.journal.write(`after ${command}`);
  }

  /** All of it ends, and nothing of it is left. */
  async end(): Promise<void> {
    const { account, registration } = this;
    const specVersion = registration.specVersion + 1;
    await account.destroy({ ...registration, specVersion });
    await account.registry.deregister(id);
    account.simulator.clock.advance(200 * 3600);
    const { exitCode, stderr } = await account.cli(["gc", "--yes", ...account.place]);
    if (exitCode !== 0) throw new Error(`the last gc ends with ${exitCode}: ${stderr}`);
    this.expectNothingOf(() => true);
  }

  private start(command: Command): RunningProgram {
    const { directory, place } = this.account;
    this.account.simulator.control.clearCalls();
    if (command === "gc") return startProgram(["gc", "--yes", ...place]);
    return startProgram([command, "db", ...place, "--directory", directory, ...patient]);
  }

  private async cutOff(cut: Cut): Promise<void> {
    const { control } = this.account.simulator;
    const run = this.start(cut.command);
    let ending: number | string | undefined;
    const ended = run.ended.then((how) => {
      ending = how;
    });
    const hasEnded = () => ending !== undefined;
    const isTime = () => control.calls().length >= cut.calls;
    await until("EC2 was asked so often", () => hasEnded() || isTime(), 300_000, 2);
    await pause(cut.thenMs);
    this.journal.write(`while ${cut.command} was cut off`);
    run.child.kill(cut.way === "killed" ? "SIGKILL" : "SIGINT");
    if (cut.way === "ctrl-c twice") {
      await pause(cut.secondMs);
      run.child.kill("SIGINT");
    }
    await ended;
    cut.missed = ending === 0;
    const expected = cut.way === "killed" ? ["SIGKILL", 0] : [130, "SIGINT", 0];
    if (!expected.includes(ending ?? "")) throw new Error(`it ends with ${ending}:\n${run.text()}`);
    if (cut.way === "ctrl-c" && (await this.isHeldBy(run)))
      throw new Error("it has stopped and holds the lease");
  }

  /** One that was killed before may hold it still: its lease runs out by itself. */
  private async isHeldBy({ child }: RunningProgram): Promise<boolean> {
    const entry = await this.account.registry.get(id);
    return entry?.lease?.holder.includes(`:${child.pid}:`) === true;
  }

  /** What `pulumi destroy` leaves behind, past its time. */
  private async leaveSomething(): Promise<void> {
    const { account } = this;
    this.ended += 1;
    const other = `pmi-0000000000${(160 + this.ended).toString(16).padStart(2, "0")}`;
    await account.destroy(await account.create(other, `old-${this.ended}`));
    account.simulator.clock.advance(97 * 3600);
  }

  private async check(command: Command): Promise<void> {
    const { journal } = this;
    const wanted = command === "pause" || command === "gc" ? 0 : 1;
    const found = journal.instancesOf(id).length;
    if (found !== wanted) throw new Error(`${found} instances carry it`);
    const anchors = journal.anchors().filter((each) => each.id === id);
    if (anchors.length !== 1) throw new Error(`it has ${anchors.length} network interfaces`);
    if (wanted === 1) journal.checkBytes(id);
    else await journal.checkKept(id);
    if (command === "gc") this.expectNothingOf((owner) => owner !== id);
  }

  private expectNothingOf(isGone: (owner: string) => boolean): void {
    const { images, interfaces, snapshots, volumes } = this.account.simulator.control.rows();
    const gone = ["deregistered", "deleting"];
    const left = [...images(), ...snapshots(), ...volumes(), ...interfaces()].filter((row) => {
      const owner = row.tags.get("pmi:id");
      const isThere = !("state" in row) || !gone.includes(row.state);
      return owner !== undefined && isGone(owner) && isThere;
    });
    if (left.length > 0) throw new Error(`left: ${left.map((row) => row.id).join(", ")}`);
  }

  /** It can be read whole, each file is complete, and who has ended well holds no lease. */
  private async checkRegistry(again: RunningProgram): Promise<void> {
    const { directory, registry } = this.account;
    const ids = [];
    for await (const entry of registry.list()) ids.push(entry.id);
    if (ids.length !== 1 || ids[0] !== id) throw new Error(`the registry holds ${ids}`);
    if (await this.isHeldBy(again)) throw new Error("it has ended and holds the lease");
    for (const file of fs.readdirSync(path.join(directory, "entries", id)))
      JSON.parse(fs.readFileSync(path.join(directory, "entries", id, file), "utf8"));
    if ((await registry.history(id, { limit: 1000 })).length === 0)
      throw new Error("the history is empty");
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
