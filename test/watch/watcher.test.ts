/** The watch on PostgreSQL: what it sees, what it cleans, what it leaves alone, and what is left after a kill. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type pg from 'pg';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {readAudit} from '../../source/engine/disk/audit.js';
import {outcomesOf, readRun} from '../../source/engine/disk/run-files.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import {openMemory} from '../../source/watch/memory.js';
import {openWatcher, type Watcher, type WatchOptions} from '../../source/watch/watcher.js';
import {temporaryDirectory} from '../support/cli.js';
import {onPglite} from '../support/on-postgres.js';
import type {PostgresServer} from '../support/postgres.js';
import {roundsOf, standingClock} from './watching.js';

let server: PostgresServer;
let client: pg.Client;
let stateDirectory: string;
const closers: (() => Promise<unknown>)[] = [];

onPglite((started, connected) => {
  server = started;
  client = connected;
});
beforeEach(async () => {
  stateDirectory = await temporaryDirectory();
  await client.query(`drop table if exists sessions, session_requests, keys cascade;
    create table sessions (id text primary key, customer_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table session_requests (id text primary key, customer_id text, session_id text, status text, created_at timestamptz, updated_at timestamptz);
    create table keys (id int primary key, account text, seen timestamptz);
    insert into keys values (1, 'a', now()), (2, 'a', now() - interval '1 hour'), (3, 'b', now());
    insert into sessions values ('live', 'c9', 'live', now() - interval '9 days', now()),
      ('fresh', 'c8', 'waiting', now(), now())`);
  await stale(4);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Waiting sessions of the customers c0, c1 and c2, some of the same one. */
const stale = (count: number, name = 's'): Promise<unknown> =>
  client.query(
    `insert into sessions select $2 || i, 'c' || i % 3, 'waiting', now() - interval '20 minutes', now() from generate_series(0, $1 - 1) i`,
    [count, name],
  );

const engineOn = (
  settings: object = {},
  checks: object[] = [{check: 'stale-sessions'}],
  url = server.url,
) => {
  const {config} = configFromObject({
    environment: 'test',
    ...settings,
    stores: {db: {kind: 'postgres', url, checks}},
  });
  const engine = openEngine(config, {stateDirectory, open: openConnector});
  closers.push(() => engine.close());
  return engine;
};

const watching = (engine: FullEngine, options: Partial<WatchOptions> = {}) => {
  const clock = standingClock();
  const logged: string[] = [];
  const watcher: Watcher = openWatcher(engine, {
    everyMs: 60_000,
    stateDirectory,
    clean: null,
    clock,
    random: () => 1,
    log: (level, check, text) => logged.push(`${level} ${check}: ${text}`),
    ...options,
  });
  const next = roundsOf(watcher);
  closers.push(() => watcher.stop());
  return {watcher, clock, next, logged};
};

const cleaning = {clean: {note: 'watch', confirmed: []}};
const statuses = async (): Promise<Record<string, string>> => {
  const {rows} = await client.query('select id, status from sessions order by id');
  return Object.fromEntries(rows.map(({id, status}) => [id, status]));
};
const idle = {runs: [], customers: {}, refused: []};

test('a look tells the counts, the sessions by status and how many customers are blocked, and writes nothing', async () => {
  const {watcher, next} = watching(engineOn());
  const before = await statuses();
  watcher.start();
  const round = await next();
  expect(round).toMatchObject({
    environment: 'test',
    ...idle,
    stores: [{store: 'db', state: 'up'}],
    look: {
      store: 'db',
      check: 'db/stale-sessions',
      kind: 'stale-sessions',
      status: 'fail',
      total: 4,
      byReason: {'stale-waiting': 4, orphaned: 4},
      sessions: {live: 1, waiting: 5},
      blockedCustomers: 3,
    },
  });
  expect(watcher.rounds()).toEqual([round]);
  expect(await statuses()).toEqual(before);
});

test('a check of another kind has no sessions to tell of', async () => {
  const {watcher, next} = watching(
    engineOn({}, [{check: 'duplicates', table: 'keys', groupBy: ['account'], latestBy: ['seen']}]),
  );
  watcher.start();
  expect((await next()).look).toMatchObject({total: 1, sessions: null, blockedCustomers: null});
});

