/**
 * The one action of STS that foreign clients call before they use EC2: Terraform's AWS provider and
 * many scripts ask who they are, on whatever endpoint they were given. The answer is always the account
 * that owns everything in the simulator, whoever asks.
 */
import { Ec2Error } from "./errors";
import { element } from "./wire-response";

export const stsVersion = "2011-06-15";

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

export function answerSts(action: string, accountId: string, requestId: string): string {
  if (action !== "GetCallerIdentity") {
    throw new Ec2Error("InvalidAction", `The action ${action} is not valid for this web service.`);
  }
  const identity =
    element("Arn", `arn:aws:iam::${accountId}:user/simulator`) +
    element("UserId", "AIDASIMULATOR0000USER") +
    element("Account", accountId);
  const result = element("GetCallerIdentityResult", identity);
  const metadata = element("ResponseMetadata", element("RequestId", requestId));
  return `<GetCallerIdentityResponse xmlns="${namespace}">${result}${metadata}</GetCallerIdentityResponse>`;
}
