/**
 * How our images are asked for. One that somebody has disabled is not shown unless that is asked for,
 * and keeps its name and its snapshot all the same (ec2-facts §3).
 */
import type * as sdk from "@aws-sdk/client-ec2";

export const ownImages = (Filters: sdk.Filter[]) => ({
  Owners: ["self"],
  IncludeDisabled: true,
  Filters,
});
