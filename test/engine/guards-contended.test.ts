/** Rows in the way of an install that somebody changes each time between the look at them and the write. */
import {type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {OpenConnector} from '../../source/engine/stores.js';
import type {GuardResult} from '../../source/guards.js';
import {temporaryDirectory} from '../support/cli.js';
import {type MongodbServer, mongodbServers, newDatabaseName} from '../support/mongodb.js';

const check = 'chat/null-ids';
const database = newDatabaseName();
let server: MongodbServer;
let client: MongoClient;
const engines: FullEngine[] = [];

beforeAll(async () => {
  server = await mongodbServers()[0]!.start();
  client = await new MongoClient(server.url).connect();
});
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()));
  await client?.close();
  await server?.stop();
});

const conversations = () => client.db(database).collection<Document & {_id: string}>('conversations');
beforeEach(async () => {
  await client.db(database).dropDatabase();
  await conversations().insertOne({_id: 'one', sessionId: null, edits: 0});
});

/** A message comes for the conversation before each of the first writes of the clean-up. */
const edited = (times: number): OpenConnector => {
  let left = times;
  return async (...given) => {
    const connector = await openConnector(...given);
    const apply: typeof connector.apply = async (units, options) => {
      if (left-- > 0) await conversations().updateOne({_id: 'one'}, {$inc: {edits: 1}});
      return connector.apply(units, options);
    };
    return new Proxy(connector, {
      get: (target, name) => {
        const member = name === 'apply' ? apply : Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  };
};

const install = async (open: OpenConnector): Promise<GuardResult> => {
  const checks = [{check: 'null-ids', collection: 'conversations', id: 'sessionId'}];
  const stores = {chat: {kind: 'mongodb', url: server.url, database, checks}};
  const {config} = configFromObject({environment: 'test', stores});
  const engine = openEngine(config, {stateDirectory: await temporaryDirectory(), open});
  engines.push(engine);
  return engine.runGuards(await engine.planGuards(check, 'install', {clean: true}));
};

test('a row that was changed meanwhile is planned anew, and the install goes on', async () => {
  const {error, guards, runs} = await install(edited(3));
  expect(error).toBeUndefined();
  expect(guards.map(({state}) => state)).toEqual(['installed', 'installed']);
  expect(runs).toHaveLength(4);
  expect(await conversations().findOne()).toMatchObject({edits: 3, sessionId: expect.any(String)});
});

test('a row that is changed every time ends it, and it is told to be that', async () => {
  const {error, guards, runs} = await install(edited(Number.POSITIVE_INFINITY));
  expect(error).toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/^still in the way: 1 null-id; somebody changed/),
  });
  expect(guards.map(({state}) => state)).toEqual(['missing', 'missing']);
  expect(runs).toHaveLength(6);
  expect(await conversations().findOne()).toMatchObject({edits: 6, sessionId: null});
});
