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

/** Cheapest first. */
const questions: readonly Question[] = [
  { kind: "suites", files: suiteFiles },
  {
    kind: "suites",
    files: [
      "test/aws/errors.test.ts",
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
 * Judges each bug in turn. Throws when a bug has lost its place, or when a test fails without any.
 */
export async function judgeBugs(
  bugs: readonly Bug[],
  told: (judgement: Judgement) => void,
): Promise<Judgement[]> {
  const [sound, bugged] = await Promise.all([copySources(), copySources()]);
  try {
    const texts = await Promise.all(
      bugs.map((bug) => readFile(path.join(sound, bug.file), "utf8")),
    );
    const edits = bugs.map((bug, at) => withBug(bug, texts[at] ?? ""));
    const imports = await importersIn(sound);
    const isSound = soundness(sound);
    const judgements: Judgement[] = [];
    for (const [at, bug] of bugs.entries()) {
      const file = path.join(bugged, bug.file);
      const startedAt = performance.now();
      await writeFile(file, edits[at] ?? "");
      const caughtBy = await ask(bugged, (asked) => imports(asked, bug.file), isSound);
      await writeFile(file, texts[at] ?? "");
      const judgement = { bug, caughtBy, seconds: (performance.now() - startedAt) / 1000 };
      judgements.push(judgement);
      told(judgement);
    }
    return judgements;
  } finally {
    for (const copy of [sound, bugged]) await rm(copy, { recursive: true, force: true });
  }
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
  return copy;
}

/** Whether a test file imports a source, however far away. */
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

const bundle = (copy: string, file: string) =>
  build({
    absWorkingDir: copy,
    entryPoints: [file],
    outfile: path.join(copy, "bundle.cjs"),
    bundle: true,
    write: file === simulation,
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
  const runner = path.join(__dirname, "run-suites.ts");
  const { code, text } = await run(["--import", "tsx", runner, copy, ...files], root);
  if (code === 0) return undefined;
  return /^FAILED (.*)$/m.exec(text)?.[1] ?? `ended without a word (${code})`;
}

async function askSeeds(copy: string): Promise<string | undefined> {
  await bundle(copy, simulation);
  const { code, text } = await run([path.join(copy, "bundle.cjs"), ...seeds], copy);
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
