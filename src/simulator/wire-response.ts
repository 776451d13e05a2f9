/**
 * Writes ec2Query replies from the SDK's output shape. A member or a type that EC2's model does not
 * have is a bug of the simulator and throws: a reply never drops or invents a field. The XML has no
 * newlines, as EC2's has none since 2025-07-31 (ec2-facts §9).
 */
import type { OperationPlan, StructurePlan, WirePlan } from "./wire-schema";

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const namespace = "http://ec2.amazonaws.com/doc/2016-11-15/";

export function renderReply(
  { action, output: plan }: OperationPlan,
  output: Record<string, unknown>,
  requestId: string,
): string {
  // EC2 answers an action without a result by <return>true</return>, though its model is silent.
  const body =
    plan === undefined ? successOnly(action, output) : structureXml(plan, output, action);
  const content = element("requestId", requestId) + body;
  return `${declaration}<${action}Response xmlns="${namespace}">${content}</${action}Response>`;
}

export function renderError(code: string, message: string, requestId: string): string {
  const error = element("Code", escapeXml(code)) + element("Message", escapeXml(message));
  const errors = element("Errors", element("Error", error));
  return `${declaration}<Response>${errors}${element("RequestID", requestId)}</Response>`;
}

export function element(name: string, content: string): string {
  return content === "" ? `<${name}/>` : `<${name}>${content}</${name}>`;
}

function successOnly(action: string, output: Record<string, unknown>): string {
  const [surplus] = Object.keys(output);
  if (surplus !== undefined) throw notInModel(`${action}.${surplus}`, "no such member");
  return element("return", "true");
}

function structureXml(plan: StructurePlan, value: unknown, path: string): string {
  if (!isPlainObject(value)) throw notInModel(path, "a structure is expected");
  let xml = "";
  for (const [memberName, memberValue] of Object.entries(value)) {
    const member = plan.byMemberName.get(memberName);
    if (member === undefined) throw notInModel(`${path}.${memberName}`, "no such member");
    if (memberValue === undefined || memberValue === null) continue;
    xml += element(member.xmlName, valueXml(member.plan, memberValue, `${path}.${memberName}`));
  }
  return xml;
}

function valueXml(plan: WirePlan, value: unknown, path: string): string {
  switch (plan.kind) {
    case "structure":
      return structureXml(plan, value, path);
    case "list":
      if (!Array.isArray(value)) throw notInModel(path, "a list is expected");
      return value
        .map((entry, index) =>
          element(plan.itemName, valueXml(plan.item, entry, `${path}[${index}]`)),
        )
        .join("");
    case "string":
      if (typeof value !== "string") throw notInModel(path, "a string is expected");
      return escapeXml(value);
    case "boolean":
      if (typeof value !== "boolean") throw notInModel(path, "a boolean is expected");
      return String(value);
    case "number":
      if (!Number.isFinite(value)) throw notInModel(path, "a number is expected");
      return String(value);
    case "timestamp":
      if (!(value instanceof Date)) throw notInModel(path, "a Date is expected");
      return value.toISOString();
    case "blob":
      if (!(value instanceof Uint8Array)) throw notInModel(path, "bytes are expected");
      return Buffer.from(value).toString("base64");
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  );
}

function notInModel(path: string, problem: string): Error {
  return new Error(`the simulator answered what EC2's model does not have: ${path}: ${problem}`);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

// Line ends are escaped because XML parsers turn a bare carriage return into a line feed and some
// trim line feeds. XML 1.0 has no way at all to carry the other control characters and the lone
// surrogates: they become the replacement character, since one of them would make the whole reply
// unreadable.
const special =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /[&<>"'\t\n\r\u0000-\u001f\u007f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function escapeXml(text: string): string {
  return text.replace(special, (character) => {
    const entity = entities[character];
    if (entity !== undefined) return entity;
    const code = character.charCodeAt(0);
    if (character === "\t" || character === "\n" || character === "\r" || code === 0x7f) {
      return `&#x${code.toString(16).toUpperCase()};`;
    }
    return "\ufffd";
  });
}
