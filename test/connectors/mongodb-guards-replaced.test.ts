/** An index that the application made becomes the guard and comes back, again and again, beside writers. */
import {setTimeout as pause} from 'node:timers/promises';
import {type Collection, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Connector} from '../../source/connector.js';
import type {GuardDirection, GuardRule} from '../../source/guards.js';
import type {Json} from '../../source/values.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';

const rule: GuardRule = {rule: 'unique-id', table: 'conversations', id: 'sessionId'};
const times = 5;

/** Each writes documents of its own and changes them, until it is stopped; what was refused. */
const startWriters = (rows: Collection<Document & {_id: string}>) => {
  const errors: string[] = [];
  let stopped = false;
  let written = 0;
  const ended = Promise.all(
    Array.from({length: 8}, async (_, writer) => {
      for (let count = 0; !stopped; count++) {
        const _id = `${writer}-${count}`;
        try {
          await rows.insertOne({_id, sessionId: _id, title: 'a'});
          await rows.updateOne({_id}, {$set: {title: 'b'}});
          written++;
        } catch (error) {
          errors.push((error as Error).message);
        }
        await pause(10);
      }
    }),
  );
  const stop = async () => {
    stopped = true;
    await ended;
    return {errors, written};
  };
  return {stop};
};

describe.each(mongodbServers())('an index replaced on $name', ({start}) => {
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let connector: Connector;
  beforeAll(async () => {
    server = await start();
    client = await new MongoClient(server.url).connect();
    connector = openTestConnector(server.url, database);
  });
  afterAll(async () => {
    await connector?.close();
    await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });

  const change = async (direction: GuardDirection, before: Json): Promise<void> => {
    for (const step of await connector.guards.steps(rule, direction, {before}))
      expect(await connector.guards.perform(rule, direction, step, {before})).toBe('done');
  };

  test('no writer is refused, and no document is lost', async () => {
    const rows = client.db(database).collection<Document & {_id: string}>('conversations');
    await rows.createIndex({sessionId: 1});
    const indexes = await rows.listIndexes().toArray();
    const writing = startWriters(rows);
    let written = 0;
    try {
      for (let time = 0; time < times; time++) {
        const before = await connector.guards.capture(rule);
        await change('install', before);
        expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
        await change('uninstall', before);
        expect(await rows.listIndexes().toArray()).toEqual(indexes);
      }
    } finally {
      const ended = await writing.stop();
      expect(ended.errors).toEqual([]);
      written = ended.written;
    }
    expect(await rows.countDocuments()).toBe(written);
  });
});
