// What the tests use of dynalite, which brings no types.

declare module "dynalite" {
  import type { Server } from "node:http";

  /** DynamoDB in this process, in memory. */
  function dynalite(options?: { createTableMs?: number }): Server;
  export = dynalite;
}
