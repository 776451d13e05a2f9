// Our style rules as a test. Each rule is a row of one of two tables, with what to write instead and a made-up
// violation that it must find, so that a rule which has stopped working fails as loudly as one that is broken.

import { spawnSync } from "node:child_process";
import path from "node:path";
import { isProgram, mentionsOf, repositoryFiles, type SourceFile } from "./boundaries/source-file";

const PROGRAMS = /\.[cm]?[jt]s$/;
const TYPESCRIPT = /\.ts$/;
const SHIPPED = /^(src|components)\/.*\.ts$/;
/** Where the program meets the world: real time, the terminal, the environment, Pulumi's process. */
const EDGES = /\/(clock|configuration|connections|bridge|server|main)\.ts$/;
const ENGINE = /^src\/engine\//;

/** Code that is banned in some places: `code` as `mentionsOf` names it. */
interface Ban {
  readonly code: readonly string[];
  readonly in: RegExp;
  readonly except?: RegExp;
  readonly instead: string;
  readonly violation: string;
}

const BANS: readonly Ban[] = [
  {
    code: ["Date.now", "new Date()", "performance.now"],
    in: SHIPPED,
    except: EDGES,
    instead: "take `now` as a parameter, or the Clock port",
    violation: "export const at = Date.now();",
  },
  {
    code: ["Math.random"],
    in: SHIPPED,
    instead: "a seeded generator; randomBytes at the edge where an identity is made",
    violation: "export const chance = Math.random();",
  },
  {
    code: ["randomUUID", "randomBytes", "randomInt", "getRandomValues"],
    in: /^(src\/(engine|simulator)|components)\//,
    instead: "take what is random as a parameter, or the simulator's seeded generator",
    violation: 'import { randomUUID } from "node:crypto";',
  },
  {
    code: ["setTimeout", "setInterval", "setImmediate"],
    in: SHIPPED,
    except: EDGES,
    instead: "the Clock port, or a decision to wait until an instant",
    violation: "setTimeout(() => undefined, 1000);",
  },
  {
    code: ["process.env"],
    in: /^(src\/(engine|simulator|aws|controller)|components)\//,
    except: EDGES,
    instead: "configuration that is read once at the edge and passed in",
    violation: "export const region = process.env.AWS_REGION;",
  },
  {
    code: ["process", "fetch", "console"],
    in: ENGINE,
    instead: "a port: the engine is pure",
    violation: 'console.log("launched");',
  },
  {
    code: ["console.log", "console.info", "console.warn", "console.error", "console.debug"],
    in: SHIPPED,
    except: EDGES,
    instead: "the log that the caller passed in",
    violation: 'console.warn("launched");',
  },
  {
    code: ["process.exit"],
    in: SHIPPED,
    except: EDGES,
    instead: "an error, or an exit code that main.ts returns",
    violation: "process.exit(1);",
  },
  {
    code: ["type any"],
    in: TYPESCRIPT,
    instead: "`unknown` and a check",
    violation: "export const answer = (x: any) => x as any;",
  },
  {
    code: ["non-null assertion"],
    in: TYPESCRIPT,
    instead: "a guard clause that says what is missing",
    violation: "export const first = (list: string[]) => list[0]!;",
  },
  {
    code: ["enum declaration"],
    in: TYPESCRIPT,
    instead: "a union of string literals",
    violation: "export enum Market { Spot }",
  },
  {
    code: ["default export"],
    in: SHIPPED,
    instead: "a named export",
    violation: "export default function decide() {}",
  },
  {
    code: ["re-export"],
    in: SHIPPED,
    except: /index\.ts$/,
    instead: "an import from the file that has it; only index.ts re-exports",
    violation: 'export * from "./spec";',
  },
];

/** What is wrong with a file as a whole, as one line each. */
interface FileRule {
  readonly name: string;
  readonly in: RegExp;
  readonly find: (file: SourceFile) => string[];
  readonly violation: SourceFile;
}

// Put together here, so that this file does not break its own rules.
const UNFINISHED = ["TO", "DO"].join("");
const TEMPORARY_FOLDER = ["", "tmp", "x"].join("/");
const IGNORE = ["@ts", "ignore"].join("-");

