/**
 * The table of the registry, as the adapter describes it. It comes first: its name is taken once in
 * an account and Region, so a second controller ends here, before anything of the first is touched.
 */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { dynamoTable } from "../../src/controller/dynamo-table";
import { controllerName } from "./site";

export interface TableArgs {
  pointInTimeRecovery: boolean;
  deletionProtection: boolean;
}

export function createTable(
  { name, parent, tags }: { name: string; parent: pulumi.Resource; tags: Record<string, string> },
  { pointInTimeRecovery, deletionProtection }: TableArgs,
): aws.dynamodb.Table {
  const { attributes, billingMode, dueIndex, expiryAttribute, hashKey, rangeKey } = dynamoTable;
  return new aws.dynamodb.Table(
    name,
    {
      name: controllerName,
      billingMode,
      hashKey,
      rangeKey,
      attributes: attributes.map((each) => ({ ...each })),
      globalSecondaryIndexes: [{ ...dueIndex }],
      ttl: { attributeName: expiryAttribute, enabled: true },
      pointInTimeRecovery: { enabled: pointInTimeRecovery },
      serverSideEncryption: { enabled: true },
      deletionProtectionEnabled: deletionProtection,
      tags,
    },
    { parent },
  );
}
