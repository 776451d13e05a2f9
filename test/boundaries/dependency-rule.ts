// Which folder may import which (design §3): dependencies point one way, down to the pure engine, and the
// simulator shares nothing with what it is used to test, because a shared misconception would hide in both.

import path from "node:path";
import { importsOf, isProgram, type SourceFile } from "./source-file";

interface Layer {
  readonly folder: string;
  /** Folders, or single files without their ending. */
  readonly mayImport: readonly string[];
  /** Of these only types: they leave nothing behind in the built program. */
  readonly mayImportTypesOf?: readonly string[];
  /** When given, the only packages that are allowed. */
  readonly packages?: readonly string[];
}

const LAYERS: readonly Layer[] = [
  // Node's two are for createHash and isDeepStrictEqual, which are pure; the tidy rules ban randomness.
  {
    folder: "src/engine",
    mayImport: [],
    packages: ["zod", "node:crypto", "node:util"],
  },
  { folder: "src/simulator", mayImport: [] },
  { folder: "src/aws", mayImport: ["src/engine"] },
  { folder: "src/provider", mayImport: ["src/controller", "src/aws", "src/engine"] },
  { folder: "src/controller", mayImport: ["src/aws", "src/engine"] },
  { folder: "src/cli", mayImport: ["src/controller", "src/simulator", "src/aws", "src/engine"] },
  {
    folder: "components/managed-instance-controller.ts",
    mayImport: ["components/controller"],
  },
  // What the deployed functions and who deploys them must agree on: data, and nothing that loads an SDK.
  {
    folder: "components/controller",
    mayImport: [
      "components/managed-instance-controller",
      "src/aws/policy",
      "src/controller/dynamo-table",
      "src/controller/lambda/event-rules",
      "src/controller/lambda/metrics",
    ],
  },
  { folder: "components", mayImport: ["src/provider/stub"], mayImportTypesOf: ["src/engine"] },
  // Not a user's program: it shows the package from outside and its loop and measurements from inside.
  { folder: "examples/quickstart", mayImport: ["src", "bench", "scripts"] },
  { folder: "examples", mayImport: [] },
];

/** What our own package name stands for, so that importing it is no way around the rule. */
const OWN_PACKAGE: Readonly<Record<string, string>> = {
  "pulumi-managed-instance": "components",
  "pulumi-managed-instance/controller": "components/controller",
  "pulumi-managed-instance/provider": "src/provider",
  "pulumi-managed-instance/simulator": "src/simulator",
};

export function dependencyViolations(files: readonly SourceFile[]): string[] {
  return files.filter(isProgram).flatMap((file) => {
    const layer = LAYERS.find((each) => isWithin(file.path, each.folder));
    return layer === undefined ? [] : violationsIn(file, layer);
  });
}

function violationsIn(file: SourceFile, layer: Layer): string[] {
  return importsOf(file).flatMap(({ specifier, typeOnly, line }) => {
    const target = targetOf(file, specifier);
    const allowed =
      target === undefined ? allowsPackage(layer, specifier) : allowsFile(layer, target, typeOnly);
    if (allowed) return [];
    return [`${file.path}:${line} imports ${target ?? specifier}, which ${layer.folder} may not`];
  });
}

/** The path in the repository, or undefined for a package or a module of Node. */
function targetOf(file: SourceFile, specifier: string): string | undefined {
  // Examples are users' programs: they have our package, and not our folders.
  if (file.path.startsWith("examples/") && specifier in OWN_PACKAGE) return undefined;
  if (!specifier.startsWith(".")) return OWN_PACKAGE[specifier];
  const joined = path.posix.join(path.posix.dirname(file.path), specifier);
  return joined.replace(/\.[cm]?[jt]s$/, "");
}

function allowsFile(layer: Layer, target: string, typeOnly: boolean): boolean {
  const allowed = [
    layer.folder,
    ...layer.mayImport,
    ...(typeOnly ? (layer.mayImportTypesOf ?? []) : []),
  ];
  return allowed.some((folder) => isWithin(target, folder));
}

function allowsPackage(layer: Layer, specifier: string): boolean {
  if (layer.packages === undefined) return true;
  return layer.packages.some((name) => isWithin(specifier, name));
}

function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
