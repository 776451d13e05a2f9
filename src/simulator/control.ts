/**
 * The control API: JSON over HTTP beside the wire protocol, with which a test or a user writes files
 * as the guest, interrupts, takes capacity away, sets faults and moves time. Bodies are judged
 * completely before anything happens; a refusal names the property, its value and the rule.
 */
import { z } from "zod";
import { Ec2Error } from "./errors";
import { type Faults, type LaunchFailure, launchFailures } from "./faults";
import type { Simulator } from "./simulator";

export const controlPrefix = "/_simulator/";

export interface ControlReply {
  readonly statusCode: number;
  readonly content: unknown;
}

export interface ControlRequest {
  readonly method: string;
  /** With its prefix, without a query string. */
  readonly path: string;
  readonly body: string;
}

export interface ControlApi {
  answer(request: ControlRequest): ControlReply;
}

const text = z.string().min(1);
const count = z.int().min(0);
/** In seconds; far beyond, there are no dates any more. */
const tenYears = 10 * 365 * 86_400;
const probability = z.number().min(0).max(1);
const draw = { probability: probability.optional(), next: count.optional() };
const callFault = z.strictObject({ action: text.optional(), ...draw });
const callFaults = z.union([callFault, z.array(callFault)]).optional();
const snapshotFault = z.strictObject({ volumeId: text.optional(), ...draw }).optional();
const eventFault = z.strictObject({ probability }).optional();
const launchFailure = z.enum(Object.keys(launchFailures) as [LaunchFailure, ...LaunchFailure[]]);
const place = { instanceId: text, device: text.optional() };

const bodies = {
  guestWrite: z.strictObject({ ...place, path: text, content: z.string() }),
  guestRead: z.strictObject({ ...place, path: text }),
  interrupt: z.strictObject({ instanceId: text, noticeSeconds: z.number().min(0).optional() }),
  capacity: z.strictObject({
    instanceType: text,
    zone: text,
    market: z.enum(["spot", "on-demand"]),
    available: z.union([count, z.literal("unlimited")]),
  }),
  image: z.strictObject({ imageId: text, boots: z.enum(["healthy", "never-healthy"]) }),
  advance: z.strictObject({
    seconds: z.number().min(0).max(tenYears, "at most ten years at once"),
  }),
  faults: z.strictObject({
    throttle: callFaults,
    lostReply: callFaults,
    lag: z
      .strictObject({
        seconds: z.number().min(0).optional(),
        tagSeconds: z.number().min(0).optional(),
        varies: z.boolean().optional(),
      })
      .optional(),
    failSnapshots: snapshotFault,
    hangSnapshots: snapshotFault,
    failImages: z.strictObject(draw).optional(),
    failLaunches: z.strictObject({ code: launchFailure.optional(), ...draw }).optional(),
    slowDetach: z.strictObject({ seconds: z.number().min(0) }).optional(),
    emptyPages: z.strictObject(draw).optional(),
    loseEvents: eventFault,
    duplicateEvents: eventFault,
    unhealthyImages: z.array(text).optional(),
  }),
};

type Route = (body: unknown) => unknown;

/** Carries out control requests on one simulator. */
export function createControlApi(simulator: Simulator): ControlApi {
  const routes = routesOf(simulator);
  return {
    answer({ method, path, body }) {
      const name = path.slice(controlPrefix.length);
      const route = routes[`${method} ${name}`];
      if (route === undefined) return unknownRoute(Object.keys(routes), method, name);
      try {
        return { statusCode: 200, content: route(parseJson(body)) };
      } catch (error) {
        if (error instanceof BodyError) return refuse(400, error.message);
        if (error instanceof Ec2Error) return refuse(error.statusCode, error.message, error.code);
        if (isRefusal(error)) return refuse(400, error.message);
        throw error;
      }
    },
  };
}

function routesOf(simulator: Simulator): Readonly<Record<string, Route>> {
  const { clock, control, guest } = simulator;
  const setFaults = faultSetter(simulator);
  return {
    "POST guest/write": route(bodies.guestWrite, (body) => guest.write(body)),
    "POST guest/read": route(bodies.guestRead, (body) => ({ content: guest.read(body) })),
    "POST interrupt": route(bodies.interrupt, (body) => control.interrupt(body)),
    "POST capacity": route(bodies.capacity, (body) => control.setCapacity(body)),
    "POST faults": route(bodies.faults, setFaults),
    "POST image": route(bodies.image, (body) => control.markImage(body)),
    "POST advance": route(bodies.advance, ({ seconds }) => {
      clock.advance(seconds);
      return { now: new Date(clock.now()).toISOString() };
    }),
    "GET calls": () => ({ calls: control.calls() }),
    "GET state": () => control.state(),
    "GET events": () => ({ events: control.events.list() }),
  };
}

