/** What goes wrong between a client and a real server: locks, lost connections, lost replies, hidden rows. */
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {openPostgres} from '../../connectors/postgres/index.js';
import {decideKeeper} from '../../source/checks/keeper.js';
import type {Change, Connector, KeepRule, Outcome, Row, Unit} from '../../source/connector.js';
import type {Rows} from '../../source/forms.js';
import {postgresServers} from '../support/postgres.js';
import {isCommit, openProxy} from '../support/postgres-proxy.js';
import {allRows} from './contract-answers.js';
import {type Bench, openBench, rowTexts, settings} from './postgres-harness.js';

const now = Date.UTC(2026, 10, 20, 10) * 1000;
const page = {now, offset: 0, limit: 100};
const everyRow: Rows = {form: 'rows', from: 'items', where: {all: []}, show: [], tags: {}};

const existing = (row: Row) => ({
  table: row.table,
  identity: row.identity,
  version: row.version!,
  image: row.image!,
});
const remove = (row: Row): Change => ({...existing(row), op: 'delete'});
const results = (outcomes: Outcome[][]): string[] => outcomes.flat().map(outcome => outcome.result);

// A server of one backend has none of these faults to offer, so this file is left out where there is none but that.
describe.each(postgresServers)('postgres faults on $name', ({start}) => {
  let bench: Bench;
  const sql = (text: string) => bench.client.query(text);
  const rowsOf = async (connector: Connector): Promise<Row[]> =>
    (await allRows(connector, 'items', now)).map(row => ({...row, tags: []}));
  const fill = () =>
    sql(
      'drop table if exists items; create table items (id int primary key, n int); insert into items select g, 0 from generate_series(1, 4) g',
    );
  const another = async (): Promise<pg.Client> => {
    const client = new pg.Client(bench.url);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    bench = await openBench(await start());
  }, 60_000);
  afterAll(() => bench.close());

  test('a row that stays locked fails its own unit within the bound', async () => {
    await fill();
    const quick = openPostgres({...settings, timeoutMs: 300, url: bench.url});
    const rows = await rowsOf(bench.connector);
    const blocker = await another();
    await blocker.query('begin; update items set n = 1 where id = 2');
    const started = performance.now();
    const outcomes = await quick.apply(
      rows.map(row => ({group: null, changes: [remove(row)]})),
      {decideKeeper},
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(results(outcomes)).toEqual(['applied', 'failed', 'applied', 'applied']);
    await blocker.query('rollback');
    await blocker.end();
    await quick.close();
    expect(await rowTexts(bench, 'items')).toEqual(['(2,0)']);
  });

  test('a lock that is given back in time is waited for, and the row looked at again', async () => {
    await fill();
    const rows = await rowsOf(bench.connector);
    const blocker = await another();
    await blocker.query('begin; update items set n = 1 where id = 2');
    const pending = bench.connector.apply(
      rows.map(row => ({group: null, changes: [remove(row)]})),
      {decideKeeper},
    );
    await vi.waitFor(async () => {
      const {rows: waiting} = await sql(
        "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'sesstui'",
      );
      expect(waiting).toHaveLength(1);
    }, 5_000);
    await blocker.query('commit');
    await blocker.end();
    const outcomes = (await pending).flat();
    expect(outcomes.map(outcome => ('why' in outcome ? outcome.why : outcome.result))).toEqual([
      'applied',
      'changed',
      'applied',
      'applied',
    ]);
  });

  test('a COMMIT whose reply is lost is found to have been made', async () => {
    await fill();
    let dropped = false;
    const proxy = await openProxy(bench.url, (sent, client, server) => {
      if (!dropped && isCommit(sent) && armed) {
        dropped = true;
        server.removeAllListeners('data');
        server.once('data', () => client.destroy());
      }
      return true;
    });
    let armed = false;
    const connector = openPostgres({...settings, url: proxy.url});
    const rows = await rowsOf(connector);
    await connector.now();
    armed = true;
    const outcomes = await connector.apply([{group: null, changes: [remove(rows[0]!)]}], {decideKeeper});
    expect(dropped).toBe(true);
    expect(results(outcomes)).toEqual(['applied']);
    expect(await rowTexts(bench, 'items')).toEqual(['(2,0)', '(3,0)', '(4,0)']);
    await connector.close();
    await proxy.close();
  });

  test('a COMMIT that never arrived is found not to have been made', async () => {
    await fill();
    let armed = false;
    const proxy = await openProxy(bench.url, (sent, client, server) => {
      if (!armed || !isCommit(sent)) return true;
      armed = false;
      client.destroy();
      server.destroy();
      return false;
    });
    const connector = openPostgres({...settings, url: proxy.url});
    const rows = await rowsOf(connector);
    await connector.now();
    armed = true;
    const outcomes = await connector.apply([{group: null, changes: [remove(rows[0]!)]}], {decideKeeper});
    expect(results(outcomes)).toEqual(['failed']);
    expect(await rowTexts(bench, 'items')).toHaveLength(4);
    await connector.close();
    await proxy.close();
  });

  test('an interrupted statement ends on the server too', async () => {
    await fill();
    await bench.connector.server();
    const blocker = await another();
    await blocker.query('begin; lock table items');
    const control = new AbortController();
    const pending = bench.connector.survey(everyRow, {...page, signal: control.signal});
    const waiting = async (count: number) =>
      vi.waitFor(async () => {
        const {rows} = await sql(
          "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'sesstui'",
        );
        expect(rows).toHaveLength(count);
      }, 5_000);
    await waiting(1);
    control.abort();
    await expect(pending).rejects.toMatchObject({code: 'interrupted'});
    await waiting(0);
    await blocker.query('rollback');
    await blocker.end();
    expect((await bench.connector.survey(everyRow, page)).total).toBe(4);
  });

  test('a connection that breaks is replaced by the next question', async () => {
    await fill();
    await bench.connector.now();
    const end = () =>
      sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sesstui'");
    await end();
    await vi.waitFor(async () => expect((await bench.connector.survey(everyRow, page)).total).toBe(4), 5_000);
    const blocker = await another();
    await blocker.query('begin; lock table items');
    const pending = bench.connector.survey(everyRow, page);
    await vi.waitFor(
      async () =>
        expect((await sql("select from pg_stat_activity where wait_event_type = 'Lock'")).rows).toHaveLength(
          1,
        ),
      5_000,
    );
    await Promise.all([expect(pending).rejects.toMatchObject({code: 'unreachable'}), end()]);
    await blocker.query('rollback');
    await blocker.end();
    expect((await bench.connector.survey(everyRow, page)).total).toBe(4);
  });

  test('a statement that takes too long, and a lock that is not granted, are timeouts', async () => {
    await fill();
    const quick = openPostgres({...settings, timeoutMs: 200, url: bench.url});
    const blocker = await another();
    await blocker.query('begin; lock table items');
    await expect(quick.survey(everyRow, page)).rejects.toMatchObject({code: 'timeout'});
    await blocker.query('rollback');
    await blocker.end();
    await quick.close();
  });

  test('hidden rows, missing rights and missing databases have codes of their own, and no error holds a password', async () => {
    await sql(`drop table if exists items; create table items (id int primary key, n int); insert into items values (1, 1), (2, 2);
      do $$ begin create role reader login; exception when duplicate_object then null; end $$;
      grant select on items to reader; alter table items enable row level security; create policy half on items using (n = 1)`);
    const as = (user: string, database = 'postgres') => {
      const url = new URL(bench.url);
      url.username = user;
      url.password = 'canary-7f3a';
      url.pathname = `/${database}`;
      return openPostgres({...settings, url: url.href});
    };
    const reader = as('reader');
    expect((await reader.describe('items'))!.hidden).toMatch(/row-level security/);
    expect((await bench.connector.describe('items'))!.hidden).toBeNull();
    const errors: unknown[] = [];
    const codeOf = async (answer: Promise<unknown>): Promise<unknown> => {
      const error = (await answer.catch((thrown: unknown) => thrown)) as {code: unknown};
      errors.push(error);
      return error.code;
    };
    expect(await codeOf(reader.survey(everyRow, page))).toBe('incomplete');
    await sql('alter table items disable row level security; revoke select on items from reader');
    expect(await codeOf(reader.survey(everyRow, page))).toBe('refused');
    const nowhere = as('reader', 'nowhere');
    expect(await codeOf(nowhere.now())).toBe('not-found');
    const nobody = as('nobody');
    expect(await codeOf(nobody.now())).toBe('refused');
    expect(errors.map(error => JSON.stringify(error) + String(error)).join()).not.toContain('canary');
    for (const connector of [reader, nowhere, nobody]) await connector.close();
  });

  test('a read-only session can not write, whatever it sends', async () => {
    const reader = openPostgres({...settings, readOnly: true, url: bench.url});
    await reader.now();
    const {rows} = await sql(
      "select pid from pg_stat_activity where application_name = 'sesstui' and state = 'idle'",
    );
    expect(rows.length).toBeGreaterThan(0);
    await sql(`create or replace function sneaky() returns int language plpgsql as $$ begin create table stolen (id int); return 1; end $$;
      create or replace view items_view as select sneaky() as id`);
    await expect(
      reader.tally({form: 'tally', from: 'items_view', by: {attr: 'id'}}, {now}),
    ).rejects.toMatchObject({code: 'read-only'});
    await reader.close();
  });

  test('of two operators with opposite rules on one group, the second decides on what the first left', async () => {
    // Whoever deletes waits at the trigger, until both are on their way.
    await sql(`drop table if exists items; create table items (id int primary key, n int, at timestamptz);
      insert into items values (1, 1, now()), (2, 1, now() + interval '1 h');
      create or replace function gate() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(7); return old; end $$;
      create trigger gate before delete on items for each row execute function gate()`);
    const rows = await rowsOf(bench.connector);
    const unitOf = (keep: KeepRule): Unit => {
      const keeper = rows[decideKeeper(keep, rows)]!;
      return {
        group: {table: 'items', where: {in: [1], of: {attr: 'n'}}, keep, keeper: keeper.identity},
        changes: rows.filter(row => row !== keeper).map(remove),
      };
    };
    const latest: KeepRule = {
      by: 'latest',
      latestBy: ['at'],
      canonicalId: null,
      idAttribute: null,
      zone: 'UTC',
    };
    const other = openPostgres({...settings, url: bench.url});
    const blocker = await another();
    await blocker.query('select pg_advisory_lock(7)');
    const pending = Promise.all([
      bench.connector.apply([unitOf({by: 'first'})], {decideKeeper}),
      other.apply([unitOf(latest)], {decideKeeper}),
    ]);
    await vi.waitFor(async () => {
      const {rows: waiting} = await sql(
        "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'sesstui'",
      );
      expect(waiting).toHaveLength(2);
    }, 10_000);
    await blocker.query('select pg_advisory_unlock(7)');
    const outcomes = (await pending).flat(2);
    expect(outcomes.map(outcome => outcome.result).sort()).toEqual(['applied', 'skipped']);
    expect(await rowTexts(bench, 'items')).toHaveLength(1);
    await blocker.end();
    await other.close();
  });

  test('two operators with opposite rules and writers beside them never empty a group', async () => {
    await sql(`drop table if exists items; create table items (id int primary key, n int, at timestamptz default now());
      insert into items select g, g / 4, now() + g * interval '1 s' from generate_series(0, 159) g`);
    const operator = openPostgres({...settings, url: bench.url});
    const writer = await another();
    const first: KeepRule = {by: 'first'};
    const latest: KeepRule = {
      by: 'latest',
      latestBy: ['at'],
      canonicalId: null,
      idAttribute: null,
      zone: 'UTC',
    };
    const unitsOf = async (connector: Connector, keep: KeepRule): Promise<Unit[]> => {
      const rows = await rowsOf(connector);
      return Array.from({length: 40}, (_, n): Unit => {
        const members = rows.filter(row => row.values.n === n);
        const keeper = members[decideKeeper(keep, members)]!;
        return {
          group: {table: 'items', where: {in: [n], of: {attr: 'n'}}, keep, keeper: keeper.identity},
          changes: members.filter(row => row !== keeper).map(remove),
        };
      });
    };
    const plans = [await unitsOf(operator, first), (await unitsOf(bench.connector, latest)).reverse()];
    const writes = (async () => {
      for (let id = 0; id < 160; id += 3)
        await writer.query(`update items set at = now() + interval '1 h' where id = ${id}`);
    })();
    const chunks = async (connector: Connector, units: Unit[]): Promise<void> => {
      for (let from = 0; from < units.length; from += 5)
        await connector.apply(units.slice(from, from + 5), {decideKeeper});
    };
    await Promise.all([chunks(operator, plans[0]!), chunks(bench.connector, plans[1]!), writes]);
    const {rows} = await sql('select count(distinct n)::int as groups from items');
    expect(rows).toEqual([{groups: 40}]);
    await operator.close();
    await writer.end();
  });
});
