/**
 * The policies against a whole life on the simulator: they allow what is done and nothing else, and
 * of what is not ours they allow nothing at all where EC2 has a condition to say so.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { actions } from "../../src/aws/client";
import {
  ec2Statements,
  type Part,
  type PolicyDocument,
  type PolicyScope,
  type Statement,
} from "../../src/aws/policy";
import { isReading } from "../../src/aws/reading";
import { type AuthorizationRequest, arnOf } from "./authorization";
import { accountId, ask } from "./evaluator";
import { type Life, recordLife } from "./life";

jest.setTimeout(120_000);

const region = "us-east-1";
const scope: PolicyScope = {
  partition: "aws",
  region,
  accountId,
  instanceRoleArns: [`arn:aws:iam::${accountId}:role/web`],
  kmsKeyArns: [`arn:aws:kms:${region}:${accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
};
/** Where the provider differs from the worker it reads: that alone is looked at, below. */
const parts: readonly Part[] = ["worker", "router", "sweep"];
const policyOf = (part: Part): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: ec2Statements(part, scope),
});
const allowed = async (part: Part, request: AuthorizationRequest) =>
  (await ask(policyOf(part), request)).isAllowed;

let life: Life;
beforeAll(async () => {
  life = await recordLife();
});

/** One of each shape: what differs in nothing but ids is asked once. */
function requestsOf(part: Part): AuthorizationRequest[] {
  const shapeOf = ({ action, resource, context }: AuthorizationRequest) =>
    JSON.stringify([
      action,
      resource.replace(/[^/]*$/, ""),
      Object.keys(context),
      context["aws:TagKeys"],
    ]);
  const all = life[part].flatMap(({ requests }) => requests);
  return [...new Map(all.map((request) => [shapeOf(request), request])).values()];
}

const isChange = ({ action }: AuthorizationRequest) => !isReading(action.replace("ec2:", ""));
const text = ({ action, resource }: AuthorizationRequest) => `${action} ${resource}`;

describe.each(parts)("the policy of the %s", (part) => {
  test("names exactly the actions of EC2 that are called", () => {
    const called = new Set(life[part].map(({ action }) => `ec2:${action}`));
    const named = ec2Statements(part, scope).flatMap(({ Action }) => Action);
    const ofEc2 = named.filter((action) => action.startsWith("ec2:"));
    expect([...new Set(ofEc2)].sort()).toEqual([...called].sort());
  });

  test("allows each call of a whole life, by conditions that EC2 knows", async () => {
    for (const request of requestsOf(part))
      expect([text(request), await ask(policyOf(part), request)]).toEqual([
        text(request),
        { isAllowed: true, ignoredKeys: [] },
      ]);
  });

  test("has no statement, action or resource that no call needs", () => {
    const requests = requestsOf(part);
    const isNeeded = (action: string, pattern: string) =>
      requests.some(
        (request) =>
          request.action === action &&
          (pattern === "*" || request.resource.startsWith(pattern.replace(/\*$/, ""))),
      );
    const superfluous = ec2Statements(part, scope)
      .filter(({ Action }) => Action.every((action) => action.startsWith("ec2:")))
      .flatMap(({ Sid, Action, Resource }) =>
        [
          ...Action.filter((action) => !Resource.some((pattern) => isNeeded(action, pattern))),
          ...Resource.filter((pattern) => !Action.some((action) => isNeeded(action, pattern))),
        ].map((each) => `${Sid}: ${each}`),
      );
    expect(superfluous).toEqual([]);
  });

  test("needs each of its statements", async () => {
    const statements = ec2Statements(part, scope).filter(({ Action }) =>
      Action.every((action) => action.startsWith("ec2:")),
    );
    const requests = requestsOf(part);
    for (const statement of statements) {
      const rest = {
        Version: "2012-10-17",
        Statement: statements.filter((each) => each !== statement),
      } as const;
      const mine = requests.filter(({ action }) => statement.Action.includes(action));
      const answers = await Promise.all(mine.map((request) => ask(rest, request)));
      expect([statement.Sid, answers.some(({ isAllowed }) => !isAllowed)]).toEqual([
        statement.Sid,
        true,
      ]);
    }
  });
});

test("the router changes nothing", () => {
  expect(requestsOf("router").filter(isChange)).toEqual([]);
});