test('what is stale is cancelled with a run, its customers are told, and active and fresh sessions are left', async () => {
  const engine = engineOn();
  const {watcher, clock, next} = watching(engine, cleaning);
  watcher.start();
  const round = await next();
  expect(round.look).toMatchObject({
    status: 'pass',
    total: 0,
    sessions: {live: 1, waiting: 1, cancelled: 4},
    blockedCustomers: 0,
  });
  expect(round.runs).toMatchObject([{action: 'cancel', planned: 4, applied: 4, remaining: 0}]);
  expect(round.customers).toEqual({[round.runs[0]!.run!]: ['c0', 'c1', 'c2']});
  expect(await statuses()).toMatchObject({live: 'live', fresh: 'waiting', s0: 'cancelled', s3: 'cancelled'});
  expect((await engine.history())[0]).toMatchObject({note: 'watch', state: 'done', applied: 4});
  await clock.go();
  // Nothing to do: no run, and so no files.
  expect(await next()).toMatchObject(idle);
  expect(await engine.history()).toHaveLength(1);
});

test('a store that can not be reached is an error of its own look, and the other checks go on', async () => {
  const {config} = configFromObject({
    environment: 'test',
    stores: {
      gone: {kind: 'postgres', url: 'postgres://127.0.0.1:1/x', checks: [{check: 'stale-sessions'}]},
      db: {kind: 'postgres', url: server.url, checks: [{check: 'stale-sessions'}]},
    },
  });
  const engine = openEngine(config, {stateDirectory, open: openConnector});
  closers.push(() => engine.close());
  const {watcher, clock, next} = watching(engine, cleaning);
  watcher.start();
  await clock.go();
  const first = [await next(), await next()];
  await clock.go(2);
  const looks = [...first, await next(), await next()].map(
    ({look}) => `${look.store} ${look.error?.code ?? look.status}`,
  );
  expect(looks.filter(text => text === 'gone unreachable')).toHaveLength(2);
  expect(looks.filter(text => text === 'db pass')).toHaveLength(2);
});

test('a look is not begun before the one before it, and what follows it, have ended', async () => {
  let under = 0;
  let most = 0;
  let looks = 0;
  const engine = openEngine(engineConfig(), {
    stateDirectory,
    open: async (...given) => {
      const connector = await openConnector(...given);
      const survey: typeof connector.survey = async (form, options) => {
        under++;
        most = Math.max(most, under);
        try {
          return await connector.survey(form, options);
        } finally {
          under--;
        }
      };
      return new Proxy(connector, {
        get: (of, name) => {
          const own: unknown = name === 'survey' ? survey : Reflect.get(of, name);
          return typeof own === 'function' ? own.bind(of) : own;
        },
      });
    },
  });
  closers.push(() => engine.close());
  const {watcher, clock, next} = watching(engine);
  let following = false;
  watcher.listen(async () => {
    expect(following).toBe(false);
    following = true;
    looks++;
    // A listener that takes its time, over several turns of the loop.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    following = false;
  });
  watcher.start();
  watcher.start();
  for (let time = 0; time < 5; time++) {
    await next();
    await clock.go();
  }
  await watcher.stop();
  expect(looks).toBeGreaterThanOrEqual(5);
  expect(most).toBe(1);
});

const engineConfig = () =>
  configFromObject({
    environment: 'test',
    stores: {db: {kind: 'postgres', url: server.url, checks: [{check: 'stale-sessions'}]}},
  }).config;

test('in production a plan over the limits is refused and told, the others are carried out, and the watch goes on', async () => {
  const settings = {environment: 'prod', limits: {changes: 3, share: 1, scan: 1000}};
  const checks = [
    {check: 'stale-sessions'},
    {check: 'duplicates', table: 'keys', groupBy: ['account'], latestBy: ['seen']},
  ];
  const engine = engineOn(settings, checks);
  const {watcher, clock, next} = watching(engine, {clean: {note: 'watch', confirmed: ['prod']}});
  watcher.start();
  await clock.go();
  const rounds = [await next(), await next()];
  const [sessions, keys] = ['db/stale-sessions', 'db/duplicates'].map(
    check => rounds.find(({look}) => look.check === check)!,
  );
  expect(sessions).toMatchObject({
    runs: [],
    refused: [
      {action: 'cancel', text: '4 changes are more than limits.changes (3): it needs --confirm prod:4'},
    ],
  });
  expect(keys).toMatchObject({refused: [], runs: [{action: 'keep-latest', applied: 1}], look: {total: 0}});
  await client.query(`delete from sessions where id = 's3'`);
  const again: string[] = [];
  while (!again.includes('db/stale-sessions 3')) {
    await clock.go();
    const {look, runs} = await next();
    again.push(`${look.check} ${runs[0]?.applied ?? 0}`);
  }
  expect(Object.values(await statuses()).filter(status => status === 'cancelled')).toHaveLength(3);
});

test('without its name nothing is carried out in production', async () => {
  const {watcher, next} = watching(
    engineOn({environment: 'prod', limits: {changes: 100, share: 1, scan: 1000}}),
    cleaning,
  );
  const before = await statuses();
  watcher.start();
  expect((await next()).refused).toEqual([
    {action: 'cancel', text: 'this is production: it needs --confirm prod'},
  ]);
  expect(await statuses()).toEqual(before);
});

