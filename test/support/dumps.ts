/** What is in the stores, byte for byte and with types, by clients that know nothing of sesstui. */
import {type AttributeValue, DynamoDBClient, ScanCommand} from '@aws-sdk/client-dynamodb';
import {MongoClient} from 'mongodb';
import pg from 'pg';

/** Each row's whole text, in an order of its own. */
export const dumpPostgres = async (url: string, table: string): Promise<string[]> => {
  const client = new pg.Client({connectionString: url});
  await client.connect();
  try {
    const {rows} = await client.query<{row: string}>(
      `select (t.*)::text collate "C" as row from ${table} t order by 1`,
    );
    return rows.map(({row}) => row);
  } finally {
    await client.end();
  }
};

/** Each document's BSON, base64. */
export const dumpMongodb = async (url: string, database: string, collection: string): Promise<string[]> => {
  const client = await new MongoClient(url).connect();
  try {
    const documents = await client.db(database).collection(collection).find({}, {raw: true}).toArray();
    return documents
      .map(document => Buffer.from(document as unknown as Uint8Array).toString('base64'))
      .sort();
  } finally {
    await client.close();
  }
};

/** Maps have no order in DynamoDB, and neither have sets. */
const ordered = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [
        name,
        ['SS', 'NS', 'BS'].includes(name) && Array.isArray(inner)
          ? inner.map(ordered).sort()
          : ordered(inner),
      ]),
  );
};

const sorted = (item: Record<string, AttributeValue>): string => JSON.stringify(ordered(item));

/** Each item's AttributeValues. */
export const dumpDynamodb = async (endpoint: string, table: string): Promise<string[]> => {
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    endpoint,
    credentials: {accessKeyId: 'demo', secretAccessKey: 'demo'},
  });
  try {
    const items: string[] = [];
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await client.send(
        new ScanCommand({TableName: table, ExclusiveStartKey: start, ConsistentRead: true}),
      );
      items.push(...(page.Items ?? []).map(sorted));
      start = page.LastEvaluatedKey;
    } while (start);
    return items.sort();
  } finally {
    client.destroy();
  }
};
