/** Runs as the watch and others make them on PostgreSQL, and whose sessions are told to be cancelled. */
import pg from 'pg';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {type Alerts, type AlertsOptions, openAlerts} from '../../source/watch/alerts/alerts.js';
import {openMissed} from '../../source/watch/alerts/missed.js';
import {openMemory} from '../../source/watch/memory.js';
import {openWatcher} from '../../source/watch/watcher.js';
import {temporaryDirectory} from '../support/cli.js';
import {type PostgresServer, startPglite} from '../support/postgres.js';
import {openReceiver, type Receiver} from './receiver.js';

let server: PostgresServer;
let client: pg.Client;
let engine: FullEngine;
let stateDirectory: string;
let receiver: Receiver;
let lines: string[];

const check = 'db/stale-sessions';

beforeAll(async () => {
  server = await startPglite();
  client = new pg.Client({connectionString: server.url});
  await client.connect();
});
afterAll(async () => {
  await engine.close();
  await receiver.close();
  await client.end();
  await server.stop();
});
beforeEach(async () => {
  await engine?.close();
  await receiver?.close();
  receiver = await openReceiver();
  lines = [];
  stateDirectory = await temporaryDirectory();
  await client.query(`drop table if exists sessions, session_requests;
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    insert into sessions select 's' || i, 'c' || i, 'waiting', now() - i * interval '20 minutes', now() from generate_series(0, 3) i;
    insert into session_requests select 'r' || i, 'c' || i, 's' || i, 'pending', now(), now() from generate_series(0, 3) i`);
  const {config} = configFromObject({
    environment: 'test',
    stores: {db: {kind: 'postgres', url: server.url, checks: [{check: 'stale-sessions'}]}},
  });
  engine = openEngine(config, {stateDirectory, open: openConnector});
});

const open = (more: Partial<AlertsOptions> = {}): Alerts =>
  openAlerts({
    memory: openMemory(stateDirectory),
    environment: 'test',
    webhook: receiver.url,
    secret: null,
    log: (level, text) => void lines.push(`${level} ${text}`),
    redact: text => text,
    missed: openMissed(stateDirectory, engine),
    ...more,
  });

const cancel = async (customer: string): Promise<string> =>
  (await engine.run(await engine.plan(check, 'cancel', {customer}))).run!;

const told = (): [string | undefined, string[] | undefined][] =>
  receiver.posts.flatMap(({body: {alert, run, customers}}) =>
    alert === 'sessions-cancelled' ? [[run, customers]] : [],
  );

test('a run by hand is told with its customers when the watch runs, or starts again; those of before are not', async () => {
  await cancel('c1');
  const first = open();
  await first.close();
  const second = await cancel('c2');
  const next = open();
  await receiver.until(posts => posts.length === 1);
  await next.close();
  const again = open();
  await again.close();
  expect(told()).toEqual([[second, ['c2']]]);
});

test('a run that was taken back before it was told is not told', async () => {
  await open().close();
  const run = await cancel('c1');
  await engine.run(await engine.planUndo(run));
  await open().close();
  expect(receiver.posts).toEqual([]);
  expect(lines).toEqual([]);
});

test('a run in another environment with the same state directory is not told as one of this', async () => {
  await open().close();
  const {config} = configFromObject({
    environment: 'staging',
    stores: {db: {kind: 'postgres', url: server.url, checks: [{check: 'stale-sessions'}]}},
  });
  const staging = openEngine(config, {stateDirectory, open: openConnector});
  const other = await staging.run(await staging.plan(check, 'cancel', {customer: 'c1'}));
  await staging.close();
  expect(other.applied).toBe(1);
  const own = await cancel('c2');
  await open().close();
  expect(told()).toEqual([[own, ['c2']]]);
});

test('a store that can not be asked now keeps a run until it can', async () => {
  await open().close();
  const run = await cancel('c3');
  const missed = openMissed(stateDirectory, engine);
  const none = {started: '2026-01-01T00:00:00.000Z', runs: new Set<string>()};
  const {store} = engine.checker(check);
  const ask = store.ask;
  store.ask = () => Promise.reject(new Error('down'));
  expect(await missed(none)).toEqual([]);
  store.ask = ask;
  expect(await missed(none)).toMatchObject([{run, applied: 1, customers: ['c3'], check, store: 'db'}]);
});

test('a watch that cleans posts whose sessions it cancelled, once for the run', async () => {
  const alerts = open();
  const watcher = openWatcher(engine, {
    everyMs: 200,
    stateDirectory,
    clean: {note: 'watch', confirmed: []},
  });
  watcher.listen(alerts.round);
  watcher.start();
  await receiver.until(() => told().length === 1);
  await client.query(
    `insert into sessions values ('late', 'c9', 'waiting', now() - interval '1 hour', now())`,
  );
  await receiver.until(() => told().length === 2);
  await watcher.stop();
  await alerts.close();
  expect(told().map(([, customers]) => customers!.toSorted())).toEqual([['c1', 'c2', 'c3'], ['c9']]);
  const names = receiver.posts.map(({body}) => body.alert);
  expect(names).toEqual(['sessions-cancelled', 'sessions-cancelled']);
  expect(receiver.posts[0]!.body).toMatchObject({count: 3, store: 'db', check, environment: 'test'});
});
