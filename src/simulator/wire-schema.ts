/**
 * Plans for the ec2Query wire protocol, read once per shape from the API model that the AWS SDK
 * carries (its exported `X$` schemas). Requests and replies are both driven by these plans, so a
 * name on the wire is AWS's own and is never typed by hand (ec2-facts §13).
 */
import * as model from "@aws-sdk/client-ec2";

export type WirePlan = ScalarPlan | ListPlan | StructurePlan;

export interface ScalarPlan {
  readonly kind: "string" | "number" | "boolean" | "timestamp" | "blob";
}

export interface ListPlan {
  readonly kind: "list";
  readonly item: WirePlan;
  /** The element that wraps each entry of a reply: `item` nearly everywhere. */
  readonly itemName: string;
}

export interface StructurePlan {
  readonly kind: "structure";
  readonly name: string;
  readonly byMemberName: ReadonlyMap<string, MemberPlan>;
  readonly byQueryName: ReadonlyMap<string, MemberPlan>;
  readonly required: readonly MemberPlan[];
}

export interface MemberPlan {
  /** The name in the SDK's objects. */
  readonly memberName: string;
  /** The name in a request. */
  readonly queryName: string;
  /** The element's name in a reply. */
  readonly xmlName: string;
  readonly plan: WirePlan;
}

export interface OperationPlan {
  readonly action: string;
  readonly input: StructurePlan;
  /** Undefined when the action answers nothing but success. */
  readonly output: StructurePlan | undefined;
}

// The numbers by which the SDK's static schemas tell their kinds apart.
const schemaKinds = { simple: 0, list: 1, structure: 3, union: 4, operation: 9 } as const;
const listOfSimple = 64;
const scalarKinds: ReadonlyMap<unknown, ScalarPlan> = new Map<unknown, ScalarPlan>([
  [0, { kind: "string" }],
  [1, { kind: "number" }],
  [2, { kind: "boolean" }],
  [4, { kind: "timestamp" }],
  [5, { kind: "timestamp" }],
  [6, { kind: "timestamp" }],
  [7, { kind: "timestamp" }],
  [21, { kind: "blob" }],
]);

const emptyStructure: StructurePlan = {
  kind: "structure",
  name: "Unit",
  byMemberName: new Map(),
  byQueryName: new Map(),
  required: [],
};

const planBySchema = new Map<unknown, WirePlan>();
const operationByAction = new Map<string, OperationPlan | undefined>();

/** The plan of an action of EC2, or undefined when EC2 has no such action. */
export function operationPlan(action: string): OperationPlan | undefined {
  if (operationByAction.has(action)) return operationByAction.get(action);
  const schema: unknown = Object.hasOwn(model, `${action}$`)
    ? Reflect.get(model, `${action}$`)
    : undefined;
  if (!Array.isArray(schema) || schema[0] !== schemaKinds.operation) return undefined;
  const plan = {
    action,
    input: structureOrUnit(schema[4]) ?? emptyStructure,
    output: structureOrUnit(schema[5]),
  };
  operationByAction.set(action, plan);
  return plan;
}

/** Every action that EC2's API model has. */
export function knownActions(): string[] {
  return Object.entries(model)
    .filter(([, value]) => Array.isArray(value) && value[0] === schemaKinds.operation)
    .map(([name]) => name.slice(0, -1));
}

function structureOrUnit(reference: unknown): StructurePlan | undefined {
  const schema = resolve(reference);
  if (schema === "unit") return undefined;
  const plan = planOf(schema);
  if (plan.kind !== "structure") throw new Error("an operation's input and output are structures");
  return plan;
}

// References to later schemas are functions in the SDK's file.
function resolve(reference: unknown): unknown {
  return typeof reference === "function" ? reference() : reference;
}

function planOf(reference: unknown): WirePlan {
  const schema = resolve(reference);
  const known = scalarKinds.get(schema) ?? planBySchema.get(schema);
  if (known !== undefined) return known;
  if (typeof schema === "number" && schema >= listOfSimple && schema < 2 * listOfSimple) {
    return { kind: "list", item: planOf(schema - listOfSimple), itemName: "member" };
  }
  if (!Array.isArray(schema)) throw new Error(`the SDK's schema ${String(schema)} is unknown here`);
  switch (schema[0]) {
    case schemaKinds.simple:
      return planOf(schema[4]);
    case schemaKinds.list:
      return listPlan(schema);
    case schemaKinds.structure:
    case schemaKinds.union:
      return structurePlan(schema);
    default:
      throw new Error(`the SDK's schema ${schema[2]} is of a kind that EC2 did not use so far`);
  }
}

function listPlan(schema: readonly unknown[]): ListPlan {
  const { target, traits } = memberOf(schema[4]);
  const plan = {
    kind: "list" as const,
    item: planOf(target),
    itemName: traits.xmlName ?? "member",
  };
  planBySchema.set(schema, plan);
  return plan;
}

function structurePlan(schema: readonly unknown[]): StructurePlan {
  const [, , name, , memberNames, memberSchemas, requiredCount] = schema;
  if (!Array.isArray(memberNames) || !Array.isArray(memberSchemas)) {
    throw new Error(`the SDK's schema ${String(name)} has no members`);
  }
  const byMemberName = new Map<string, MemberPlan>();
  const byQueryName = new Map<string, MemberPlan>();
  const required: MemberPlan[] = [];
  const plan = {
    kind: "structure" as const,
    name: String(name),
    byMemberName,
    byQueryName,
    required,
  };
  // Filed before its members are read, because a shape may contain itself.
  planBySchema.set(schema, plan);
  memberNames.forEach((memberName: string, index) => {
    const { target, traits } = memberOf(memberSchemas[index]);
    const member = {
      memberName,
      queryName: traits.ec2QueryName ?? capitalised(traits.xmlName ?? memberName),
      xmlName: traits.xmlName ?? memberName,
      plan: planOf(target),
    };
    byMemberName.set(memberName, member);
    byQueryName.set(member.queryName, member);
    // The model lists the required members first and says only how many they are.
    if (index < Number(requiredCount ?? 0)) required.push(member);
  });
  return plan;
}

interface WireTraits {
  readonly xmlName?: string;
  readonly ec2QueryName?: string;
}

// A member is a schema, or a pair of a schema and traits; traits that do not touch the wire's
// names are packed into a number.
function memberOf(reference: unknown): { target: unknown; traits: WireTraits } {
  if (!Array.isArray(reference) || reference.length !== 2) return { target: reference, traits: {} };
  const [target, traits] = reference;
  return { target, traits: typeof traits === "object" && traits !== null ? traits : {} };
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
