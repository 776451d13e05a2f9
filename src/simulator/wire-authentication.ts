/**
 * Asks for a signature as EC2 does, so that a client without credentials fails here as it would
 * there. Only the form is judged: the simulator knows no secrets, accepts every access key, and
 * does not compare the signature's date with its own clock, which may run far ahead.
 */
import { Ec2Error } from "./errors";

const signedByHeader =
  /^AWS4-HMAC-SHA256\s+(?=.*Credential=[^/,\s]+\/\d{8}\/[^/,\s]+\/[^/,\s]+\/aws4_request)(?=.*SignedHeaders=[^,\s]+)(?=.*Signature=[0-9a-f]{64})/;

export function requireSignature(
  authorization: string | undefined,
  parameters: ReadonlyMap<string, string>,
): void {
  if (authorization !== undefined) {
    if (signedByHeader.test(authorization)) return;
    throw authFailure("Authorization header or parameters are not formatted correctly.");
  }
  if (parameters.has("X-Amz-Signature")) {
    if (parameters.has("X-Amz-Credential") && parameters.has("X-Amz-Date")) return;
    throw authFailure("Authorization header or parameters are not formatted correctly.");
  }
  if (parameters.has("Signature") && parameters.has("AWSAccessKeyId")) {
    throw authFailure("AWS was not able to validate the provided access credentials");
  }
  // What EC2 answers to a request without any signature, word for word: it still names the
  // parameter of signature version 2.
  const message = "The request must contain the parameter AWSAccessKeyId";
  throw new Ec2Error("MissingParameter", message);
}

function authFailure(message: string): Ec2Error {
  return new Ec2Error("AuthFailure", message, 401);
}
