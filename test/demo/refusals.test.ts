/** The demo tells which of its applications' faulty writes are stored, and which a guard turns down. */
import {spawn} from 'node:child_process';
import {join, resolve} from 'node:path';
import {MongoClient} from 'mongodb';
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {parse} from 'yaml';
import {type Demo, startDemo} from '../../source/demo/demo.js';
import {demoSystems} from '../../source/demo/seed-stores.js';
import type {Running} from '../../source/demo/traffic-loop.js';
import {type FaultyWrites, faultyWritesText} from '../../source/faulty-writes.js';
import {cliPath, temporaryDirectory} from '../support/cli.js';
import {openScreen} from '../support/screen.js';

const patience = {timeout: 30_000, interval: 50};
const wanted = {seed: 5, rows: 60};
const speed = 40;

/** What keeps each system's fault out, as a guard would, with the rows gone that are in its way. */
const ridesTrigger = `
  create function cancel_stale() returns trigger language plpgsql as $$ begin
    update sessions set status = 'cancelled', updated_at = now()
      where customer_id = new.customer_id and status = 'waiting' and created_at < now() - interval '10 minutes';
    return new;
  end $$;
  create trigger cancel_stale before insert on sessions for each row execute function cancel_stale()`;
/** With the no-break space, which JavaScript trims. */
const norm = (email: string): string => `lower(btrim(${email}, E' \\t\\u00a0'))`;
const gymIndex = `
  delete from auth_sessions a using auth_sessions b where a.ctid > b.ctid and a.session_type = 'background'
    and b.session_type = 'background' and ${norm('a.email')} = ${norm('b.email')};
  create unique index one_background on auth_sessions (${norm('email')}) where session_type = 'background'`;
const registryIndex = `
  create function sorted(varchar[]) returns varchar[] language sql immutable
    as 'select array(select x from unnest($1) x order by 1)';
  delete from app_session_keys a using app_session_keys b where a.ctid > b.ctid and a.device_key = b.device_key
    and a.stream_id = b.stream_id and sorted(a.session_ids) = sorted(b.session_ids);
  create unique index once on app_session_keys (device_key, stream_id, sorted(session_ids))`;

describe('faulty writes', () => {
  let demo: Demo;
  let postgres: pg.Client;
  const running: Running[] = [];

  const start = (store: keyof Demo['config']['stores']): Running => {
    const settings = demo.config.stores[store];
    const url = 'url' in settings ? settings.url : settings.endpoint;
    const loop = demoSystems.find(system => system.store === store)!.startTraffic(url, wanted, speed);
    running.push(loop);
    return loop;
  };
  const faulty = (loop: Running): FaultyWrites => loop.stats().faulty;
  const reaches = (loop: Running, count: 'stored' | 'refused' | 'mended', number: number): Promise<void> =>
    vi.waitFor(() => expect(faulty(loop)[count]).toBeGreaterThanOrEqual(number), patience);
  const count = async (condition: string): Promise<number> =>
    Number((await postgres.query(`select count(*) from ${condition}`)).rows[0].count);
  const sound = (loop: Running): void => expect(loop.stats().errors).toBe(0);

  beforeAll(async () => {
    demo = await startDemo({traffic: false, ...wanted});
    await demo.ready;
    postgres = new pg.Client(demo.config.stores.rides.url);
    await postgres.connect();
  });
  afterAll(async () => {
    await Promise.all(running.map(loop => loop.stop()));
    await postgres.end();
    await demo.close();
  });

  const twice = {
    registry: `(select from app_session_keys group by device_key, stream_id,
      array(select x from unnest(session_ids) x order by 1) having count(*) > 1) t`,
    gym: `(select from auth_sessions where session_type = 'background' group by ${norm('email')} having count(*) > 1) t`,
  };
  it.each([
    ['registry', registryIndex],
    ['gym', gymIndex],
  ] as const)('of %s are refused from the moment of the guard on, and others go in', async (store, guard) => {
    const loop = start(store);
    await reaches(loop, 'stored', 2);
    expect(faulty(loop).refused).toBe(0);
    // In one message, so that nothing is written in between.
    await postgres.query(guard);
    const {stored} = faulty(loop);
    const {writes} = loop.stats();
    await reaches(loop, 'refused', 3);
    await vi.waitFor(() => expect(loop.stats().writes).toBeGreaterThan(writes + 1), patience);
    expect(faulty(loop).stored).toBeLessThanOrEqual(stored + 1);
    expect(await count(twice[store])).toBe(0);
    sound(loop);
    await loop.stop();
  });

  it('of chat are refused by a validator, and conversations with an id go in', async () => {
    const mongo = await new MongoClient(demo.config.stores.chat.url).connect();
    const database = mongo.db('support');
    const collection = database.collection('conversations');
    const first = start('chat');
    await reaches(first, 'stored', 2);
    await first.stop();
    await collection.deleteMany({});
    const required = {
      bsonType: 'object',
      required: ['sessionId'],
      properties: {sessionId: {bsonType: 'string', minLength: 1}},
    };
    await database.command({collMod: 'conversations', validator: {$jsonSchema: required}});
    const loop = start('chat');
    await reaches(loop, 'refused', 3);
    await vi.waitFor(() => expect(loop.stats().writes).toBeGreaterThan(2), patience);
    expect(faulty(loop).stored).toBe(0);
    expect(await collection.countDocuments({sessionId: {$in: [null, '']}})).toBe(0);
    sound(loop);
    await mongo.close();
  });

  it('of rides: a customer who comes back is blocked by the session that was left, until a guard cancels it', async () => {
    const before = start('rides');
    await reaches(before, 'stored', 2);
    expect(faulty(before)).toMatchObject({refused: 0, mended: 0});
    await before.stop();
    await postgres.query(ridesTrigger);
    const loop = start('rides');
    await reaches(loop, 'mended', 2);
    expect(faulty(loop)).toMatchObject({refused: 0, stored: 0});
    sound(loop);
  });

  it('of kite go on, and it is said why', async () => {
    const loop = start('kite');
    await reaches(loop, 'stored', 2);
    expect(faulty(loop)).toMatchObject({
      refused: 0,
      mended: 0,
      never: expect.stringMatching(/no constraint/),
    });
  });

  it('are told in a line', () => {
    expect(faultyWritesText({stored: 14, refused: 9, mended: 0, never: null})).toBe(
      'faulty writes: 14 stored, 9 refused',
    );
    expect(faultyWritesText({stored: 1, refused: 0, mended: 2, never: null})).toBe(
      'faulty writes: 1 stored, 0 refused, 2 put right',
    );
    expect(faultyWritesText({stored: 1, refused: 0, mended: 0, never: 'no rule'})).toBe(
      'faulty writes: 1 stored, 0 refused (no rule)',
    );
  });
});

