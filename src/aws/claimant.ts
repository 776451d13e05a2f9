/** Who we are in the claims on anchors and in leases: the same words in every program of one host. */
import os from "node:os";

/** Within what a tag value can hold and keep; of a long name the end, which tells most apart. */
export const claimHost = (name: string) => name.replaceAll(/[^\w.-]/g, "-").slice(-100);

export const thisProcess = () => ({ host: claimHost(os.hostname()), pid: process.pid });
