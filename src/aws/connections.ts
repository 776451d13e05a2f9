/**
 * How every client of ours reaches AWS, and how long AWS may be silent, in milliseconds. A connection
 * that was dropped without a word, by a NAT gateway or while the computer was suspended, is otherwise
 * waited on for as long as the SDK lets it: 15 minutes at EC2 and 5 at DynamoDB. What was not answered
 * counts as unknown and is looked at again.
 */
import type { AgentOptions } from "node:https";

/** What an agent of Node 22.21, 24.5 or newer follows when it is given it; nothing else of the environment. */
export const proxyEnvironment = ({
  HTTPS_PROXY,
  https_proxy,
  NO_PROXY,
  no_proxy,
}: NodeJS.ProcessEnv) => ({ HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy });

const throughProxy: AgentOptions & { proxyEnv: NodeJS.ProcessEnv } = {
  proxyEnv: proxyEnvironment(process.env),
};

export const connections = {
  connectionTimeout: 5_000,
  /** Without a byte; EC2 takes some seconds for a launch. */
  socketTimeout: 30_000,
  httpsAgent: throughProxy,
};
