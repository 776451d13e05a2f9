/** The public surface of the embedded EC2. */
export { type ClockOptions, type SimulatorClock, START_AT } from "./clock";
export { Ec2Error, LostReplyError } from "./errors";
export type { Ec2Event, EventLog } from "./event-bridge";
export type { CallFault, Faults, SnapshotFault } from "./faults";
export { defaultLatencies, type LatencyRow, type LatencyTable, latencyRows } from "./latency";
export { type SimulatorRequestHandler, simulatorRequestHandler } from "./request-handler";
export { type ServerOptions, type SimulatorServer, serveSimulator } from "./server";
export {
  type CallRecord,
  createSimulator,
  type Guest,
  type RowSet,
  type Rows,
  type Simulator,
  type SimulatorControl,
  type SimulatorOptions,
} from "./simulator";
export {
  AMAZON_ACCOUNT,
  DEFAULT_SECURITY_GROUP_ID,
  DEFAULT_SUBNET_IDS,
  DEFAULT_VPC_ID,
  IMAGE_IDS,
} from "./start-world";
