// The package as its users get it: packed, unpacked into an empty project beside nothing but the dependencies that
// it declares, and used from there. Needs no network: the dependencies are links to ours, and whatever the package
// imports without declaring it is not there to be found.

import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
const project = fs.mkdtempSync(path.join(os.tmpdir(), "managed-instance-install-"));
const installed = path.join(project, "node_modules", "pulumi-managed-instance");

/** What a Pulumi program in TypeScript has beside our package. */
const USERS_OWN = ["typescript", "@types/node"];

const PROVIDER_METHODS = ["check", "create", "delete", "diff", "read", "update"];

beforeAll(() => {
  execFileSync(process.execPath, [path.join(ROOT, "scripts/bootstrap.mjs")], { stdio: "pipe" });
  const packed = run(
    "npm",
    ["pack", "--ignore-scripts", "--silent", "--pack-destination", project],
    ROOT,
  );
  fs.mkdirSync(installed, { recursive: true });
  run(
    "tar",
    ["-xzf", path.join(project, packed.trim()), "-C", installed, "--strip-components=1"],
    project,
  );
  const isOptional = (name: string) => manifest.peerDependenciesMeta?.[name]?.optional === true;
  const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  for (const name of [...needed.filter((each) => !isOptional(each)), ...USERS_OWN]) link(name);
}, 120_000);

afterAll(() => fs.rmSync(project, { recursive: true, force: true }));

function link(name: string): void {
  const place = path.join(project, "node_modules", name);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.symlinkSync(path.join(ROOT, "node_modules", name), place, "junction");
}

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function runProgram(name: string, text: string): unknown {
  fs.writeFileSync(path.join(project, name), text);
  return JSON.parse(run(process.execPath, [name], project));
}

const REPORT = `console.log(JSON.stringify({
  component: typeof ManagedInstance,
  methods: Object.keys(provider).filter((name) => typeof provider[name] === "function").sort(),
}));`;

const WORKING = { component: "function", methods: expect.arrayContaining(PROVIDER_METHODS) };

describe("the installed package", () => {
  test("can be required by a CommonJS program", () => {
    const report = runProgram(
      "program.cjs",
      `const { ManagedInstance } = require("pulumi-managed-instance");
       const { provider } = require("pulumi-managed-instance/provider");
       ${REPORT}`,
    );
    expect(report).toEqual(WORKING);
  });

  test("can be imported by name by an ES-module program", () => {
    const report = runProgram(
      "program.mjs",
      `import { ManagedInstance } from "pulumi-managed-instance";
       import { provider } from "pulumi-managed-instance/provider";
       ${REPORT}`,
    );
    expect(report).toEqual(WORKING);
  });

  test("answers the line that is frozen in every state file", () => {
    const report = runProgram(
      "state.cjs",
      `exports.handler=()=>require("pulumi-managed-instance/provider").provider;
       const provider = exports.handler();
       const ManagedInstance = Object;
       ${REPORT}`,
    );
    expect(report).toEqual(WORKING);
  });

  test("brings the simulator for users' own tests", () => {
    const report = runProgram(
      "simulator.cjs",
      `console.log(JSON.stringify(Object.keys(require("pulumi-managed-instance/simulator"))));`,
    );
    expect(report).not.toEqual([]);
  });

  test("brings the controller for those who have the AWS provider, and needs it for nothing else", () => {
    const program = `try {
        console.log(JSON.stringify(Object.keys(require("pulumi-managed-instance/controller")).sort()));
      } catch (error) { console.log(JSON.stringify(error.message.split("\\n")[0])); }`;
    expect(runProgram("without.cjs", program)).toBe("Cannot find module '@pulumi/aws'");
    link("@pulumi/aws");
    expect(runProgram("with.cjs", program)).toEqual([
      "ManagedInstanceController",
      "controllerTableName",
      "providerPolicy",
    ]);
    for (const name of ["router", "worker", "sweep"])
      expect(fs.existsSync(path.join(installed, "dist/lambda", name, "index.js"))).toBe(true);
  });

  test("brings the command line, which knows its version", () => {
    const program = path.join(installed, manifest.bin["managed-instance"]);
    const answer = run(process.execPath, [program, "--version"], project);
    expect(answer).toBe(`${manifest.version}\n`);
  });

  test("has every file that its manifest names, source maps with their sources, and no tests", () => {
    const named = Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target as Record<string, string>),
    );
    expect(named.filter((file) => !fs.existsSync(path.join(installed, file)))).toEqual([]);
    const files = fs.readdirSync(installed, { recursive: true, encoding: "utf8" });
    const maps = files.filter((file) => file.endsWith(".map"));
    const withoutSources = maps.filter(
      (file) =>
        !("sourcesContent" in JSON.parse(fs.readFileSync(path.join(installed, file), "utf8"))),
    );
    expect(withoutSources).toEqual([]);
    expect(files.filter((file) => /(^|[\\/])test[\\/]|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });
});

describe("the types of the installed package resolve", () => {
  const program = `
import type { Output } from "@pulumi/pulumi";
import { ManagedInstance } from "pulumi-managed-instance";
import { provider } from "pulumi-managed-instance/provider";

export function instanceOf(args: ConstructorParameters<typeof ManagedInstance>[1]): Output<string | undefined> {
  return new ManagedInstance("web", args).instanceId;
}
export const create: (inputs: never) => Promise<unknown> = provider.create;

// @ts-expect-error: a name must be a string, which only holds where the types were really found.
export const wrong = new ManagedInstance(42, {});
// @ts-expect-error: likewise for the provider.
export const missing = provider.noSuchMethod;
`;

  const settings: readonly [name: string, options: Record<string, unknown>][] = [
    ["node16", { module: "node16", moduleResolution: "node16" }],
    ["nodenext", { module: "nodenext", moduleResolution: "nodenext" }],
    ["bundler", { module: "esnext", moduleResolution: "bundler" }],
    [
      "node10, as older Pulumi projects have it",
      { module: "commonjs", moduleResolution: "node10", ignoreDeprecations: "6.0" },
    ],
  ];

  test.each(settings)(
    "under moduleResolution %s",
    (_name, options) => {
      const compilerOptions = {
        target: "es2022",
        strict: true,
        noEmit: true,
        types: ["node"],
        ...options,
      };
      fs.writeFileSync(path.join(project, "program.ts"), program);
      fs.writeFileSync(
        path.join(project, "tsconfig.json"),
        JSON.stringify({ compilerOptions, files: ["program.ts"] }),
      );
      const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
      const { stdout } = spawnSync(process.execPath, [tsc, "-p", "."], {
        cwd: project,
        encoding: "utf8",
      });
      // Declarations are checked too, ours alone: what others' say is not for us to mend.
      const ours = stdout
        .split("\n")
        .filter((line) =>
          /^(program\.ts|node_modules\/pulumi-managed-instance\/|error )/.test(line),
        );
      expect(ours).toEqual([]);
    },
    120_000,
  );
});
