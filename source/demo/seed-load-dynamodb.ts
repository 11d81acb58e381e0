/** Creates DynamoDB tables and writes items into them in bulk. */

import {setTimeout as pause} from 'node:timers/promises';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import {type KiteItem, kiteItems, type Plain} from './seed-kite.js';
import type {SeedPlan} from './seed-plan.js';

/** A client for the demo's own server; it takes any credentials, but the SDK insists on some. */
export const demoDynamodbClient = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({
    endpoint,
    region: 'eu-west-1',
    credentials: {accessKeyId: 'demo', secretAccessKey: 'demo'},
    maxAttempts: 2,
    requestHandler: {connectionTimeout: 5000, requestTimeout: 15_000},
  });

export const attributeOf = (value: Plain): AttributeValue => {
  if (typeof value === 'string') return {S: value};
  if (typeof value === 'number') return {N: String(value)};
  if (typeof value === 'boolean') return {BOOL: value};
  if (value instanceof Set) return {SS: [...value]};
  if (value instanceof Uint8Array) return {B: value};
  return {M: attributesOf(value)};
};

export const attributesOf = (item: {[name: string]: Plain}): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)]));

const createTable = async (client: DynamoDBClient, table: string, key: string): Promise<void> => {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: [{AttributeName: key, AttributeType: 'S'}],
      KeySchema: [{AttributeName: key, KeyType: 'HASH'}],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  for (;;) {
    const {Table} = await client.send(new DescribeTableCommand({TableName: table}));
    if (Table?.TableStatus === 'ACTIVE') return;
    await pause(20);
  }
};

const batchSize = 25;
const writeBatch = async (client: DynamoDBClient, batch: KiteItem[]): Promise<void> => {
  let requests: Record<string, WriteRequest[]> = {};
  for (const {table, item} of batch) {
    requests[table] ??= [];
    requests[table].push({PutRequest: {Item: attributesOf(item)}});
  }
  while (Object.keys(requests).length > 0) {
    const {UnprocessedItems} = await client.send(new BatchWriteItemCommand({RequestItems: requests}));
    requests = UnprocessedItems ?? {};
  }
};

/** Creates the login service's two tables and fills them. Rejects with the signal's reason when aborted. */
export const seedKite = async (
  client: DynamoDBClient,
  plan: SeedPlan,
  signal?: AbortSignal,
): Promise<void> => {
  await createTable(client, 'kite-sessions', 'sessionId');
  await createTable(client, 'kite-accounts', 'accountId');
  const items = kiteItems(plan);
  // A few writers side by side, all drawing from the one generator.
  const writer = async (): Promise<void> => {
    for (;;) {
      signal?.throwIfAborted();
      const batch: KiteItem[] = [];
      for (let next = items.next(); !next.done; next = items.next()) {
        batch.push(next.value);
        if (batch.length === batchSize) break;
      }
      if (batch.length === 0) return;
      await writeBatch(client, batch);
    }
  };
  await Promise.all([writer(), writer(), writer(), writer()]);
};
