/**
 * The component's arguments and the schema say the same: each property exists in both, with the same
 * members. Read from the source, because types are gone at run time.
 */
import fs from "node:fs";
import path from "node:path";
import ts from "typescript";
import type { z } from "zod";
import { specSchema } from "../../src/engine/spec";
import { controllerSchema, resourceProperties, timeoutsSchema } from "../../src/provider/inputs";

const file = path.resolve(__dirname, "../../components/managed-instance.ts");
const source = ts.createSourceFile(
  file,
  fs.readFileSync(file, "utf8"),
  ts.ScriptTarget.Latest,
  true,
);

function interfaceNamed(name: string): ts.InterfaceDeclaration {
  const found = source.statements.find(
    (each): each is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(each) && each.name.text === name,
  );
  if (found === undefined) throw new Error(`no interface ${name}`);
  return found;
}

const membersOf = (name: string) =>
  interfaceNamed(name).members.map((member) => ({
    name: member.name?.getText(source) ?? "",
    isOptional: member.questionToken !== undefined,
    isDocumented: ts.getJSDocCommentsAndTags(member).length > 0,
  }));

const namesOf = (name: string) =>
  membersOf(name)
    .map((member) => member.name)
    .sort();

function schemaMembers(
  property: "rootVolume" | "metadataOptions" | "snapshots" | "retentionHours",
) {
  const inner = specSchema.shape[property].unwrap();
  return Object.keys(inner.shape).sort();
}

test("the arguments are the properties of the spec and those of the resource, less the creation key", () => {
  const own = resourceProperties.filter((name) => name !== "creationKey");
  expect(namesOf("ManagedInstanceArgs")).toEqual([...Object.keys(specSchema.shape), ...own].sort());
});

test.each([
  ["RootVolumeArgs", "rootVolume"],
  ["MetadataOptionsArgs", "metadataOptions"],
  ["SnapshotsArgs", "snapshots"],
  ["RetentionHoursArgs", "retentionHours"],
] as const)("%s has the members of %s", (name, property) => {
  expect(namesOf(name)).toEqual(schemaMembers(property));
});

test("the time-outs have the members that the provider reads", () => {
  expect(namesOf("TimeoutsArgs")).toEqual(Object.keys(timeoutsSchema.shape).sort());
  expect(namesOf("ControllerArgs")).toEqual(Object.keys(controllerSchema.shape).sort());
});

test("an argument is required exactly when the schema requires it", () => {
  const required = membersOf("ManagedInstanceArgs").filter(({ isOptional }) => !isOptional);
  const demanded = Object.entries(specSchema.shape)
    .filter(([, schema]) => !(schema as z.ZodType).safeParse(undefined).success)
    .map(([name]) => name);
  expect(required.map(({ name }) => name).sort()).toEqual(demanded.sort());
});

test("the class has one constructor whose parameter is args of an interface, as other languages need", () => {
  const declaration = source.statements.find(
    (each): each is ts.ClassDeclaration =>
      ts.isClassDeclaration(each) && each.name?.text === "ManagedInstance",
  );
  const constructors = declaration?.members.filter(ts.isConstructorDeclaration) ?? [];
  expect(constructors).toHaveLength(1);
  const parameters = constructors[0]?.parameters.map((each) => each.getText(source));
  expect(parameters).toEqual([
    "name: string",
    "args: ManagedInstanceArgs",
    "opts?: pulumi.ComponentResourceOptions",
  ]);
});
