/** Runs on DynamoDB Local: kite rekey and keep-latest, with accounts that refer to the sessions. */
import {BatchWriteItemCommand} from '@aws-sdk/client-dynamodb';
import {canonicalJson} from '../../source/connector.js';
import type {Json} from '../../source/values.js';
import {dynamodbServers, makeTable, type RawItem, rawClient, scanTable} from '../support/dynamodb.js';
import type {Rows, Scenario} from './scenario.js';

/** What the client and the program both sign with: DynamoDB Local keeps the tables of each access key apart. */
export const dynamodbKeys = {AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local'};

const session = (sessionId: string, accountId: string, day: number): RawItem => ({
  sessionId: {S: sessionId},
  accountId: {S: accountId},
  createdAt: {S: `2026-01-0${day}T00:00:00.000Z`},
  updatedAt: {N: String(1_768_000_000_000 + day)},
  scopes: {SS: ['orders:read', 'profile:read']},
  blob: {B: new Uint8Array([0, day, 255])},
  exact: {N: '12345678901234567890.12345678901234567'},
});

const account = (accountId: string, sessionId: string): RawItem => ({
  accountId: {S: accountId},
  email: {S: `${accountId}@example.test`},
  session: {M: {sessionId: {S: sessionId}, device: {S: 'phone'}}},
});

const items: Record<string, RawItem[]> = {
  'kite-sessions': [
    session('bad1-a', 'bad1', 1),
    session('bad1-b', 'bad1', 2),
    session('bad1-c', 'bad1', 3),
    session('sess_bad2', 'bad2', 4),
    session('bad2-b', 'bad2', 5),
    session('sess_ok1', 'ok1', 6),
    session('sess_ok2', 'ok2', 7),
  ],
  'kite-accounts': [
    account('bad1', 'bad1-a'),
    account('bad2', 'bad2-b'),
    account('ok1', 'sess_ok1'),
    account('ok2', 'sess_ok2'),
  ],
};
const keys: Record<string, string> = {'kite-sessions': 'sessionId', 'kite-accounts': 'accountId'};

/** Maps and sets have no order. */
const ordered = (value: unknown): Json => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(ordered).sort();
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, ordered(inner)]));
  return value as Json;
};

/** Starts DynamoDB Local and opens a client of our own on it. */
export const openDynamodbScenarios = async (): Promise<{
  scenarios: Scenario[];
  stop(): Promise<void>;
}> => {
  const server = await dynamodbServers()
    .find(({name}) => name === 'DynamoDB Local')!
    .start();
  const client = rawClient(server.endpoint);
  for (const [table, rows] of Object.entries(items))
    await makeTable(client, table, {[keys[table]!]: 'S'}, rows);

  const write = async (table: string, requests: object[]): Promise<void> => {
    if (requests.length > 0)
      await client.send(new BatchWriteItemCommand({RequestItems: {[table]: requests as never}}));
  };
  const reset = async (): Promise<void> => {
    for (const [table, rows] of Object.entries(items)) {
      const key = keys[table]!;
      const wanted = new Set(rows.map(row => row[key]!.S));
      const there = (await scanTable(client, table)).filter(item => !wanted.has(item[key]!.S));
      await write(table, [
        ...there.map(item => ({DeleteRequest: {Key: {[key]: item[key]}}})),
        ...rows.map(Item => ({PutRequest: {Item}})),
      ]);
    }
  };
  const keyOf = (at: Record<string, unknown>): string => canonicalJson(at as Json);
  const rows = async (): Promise<Rows> => {
    const found: Rows = {};
    for (const [table, key] of Object.entries(keys))
      found[table] = new Map(
        (await scanTable(client, table)).map(item => [
          keyOf({[key]: item[key]}),
          canonicalJson(ordered(item)),
        ]),
      );
    return found;
  };
  const settings = {
    check: 'duplicates',
    table: 'kite-sessions',
    groupBy: ['accountId'],
    latestBy: ['updatedAt', 'createdAt'],
    canonicalId: 'sess_{accountId}',
    referencedBy: {table: 'kite-accounts', key: 'accountId', attribute: 'session'},
  };
  const scenarios = ['rekey', 'keep-latest'].map(
    (action): Scenario => ({
      name: `kite ${action}`,
      server: 'DynamoDB Local 2.5',
      check: 'kite/duplicates',
      action,
      stores: {
        kite: {kind: 'dynamodb', region: 'eu-west-1', endpoint: server.endpoint, checks: [settings]},
      },
      reset,
      rows,
      keyOf,
      mayChange: (_table, key) => key.includes('bad'),
      groupOf: (table, key, text) =>
        table === 'kite-sessions' ? /"accountId":\{"S":"(\w+)"/.exec(text)![1]! : key,
    }),
  );
  return {
    scenarios,
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
};