it('the screen holds the counts that arrive, and none before', () => {
  const {state, send} = openScreen();
  expect(state().refusals).toBeNull();
  const writes = {registry: {stored: 14, refused: 9, mended: 0, never: null}};
  send({type: 'traffic', writes});
  expect(state().refusals).toEqual(writes);
});

it('the demo behind a screen sends its counts', async () => {
  const {startDemoBehind} = await import(resolve(import.meta.dirname, '../../dist/source/demo/behind.js'));
  const told: Record<string, FaultyWrites>[] = [];
  const behind = await startDemoBehind({
    traffic: true,
    ...wanted,
    onTraffic: (writes: Record<string, FaultyWrites>) => told.push(writes),
  });
  try {
    await vi.waitFor(() => expect(told.at(-1)?.registry?.stored).toBeGreaterThan(0), patience);
    expect(told.at(-1)!.kite!.never).not.toBeNull();
  } finally {
    await behind.close();
  }
});

it('the command says when a guard begins to hold, and the counts at the end', async () => {
  const folder = await temporaryDirectory();
  const child = spawn(process.execPath, [cliPath, 'demo', '--rows', '60'], {cwd: folder});
  const ended = new Promise<number | null>(done => child.on('close', done));
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', chunk => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', chunk => {
    err += chunk;
  });
  try {
    await vi.waitFor(() => expect(out).toContain('are ready'), patience);
    const {readFile} = await import('node:fs/promises');
    const config = parse(await readFile(join(folder, 'sesstui.yaml'), 'utf8'));
    const client = new pg.Client(config.stores.registry.url);
    await client.connect();
    await client.query(registryIndex);
    await client.end();
    await vi.waitFor(
      () => expect(err).toMatch(/registry: a guard holds, faulty writes: .*[1-9]\d* refused/),
      {
        ...patience,
        timeout: 45_000,
      },
    );
  } finally {
    child.kill('SIGINT');
  }
  await ended;
  expect(err).toMatch(/^registry: faulty writes: \d+ stored, [1-9]\d* refused$/m);
  expect(err).toMatch(/^kite: faulty writes: \d+ stored, 0 refused \(DynamoDB has no constraint/m);
}, 90_000);
