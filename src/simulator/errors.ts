/** An error answer of EC2: AWS's own code, HTTP status and message. */
export class Ec2Error extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly statusCode: number = 400,
  ) {
    super(message);
    this.name = code;
  }
}

/**
 * The request was carried out but its reply never arrived: what a broken connection looks like to
 * the caller. Over HTTP the socket is closed without an answer.
 */
export class LostReplyError extends Error {
  readonly code = "ECONNRESET";

  constructor(action: string) {
    super(`socket hang up: the reply to ${action} was lost`);
    this.name = "LostReplyError";
  }
}
