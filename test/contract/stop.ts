/** Lets a run be stopped: from then on its client sends nothing more, so that cleaning up can end. */
import type { EC2 } from "@aws-sdk/client-ec2";

export function stopCallsOn(ec2: EC2, signal: AbortSignal): void {
  ec2.middlewareStack.add(
    (next) => async (request) => {
      signal.throwIfAborted();
      return next(request);
    },
    { step: "initialize", priority: "high", name: "stopCalls" },
  );
}
