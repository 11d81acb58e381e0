/** A transaction that stays open beside an install on MongoDB: whoever else writes is let through before it ends. */
import {type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, expect, test, vi} from 'vitest';
import type {Connector} from '../../source/connector.js';
import {type GuardRule, guardPhases} from '../../source/guards.js';
import {startMongod} from '../support/mongod.js';
import {newDatabaseName, openTestConnector} from '../support/mongodb.js';
import {record} from './record.js';

const rules: GuardRule[] = [
  {rule: 'unique-id', table: 'conversations', id: 'sessionId'},
  {rule: 'valid-id', table: 'conversations', id: 'sessionId'},
];
const database = newDatabaseName();
let server: {url: string; stop(): Promise<void>};
let client: MongoClient;
let connector: Connector;
let written = 0;

beforeAll(async () => {
  server = await startMongod();
  client = await new MongoClient(server.url).connect();
  connector = openTestConnector(server.url, database);
  await conversations().createIndex({sessionId: 1});
});
afterAll(async () => {
  await connector?.close();
  await client?.close();
  await server?.stop();
});

const conversations = () => client.db(database).collection<Document>('conversations');
const write = async (): Promise<void> => {
  await conversations().insertOne({sessionId: `s${written++}`});
};

/** Resolves when a write got through to the collection while the transaction was open and the step waited for it. */
const besideTransaction = async (perform: (onProgress: () => void) => Promise<unknown>): Promise<void> => {
  await client.withSession(async session => {
    session.startTransaction();
    await conversations().insertOne({sessionId: `t${written++}`}, {session});
    let waited = false;
    const performed = perform(() => {
      waited = true;
    });
    await vi.waitUntil(() => waited, {timeout: 20_000});
    await write();
    await session.commitTransaction();
    expect(await performed).toBe('done');
  });
};

test('each step of an install waits for it in turns, and not with everybody behind it', async () => {
  let rounds = 0;
  for (const phase of guardPhases)
    for (const rule of rules)
      for (const step of await connector.guards.steps(rule, 'install', {before: null})) {
        if (step.phase !== phase) continue;
        await besideTransaction(tell =>
          connector.guards.perform(rule, 'install', step, {before: null, onProgress: tell}),
        );
        rounds++;
      }
  for (const rule of rules)
    expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
  expect(await conversations().countDocuments()).toBe(written);
  expect(rounds).toBe(4);
  record({
    requirement: 'S7',
    fault: 'a transaction that stays open beside each step of an install of guards',
    server: 'MongoDB 6',
    rounds,
    violations: 0,
    note: 'chat/null-ids',
  });
}, 120_000);
