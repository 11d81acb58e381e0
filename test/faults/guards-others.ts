/** Guards under faults on FerretDB and DynamoDB Local: the chat's and the kite's. */
import {DescribeTableCommand} from '@aws-sdk/client-dynamodb';
import {MongoClient} from 'mongodb';
import {canonicalJson} from '../../source/connector.js';
import type {Json} from '../../source/values.js';
import {makeTable, rawClient} from '../support/dynamodb.js';
import {type GuardStage, guardedOf} from './guards-stage.js';
import {oneWriteAtATime} from './one-write-at-a-time.js';
import type {Scenario} from './scenario.js';
import {openDynamodbScenarios} from './scenarios-dynamodb.js';
import {openMongodbScenarios} from './scenarios-mongodb.js';

/** The collection has an index on the id already, as the application made it: an uninstall has to bring it back. */
export const openMongodbStage = async (): Promise<GuardStage & {url: string; database: string}> => {
  const {scenarios, stop} = await openMongodbScenarios();
  const chat = scenarios[0]!.stores.chat as {url: string; database: string};
  const proxy = await oneWriteAtATime(chat.url);
  const {url} = proxy;
  const {database} = chat;
  const scenario: Scenario = {...scenarios[0]!, stores: {chat: {...chat, url}}};
  const client = await new MongoClient(url).connect();
  const db = client.db(database);
  const catalogue = async (): Promise<string> => {
    const collections = await db.listCollections({}, {nameOnly: false}).toArray();
    const found = collections.map(async ({name, type, options}) => {
      const indexes = await db.collection(name).listIndexes().toArray();
      return {name, type, options, indexes: indexes.sort((a, b) => (a.name < b.name ? -1 : 1))};
    });
    return canonicalJson((await Promise.all(found)) as unknown as Json);
  };
  return {
    server: scenario.server,
    url,
    database,
    checks: [scenario.check],
    async fresh() {
      await db.dropDatabase();
      await db.collection('conversations').createIndex({sessionId: 1});
      await scenario.reset();
      return guardedOf(scenario, catalogue);
    },
    hold: null,
    async stop() {
      await client.close();
      await proxy.stop();
      await stop();
    },
  };
};

const tables = {'kite-accounts': 'accountId', 'kite-sessions': 'sessionId'};

export const openDynamodbStage = async (): Promise<GuardStage & {endpoint: string}> => {
  const {scenarios, stop} = await openDynamodbScenarios();
  const scenario = scenarios[0]!;
  const {endpoint} = scenario.stores.kite as {endpoint: string};
  const client = rawClient(endpoint);
  const catalogue = async (): Promise<string> => {
    const found = Object.keys(tables).map(async TableName => {
      const {Table} = await client.send(new DescribeTableCommand({TableName}));
      const {ItemCount: _, TableSizeBytes: _s, CreationDateTime: _t, TableId: _i, ...rest} = Table!;
      const {BillingModeSummary: _b, ProvisionedThroughput: _p, ...kept} = rest;
      return kept;
    });
    return canonicalJson((await Promise.all(found)) as unknown as Json);
  };
  return {
    server: scenario.server,
    endpoint,
    checks: [scenario.check],
    async fresh() {
      for (const [table, key] of Object.entries(tables)) await makeTable(client, table, {[key]: 'S'}, []);
      await scenario.reset();
      return guardedOf(scenario, catalogue);
    },
    hold: null,
    async stop() {
      client.destroy();
      await stop();
    },
  };
};
