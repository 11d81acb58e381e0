/** Runs of a user who may not write, or may no longer: the server refuses, and nothing more is tried. */
import {type Collection, type Document, MongoClient} from 'mongodb';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {temporaryDirectory} from '../support/cli.js';
import {type MongodbServer, mongodbServers, newDatabaseName} from '../support/mongodb.js';

const check = 'chat/null-ids';
/** Several calls of the connector. */
const many = 250;

describe.each(mongodbServers())('on $name', ({name, start}) => {
  const database = newDatabaseName();
  let server: MongodbServer;
  let client: MongoClient;
  let rows: Collection<Document>;
  const engines: FullEngine[] = [];
  beforeAll(async () => {
    server = await start();
    client = new MongoClient(server.url);
    rows = client.db(database).collection('c');
  });
  afterAll(async () => {
    await Promise.all(engines.map(engine => engine.close()));
    await client?.db(database).dropDatabase();
    await client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    await rows.drop().catch(() => {});
    await rows.insertMany(
      Array.from({length: many}, (_, index) => ({_id: index, s: null})) as unknown as Document[],
    );
  });

  const open = async (): Promise<FullEngine> => {
    const checks = [{check: 'null-ids', collection: 'c', id: 's'}];
    const store = {kind: 'mongodb', url: server.url, database, checks};
    const {config} = configFromObject({environment: 'test', stores: {chat: store}});
    const engine = openEngine(config, {stateDirectory: await temporaryDirectory(), open: openConnector});
    engines.push(engine);
    return engine;
  };

  test('whoever may write has every row mended', async () => {
    const engine = await open();
    expect(await engine.run(await engine.plan(check, 'assign-ids', {}))).toMatchObject({applied: many});
    expect(await rows.countDocuments({s: null})).toBe(0);
  });

  if (name === 'MongoDB 6') {
    /** How often the server refused. */
    const whileRefused = async (mode: unknown, work: () => Promise<void>): Promise<number> => {
      const fail = (mode: unknown) =>
        client.db('admin').command({
          configureFailPoint: 'failCommand',
          mode,
          ...(mode !== 'off' && {
            data: {appName: 'sesstui', failCommands: ['findAndModify'], errorCode: 13},
          }),
        });
      const {count: before} = await fail(mode);
      try {
        await work();
      } finally {
        await fail('off');
      }
      const {count} = await fail('off');
      return count - before;
    };

    test('a run whose first write is refused ends there, with nothing written, and goes on with the right', async () => {
      const engine = await open();
      const refusals = await whileRefused('alwaysOn', async () => {
        const plan = await engine.plan(check, 'assign-ids', {});
        await expect(engine.run(plan)).rejects.toMatchObject({
          code: 'refused',
          hint: expect.stringMatching(/Nothing was changed; `sesstui resume .*` makes the changes/),
        });
      });
      expect(refusals).toBe(1);
      expect(await rows.countDocuments({s: null})).toBe(many);
      const {run, state} = (await engine.history())[0]!;
      expect(state).toBe('interrupted');
      const resumed = await engine.run(await engine.planResume(run));
      expect(resumed.failed + resumed.unknown).toBe(0);
      expect(await rows.countDocuments({s: null})).toBe(0);
    });

    test('a right that is taken away in the middle ends the run, which tells what it wrote', async () => {
      const engine = await open();
      const refusals = await whileRefused({skip: 7}, async () => {
        const result = await engine.run(await engine.plan(check, 'assign-ids', {}));
        expect(result).toMatchObject({applied: 7, interrupted: true});
        expect(result.failed).toBeGreaterThan(0);
        expect(result.faults).toHaveLength(1);
      });
      // Those under way at that moment, and the next call's first.
      expect(refusals).toBeLessThanOrEqual(5);
      expect(await rows.countDocuments({s: null})).toBe(many - 7);
    });
  }
});