/** Rows that were applied by any run of a state directory, by key; with how often. */
const appliedIn = async (directory: string): Promise<string[]> => {
  const runs = (await readAudit(directory))
    .filter(({event}) => event === 'run')
    .map(({run}) => run as string);
  const keys: string[] = [];
  for (const run of runs) {
    const {journal} = await readRun(directory, run);
    const done = [...outcomesOf(journal).values()].filter(({result}) => result === 'applied');
    for (const {after} of done) keys.push(JSON.stringify(after?.identity.at));
  }
  return keys;
};

test.each(['one state directory', 'a state directory each'])(
  'two watchers with %s clean each row once',
  async how => {
    await stale(60, 't');
    const other = how === 'one state directory' ? stateDirectory : await temporaryDirectory();
    const first = watching(engineOn(), cleaning);
    const theirs = openEngine(engineConfig(), {stateDirectory: other, open: openConnector});
    closers.push(() => theirs.close());
    const second = watching(theirs, {...cleaning, stateDirectory: other});
    const directories = [...new Set([stateDirectory, other])];
    first.watcher.start();
    second.watcher.start();
    for (let time = 0; time < 4; time++) {
      await Promise.all([first.next(), second.next()]);
      await stale(10, `u${time}-`);
      await first.clock.go();
      await second.clock.go();
    }
    await Promise.all([first.watcher.stop(), second.watcher.stop()]);
    const keys = (await Promise.all(directories.map(appliedIn))).flat();
    expect(keys.length).toBeGreaterThanOrEqual(64);
    expect(new Set(keys).size).toBe(keys.length);
  },
);

/** A watch that is stopped after the first chunk of a run, as SIGTERM does it. */
const cutShort = async (engine: FullEngine) => {
  await stale(150, 'many');
  let watcher: Watcher | undefined;
  // Stops as soon as the first chunk is on disk.
  const run: FullEngine['run'] = (plan, options) =>
    engine.run(plan, {...options, onProgress: ({phase}) => phase === 'changes' && void watcher!.stop()});
  const stoppable = Object.create(engine, {run: {value: run}}) as FullEngine;
  const first = watching(stoppable, cleaning);
  watcher = first.watcher;
  watcher.start();
  const round = await first.next();
  await watcher.stop();
  expect(round.runs).toMatchObject([{planned: 154, interrupted: true}]);
  return round.runs[0]!;
};

test('a stop finishes the chunk in hand and journals it; the next start finishes the run and tells the rest', async () => {
  const engine = engineOn();
  const cut = await cutShort(engine);
  expect(cut.applied).toBeGreaterThan(0);
  expect(cut.applied).toBeLessThan(154);
  expect((await engine.history())[0]).toMatchObject({
    run: cut.run,
    state: 'interrupted',
    applied: cut.applied,
  });
  const {watcher, next} = watching(engine, cleaning);
  watcher.start();
  const round = await next();
  expect(round.runs).toMatchObject([{run: cut.run, applied: 154, interrupted: false}]);
  expect(round.customers[cut.run!]).toEqual(['c0', 'c1', 'c2']);
  expect(round.look.total).toBe(0);
  await watcher.stop();
  expect((await engine.history()).map(({run, state}) => [run, state])).toEqual([[cut.run, 'done']]);
});

test('while a run goes on, its loop is heard to get on', async () => {
  const engine = engineOn();
  await stale(150, 'many');
  let heard = 0;
  const during: number[] = [];
  const run: FullEngine['run'] = (plan, options = {}) => {
    const onProgress: typeof options.onProgress = progress => {
      options.onProgress!(progress);
      if (progress.phase === 'changes') during.push(heard);
    };
    return engine.run(plan, {...options, onProgress});
  };
  const {watcher, next} = watching(Object.create(engine, {run: {value: run}}) as FullEngine, cleaning);
  watcher.follow(check => {
    expect(check).toBe('db/stale-sessions');
    heard++;
  });
  watcher.start();
  await next();
  expect(during.length).toBeGreaterThan(1);
  expect(during.at(-1)! - during[0]!).toBe(during.length - 1);
});

test('what another environment left in the same state directory is not finished, told or forgotten', async () => {
  const staging = engineOn({environment: 'staging'});
  const cut = await cutShort(staging);
  const {watcher, next} = watching(engineOn(), cleaning);
  watcher.start();
  const round = await next();
  expect(round.runs.map(({run}) => run)).not.toContain(cut.run);
  expect(round.refused).toEqual([]);
  await watcher.stop();
  expect(await staging.history()).toContainEqual(
    expect.objectContaining({run: cut.run, state: 'interrupted', applied: cut.applied}),
  );
  const own = watching(staging, cleaning);
  own.watcher.start();
  expect((await own.next()).runs).toMatchObject([{run: cut.run, interrupted: false}]);
});

