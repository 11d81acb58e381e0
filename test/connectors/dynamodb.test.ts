import type {AttributeValue} from '@aws-sdk/client-dynamodb';
import {UpdateItemCommand} from '@aws-sdk/client-dynamodb';
import {toItem} from '../../connectors/dynamodb/attributes.js';
import {openDynamodb} from '../../connectors/dynamodb/index.js';
import {canonicalJson} from '../../source/connector.js';
import {isoOfMicros, Other, Time, type Value, type ValueMap} from '../../source/values.js';
import {
  type DynamodbServer,
  dropTable,
  dynamodbServers,
  type KeyTypes,
  makeTable,
  type RawItem,
  rawClient,
  scanTable,
} from '../support/dynamodb.js';
import {connectorSuite} from './contract.js';
import type {ColumnType, Harness} from './harness.js';

const settings = {
  store: 'kite',
  environment: 'test',
  timeoutMs: 20_000,
  readOnly: false,
  region: 'eu-west-1',
};

const rawOf = (value: Value): AttributeValue => {
  if (value === null || value === undefined) return {NULL: true};
  if (typeof value === 'string') return {S: value};
  if (typeof value === 'number' || typeof value === 'bigint') return {N: String(value)};
  if (typeof value === 'boolean') return {BOOL: value};
  if (value instanceof Time) return {S: isoOfMicros(value.micros)};
  if (value instanceof Other) return {S: value.text};
  return Array.isArray(value) ? {L: value.map(rawOf)} : {M: rawItemOf(value)};
};
const rawItemOf = (values: ValueMap): RawItem =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, rawOf(value)]),
  );

const keyTypes = (columns: Record<string, ColumnType>, key: string[]): KeyTypes =>
  Object.fromEntries(key.map(name => [name, columns[name] === 'int' ? 'N' : 'S']));

const openHarness = async (name: string, start: () => Promise<DynamodbServer>): Promise<Harness> => {
  const server = await start();
  const client = rawClient(server.endpoint);
  const connector = openDynamodb({...settings, endpoint: server.endpoint});
  return {
    name,
    connector,
    load: (table, columns, key, rows) =>
      makeTable(client, table, keyTypes(columns, key), rows.map(rawItemOf)),
    dump: async table => {
      const items = await scanTable(client, table);
      return items.map(item => toItem(item)).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
    },
    poke: async (table, key, values) => {
      const names = Object.keys(values);
      await client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: rawItemOf(key),
          UpdateExpression: `SET ${names.map((_, i) => `#n${i} = :v${i}`).join(', ')}`,
          ExpressionAttributeNames: Object.fromEntries(names.map((attribute, i) => [`#n${i}`, attribute])),
          ExpressionAttributeValues: Object.fromEntries(
            names.map((attribute, i) => [`:v${i}`, rawOf(values[attribute])]),
          ),
        }),
      );
    },
    drop: table => dropTable(client, table),
    elsewhere: () => openDynamodb({...settings, endpoint: 'http://127.0.0.1:9'}),
    close: async () => {
      await connector.close();
      client.destroy();
      await server.stop();
    },
  };
};

for (const {name, start} of dynamodbServers())
  connectorSuite(`dynamodb on ${name}`, () => openHarness(name, start));