describe.each(parts.filter((part) => part !== "router"))("the policy of the %s", (part) => {
  test("denies every change of what does not wear our tag", async () => {
    const changing = requestsOf(part)
      .filter(({ context }) => isOursBy(context))
      .filter((request) => !isOpen(part, request));
    expect(changing.length).toBeGreaterThan(0);
    for (const request of changing)
      expect([text(request), await allowed(part, withoutOurTag(request))]).toEqual([
        text(request),
        false,
      ]);
  });

  test("denies every change in another Region or account", async () => {
    const changing = requestsOf(part).filter(isChange);
    expect(changing.length).toBeGreaterThan(0);
    for (const request of changing) {
      const elsewhere = { ...request, resource: request.resource.replace(region, "eu-west-1") };
      expect([text(elsewhere), await allowed(part, elsewhere)]).toEqual([text(elsewhere), false]);
      if (!request.resource.includes(accountId)) continue;
      const others = { ...request, resource: request.resource.replace(accountId, "999999999999") };
      expect([text(others), await allowed(part, others)]).toEqual([text(others), false]);
    }
  });
});

/** Allowed whatever it wears: the test below says where that is so. */
const isOpen = (part: Part, { action, resource }: AuthorizationRequest) =>
  ec2Statements(part, scope).some(
    ({ Action, Condition, Resource }) =>
      Condition === undefined &&
      Action.includes(action) &&
      Resource.some((pattern) => resource.startsWith(pattern.replace(/\*$/, ""))),
  );

const isOursBy = (context: AuthorizationRequest["context"]) =>
  "aws:ResourceTag/pmi:id" in context || "aws:RequestTag/pmi:id" in context;

/** The same request about something that has its own tags and not ours. */
function withoutOurTag({ context, ...request }: AuthorizationRequest): AuthorizationRequest {
  const kept = Object.entries(context).filter(([key]) => !/Tag\/pmi:id$/.test(key));
  return { ...request, context: { ...Object.fromEntries(kept), "aws:ResourceTag/team": "web" } };
}

test("what EC2 gives no condition for is what a launch takes from its surroundings, and nothing more", () => {
  const open = ec2Statements("worker", scope)
    .filter(({ Condition, Resource }) => Condition === undefined && !Resource.includes("*"))
    .map(({ Action, Resource }) => [Action, Resource.map((arn) => arn.split(":")[5])]);
  expect(open).toEqual([
    [["ec2:CreateNetworkInterface"], ["subnet/*", "security-group/*"]],
    [
      ["ec2:RunInstances"],
      [
        "image/*",
        "snapshot/*",
        "network-interface/*",
        "subnet/*",
        "security-group/*",
        "key-pair/*",
        "spot-instances-request/*",
      ],
    ],
    [["ec2:ModifyNetworkInterfaceAttribute"], ["security-group/*"]],
  ]);
});

const ours = { "ec2:Region": region, "aws:ResourceTag/pmi:id": "pmi-1" };
const condemned = { ...ours, "aws:ResourceTag/pmi:condemned": "2026-01-01T00:00:00Z" };
const expiring = { ...condemned, "aws:ResourceTag/pmi:delete-after": "2026-01-01T00:00:00Z" };
const resource = (id: string) => arnOf({ region, account: accountId }, id);
const tag = (keys: Record<string, string>) => ({
  ...Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [`aws:RequestTag/${key}`, value]),
  ),
  "aws:TagKeys": Object.keys(keys),
});

const passing = (role: string, service: string): AuthorizationRequest => ({
  action: "iam:PassRole",
  resource: `arn:aws:iam::${accountId}:role/${role}`,
  context: { "iam:PassedToService": service },
});

