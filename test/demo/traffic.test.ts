import {ScanCommand} from '@aws-sdk/client-dynamodb';
import {MongoClient} from 'mongodb';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {parse} from 'yaml';
import {configSchema, isProduction} from '../../source/config/schema.js';
import {type Demo, demoStandIns, startDemo} from '../../source/demo/demo.js';
import {startDynamodbFront} from '../../source/demo/dynamodb-front.js';
import {Random} from '../../source/demo/random.js';
import {demoDynamodbClient} from '../../source/demo/seed-load-dynamodb.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import {type Running, startLoop} from '../../source/demo/traffic-loop.js';

const patience = {timeout: 30_000, interval: 50};
const wanted = {seed: 5, rows: 60};
/** As much as the applications write in an hour, in some seconds. */
const speed = 40;

describe('the demo', () => {
  let demo: Demo;
  let fresh: boolean;
  const stores: string[] = [];
  const names = ['chat', 'gym', 'kite', 'registry', 'rides'];

  beforeAll(async () => {
    demo = await startDemo({traffic: true, ...wanted, onReady: store => stores.push(store)});
    fresh = stores.length === 0;
    await demo.ready;
  });
  afterAll(async () => {
    await demo.close();
  });

  it('tells its configuration before any store is filled', () => {
    expect(fresh).toBe(true);
    expect(stores.toSorted()).toEqual(names);
    const config = configSchema.parse(demo.config);
    expect(Object.keys(config.stores).toSorted()).toEqual(names);
    expect(isProduction(config)).toBe(false);
  });

  it('writes the same configuration as a file that says what is a stand-in', () => {
    const yaml = demo.yaml();
    expect(parse(yaml)).toEqual(demo.config);
    const comments = yaml.replaceAll(/^\s*# ?/gm, '');
    for (const sentence of demoStandIns) expect(comments).toContain(sentence);
  });

  it('writes to every store, and stops within two seconds of close', async () => {
    await vi.waitFor(() => {
      const stats = demo.trafficStats();
      expect(Object.keys(stats).toSorted()).toEqual(names);
      for (const {writes, errors} of Object.values(stats)) expect([writes > 0, errors]).toEqual([true, 0]);
    }, patience);
    const before = performance.now();
    await demo.close();
    expect(performance.now() - before).toBeLessThan(2000);
    const client = new pg.Client(demo.config.stores.rides.url);
    client.on('error', () => {});
    await expect(client.connect()).rejects.toThrow();
  });
});

describe('without traffic', () => {
  it('the stores hold still', async () => {
    const demo = await startDemo({traffic: false, ...wanted});
    await demo.ready;
    expect(demo.trafficStats()).toEqual({});
    await demo.close();
  });

  it('a demo that is closed while it starts is gone, and says so', async () => {
    const demo = await startDemo({traffic: true, ...wanted});
    const outcome = demo.ready.then(
      () => 'filled',
      (error: Error) => error.name,
    );
    await demo.close();
    expect(await outcome).toBe('AbortError');
    expect(demo.trafficStats()).toEqual({});
  });
});

describe('live traffic', () => {
  let demo: Demo;
  let postgres: pg.Client;
  let mongo: MongoClient;
  const running: Running[] = [];

  const start = (store: keyof Demo['config']['stores']): Running => {
    const settings = demo.config.stores[store];
    const url = 'url' in settings ? settings.url : settings.endpoint;
    const loop = demoSystems.find(system => system.store === store)!.startTraffic(url, wanted, speed);
    running.push(loop);
    return loop;
  };
  const count = async (condition: string): Promise<number> =>
    Number((await postgres.query(`select count(*) from ${condition}`)).rows[0].count);
  /** Waits until a number that the store tells has grown. */
  const grows = async (number: () => Promise<number>): Promise<void> => {
    const before = await number();
    await vi.waitFor(async () => expect(await number()).toBeGreaterThan(before), patience);
  };

  beforeAll(async () => {
    demo = await startDemo({traffic: false, ...wanted});
    await demo.ready;
    postgres = new pg.Client(demo.config.stores.rides.url);
    await postgres.connect();
    mongo = await new MongoClient(demo.config.stores.chat.url).connect();
  });
  afterAll(async () => {
    await Promise.all(running.map(loop => loop.stop()));
    await postgres.end();
    await mongo.close();
    await demo.close();
  });

  it('of kite logs in under another id each time', async () => {
    const client = demoDynamodbClient(demo.config.stores.kite.endpoint);
    start('kite');
    await grows(async () => {
      const {Items} = await client.send(new ScanCommand({TableName: 'kite-sessions'}));
      return Items!.filter(({sessionId}) => !sessionId!.S!.startsWith('sess_')).length;
    });
    client.destroy();
  });

  it('of chat starts conversations without a session id, until a guard refuses them', async () => {
    const collection = mongo.db('support').collection('conversations');
    const loop = start('chat');
    await grows(() => collection.countDocuments({sessionId: {$in: [null, '']}}));
    // With the faults gone, no second document without an id gets past a unique index.
    await loop.stop();
    await collection.deleteMany({});
    await collection.createIndex({sessionId: 1}, {unique: true});
    const guarded = start('chat');
    await vi.waitFor(() => expect(guarded.stats().refusals).toBeGreaterThan(1), patience);
    expect(await collection.countDocuments({sessionId: null})).toBeLessThanOrEqual(1);
    expect(guarded.stats().errors).toBe(0);
  });

  it('of gym adds background sessions under emails as typed', async () => {
    start('gym');
    const emails = `select lower(trim(email)) from auth_sessions where session_type = 'background'`;
    await grows(() => count(`(${emails} group by 1 having count(*) > 1) t`));
  });

  it('of registry writes its keys again in another order, until a guard refuses them', async () => {
    const loop = start('registry');
    const keys =
      'select device_key, stream_id, array(select unnest(session_ids) order by 1) from app_session_keys';
    await grows(() => count(`(${keys} group by 1, 2, 3 having count(*) > 1) t`));
    await postgres.query('delete from app_session_keys');
    await postgres.query(
      'create unique index on app_session_keys (device_key, stream_id, array_length(session_ids, 1))',
    );
    await vi.waitFor(() => expect(loop.stats().refusals).toBeGreaterThan(1), patience);
    expect(loop.stats().errors).toBe(0);
  });

  it('of rides leaves waiting sessions that are some minutes old, and completes others', async () => {
    start('rides');
    const stale = `sessions where status = 'waiting' and created_at < now() - interval '14 minutes'`;
    await grows(() => count(stale));
    await grows(() => count(`sessions where status = 'completed'`));
  });
});

describe('a loop', () => {
  it('outlives its store', async () => {
    const kite = demoSystems.find(({store}) => store === 'kite')!;
    const signal = new AbortController().signal;
    const first = await startDynamodbFront();
    await kite.fill(first.endpoint, wanted, signal);
    const loop = kite.startTraffic(first.endpoint, wanted, speed);
    await vi.waitFor(() => expect(loop.stats().writes).toBeGreaterThan(0), patience);
    await first.close();
    await vi.waitFor(() => expect(loop.stats().errors).toBeGreaterThan(0), patience);

    const again = await startDynamodbFront({port: first.port});
    await kite.fill(again.endpoint, wanted, signal);
    const {writes} = loop.stats();
    await vi.waitFor(() => expect(loop.stats().writes).toBeGreaterThan(writes), patience);
    await loop.stop();
    await again.close();
  });

  it('does nothing more once it is stopped, and never two things at once', async () => {
    let most = 0;
    const startCounting = () => {
      let under = 0;
      return startLoop(
        {
          connect: async () => 'client',
          disconnect: () => {},
          isRefusal: () => false,
          step: async (_client, _random, count) => {
            most = Math.max(most, ++under);
            await new Promise(resolve => setImmediate(resolve));
            under--;
            count();
          },
        },
        new Random(1),
        1000,
      );
    };
    const first = startCounting();
    await vi.waitFor(() => expect(first.stats().writes).toBeGreaterThan(5), patience);
    await first.stop();
    const {writes} = first.stats();
    const second = startCounting();
    await vi.waitFor(() => expect(second.stats().writes).toBeGreaterThan(5), patience);
    await second.stop();
    expect([first.stats().writes, most]).toEqual([writes, 1]);
  });
});
