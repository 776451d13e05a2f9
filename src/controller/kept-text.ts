/**
 * An entry as JSON text, for every store that outlives its process. What is read is checked field by
 * field: work on a specification that is only half understood is worse than none. The ledger is
 * written in the words of the anchor's tags, so that it has one text wherever it is looked at.
 */
import { z } from "zod";
import { specSchema } from "../engine/spec";
import { DamagedLedgerError, decodeLedger, encodeLedger } from "../engine/tags";
import type { BucketLevel, KeptEntry } from "./entry-changes";
import type { HistoryEvent } from "./registry";

/** Where a text stands, and how to get rid of it. */
export interface Place {
  /** "the entry of pmi-… in …". */
  what: string;
  /** What removes it, as an instruction. */
  removal: string;
}

/** Names the fields that cannot be read, and never what they say: a spec may hold secrets. */
export class DamagedEntryError extends Error {
  constructor({ what, removal }: Place, problems: string) {
    super(
      `${what} cannot be read: ${problems}. It was changed by hand or written by a newer version of this package: put it back, or use that version, or ${removal} and change the managed instance with \`pulumi up\`, which registers it again. The instance itself is untouched.`,
    );
    this.name = "DamagedEntryError";
  }
}

const instant = z.number();

const ledgerText = z.record(z.string(), z.string()).transform((tags, context) => {
  try {
    return decodeLedger(tags);
  } catch (error) {
    if (!(error instanceof DamagedLedgerError)) throw error;
    context.addIssue({ code: "custom", message: "is no ledger" });
    return z.NEVER;
  }
});

const entrySchema = z.strictObject({
  id: z.string(),
  creationKey: z.string(),
  spec: specSchema,
  specVersion: z.int(),
  interfaceId: z.string().optional(),
  deallocate: z.boolean(),
  asked: z.strictObject({
    desiredState: z.enum(["running", "paused"]).optional(),
    recycleGeneration: z.int().optional(),
    snapshotAt: instant.optional(),
  }),
  dueAt: instant,
  ledger: ledgerText.optional(),
  lease: z
    .strictObject({ id: z.string(), holder: z.string(), fencing: z.number(), untilAt: instant })
    .optional(),
  standing: z
    .strictObject({
      kind: z.enum(["done", "waiting", "stuck", "failed"]),
      reason: z.string(),
      remedy: z.string().optional(),
      at: instant,
      sinceAt: instant.optional(),
      specVersion: z.int(),
    })
    .optional(),
  fencing: z.number(),
  wokenAt: instant.optional(),
}) satisfies z.ZodType<KeptEntry>;

export const encodeEntry = (kept: KeptEntry): string =>
  JSON.stringify({ ...kept, ledger: kept.ledger && encodeLedger(kept.ledger) });

/** Throws a DamagedEntryError. */
export function decodeEntry(text: string, place: Place): KeptEntry {
  return parsed(entrySchema, text, place);
}

const levelSchema = z.strictObject({ tokens: z.number(), at: instant });

export const encodeLevel = (level: BucketLevel): string => JSON.stringify(level);

/** A bucket that cannot be read is a full one: EC2 itself says when it is not. */
export function decodeLevel(text: string): BucketLevel | undefined {
  return levelSchema.safeParse(json(text)).data;
}

const eventSchema = z.strictObject({
  at: instant,
  kind: z.enum([
    "step",
    "interrupted",
    "recovered",
    "deallocated",
    "expired",
    "stuck",
    "failed",
    "asked",
  ]),
  message: z.string(),
  rule: z.string().optional(),
  generation: z.number().optional(),
  durationMs: z.number().optional(),
}) satisfies z.ZodType<HistoryEvent>;

export const encodeEvent = (event: HistoryEvent): string => JSON.stringify(event);

/** Undefined for what a crash has cut off: history is told as far as it is there. */
export const decodeEvent = (text: string): HistoryEvent | undefined =>
  eventSchema.safeParse(json(text)).data;

function parsed<Output>(schema: z.ZodType<Output>, text: string, place: Place): Output {
  const value = json(text);
  if (value === undefined) throw new DamagedEntryError(place, "it is no JSON");
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ message, path }) => `${path.join(".") || "as a whole"}: ${message}`,
  );
  throw new DamagedEntryError(place, problems.join("; "));
}

/** Without the parser's own words, which quote the text. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