// An image that never boots is a fault to whoever tests, but a property of the image to the
// simulator; so setting faults again heals the images that the last setting made unhealthy.
function faultSetter({ actions, control }: Simulator) {
  let unhealthy: readonly string[] = [];
  return ({ unhealthyImages = [], ...faults }: Faults & { unhealthyImages?: string[] }) => {
    for (const kind of ["throttle", "lostReply"] as const)
      checkActions(kind, faults[kind], actions);
    for (const imageId of unhealthyImages) {
      control.markImage({ imageId, boots: "never-healthy" });
    }
    for (const imageId of unhealthy) {
      if (!unhealthyImages.includes(imageId)) control.markImage({ imageId, boots: "healthy" });
    }
    unhealthy = unhealthyImages;
    control.setFaults(faults);
  };
}

/** A fault of an action that there is not would never strike. */
function checkActions(kind: string, fault: Faults["throttle"], actions: readonly string[]): void {
  for (const { action } of [fault ?? []].flat())
    if (action !== undefined && !actions.includes(action))
      throw new BodyError([
        `${kind}.action is ${JSON.stringify(action)}: must be one of ${actions.join(", ")}`,
      ]);
}

function route<Body>(schema: z.ZodType<Body>, run: (body: Body) => unknown): Route {
  return (body) => {
    const result = schema.safeParse(body);
    if (!result.success) throw new BodyError(result.error.issues.map((i) => sentence(i, body)));
    return run(result.data) ?? {};
  };
}

/** A body that breaks a rule of its route. */
class BodyError extends Error {
  constructor(sentences: readonly string[]) {
    super(sentences.join("; "));
    this.name = "BodyError";
  }
}

function sentence(issue: z.core.$ZodIssue, body: unknown): string {
  const { path, rule } = ruleBroken(issue);
  const name = path.length === 0 ? "the body" : path.join(".");
  const value = path.reduce<unknown>(
    (part, key) => (isObject(part) ? Reflect.get(part, key) : undefined),
    body,
  );
  const shown = value === undefined ? "missing" : JSON.stringify(value).slice(0, 200);
  return `${name} is ${shown}: ${rule}`;
}

interface BrokenRule {
  readonly path: readonly PropertyKey[];
  readonly rule: string;
}

// Where a property may be of several forms, zod says what was wrong with each of them. The form that
// was understood furthest is the one that was meant; if none was, all their rules are named.
function ruleBroken({ path, message, ...issue }: z.core.$ZodIssue): BrokenRule {
  if (issue.code !== "invalid_union") return { path, rule: message };
  const perForm = issue.errors.flatMap(([first]) => (first === undefined ? [] : ruleBroken(first)));
  const furthest = Math.max(0, ...perForm.map((each) => each.path.length));
  const meant = perForm.find((each) => each.path.length === furthest && furthest > 0);
  if (meant !== undefined) return { path: [...path, ...meant.path], rule: meant.rule };
  return { path, rule: perForm.map(({ rule }) => rule).join(", or ") };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

// Guest and control say by a plain Error that the caller asked for what cannot be; the engine's own
// kinds of errors are bugs and stay what they are.
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "Error";
}

function parseJson(body: string): unknown {
  if (body.trim() === "") return {};
  try {
    return JSON.parse(body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BodyError([`the body is not JSON: ${reason}`]);
  }
}

function unknownRoute(known: readonly string[], method: string, name: string): ControlReply {
  const sameName = known.filter((entry) => entry.split(" ")[1] === name);
  const listed = (sameName.length > 0 ? sameName : known)
    .map((entry) => entry.replace(" ", ` ${controlPrefix}`))
    .join(", ");
  return sameName.length > 0
    ? refuse(405, `${method} is not possible here; use ${listed}`)
    : refuse(404, `there is no ${controlPrefix}${name}; there are ${listed}`);
}

function refuse(statusCode: number, error: string, code?: string): ControlReply {
  return { statusCode, content: code === undefined ? { error } : { error, code } };
}
