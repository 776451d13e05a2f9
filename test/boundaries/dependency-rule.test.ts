// The direction of dependencies, held against the repository; and the rule itself, held against made-up files.

import { dependencyViolations } from "./dependency-rule";
import { repositoryFiles } from "./source-file";

const violations = (path: string, text: string) => dependencyViolations([{ path, text }]);

test("every import in the repository points in the direction that the design allows", () => {
  expect(dependencyViolations(repositoryFiles())).toEqual([]);
});

describe("the rule finds", () => {
  const forbidden: readonly [sentence: string, path: string, text: string, target: string][] = [
    [
      "an engine that imports AWS",
      "src/engine/a.ts",
      'import { cloud } from "../aws/cloud";',
      "src/aws/cloud",
    ],
    [
      "an engine that imports a type from AWS",
      "src/engine/a.ts",
      'import type { C } from "../aws/cloud.js";',
      "src/aws/cloud",
    ],
    [
      "an engine that imports a package",
      "src/engine/a.ts",
      'import { EC2 } from "@aws-sdk/client-ec2";',
      "@aws-sdk/client-ec2",
    ],
    ["an engine that imports Node", "src/engine/a.ts", 'import fs from "node:fs";', "node:fs"],
    [
      "an engine that imports lazily",
      "src/engine/a.ts",
      'const f = () => import("../aws/cloud");',
      "src/aws/cloud",
    ],
    [
      "an engine that requires",
      "src/engine/a.ts",
      'const f = () => require("../aws/cloud");',
      "src/aws/cloud",
    ],
    [
      "an engine that re-exports",
      "src/engine/a.ts",
      'export * from "../aws/cloud";',
      "src/aws/cloud",
    ],
    [
      "an engine that names a type in passing",
      "src/engine/a.ts",
      'type C = import("../aws/cloud").C;',
      "src/aws/cloud",
    ],
    [
      "a simulator that imports the engine",
      "src/simulator/a.ts",
      'import type { Spec } from "../engine/spec";',
      "src/engine/spec",
    ],
    [
      "a way around through our own package",
      "src/simulator/a.ts",
      'import "pulumi-managed-instance/provider";',
      "src/provider",
    ],
    [
      "an adapter that imports the provider",
      "src/aws/a.ts",
      'import { p } from "../provider";',
      "src/provider",
    ],
    [
      "a controller that imports the provider",
      "src/controller/a.ts",
      'import { d } from "../provider/diff";',
      "src/provider/diff",
    ],
    [
      "a component that runs the engine",
      "components/a.ts",
      'import { decide } from "../src/engine/decide";',
      "src/engine/decide",
    ],
    [
      "a component that imports the provider",
      "components/a.ts",
      'import { p } from "../src/provider/index";',
      "src/provider/index",
    ],
    [
      "an example that imports our sources",
      "examples/a/index.ts",
      'import { M } from "../../components";',
      "components",
    ],
  ];

  test.each(forbidden)("%s", (_sentence, path, text, target) => {
    const folder = path.startsWith("src/")
      ? path.split("/").slice(0, 2).join("/")
      : path.split("/")[0];
    expect(violations(path, text)).toEqual([
      `${path}:1 imports ${target}, which ${folder} may not`,
    ]);
  });
});

describe("the rule allows", () => {
  const allowed: readonly [sentence: string, path: string, text: string][] = [
    [
      "an engine with itself and zod",
      "src/engine/a.ts",
      'import { z } from "zod";\nimport { b } from "./b";',
    ],
    [
      "an adapter with the engine and the SDK",
      "src/aws/a.ts",
      'import "../engine/ports";\nimport "@aws-sdk/client-ec2";',
    ],
    [
      "a component with types of the engine",
      "components/a.ts",
      'import type { Spec } from "../src/engine/spec";',
    ],
    [
      "a component with inline types of the engine",
      "components/a.ts",
      'import { type Spec } from "../src/engine/spec";',
    ],
    [
      "a component with the stub",
      "components/a.ts",
      'import { stub } from "../src/provider/stub";',
    ],
    [
      "an example with our package",
      "examples/a/index.ts",
      'import { M } from "pulumi-managed-instance";',
    ],
    [
      "an import that stands in a comment or a string",
      "src/engine/a.ts",
      '// import "../aws/a";\nexport const a = "import \'../aws/a\'";',
    ],
  ];

  test.each(allowed)("%s", (_sentence, path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});
