/** Who we are in the claims on anchors and in leases: the same words in every program of one host. */
import { randomBytes } from "node:crypto";
import os from "node:os";

/** A process, as claims name it. */
export interface Claimant {
  host: string;
  pid: number;
}

/** Within what a tag value can hold and keep; of a long name the end, which tells most apart. */
export const claimHost = (name: string) => name.replaceAll(/[^\w.-]/g, "-").slice(-100);

export const thisProcess = (): Claimant => ({ host: claimHost(os.hostname()), pid: process.pid });

/** No two leases have the same holder, also where one process takes them one after the other. */
export const holderOf = ({ host, pid }: Claimant) =>
  `${host}:${pid}:${randomBytes(4).toString("hex")}`;
