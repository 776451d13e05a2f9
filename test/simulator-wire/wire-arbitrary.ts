/** Random values of any shape of EC2's API model, for the properties of the wire protocol. */
import * as fc from "fast-check";
import type { MemberPlan, StructurePlan, WirePlan } from "../../src/simulator/wire-schema";

export interface ShapeLimits {
  readonly text: fc.Arbitrary<string>;
  /** Members that are always there, by name. */
  readonly always: ReadonlySet<string>;
  /** Requests cannot say that a list or a structure is there and empty; replies can. */
  readonly minMembers: 0 | 1;
}

export function structureArbitrary(
  plan: StructurePlan,
  limits: ShapeLimits,
  depth = 0,
): fc.Arbitrary<Record<string, unknown>> {
  const required = new Set(plan.required.map(({ memberName }) => memberName));
  const isNeeded = ({ memberName }: MemberPlan) =>
    required.has(memberName) || limits.always.has(memberName);
  const members = [...plan.byMemberName.values()];
  const needed = members.filter(isNeeded);
  const optional = members.filter((member) => !isNeeded(member));
  const isDeep = depth > 3;
  const scalars = optional.filter(isScalar);
  const choice = isDeep && scalars.length > 0 ? scalars : optional;
  const minLength = needed.length > 0 ? 0 : Math.min(choice.length, limits.minMembers);
  // Few members at a time: EC2's largest shapes have hundreds.
  const maxLength = isDeep ? minLength : Math.min(4, choice.length);
  return fc
    .subarray(choice, { minLength, maxLength })
    .chain((chosen) =>
      fc.record(
        Object.fromEntries(
          [...needed, ...chosen].map(({ memberName, plan: memberPlan }) => [
            memberName,
            valueArbitrary(memberPlan, limits, depth + 1),
          ]),
        ),
      ),
    );
}

function isScalar({ plan }: MemberPlan): boolean {
  return plan.kind !== "structure" && plan.kind !== "list";
}

function valueArbitrary(plan: WirePlan, limits: ShapeLimits, depth: number): fc.Arbitrary<unknown> {
  switch (plan.kind) {
    case "structure":
      return structureArbitrary(plan, limits, depth);
    case "list":
      return fc.array(valueArbitrary(plan.item, limits, depth), {
        minLength: limits.minMembers,
        maxLength: 3,
      });
    case "string":
      return limits.text;
    case "boolean":
      return fc.boolean();
    case "number":
      return fc
        .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
        .map(plainZero);
    case "timestamp":
      return fc.date({
        min: new Date("1990-01-01T00:00:00Z"),
        max: new Date("2090-01-01T00:00:00Z"),
        noInvalidDate: true,
      });
    case "blob":
      return fc.uint8Array({ maxLength: 16 }).map((bytes) => new Uint8Array(bytes));
  }
}

// No text form keeps the sign of zero.
function plainZero(value: number): number {
  return value === 0 ? 0 : value;
}
