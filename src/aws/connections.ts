/**
 * How long AWS may be silent, in milliseconds. A connection that was dropped without a word, by a NAT
 * gateway or while the computer was suspended, is otherwise waited on for as long as the SDK lets it:
 * 15 minutes at EC2 and 5 at DynamoDB. What was not answered counts as unknown and is looked at again.
 */
export const connectionLimits = {
  connectionTimeout: 5_000,
  /** Without a byte; EC2 takes some seconds for a launch. */
  socketTimeout: 30_000,
};
