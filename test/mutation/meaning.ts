/**
 * Puts each deliberate bug into a copy of the sources and asks the tests, cheapest first, until one
 * notices. Only what imports the changed file is asked; what names the catch is printed.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { type Bug, withBug } from "./bug";
import { suiteFiles } from "./suite-test-runner";

const root = path.resolve(__dirname, "../..");
const copied = ["src", "test", "package.json", "tsconfig.json"];

/** The first of those that every commit runs: the seeds find what they leave out. */
const randomRuns = { QUESTION_RUNS: "60", STORY_RUNS: "8" };

/** Seeds of the simulation that every commit runs too. */
const seeds = ["--from", "1", "--seeds", "40", "--wire", "0", "--timeline"];
const simulation = "test/simulation/simulate.ts";
const runner = "test/mutation/run-suites.ts";

/** Cheapest first. */
const questions: readonly Question[] = [
  { kind: "suites", files: suiteFiles },
  {
    kind: "suites",
    files: [
      "test/aws/errors.test.ts",
      "test/aws/clock.test.ts",
      "test/aws/client.test.ts",
      "test/aws/connections.test.ts",
      "test/aws/adapters.test.ts",
      "test/provider/claim.test.ts",
      "test/controller/registry-memory.test.ts",
      "test/registry/registry.test.ts",
    ],
  },
  { kind: "seeds" },
  {
    kind: "suites",
    files: [
      "test/simulation/stories.test.ts",
      "test/security/foreign.test.ts",
      "test/controller/worker.test.ts",
      "test/provider/lifecycle.test.ts",
    ],
  },
];

type Question = { kind: "suites"; files: readonly string[] } | { kind: "seeds" };

export interface Judgement {
  bug: Bug;
  /** The test or seed that noticed; undefined when none did. */
  caughtBy?: string;
  seconds: number;
}

/**
 * Judges each bug, as many at once as there are copies. Throws when a bug has lost its place, or when
 * a test fails without any.
 */
export async function judgeBugs(
  bugs: readonly Bug[],
  concurrency: number,
  told: (judgement: Judgement) => void,
): Promise<Judgement[]> {
  const [sound, ...copies] = await Promise.all(
    Array.from({ length: concurrency + 1 }, () => copySources()),
  );
  if (sound === undefined) throw new Error("there is no copy");
  try {
    const imports = await importersIn(sound);
    const isSound = soundness(sound);
    const edits = await Promise.all(bugs.map((bug) => editOf(bug, sound)));
    const judgements: Judgement[] = [];
    const work = async (copy: string) => {
      for (let edit = edits.shift(); edit !== undefined; edit = edits.shift()) {
        const judgement = await judge(edit, copy, { imports, isSound });
        judgements.push(judgement);
        told(judgement);
      }
    };
    await Promise.all(copies.map(work));
    return judgements;
  } finally {
    const all = [sound, ...copies];
    await Promise.all(all.map((copy) => rm(copy, { recursive: true, force: true })));
  }
}

interface Edit {
  bug: Bug;
  before: string;
  after: string;
}

async function editOf(bug: Bug, copy: string): Promise<Edit> {
  const before = await readFile(path.join(copy, bug.file), "utf8");
  return { bug, before, after: withBug(bug, before) };
}

interface Court {
  /** Whether a test file imports a source, however far away. */
  imports(test: string, source: string): boolean;
  isSound(question: Question): Promise<void>;
}

async function judge({ after, before, bug }: Edit, copy: string, court: Court): Promise<Judgement> {
  const file = path.join(copy, bug.file);
  const startedAt = performance.now();
  await writeFile(file, after);
  const caughtBy = await ask(copy, (asked) => court.imports(asked, bug.file), court.isSound);
  await writeFile(file, before);
  return { bug, caughtBy, seconds: (performance.now() - startedAt) / 1000 };
}

/** What fails without a bug proves nothing: each question is put to the sound sources once. */
function soundness(copy: string) {
  const asked = new Map<Question, Promise<void>>();
  const expectNothing = async (question: Question) => {
    const complaint = await put(question, copy, () => true);
    if (complaint !== undefined) throw new Error(`Without any bug it fails: ${complaint}`);
  };
  return (question: Question) => {
    const known = asked.get(question) ?? expectNothing(question);
    asked.set(question, known);
    return known;
  };
}

async function copySources(): Promise<string> {
  const copy = await mkdtemp(path.join(os.tmpdir(), "deliberate-bugs-"));
  for (const name of copied)
    await cp(path.join(root, name), path.join(copy, name), { recursive: true });
  await symlink(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  await bundle(copy, runner);
  return copy;
}

async function importersIn(copy: string) {
  const files = questions.flatMap((each) => (each.kind === "seeds" ? [simulation] : each.files));
  const imports = new Map(
    await Promise.all(
      files.map(async (file) => {
        const { inputs } = (await bundle(copy, file)).metafile;
        return [file, new Set(Object.keys(inputs))] as const;
      }),
    ),
  );
  return (test: string, source: string) => imports.get(test)?.has(source) === true;
}

const bundleOf = (copy: string, file: string) =>
  path.join(copy, "bundles", `${file.replaceAll("/", "-")}.cjs`);

const bundle = (copy: string, file: string) =>
  build({
    absWorkingDir: copy,
    entryPoints: [file],
    outfile: bundleOf(copy, file),
    bundle: true,
    metafile: true,
    platform: "node",
    format: "cjs",
    packages: "external",
    logLevel: "silent",
  });

/** What noticed first, or undefined. */
async function ask(
  copy: string,
  isAsked: (file: string) => boolean,
  isSound: (question: Question) => Promise<void>,
): Promise<string | undefined> {
  for (const question of questions) {
    const caughtBy = await put(question, copy, isAsked);
    if (caughtBy === undefined) continue;
    await isSound(question);
    return caughtBy;
  }
  return undefined;
}

async function put(question: Question, copy: string, isAsked: (file: string) => boolean) {
  if (question.kind === "suites") return askSuites(copy, question.files.filter(isAsked));
  return isAsked(simulation) ? askSeeds(copy) : undefined;
}

async function askSuites(copy: string, files: readonly string[]): Promise<string | undefined> {
  if (files.length === 0) return undefined;
  const { code, text } = await run([bundleOf(copy, runner), copy, ...files], copy);
  if (code === 0) return undefined;
  return /^FAILED (.*)$/m.exec(text)?.[1] ?? `ended without a word (${code})`;
}

async function askSeeds(copy: string): Promise<string | undefined> {
  await bundle(copy, simulation);
  const { code, text } = await run([bundleOf(copy, simulation), ...seeds], copy);
  if (code === 0) return undefined;
  return /^.*\bseed \d+: .*$/m.exec(text)?.[0].trim() ?? `seeds ended without a word (${code})`;
}

/** Long enough for a busy machine: what does not end by then has been caught hanging. */
const patienceMs = 900_000;

function run(args: readonly string[], cwd: string): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...randomRuns, ...process.env };
    const child = spawn(process.execPath, args, { cwd, env, timeout: patienceMs });
    let text = "";
    const add = (chunk: Buffer) => {
      text += chunk.toString();
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 124, text }));
  });
}
