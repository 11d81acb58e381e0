/**
 * MongoDB for tests: the demo's own server, or MongoDB 6 and FerretDB; with SESSTUI_TEST_MONGO_URL also the server of
 * that url, in a database of its own.
 */
import {randomBytes} from 'node:crypto';
import {BSON, type Document, MongoClient} from 'mongodb';
import {openMongodb} from '../../connectors/mongodb/index.js';
import {bsonOfValue} from '../../connectors/mongodb/values.js';
import type {Connector} from '../../source/connector.js';
import {startMongodbStandIn} from '../../source/demo/mongodb-stand-in.js';
import type {Json, Value, ValueMap} from '../../source/values.js';
import type {Harness} from '../connectors/harness.js';
import {isAsked, noteServer, onRealServers} from './asked.js';
import {startFerretdb} from './ferretdb/ferretdb.js';
import {startMongod} from './mongod.js';

export type MongodbServer = {url: string; stop(): Promise<void>};
export type MongodbServerKind = {name: string; start(): Promise<MongodbServer>};

const startStandIn = async (): Promise<MongodbServer> => {
  const {url, close} = await startMongodbStandIn();
  return {url, stop: close};
};

/** The server of somebody's url: tests work in databases of their own there, and it goes on afterwards. */
const useMongodb = async (url: string): Promise<MongodbServer> => {
  const client = new MongoClient(url, {serverSelectionTimeoutMS: 10_000});
  try {
    const {version} = await client.db('admin').command({buildInfo: 1});
    noteServer('MongoDB', `MongoDB ${version}`);
  } finally {
    await client.close();
  }
  return {url, stop: async () => {}};
};

/** The servers that this run tests on. */
export const mongodbServers = (): MongodbServerKind[] => {
  const own = process.env.SESSTUI_TEST_MONGO_URL;
  return [
    ...(onRealServers ? [] : [{name: 'the stand-in', start: startStandIn}]),
    ...(isAsked('MongoDB 6') ? [{name: 'MongoDB 6', start: startMongod}] : []),
    ...(isAsked('FerretDB') ? [{name: 'FerretDB', start: startFerretdb}] : []),
    ...(own ? [{name: 'MongoDB', start: () => useMongodb(own)}] : []),
  ];
};

export const newDatabaseName = (): string => `sesstui_test_${randomBytes(6).toString('hex')}`;

export const openTestConnector = (
  url: string,
  database: string,
  more: {readOnly?: boolean; timeoutMs?: number} = {},
): Connector =>
  openMongodb({
    store: 'chat',
    environment: 'test',
    timeoutMs: 20_000,
    readOnly: false,
    url,
    database,
    ...more,
  });

/** A key of one column is the `_id` itself; of several, a document of them. */
const idOf = (key: string[], row: ValueMap): unknown =>
  key.length === 1
    ? bsonOfValue(row[key[0]!] as Value)
    : new Map(key.map(name => [name, bsonOfValue(row[name] as Value)]));

const documentOf = (key: string[], row: ValueMap): Document => {
  const fields = Object.entries(row).filter(([name, value]) => value !== undefined && name !== '_id');
  const document = new Map<string, unknown>([['_id', idOf(key, row)]]);
  for (const [name, value] of fields) document.set(name, bsonOfValue(value));
  return document as unknown as Document;
};

/**
 * The contract suite's harness. The suite's key columns stay attributes of their own, and are the `_id` as well.
 */
export const openHarness = async (kind: MongodbServerKind): Promise<Harness> => {
  const server = await kind.start();
  const database = newDatabaseName();
  const client = new MongoClient(server.url);
  const db = client.db(database);
  const connector = openTestConnector(server.url, database);
  const keys = new Map<string, string[]>();
  return {
    name: kind.name,
    connector,
    async load(table, _columns, key, rows) {
      await db
        .collection(table)
        .drop()
        .catch(() => {});
      await db.createCollection(table);
      keys.set(table, key);
      if (rows.length > 0)
        await db.collection(table).insertMany(
          rows.map(row => documentOf(key, row)),
          {forceServerObjectId: true},
        );
    },
    async dump(table) {
      const documents = await db.collection(table).find({}, {raw: true}).toArray();
      const texts = documents.map(raw =>
        BSON.deserialize(raw as unknown as Uint8Array, {promoteValues: false}),
      );
      return texts
        .map(document => BSON.EJSON.stringify(document, {relaxed: false}))
        .sort()
        .map(text => JSON.parse(text) as Json);
    },
    async poke(table, key, values) {
      const set = new Map(Object.entries(values).map(([name, value]) => [name, bsonOfValue(value)]));
      const filter = {_id: {$eq: idOf(keys.get(table)!, key)}} as Document;
      await db.collection(table).updateOne(filter, {$set: set as unknown as Document});
    },
    async drop(table) {
      await db
        .collection(table)
        .drop()
        .catch(() => {});
    },
    elsewhere: () => openTestConnector('mongodb://127.0.0.1:1', database),
    async close() {
      await connector.close();
      await db.dropDatabase();
      await client.close();
      await server.stop();
    },
  };
};
