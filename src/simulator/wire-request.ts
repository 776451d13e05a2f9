/**
 * Reads an ec2Query request (a POST form or a query string) into the SDK's input shape. Nothing is
 * ignored: a parameter that EC2's model does not have is refused, as EC2 refuses it, so a caller's
 * typing error never looks like success.
 */
import { Ec2Error } from "./errors";
import type { ScalarPlan, StructurePlan, WirePlan } from "./wire-schema";

/** Decodes a form; the same parameter twice is an error because only one of them could win. */
export function parseForm(text: string): Map<string, string> {
  if (/%(?![0-9a-f]{2})/i.test(text)) {
    throw new Ec2Error("MalformedQueryString", "The query string contains a syntax error.");
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) {
      throw new Ec2Error(
        "InvalidQueryParameter",
        `The AWS query string is malformed or does not adhere to AWS standards: the parameter ${name} is given twice.`,
      );
    }
    parameters.set(name, value);
  }
  return parameters;
}

/** Turns `Filter.1.Value.2=x` and its like into the input object of the SDK's command. */
export function parseInput(
  plan: StructurePlan,
  parameters: Iterable<[name: string, value: string]>,
): Record<string, unknown> {
  const root = emptyNode(plan);
  for (const [name, text] of parameters) {
    const leaf = descend(root, name);
    if (leaf.plan.kind === "structure" || leaf.plan.kind === "list") throw unknownParameter(name);
    leaf.text = text;
  }
  return structureValue(root, plan, "");
}

interface Node {
  readonly plan: WirePlan;
  readonly children: Map<string, Node>;
  text: string;
}

function emptyNode(plan: WirePlan): Node {
  return { plan, children: new Map(), text: "" };
}

function descend(root: Node, name: string): Node {
  let node = root;
  for (const segment of name.split(".")) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = emptyNode(childPlan(node.plan, segment) ?? failUnknown(name));
      node.children.set(segment, child);
    }
    node = child;
  }
  return node;
}

// Lists are flattened and counted from 1 in requests (ec2-facts §13).
const listPosition = /^[1-9]\d{0,8}$/;

function childPlan(plan: WirePlan, segment: string): WirePlan | undefined {
  if (plan.kind === "structure") return plan.byQueryName.get(segment)?.plan;
  if (plan.kind === "list" && listPosition.test(segment)) return plan.item;
  return undefined;
}

function failUnknown(name: string): never {
  throw unknownParameter(name);
}

function unknownParameter(name: string): Ec2Error {
  return new Ec2Error("UnknownParameter", `The parameter ${name} is not recognized`);
}

function nodeValue(node: Node, path: string): unknown {
  const { plan } = node;
  switch (plan.kind) {
    case "structure":
      return structureValue(node, plan, path);
    case "list":
      return [...node.children]
        .sort(([left], [right]) => Number(left) - Number(right))
        .map(([position, child]) => nodeValue(child, `${path}.${position}`));
    default:
      return scalarValue(plan.kind, node.text, path);
  }
}

function structureValue(node: Node, plan: StructurePlan, path: string): Record<string, unknown> {
  const prefix = path === "" ? "" : `${path}.`;
  for (const { queryName } of plan.required) {
    if (!node.children.has(queryName)) {
      const message = `The request must contain the parameter ${prefix}${queryName}`;
      throw new Ec2Error("MissingParameter", message);
    }
  }
  const value: Record<string, unknown> = {};
  for (const [queryName, child] of node.children) {
    const member = plan.byQueryName.get(queryName);
    if (member !== undefined) value[member.memberName] = nodeValue(child, prefix + queryName);
  }
  return value;
}

function scalarValue(kind: ScalarPlan["kind"], text: string, path: string): unknown {
  switch (kind) {
    case "string":
      return text;
    case "boolean":
      if (text === "true" || text === "false") return text === "true";
      throw invalidValue(text, path, "true or false");
    case "number":
      if (/^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
      throw invalidValue(text, path, "a number");
    case "timestamp":
      return timestampValue(text, path);
    case "blob":
      if (/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) {
        return new Uint8Array(Buffer.from(text, "base64"));
      }
      throw invalidValue(text, path, "base64");
  }
}

const iso8601 = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

function timestampValue(text: string, path: string): Date {
  const instant = iso8601.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(instant.getTime())) throw invalidValue(text, path, "an ISO 8601 date");
  return instant;
}

// "Value (x) for parameter y is invalid." is how EC2 opens this message.
function invalidValue(text: string, path: string, expected: string): Ec2Error {
  const message = `Value (${text}) for parameter ${path} is invalid. Expecting ${expected}.`;
  return new Ec2Error("InvalidParameterValue", message);
}