const verdicts: readonly [sentence: string, part: Part, expected: boolean, AuthorizationRequest][] =
  [
    [
      "a volume of ours that is not condemned is not deleted: two looks",
      "worker",
      false,
      { action: "ec2:DeleteVolume", resource: resource("vol-1"), context: ours },
    ],
    [
      "a condemned volume of ours is deleted",
      "worker",
      true,
      { action: "ec2:DeleteVolume", resource: resource("vol-1"), context: condemned },
    ],
    [
      "the sweep does not delete what retention has given no end",
      "sweep",
      false,
      { action: "ec2:DeleteSnapshot", resource: resource("snap-1"), context: condemned },
    ],
    [
      "the sweep deletes what is condemned and has an end",
      "sweep",
      true,
      { action: "ec2:DeleteSnapshot", resource: resource("snap-1"), context: expiring },
    ],
    [
      "the sweep writes no tag but the one that condemns",
      "sweep",
      false,
      {
        action: "ec2:CreateTags",
        resource: resource("vol-1"),
        context: { ...expiring, ...tag({ "pmi:delete-after": "2020-01-01T00:00:00Z" }) },
      },
    ],
    [
      "a resource of ours is not given to another managed instance",
      "worker",
      false,
      {
        action: "ec2:CreateTags",
        resource: resource("vol-1"),
        context: { ...ours, ...tag({ "pmi:id": "pmi-2" }) },
      },
    ],
    [
      "somebody's volume is not made ours by tagging it",
      "worker",
      false,
      {
        action: "ec2:CreateTags",
        resource: resource("vol-1"),
        context: { "ec2:Region": region, ...tag({ "pmi:id": "pmi-1" }) },
      },
    ],
    [
      "tagging at birth is no way to tag what exists",
      "worker",
      false,
      {
        action: "ec2:CreateTags",
        resource: resource("vol-1"),
        context: {
          "ec2:Region": region,
          "ec2:CreateAction": "CreateVolume",
          ...tag({ "pmi:id": "pmi-1" }),
        },
      },
    ],
    [
      "the tag of the identity is not taken off",
      "worker",
      false,
      {
        action: "ec2:DeleteTags",
        resource: resource("vol-1"),
        context: { ...ours, "aws:TagKeys": ["pmi:id"] },
      },
    ],
    [
      "all tags at once are not taken off",
      "worker",
      false,
      { action: "ec2:DeleteTags", resource: resource("vol-1"), context: ours },
    ],
    ["a role that was given is passed to EC2", "worker", true, passing("web", "ec2.amazonaws.com")],
    ["no other role is passed", "worker", false, passing("admin", "ec2.amazonaws.com")],
    [
      "no role is passed to another service",
      "worker",
      false,
      passing("web", "lambda.amazonaws.com"),
    ],
    ["the router passes no role", "router", false, passing("web", "ec2.amazonaws.com")],
    [
      "the first Spot instance of an account makes its service-linked role",
      "worker",
      true,
      {
        action: "iam:CreateServiceLinkedRole",
        resource: `arn:aws:iam::${accountId}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot`,
        context: { "iam:AWSServiceName": "spot.amazonaws.com" },
      },
    ],
    [
      "a key is used by EC2 for us",
      "worker",
      true,
      {
        action: "kms:CreateGrant",
        resource: scope.kmsKeyArns[0] ?? "",
        context: {
          "kms:ViaService": `ec2.${region}.amazonaws.com`,
          "kms:GrantIsForAWSResource": "true",
        },
      },
    ],
    [
      "a key is not used by us ourselves",
      "worker",
      false,
      { action: "kms:Decrypt", resource: scope.kmsKeyArns[0] ?? "", context: {} },
    ],
  ];

test.each(verdicts)("%s", async (_sentence, part, expected, request) => {
  expect(await ask(policyOf(part), request)).toEqual({ isAllowed: expected, ignoredKeys: [] });
});

test("without instance roles and keys nothing is allowed of IAM and KMS but Spot's own role", () => {
  const named = ec2Statements("provider", { ...scope, instanceRoleArns: [], kmsKeyArns: [] });
  const others = named.flatMap(({ Action }) => Action).filter((each) => !each.startsWith("ec2:"));
  expect(others).toEqual(["iam:CreateServiceLinkedRole"]);
});

test("the provider changes what the worker changes, and reads all that can be read", () => {
  const changing = (part: Part) => ec2Statements(part, scope).filter(({ Sid }) => Sid !== "Read");
  expect(changing("provider")).toEqual(changing("worker"));
  const named = ec2Statements("provider", scope).flatMap(({ Action }: Statement) => Action);
  const ofEc2 = [...new Set(named.filter((action) => action.startsWith("ec2:")))].sort();
  expect(ofEc2).toEqual([...new Set(life.provider.map(({ action }) => `ec2:${action}`))].sort());
  expect(ofEc2).toEqual(actions.map((action) => `ec2:${action}`).sort());
});

test("the policies fit into what IAM takes", () => {
  const twelve = <Text>(make: (index: number) => Text) =>
    Array.from({ length: 12 }, (_, i) => make(i));
  const many = {
    ...scope,
    instanceRoleArns: twelve(
      (index) => `arn:aws:iam::${accountId}:role/application/database-${index}`,
    ),
    kmsKeyArns: twelve((index) => `${scope.kmsKeyArns[0]?.slice(0, -2)}${index + 10}`),
  };
  const size = (statements: readonly Statement[]) => JSON.stringify(statements).length;
  // Inline in a role, beside the worker's queues, table, topic and log, which are less than a thousand.
  expect(size(ec2Statements("worker", many)) + 1000).toBeLessThan(10_240);
  expect(size(ec2Statements("provider", { ...scope, kmsKeyArns: [] }))).toBeLessThan(6144);
});

test("the page on permissions shows the provider's policy as it is", () => {
  const page = readFileSync(path.join(__dirname, "../../docs/permissions.md"), "utf8");
  const [, shown = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const shownScope = {
    ...scope,
    accountId: "123456789012",
    region: "eu-central-1",
    kmsKeyArns: [],
  };
  expect(JSON.parse(shown)).toEqual({
    Version: "2012-10-17",
    Statement: ec2Statements("provider", shownScope),
  });
});
