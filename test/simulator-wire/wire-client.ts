/** The least of a client and of a simulator that the protocol itself needs in its tests. */
import type { WireReply, WireRequest, WireTarget } from "../../src/simulator/wire";
import { answer } from "../../src/simulator/wire";

/** 2026-03-01T12:00:00Z. */
const WIRE_TEST_NOW = 1772366400000;

export const signature =
  "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260301/us-east-1/ec2/aws4_request, " +
  `SignedHeaders=host;x-amz-date, Signature=${"0f".repeat(32)}`;

export interface RecordingTarget extends WireTarget {
  readonly received: { readonly action: string; readonly input: unknown }[];
}

/** Answers every call alike and remembers what it was asked. */
export function recordingTarget(
  respond: (action: string) => Record<string, unknown> = () => ({}),
  speed = 1,
): RecordingTarget {
  const received: { action: string; input: unknown }[] = [];
  return {
    account: "123456789012",
    clock: { speed, now: () => WIRE_TEST_NOW },
    received,
    request: async (action, input) => {
      received.push({ action, input });
      return respond(action);
    },
  };
}

export function post(
  target: WireTarget,
  body: string,
  headers: WireRequest["headers"] = { authorization: signature },
): Promise<WireReply> {
  return answer(target, { method: "POST", query: "", headers, body });
}

export const version = "Version=2016-11-15";