test('a watch that only looks says that a run was cut off, and leaves it', async () => {
  const engine = engineOn();
  const cut = await cutShort(engine);
  const {watcher, next, logged} = watching(engine);
  watcher.start();
  expect((await next()).runs).toEqual([]);
  expect(logged).toEqual([
    `warn db/stale-sessions: run ${cut.run} of a watch was cut off: \`sesstui resume ${cut.run}\`, or watch with --clean`,
  ]);
});

test('a run that had ended when the watch was killed is told by the next one, once', async () => {
  const engine = engineOn();
  await openMemory(stateDirectory).update('cleaning test db/stale-sessions', () => ({
    since: new Date().toISOString(),
    note: 'watch',
  }));
  const plan = await engine.plan('db/stale-sessions', 'cancel', {});
  const {run} = await engine.run(plan, {note: 'watch'});
  // Somebody's own run of that time is theirs to tell of.
  await stale(1, 'x');
  await engine.run(await engine.plan('db/stale-sessions', 'cancel', {}), {note: 'by hand'});
  const {watcher, clock, next} = watching(engine, cleaning);
  watcher.start();
  const round = await next();
  expect(round.runs).toMatchObject([{run, applied: 4, planned: 4, dryRun: false}]);
  expect(round.customers).toEqual({[run!]: ['c0', 'c1', 'c2']});
  await clock.go();
  expect(await next()).toMatchObject(idle);
});

test('what can not be finished under another configuration is told and left to a person', async () => {
  const cut = await cutShort(engineOn());
  const engine = engineOn({}, [{check: 'stale-sessions', waitingAfter: '10m'}]);
  const {watcher, clock, next} = watching(engine, cleaning);
  watcher.start();
  const round = await next();
  expect(round.refused).toMatchObject([{action: `resume ${cut.run}`}]);
  // The check is cleaned all the same.
  expect(round.look.total).toBe(0);
  expect(round.runs).toHaveLength(1);
  await clock.go();
  expect(await next()).toMatchObject(idle);
});

test('a store that takes no change is not tried again with every look', async () => {
  await client.query(`create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$;
    create trigger refuse before update on sessions for each row execute function refuse()`);
  const engine = engineOn();
  const {watcher, clock, next} = watching(engine, cleaning);
  watcher.start();
  const rounds = [];
  for (let time = 0; time < 5; time++) {
    rounds.push(await next());
    await clock.go();
  }
  expect(rounds.map(({runs}) => runs.length).slice(0, 3)).toEqual([1, 1, 0]);
  expect(rounds.at(-1)!.refused[0]!.text).toMatch(/tried 2 times, and again in/);
  expect((await engine.history()).length).toBeLessThanOrEqual(2);
  await watcher.stop();
});

test('a state directory that can not be used stops the cleaning, not the looking', async () => {
  const file = join(stateDirectory, 'watch');
  await writeFile(file, '');
  const {watcher, next} = watching(engineOn(), cleaning);
  const before = await statuses();
  watcher.start();
  const round = await next();
  expect(round.look.total).toBe(4);
  expect(round.refused).toMatchObject([{action: 'clean'}]);
  expect(await statuses()).toEqual(before);
  expect(await readFile(file, 'utf8')).toBe('');
});

test('a listener that fails is told, and the watch goes on', async () => {
  const {watcher, clock, next, logged} = watching(engineOn());
  watcher.listen(() => {
    throw new RangeError('mine');
  });
  watcher.start();
  await next();
  await clock.go();
  await next();
  expect(logged[0]).toBe('error db/stale-sessions: what follows the watch failed: mine');
});

test('sessions by status are counted only where that reads no more than limits.scan, or it is allowed', async () => {
  await client.query('create index on sessions (created_at); create index on session_requests (created_at)');
  await client.query('analyze');
  const settings = {environment: 'prod', limits: {changes: 100, share: 1, scan: 1}};
  const engine = engineOn(settings);
  const {watcher, next} = watching(engine);
  watcher.start();
  expect((await next()).look).toMatchObject({status: 'fail', sessions: null});
  expect((await engine.health()).checks[0]).toMatchObject({status: 'error', error: {code: 'scan-limit'}});
  const allowed = watching(engine, {allowScan: true});
  allowed.watcher.start();
  expect((await allowed.next()).look.sessions).toMatchObject({waiting: expect.any(Number)});
});
