/** IAM's answer to a request under one policy, by a simulator that knows AWS's authorization reference. */
import { runSimulation } from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "../../src/aws/policy";
import type { AuthorizationRequest } from "./authorization";

export const accountId = "123456789012";

export interface Answer {
  isAllowed: boolean;
  /** Keys of the request's context that AWS does not know for this action and resource. */
  ignoredKeys: readonly string[];
}

export async function ask(policy: PolicyDocument, request: AuthorizationRequest): Promise<Answer> {
  const answer = await runSimulation(
    {
      identityPolicies: [{ name: "ours", policy }],
      request: {
        principal: `arn:aws:sts::${accountId}:assumed-role/ours/session`,
        action: request.action,
        resource: { resource: request.resource, accountId },
        contextVariables: request.context,
      },
      // The policy that AWS gives a key by default: the account decides by its own policies.
      resourcePolicy: request.action.startsWith("kms:") ? defaultKeyPolicy : undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (answer.resultType === "error")
    throw new Error(`${request.action} on ${request.resource}: ${JSON.stringify(answer.errors)}`);
  if (answer.resultType !== "single")
    return { isAllowed: answer.overallResult === "Allowed", ignoredKeys: [] };
  return {
    isAllowed: answer.overallResult === "Allowed",
    ignoredKeys: answer.result.ignoredContextKeys ?? [],
  };
}

const defaultKeyPolicy = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: "kms:*",
      Resource: "*",
    },
  ],
};
