// A DynamoDB with the registry's table: in this process, or at DYNAMODB_ENDPOINT, which is DynamoDB
// Local or AWS (then with the credentials and the Region of the environment).

import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import {
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  paginateScan,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { dynamoTable } from "../../src/controller/dynamo-table";

export interface DynamoAccount {
  client: DynamoDBClient;
  config: DynamoDBClientConfig & { region: string };
  table: string;
  isRemote: boolean;
  empty(): Promise<void>;
  close(): Promise<void>;
}

export async function openDynamoAccount(): Promise<DynamoAccount> {
  const given = process.env.DYNAMODB_ENDPOINT;
  const server = given === undefined ? await listening(dynalite({ createTableMs: 0 })) : undefined;
  const endpoint = given ?? endpointOf(server);
  const isRemote = endpoint.includes("amazonaws.com");
  const credentials = { accessKeyId: "nobody", secretAccessKey: "nothing" };
  const config = {
    endpoint,
    region: process.env.AWS_REGION ?? "eu-central-1",
    ...(isRemote ? {} : { credentials }),
  };
  const client = new DynamoDBClient(config);
  const table = `managed-instance-test-${randomBytes(4).toString("hex")}`;
  await createTable(client, table);
  return {
    client,
    config,
    table,
    isRemote,
    empty: () => emptyTable(client, table),
    async close() {
      if (server === undefined) await client.send(new DeleteTableCommand({ TableName: table }));
      client.destroy();
      server?.closeAllConnections();
      server?.close();
    },
  };
}

const listening = (server: Server) =>
  new Promise<Server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));

function endpointOf(server: Server | undefined): string {
  const address = server?.address();
  if (typeof address !== "object" || address === null) throw new Error("dynalite does not listen");
  return `http://127.0.0.1:${address.port}`;
}

async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  const { attributes, billingMode, dueIndex, hashKey, rangeKey } = dynamoTable;
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: billingMode,
      AttributeDefinitions: attributes.map(({ name, type }) => ({
        AttributeName: name,
        AttributeType: type,
      })),
      KeySchema: keySchema(hashKey, rangeKey),
      GlobalSecondaryIndexes: [
        {
          IndexName: dueIndex.name,
          KeySchema: keySchema(dueIndex.hashKey, dueIndex.rangeKey),
          Projection: { ProjectionType: dueIndex.projectionType },
        },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 120, minDelay: 1 }, { TableName: table });
}

const keySchema = (hashKey: string, rangeKey: string) => [
  { AttributeName: hashKey, KeyType: "HASH" as const },
  { AttributeName: rangeKey, KeyType: "RANGE" as const },
];

async function emptyTable(client: DynamoDBClient, table: string): Promise<void> {
  const request = { TableName: table, ProjectionExpression: "pk, sk", ConsistentRead: true };
  for await (const { Items = [] } of paginateScan({ client }, request)) {
    await Promise.all(
      Items.map((Key) => client.send(new DeleteItemCommand({ TableName: table, Key }))),
    );
  }
}