const FILE_RULES: readonly FileRule[] = [
  {
    name: "a program has at most 400 lines: split it by purpose",
    in: /^(src|components|scripts|bench)\/.*\.[cm]?[jt]s$|^index\.ts$/,
    find: ({ text }) => (text.trimEnd().split("\n").length > 400 ? ["more than 400 lines"] : []),
    violation: { path: "src/engine/decide.ts", text: "// line\n".repeat(401) },
  },
  {
    name: "a program starts with a comment that says what it is for",
    in: /^(src|components|scripts|bench)\/.*\.[cm]?[jt]s$/,
    find: ({ text }) => (/^(#!.*\n)?(\/\/ |\/\*\*)/.test(text) ? [] : ["no comment at the top"]),
    violation: { path: "src/engine/decide.ts", text: "export const a = 1;\n" },
  },
  {
    name: "a file is named after what it holds",
    in: /./,
    find: ({ path }) =>
      matches(path, /(^|[/-])(utils?|helpers?|commons?|types|constants|misc)(\.|\/|$)/),
    violation: { path: "src/aws/string-utils.ts", text: "" },
  },
  {
    name: "a program's name is in kebab-case",
    in: PROGRAMS,
    find: ({ path }) =>
      /^[a-z0-9]+([-.][a-z0-9]+)*$/.test(path.split("/").at(-1) ?? "") ? [] : ["not kebab-case"],
    violation: { path: "src/aws/cloudClient.ts", text: "" },
  },
  {
    name: "the type checker is not silenced",
    in: PROGRAMS,
    find: ({ text }) => matches(text, /@ts-(ignore|nocheck)/),
    violation: { path: "src/aws/cloud.ts", text: `// ${IGNORE}\nconst a: number = "";\n` },
  },
  {
    name: "nothing is left to do later in a comment: do it or open an issue",
    in: /./,
    find: ({ text }) => matches(text, new RegExp(`\\b(${UNFINISHED}|FIX${"ME"}|XX${"X"})\\b`)),
    violation: { path: "docs/guide.md", text: `# Guide\n\n${UNFINISHED}: write it\n` },
  },
  {
    name: "no path of one machine: os.tmpdir(), or relative to the repository",
    in: /./,
    find: ({ text }) =>
      matches(
        text,
        /(?<![\w.$}~/-])\/(work|tmp|root|Users\/\w+|home\/(?!ec2-user|ubuntu|admin)\w+)\/\S*/,
      ),
    violation: {
      path: "src/aws/cloud.ts",
      text: `// a\nexport const log = "${TEMPORARY_FOLDER}";\n`,
    },
  },
  {
    name: "a page has exactly one title",
    in: /\.md$/,
    find: ({ text }) => {
      const titles = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").match(/^# \S/gm) ?? [];
      return titles.length === 1 ? [] : [`${titles.length} titles`];
    },
    violation: { path: "docs/guide.md", text: "# Guide\n\n```sh\n# a comment\n```\n\n# Another\n" },
  },
];

function matches(text: string, pattern: RegExp): string[] {
  const found = pattern.exec(text);
  return found === null
    ? []
    : [`line ${text.slice(0, found.index).split("\n").length}: ${found[0]}`];
}

function violationsOf(ban: Ban, files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => ban.in.test(path) && !ban.except?.test(path))
    .flatMap((file) =>
      mentionsOf(file)
        .filter(({ what }) => ban.code.includes(what))
        .map(({ what, line }) => `${file.path}:${line} has ${what}`),
    );
}

function violationsOfRule(rule: FileRule, files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => rule.in.test(path))
    .flatMap((file) => rule.find(file).map((what) => `${file.path}: ${what}`));
}

const files = repositoryFiles().filter(({ path }) => !/^(LICENSE|package-lock\.json)$/.test(path));
const programs = files.filter(isProgram);

describe("instead of banned code there is something better", () => {
  test.each(BANS.map((ban) => [ban.code.join(", "), ban.instead, ban] as const))(
    "%s → %s",
    (_code, _instead, ban) => {
      expect(violationsOf(ban, programs)).toEqual([]);
    },
  );

  test.each(BANS.map((ban) => [ban.violation, ban] as const))(
    "the ban finds: %s",
    (violation, ban) => {
      const places = [
        "src/engine/made-up.ts",
        "src/simulator/made-up.ts",
        "components/made-up.ts",
      ].filter((path) => ban.in.test(path));
      expect(places).not.toEqual([]);
      for (const path of places)
        expect(violationsOf(ban, [{ path, text: violation }])).not.toEqual([]);
      const mentioned = places.map((path) => ({
        path,
        text: `// ${violation}\nexport const text = ${JSON.stringify(violation)};\n`,
      }));
      expect(violationsOf(ban, mentioned)).toEqual([]);
    },
  );
});

describe("files", () => {
  test.each(FILE_RULES.map((rule) => [rule.name, rule] as const))("%s", (_name, rule) => {
    expect(violationsOfRule(rule, files)).toEqual([]);
  });

  test.each(FILE_RULES.map((rule) => [rule.name, rule] as const))(
    "it is found where this does not hold: %s",
    (_name, rule) => {
      expect(violationsOfRule(rule, [rule.violation])).toHaveLength(1);
    },
  );

  test("the lock file names the native parts for every platform, or npm ci refuses it", () => {
    const script = path.resolve(__dirname, "../scripts/complete-lock.mjs");
    expect(spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" }).stderr).toBe("");
  });
});
