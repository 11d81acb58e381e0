/** Whether a question would read a whole collection, as the server's planner tells it. */
import {type Db, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {temporaryDirectory} from '../support/cli.js';
import {type MongodbServer, mongodbServers, newDatabaseName, openTestConnector} from '../support/mongodb.js';

describe.each(mongodbServers())('on $name', ({name, start}) => {
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let db: Db;
  const engines: FullEngine[] = [];
  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    db = client.db(database);
    const ids = Array.from({length: 300}, (_, index) => ({_id: index, sessionId: `s${index}`}));
    await db.collection<Document>('c').insertMany([...ids, {_id: 300, sessionId: null}] as Document[]);
    await db.collection('c').createIndex({sessionId: 1});
  });
  afterAll(async () => {
    await Promise.all(engines.map(engine => engine.close()));
    await db?.dropDatabase();
    await client?.close();
    await server?.stop();
  });

  const looked = async (allowScan: boolean) => {
    const checks = [{check: 'null-ids', collection: 'c', id: 'sessionId', idFormat: 'hex'}];
    const store = {kind: 'mongodb', url: server.url, database, checks};
    const {config} = configFromObject({
      environment: 'production',
      limits: {scan: 100},
      stores: {chat: store},
    });
    const engine = openEngine(config, {
      stateDirectory: await temporaryDirectory(),
      allowScan,
      open: openConnector,
    });
    engines.push(engine);
    return engine.check('chat/null-ids');
  };

  test('a check that is allowed to read everything does', async () => {
    expect((await looked(true)).byReason).toEqual({'null-id': 1});
  });

  if (name === 'MongoDB 6') {
    test('an index that does not serve the question does not let it pass limits.scan', async () => {
      const {error} = await looked(false);
      expect(error).toMatchObject({
        code: 'scan-limit',
        message: 'check chat/null-ids would read about 301 rows of c without an index (limits.scan is 100)',
        hint: 'The index that there is does not serve this question: add --allow-scan to read them all the same, or raise limits.scan.',
      });
    });

    test('a question with bounds in an index is told from one that goes through all of it', async () => {
      const connector = openTestConnector(server.url, database);
      const scans = (where: object) =>
        connector.scans!({form: 'rows', from: 'c', where: where as never, show: [], tags: {}}, {now: 0});
      const of = {attr: 'sessionId'};
      try {
        expect(await scans({in: ['s7'], of})).toBe(false);
        expect(await scans({is: 'null', of})).toBe(false);
        expect(await scans({is: 'array', of})).toBe(true);
        expect(await scans({is: 'null', of: {attr: 'other'}})).toBe(true);
        expect(await scans({any: []})).toBe(false);
      } finally {
        await connector.close();
      }
    });
  } else
    test('where the server does not tell, the index is believed', async () => {
      expect((await looked(false)).byReason).toEqual({'null-id': 1});
    });
});
