/** Guards on a table that others write to, hold and abandon: what an install must not hold up, and what it leaves behind. */
import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import type {Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {readTable, tableStatement} from '../../connectors/postgres/catalogue.js';
import {usualLimits} from '../../connectors/postgres/guards/limits.js';
import {openPostgres} from '../../connectors/postgres/index.js';
import {predicate} from '../../connectors/postgres/predicates.js';
import {Binder} from '../../connectors/postgres/sql.js';
import type {Connector} from '../../source/connector.js';
import {gymTables} from '../../source/demo/seed-gym.js';
import type {GuardKeeper} from '../../source/guards.js';
import {freshRegistry, migration} from '../library/registry-bench.js';
import {catalogueDump} from '../support/catalogue-dump.js';
import {onPostgres} from '../support/on-postgres.js';
import {openClient, type PostgresServer, postgresServers} from '../support/postgres.js';
import {openProxy} from '../support/postgres-proxy.js';
import {bothRules, install, mend, sortedRule, table, uninstall} from './guards-arrays-bench.js';
import {buildStep, move, named, type Opened, oneBackground, openKeeper} from './postgres-guards-harness.js';
import {settings} from './postgres-harness.js';

const run = promisify(execFile);

const quick = {...usualLimits, lockMs: 50, retryMs: 400, concurrentMs: 400, otherMs: 200, lookMs: 20};

// A server of one backend has none of these faults to offer, so this file is left out where there is none but that.
describe.each(postgresServers)('guards under faults on $name', ({start}) => {
  let server: PostgresServer;
  let client: pg.Client;
  let blocker: pg.Client;
  let before: string;
  let folder: string;
  const opened: Opened[] = [];
  const sql = (text: string) => client.query(text);
  const keeperWith = (limits = usualLimits): GuardKeeper => {
    const own = openKeeper(server, {limits});
    opened.push(own);
    return own.keeper;
  };
  const building = (more = '') =>
    vi.waitFor(async () => {
      const {rows} = await sql(
        `select pid from pg_stat_activity where query ilike 'create unique index concurrently%' and state = 'active' ${more}`,
      );
      expect(rows).toHaveLength(1);
      return (rows[0] as {pid: number}).pid;
    }, 10_000);

  onPostgres(start, (started, connected) => {
    server = started;
    client = connected;
  });
  beforeEach(async () => {
    await sql(`drop schema public cascade; create schema public; ${gymTables}`);
    before = await catalogueDump(client);
    blocker = await openClient(server);
    folder = await mkdtemp(join(tmpdir(), 'sesstui-guards-'));
  });
  afterEach(async () => {
    await blocker.end();
    await rm(folder, {recursive: true});
    for (const {close} of opened.splice(0)) await close();
  });

  test('eight writers go on while it is installed: none is refused but for second sessions, and no row is lost', async () => {
    const keeper = keeperWith();
    const writers = await Promise.all(Array.from({length: 8}, () => openClient(server)));
    let stopped = false;
    const stored: number[] = [];
    const errors: unknown[] = [];
    const write = async (writer: pg.Client, index: number): Promise<void> => {
      for (let n = 0; !stopped; n++) {
        await writer
          .query("insert into auth_sessions (email, session_type) values ($1, 'background')", [
            `${index}-${n}@b.c`,
          ])
          .then(
            () => stored.push(n),
            error => errors.push(error),
          );
        await writer
          .query('update auth_sessions set updated_at = now() where email = $1', [`${index}-${n}@b.c`])
          .catch(error => errors.push(error));
      }
    };
    const writing = writers.map(write);
    await vi.waitFor(() => expect(stored.length).toBeGreaterThan(100), 10_000);
    for (let round = 0; round < 3; round++) {
      expect(await move(keeper, oneBackground, 'install')).toEqual(['done', 'done', 'done']);
      await expect(
        sql("insert into auth_sessions (email, session_type) values ('0-0@B.c', 'background')"),
      ).rejects.toMatchObject({code: '23505'});
      if (round < 2) expect(await move(keeper, oneBackground, 'uninstall')).toEqual(['done']);
    }
    stopped = true;
    await Promise.all(writing);
    expect(errors).toEqual([]);
    expect((await sql('select count(*)::int as n from auth_sessions')).rows).toEqual([{n: stored.length}]);
    expect((await keeper.state(oneBackground)).state).toBe('installed');
    await Promise.all(writers.map(writer => writer.end()));
  });

  test('whoever is in the way is told, and is waited for', async () => {
    const keeper = keeperWith({...usualLimits, lookMs: 20});
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const [{pid}] = (await blocker.query('select pg_backend_pid() as pid')).rows as [{pid: number}];
    const texts: string[] = [];
    const step = await buildStep(keeper);
    const pending = keeper.perform(oneBackground, 'install', step, {
      before: null,
      onProgress: text => texts.push(text),
    });
    await vi.waitFor(
      () => expect(texts.join('\n')).toContain(`waiting for process ${pid} (idle in transaction, for`),
      10_000,
    );
    // Meanwhile nobody is held up.
    await sql("insert into auth_sessions (email, session_type) values ('a@b.c', 'background')");
    await blocker.query('commit');
    expect(await pending).toBe('done');
    expect((await keeper.state(oneBackground)).state).toBe('installed');
  });

  test('a transaction that is in the way for too long is named, and no broken index stays once it is gone', async () => {
    const keeper = keeperWith(quick);
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const [{pid}] = (await blocker.query('select pg_backend_pid() as pid')).rows as [{pid: number}];
    const step = await buildStep(keeper);
    const failure = await keeper.perform(oneBackground, 'install', step, {before: null}).then(
      () => null,
      error => error,
    );
    expect(failure).toMatchObject({code: 'timeout', hint: expect.stringContaining(`process ${pid} (`)});
    await blocker.query('rollback');
    await move(keeper, oneBackground, 'uninstall');
    expect(await catalogueDump(client)).toBe(before);
  });

  test('an abort ends the build on the server, and what was left of it is removed', async () => {
    const keeper = keeperWith();
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const abort = new AbortController();
    const step = await buildStep(keeper);
    const pending = keeper.perform(oneBackground, 'install', step, {before: null, signal: abort.signal});
    const caught = pending.then(
      () => null,
      error => error,
    );
    await building("and wait_event_type = 'Lock'");
    abort.abort();
    await vi.waitFor(async () => {
      const {rows} = await sql(
        "select from pg_stat_activity where query ilike 'create unique index concurrently%' and state = 'active'",
      );
      expect(rows).toHaveLength(0);
    }, 10_000);
    await blocker.query('rollback');
    expect(await caught).toMatchObject({code: 'interrupted'});
    await move(keeper, oneBackground, 'uninstall');
    expect(await catalogueDump(client)).toBe(before);
  });

  test('a second install at the same time is told so', async () => {
    const [first, second] = [keeperWith(), keeperWith(quick)];
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const step = await buildStep(first);
    const pending = first.perform(oneBackground, 'install', step, {before: null});
    await building();
    await expect(second.perform(oneBackground, 'install', step, {before: null})).rejects.toMatchObject({
      code: 'usage',
      message: 'Another install is under way on auth_sessions.',
    });
    await blocker.query('rollback');
    expect(await pending).toBe('done');
    expect(await second.perform(oneBackground, 'install', step, {before: null})).toBe('done');
  });

  test('an install that lost its connection half-way is gone on with by the next', async () => {
    const keeper = keeperWith();
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const step = await buildStep(keeper);
    const caught = keeper.perform(oneBackground, 'install', step, {before: null}).then(
      () => null,
      error => error,
    );
    const pid = await building("and wait_event_type = 'Lock'");
    await sql(`select pg_terminate_backend(${pid})`);
    expect(await caught).toMatchObject({code: 'unreachable'});
    expect((await keeper.state(oneBackground)).state).toBe('drifted');
    await blocker.query('rollback');
    expect(await move(keeper, oneBackground, 'install')).toEqual(['done', 'done', 'done']);
    expect((await keeper.state(oneBackground)).state).toBe('installed');
    expect(await move(keeper, oneBackground, 'uninstall')).toEqual(['done']);
    expect(await catalogueDump(client)).toBe(before);
  });

  test('the build of a client that was killed ends by itself, and the next install goes on', async () => {
    const sockets: Socket[] = [];
    const proxy = await openProxy(server.url, (_, own, theirs) => sockets.push(own, theirs) > 0);
    const killed = openKeeper({...server, url: proxy.url});
    await blocker.query('begin; insert into auth_sessions (email) values (null)');
    const step = await buildStep(killed.keeper);
    const caught = killed.keeper
      .perform(oneBackground, 'install', step, {before: null})
      .catch(error => error);
    const pid = await building("and wait_event_type = 'Lock'");
    for (const socket of new Set(sockets)) socket.destroy();
    expect(await caught).toMatchObject({code: 'unreachable'});
    await vi.waitFor(async () => {
      expect((await sql(`select from pg_stat_activity where pid = ${pid}`)).rows).toEqual([]);
    }, 10_000);
    expect((await keeperWith().state(oneBackground)).state).toBe('drifted');
    const next = keeperWith().perform(oneBackground, 'install', step, {before: null});
    // What was left is dropped first, for which the same transaction is waited for.
    await vi.waitFor(async () => {
      const found = await sql(
        "select from pg_stat_activity where query like 'drop index concurrently%' and state = 'active'",
      );
      expect(found.rows).toHaveLength(1);
    }, 10_000);
    await blocker.query('rollback');
    expect(await next).toBe('done');
    expect(await move(keeperWith(), oneBackground, 'uninstall')).toEqual(['done']);
    expect(await catalogueDump(client)).toBe(before);
    await killed.close();
    await proxy.close();
  });

  test('partitions whose install ended after any of its steps are cleared by an uninstall', async () => {
    const keeper = keeperWith();
    await sql(`drop table auth_sessions; create table auth_sessions (email text, session_type text) partition by hash (email);
      create table auth_sessions_0 partition of auth_sessions for values with (modulus 2, remainder 0);
      create table auth_sessions_1 partition of auth_sessions for values with (modulus 2, remainder 1)`);
    before = await catalogueDump(client);
    const rule = {...oneBackground, key: [{attr: 'email'}]};
    const all = await keeper.steps(rule, 'install', {before: null});
    expect(all).toHaveLength(7);
    for (let count = 1; count <= all.length; count++) {
      for (const step of all.slice(0, count)) await keeper.perform(rule, 'install', step, {before: null});
      expect(await catalogueDump(client)).not.toBe(before);
      await move(keeper, rule, 'uninstall');
      expect(await catalogueDump(client), `after ${count} steps`).toBe(before);
    }
  });

  test('values that are too long for an index are told as such, and leave nothing', async () => {
    const keeper = keeperWith();
    // Longer than compression could make up for.
    await sql(`drop index auth_sessions_email; insert into auth_sessions (email, session_type)
      select string_agg(md5(g::text), ''), 'background' from generate_series(1, 300) g`);
    const step = await buildStep(keeper);
    await expect(keeper.perform(oneBackground, 'install', step, {before: null})).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('too long for an index'),
    });
    await sql('truncate auth_sessions; create index auth_sessions_email on auth_sessions (email)');
    expect(await catalogueDump(client)).toBe(before);
  });

  test.each([
    ['-f', []],
    ['-f in one transaction', ['-1']],
    ['-c', null],
  ])('the script runs under psql %s, twice each way', async (_, more) => {
    const keeper = keeperWith();
    const play = async (direction: 'install' | 'uninstall'): Promise<void> => {
      const script = await keeper.script([named], direction, {whole: true});
      const file = join(folder, `${direction}.sql`);
      await writeFile(file, script);
      const how = more ? [...more, '-f', file] : ['-c', script];
      await run('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-d', server.url, ...how]);
    };
    await play('install');
    await play('install');
    expect((await keeper.state(oneBackground)).state).toBe('installed');
    await play('uninstall');
    await play('uninstall');
    expect(await catalogueDump(client)).toBe(before);
  });

  test('a step that needs the table for itself lets go in between, and gives up in a bounded time', async () => {
    const keeper = keeperWith(quick);
    await sql(
      'drop table auth_sessions; create table auth_sessions (email text, session_type text) partition by hash (email)',
    );
    await sql(
      'create table auth_sessions_0 partition of auth_sessions for values with (modulus 1, remainder 0)',
    );
    const rule = {...oneBackground, key: [{attr: 'email'}]};
    await blocker.query("begin; insert into auth_sessions values ('a', 'device')");
    const [step] = await keeper.steps(rule, 'install', {before: null});
    const texts: string[] = [];
    const pending = keeper.perform(rule, 'install', step!, {
      before: null,
      onProgress: text => texts.push(text),
    });
    await expect(pending).rejects.toMatchObject({
      code: 'timeout',
      hint: expect.stringContaining('idle in transaction'),
    });
    expect(texts[0]).toBe('waiting for a lock on auth_sessions (try 2)');
    await blocker.query('rollback');
    expect(await keeper.perform(rule, 'install', step!, {before: null})).toBe('done');
  });

  test('the lookup of a background session by its email uses the index', async () => {
    await sql(`insert into auth_sessions (email, session_type) select g || '@b.c', case when g % 2 = 0 then 'background' else 'device' end
      from generate_series(1, 5000) g; analyze auth_sessions`);
    const keeper = keeperWith();
    expect(await move(keeper, oneBackground, 'install')).toEqual(['done', 'done', 'done']);
    const {rows} = await client.query<[string]>({...tableStatement('auth_sessions'), rowMode: 'array'});
    const table = readTable('auth_sessions', rows[0]![0]);
    const collations = (
      await sql(
        "select collname from pg_collation where collname in ('pg_unicode_fast', 'und-x-icu') order by 1",
      )
    ).rows;
    const binder = new Binder();
    const lower = ` collate pg_catalog."${(collations[0] as {collname: string}).collname}"`;
    const where = {all: [oneBackground.where, {in: ['100@b.c'], of: oneBackground.key[0]!}]};
    const condition = predicate(where, {
      table,
      alias: 't',
      scope: {binder, now: 0, lower},
      tables: () => table,
    });
    const {text, values} = binder.statement(`explain select from ${table.sql} as t where ${condition}`);
    const plan = (await client.query({text, values})).rows
      .map(row => Object.values(row as object)[0])
      .join('\n');
    expect(plan).toContain('auth_sessions_one_background');
  });

  test('an interrupted test leaves no schema behind', async () => {
    const keeper = keeperWith();
    const abort = new AbortController();
    const schemas = async () =>
      (await sql("select nspname from pg_namespace where nspname like 'sesstui%'")).rows.map(
        ({nspname}) => nspname as string,
      );
    const proving = (async () => {
      for await (const proof of keeper.prove([named], abort.signal)) expect(proof.passed).toBe(true);
    })().then(
      () => null,
      error => error,
    );
    await vi.waitFor(async () => expect(await schemas()).toHaveLength(1), {timeout: 10_000, interval: 1});
    abort.abort();
    expect(await proving).toMatchObject({code: 'interrupted'});
    expect(await schemas()).toEqual([]);
  });

  const openAs = (url: string): Connector => {
    const connector = openPostgres({...settings, url});
    opened.push({keeper: connector.guards, close: () => connector.close()});
    return connector;
  };

  test('who may create triggers but does not own the table is refused before anything is written', async () => {
    await freshRegistry(client);
    await sql('drop role if exists writer; create role writer login');
    try {
      await sql(
        `grant all on schema public to writer; grant select, insert, update, delete, trigger on ${table} to writer`,
      );
      before = await catalogueDump(client);
      const url = new URL(server.url);
      url.username = 'writer';
      const {guards} = openAs(url.href);
      for (const rule of bothRules)
        await expect(guards.steps(rule, 'install', {before: null})).rejects.toMatchObject({
          code: 'refused',
          message: `${table} belongs to postgres, and writer is not a member of that role.`,
        });
      expect(await catalogueDump(client)).toBe(before);
    } finally {
      await sql('drop owned by writer; drop role writer');
    }
  });

  test('sixteen transactions of 1,000 rows each find locks enough during an install', async () => {
    await freshRegistry(client);
    const connector = openAs(server.url);
    const writers: pg.Client[] = [];
    await install(
      connector,
      bothRules,
      async () => undefined,
      async ({name}) => {
        if (name !== 'meanwhile') return;
        try {
          for (let at = 0; at < 16; at++) {
            const writer = await openClient(server);
            writers.push(writer);
            await writer.query('begin');
            await writer.query(`insert into ${table} (device_key, stream_id, session_ids, message_envelope)
            select 'd${at}', i::text, '{a}', '' from generate_series(1, 1000) i`);
          }
          for (const writer of writers) await writer.query('commit');
        } finally {
          for (const writer of writers) await writer.end();
        }
      },
    );
    expect((await sql(`select count(*)::int as rows from ${table}`)).rows).toEqual([{rows: 16_000}]);
  });

  test('beside a sort function that follows the language of the database, a set is not let in twice', async () => {
    await sql(
      "create database languages template template0 encoding 'UTF8' locale_provider icu icu_locale 'en'",
    );
    const url = new URL(server.url);
    url.pathname = '/languages';
    const own = await openClient({...server, url: url.href});
    const connector = openPostgres({...settings, url: url.href});
    try {
      const [functions] = migration.split('alter table') as [string];
      const insert = `insert into ${table} (device_key, stream_id, session_ids, message_envelope) values ('d', 's', '{B,a}', '')`;
      await freshRegistry(own, insert, functions);
      expect(await connector.guards.state(sortedRule)).toMatchObject({state: 'drifted'});
      const handmade = await catalogueDump(own);
      const {before: captured} = await install(connector, bothRules, () => mend(own));
      await expect(own.query(insert)).rejects.toMatchObject({code: '23505'});
      await uninstall(connector, bothRules, captured);
      expect(await catalogueDump(own)).toBe(handmade);
      await own.query(`delete from ${table}; ${migration.slice(functions.length)}`);
      for (const rule of bothRules)
        expect(await connector.guards.state(rule)).toEqual({state: 'installed', why: null});
    } finally {
      await connector.close();
      await own.end();
      await sql('drop database languages with (force)');
    }
  });
});
