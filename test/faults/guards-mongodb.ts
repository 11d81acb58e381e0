/** Guards under faults on MongoDB and FerretDB: the chat's. */
import {type CollectionInfo, type Document, MongoClient} from 'mongodb';
import {canonicalJson} from '../../source/connector.js';
import type {Json} from '../../source/values.js';
import {type GuardStage, guardedOf} from './guards-stage.js';
import {oneWriteAtATime} from './one-write-at-a-time.js';
import type {Scenario} from './scenario.js';
import {type MongodbName, openMongodbScenarios} from './scenarios-mongodb.js';

/**
 * What a collection that never had a validator goes by is written out once it had one, and stays: to the server both
 * are the same, and no command takes it out again.
 */
const withoutDefaults = (options: Document): Document => {
  const {validationLevel, validationAction, ...rest} = options;
  return !options.validator && validationLevel === 'strict' && validationAction === 'error' ? rest : options;
};

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
    const collections = await db.listCollections<CollectionInfo>().toArray();
    const found = collections.map(async ({name, type, options}) => {
      const indexes = await db.collection(name).listIndexes().toArray();
      return {
        name,
        type,
        options: withoutDefaults(options ?? {}),
        indexes: indexes.sort((a, b) => (a.name < b.name ? -1 : 1)),
      };
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
