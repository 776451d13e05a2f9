/**
 * Idempotency by ClientToken (ec2-facts §1.1): the same token with the same parameters changes
 * nothing more, with different ones it is refused. Where and when a launch happens does not count as
 * a parameter.
 */
import { Ec2Error } from "./errors";
import type { World } from "./world";

export interface TokenRequest {
  readonly ClientToken?: string | undefined;
}

/** What an earlier request with this token made, if there was one. */
export function rememberedIds(
  world: World,
  scope: string,
  input: TokenRequest,
): readonly string[] | undefined {
  const token = input.ClientToken;
  if (token === undefined || token === "") return undefined;
  checkToken(token);
  const remembered = world.tokens.get(tokenKey(scope, token));
  if (remembered === undefined) return undefined;
  if (parametersText(remembered.request) === parametersText(input)) return remembered.ids;
  throw new Ec2Error(
    "IdempotentParameterMismatch",
    "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical",
  );
}

/** Keeps the request itself: most tokens are never used again, so comparing can wait. */
export function rememberIds(
  world: World,
  scope: string,
  request: TokenRequest,
  ids: readonly string[],
): void {
  if (request.ClientToken === undefined || request.ClientToken === "") return;
  world.tokens.set(tokenKey(scope, request.ClientToken), { request, ids });
}

export function forgetToken(world: World, scope: string, token: string): void {
  world.tokens.delete(tokenKey(scope, token));
}

function tokenKey(scope: string, token: string): string {
  return `${scope}/${token}`;
}

function checkToken(token: string): void {
  if (token.length <= 64 && /^[\x20-\x7e]*$/.test(token)) return;
  throw new Ec2Error("InvalidParameterValue", "ClientToken must be at most 64 ASCII characters");
}

function parametersText(input: TokenRequest): string {
  return JSON.stringify(sorted({ ...input, ClientToken: undefined, DryRun: undefined }));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
