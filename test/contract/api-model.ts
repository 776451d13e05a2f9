/**
 * Which values EC2's API model permits for a member. The SDK's schemas say only "string"; its type
 * declarations name the enumeration, and its exports hold the values. All of it is AWS's own.
 */
import fs from "node:fs";
import path from "node:path";
import * as sdk from "@aws-sdk/client-ec2";
import ts from "typescript";
import { z } from "zod";
import type { StructurePlan, WirePlan } from "../../src/simulator/wire-schema";

const enumerationShape = z.record(z.string(), z.string());

/** The values by structure and member, as "Instance.Hypervisor". */
export type Enumerations = ReadonlyMap<string, readonly string[]>;

export function readEnumerations(): Enumerations {
  const found = new Map<string, readonly string[]>();
  const folder = path.join(
    path.dirname(require.resolve("@aws-sdk/client-ec2/package.json")),
    "dist-types",
    "models",
  );
  for (const file of fs.readdirSync(folder).filter((name) => /^models_\d+\.d\.ts$/.test(name))) {
    const text = fs.readFileSync(path.join(folder, file), "utf8");
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
    for (const statement of source.statements)
      if (ts.isInterfaceDeclaration(statement)) addMembers(found, statement, source);
  }
  return found;
}

function addMembers(
  found: Map<string, readonly string[]>,
  { name, members }: ts.InterfaceDeclaration,
  source: ts.SourceFile,
): void {
  for (const member of members) {
    if (!ts.isPropertySignature(member) || member.type === undefined) continue;
    const values = valuesOf(member.type.getText(source));
    if (values !== undefined) found.set(`${name.text}.${member.name.getText(source)}`, values);
  }
}

/** `InstanceStateName | undefined` and `ArchitectureType[] | undefined` name an enumeration. */
function valuesOf(type: string): readonly string[] | undefined {
  const name = type.replace(/ \| undefined$/, "").replace(/\[\]$/, "");
  const exported: unknown = /^\w+$/.test(name) ? Reflect.get(sdk, name) : undefined;
  const values = enumerationShape.safeParse(exported);
  return values.success ? Object.values(values.data) : undefined;
}

/** What a value holds that the model does not permit, as one line each. */
export function strayValues(
  enumerations: Enumerations,
  plan: StructurePlan,
  value: unknown,
): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, content]) => {
    const member = plan.byMemberName.get(name);
    if (member === undefined) return [`${plan.name}.${name}: no such member`];
    const permitted = enumerations.get(`${plan.name}.${name}`);
    const contents: unknown[] = Array.isArray(content) ? content : [content];
    if (permitted !== undefined)
      return contents
        .filter((each) => each !== undefined && !permitted.includes(String(each)))
        .map((each) => `${plan.name}.${name}: ${String(each)}`);
    const inner = structureIn(member.plan);
    return inner === undefined
      ? []
      : contents.flatMap((each) => strayValues(enumerations, inner, each));
  });
}

/** The structure that a plan is, or that a list of it has. */
export function structureIn(plan: WirePlan): StructurePlan | undefined {
  if (plan.kind === "list") return structureIn(plan.item);
  return plan.kind === "structure" ? plan : undefined;
}
