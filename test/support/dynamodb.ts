/** Tables of DynamoDB for tests, by a client that is independent of the connector. */
import {setTimeout as pause} from 'node:timers/promises';
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type ScalarAttributeType,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';

export {
  type DynamodbServer,
  type DynamodbServerKind,
  dynamodbServers,
  startDynamodbLocal,
  startDynoxide,
} from './dynamodb-servers.js';

/** A client that is independent of the connector. */
export const rawClient = (endpoint: string): DynamoDBClient => {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  return new DynamoDBClient({
    region: 'eu-west-1',
    endpoint,
    credentials: {accessKeyId: 'local', secretAccessKey: 'local'},
  });
};

export type RawItem = Record<string, AttributeValue>;
export type KeyTypes = Record<string, ScalarAttributeType>;

const isMissing = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ResourceNotFoundException';

/** Deletes a table and waits until it is gone. */
export const dropTable = async (client: DynamoDBClient, table: string): Promise<void> => {
  try {
    await client.send(new DeleteTableCommand({TableName: table}));
    for (;;) {
      await client.send(new DescribeTableCommand({TableName: table}));
      await pause(10);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
};

/** A new table with these items; `key` is the hash key, then the range key; `index` a global index on one attribute. */
export const makeTable = async (
  client: DynamoDBClient,
  table: string,
  key: KeyTypes,
  items: RawItem[],
  index: KeyTypes = {},
): Promise<void> => {
  await dropTable(client, table);
  const schema = (names: string[]) =>
    names.map((AttributeName, i) => ({
      AttributeName,
      KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const),
    }));
  const indexed = Object.keys(index);
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: Object.entries({...key, ...index}).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      KeySchema: schema(Object.keys(key)),
      BillingMode: 'PAY_PER_REQUEST',
      ...(indexed.length > 0 && {
        GlobalSecondaryIndexes: indexed.map(name => ({
          IndexName: `${name}-index`,
          KeySchema: schema([name]),
          Projection: {ProjectionType: 'KEYS_ONLY' as const},
        })),
      }),
    }),
  );
  for (;;) {
    const {Table} = await client.send(new DescribeTableCommand({TableName: table}));
    if (Table?.TableStatus === 'ACTIVE') break;
    await pause(10);
  }
  for (let i = 0; i < items.length; i += 20)
    await Promise.all(
      items.slice(i, i + 20).map(Item => client.send(new PutItemCommand({TableName: table, Item}))),
    );
};

/** Every item of a table, in no order. */
export const scanTable = async (client: DynamoDBClient, table: string): Promise<RawItem[]> => {
  const found: RawItem[] = [];
  for (let start: RawItem | undefined; ; ) {
    const page = await client.send(
      new ScanCommand({TableName: table, ConsistentRead: true, ...(start && {ExclusiveStartKey: start})}),
    );
    found.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
    if (!start) return found;
  }
};
