/** Guards under faults on MongoDB and FerretDB: the chat's. */
import {MongoClient} from 'mongodb';
import {mongodbCatalogue} from '../support/mongodb-catalogue.js';
import {type GuardStage, guardedOf} from './guards-stage.js';
import {oneWriteAtATime} from './one-write-at-a-time.js';
import type {Scenario} from './scenario.js';
import {type MongodbName, openMongodbScenarios} from './scenarios-mongodb.js';

export type MongodbStage = GuardStage & {url: string; database: string};

/** The collection has an index on the id already, as the application made it: an uninstall has to bring it back. */
export const openMongodbStage = async (server: MongodbName): Promise<MongodbStage> => {
  const {scenarios, stop} = await openMongodbScenarios(server);
  const chat = scenarios[0]!.stores.chat as {url: string; database: string};
  const isFerretdb = server === 'FerretDB 1.24';
  const proxy = isFerretdb ? await oneWriteAtATime(chat.url) : null;
  const url = proxy?.url ?? chat.url;
  const {database} = chat;
  const scenario: Scenario = {...scenarios[0]!, stores: {chat: {...chat, url}}};
  const client = await new MongoClient(url).connect();
  const db = client.db(database);
  const catalogue = async (): Promise<string> => {
    const names = (await db.listCollections({}, {nameOnly: true}).toArray()).map(({name}) => name);
    return JSON.stringify([names, await mongodbCatalogue(db, 'conversations')]);
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
      // FerretDB has no validators that could be added.
      return guardedOf(scenario, catalogue, isFerretdb ? ['unique-id'] : undefined);
    },
    hold: null,
    async stop() {
      await client.close();
      await proxy?.stop();
      await stop();
    },
  };
};
