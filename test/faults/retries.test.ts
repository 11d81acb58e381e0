/**
 * What may be tried again is, a bounded number of times; what may not fails alone. And a run that has to wait for
 * another's lock gives up within its bound, while no reader waits behind it.
 */
import pg from 'pg';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {type PostgresServer, startServer} from '../support/postgres.js';
import {type Caller, openCaller} from './network-cli.js';
import {openKeyed} from './operators-postgres.js';
import type {System} from './operators-system.js';
import {record} from './record.js';

const server = 'PostgreSQL 15';
const task = {check: 'store/first', action: 'keep-first'};

describe('what PostgreSQL refuses, once or for good', () => {
  let postgres: PostgresServer;
  let system: System;
  let caller: Caller;
  let client: pg.Client;
  const sql = (text: string) => client.query(text);

  /** Ten rows too many, each in a group of its own with one that stays; deleting g6-1 calls `refuse`. */
  const tenGroups = async (refuse: string): Promise<void> => {
    await sql(`drop trigger if exists refuse on items; truncate items; truncate accounts; drop sequence if exists calls;
      create sequence calls;
      insert into items (id, account, stamp, updated_at) select 'g' || g || '-' || n, 'g' || g, 'seed', now()
        from generate_series(0, 9) g, generate_series(0, 1) n;
      create or replace function refuse() returns trigger language plpgsql as $$ begin
        if old.id = 'g6-1' then perform nextval('calls'); ${refuse} end if; return old; end $$;
      create trigger refuse before delete on items for each row execute function refuse()`);
  };
  const calls = async (): Promise<number> =>
    Number((await sql('select case when is_called then last_value else 0 end as n from calls')).rows[0].n);
  const left = async (): Promise<string[]> =>
    (await sql("select id from items where id like '%-1' order by 1")).rows.map(({id}) => id as string);

  beforeAll(async () => {
    postgres = await startServer();
    system = await openKeyed(postgres.url, server);
    caller = await openCaller(system.config);
    client = new pg.Client(postgres.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await system.close();
    await postgres.stop();
  });

  test('the 7th of 10 fails for good: nine are made, it is tried once, exit 4', async () => {
    await tenGroups("raise exception 'not this one' using errcode = '23514';");
    const {code, json} = await caller.clean(task);
    const {planned, applied, skipped, failed, unknown, remaining} = json;
    const told = {code, planned, applied, skipped, failed, unknown, remaining};
    const wanted = {code: 4, planned: 10, applied: 9, skipped: 0, failed: 1, unknown: 0, remaining: 1};
    expect(told).toEqual(wanted);
    expect(json.changes.find(({result}) => result === 'failed')).toMatchObject({
      key: {id: 'g6-1'},
      error: expect.stringContaining('not this one'),
    });
    expect(await left()).toEqual(['g6-1']);
    expect(await calls()).toBe(1);
    record({
      requirement: 'S6',
      fault: 'the 7th of 10 changes fails for good',
      server,
      rounds: 1,
      violations: 0,
    });
  });

  test.each([
    ['a serialization failure', '40001'],
    ['a deadlock', '40P01'],
    ['a lock that was not granted', '55P03'],
  ])('%s that passes is tried again; one that stays is given up after a few attempts', async (name, code) => {
    await tenGroups(
      `if currval('calls') <= 2 then raise exception 'passing' using errcode = '${code}'; end if;`,
    );
    const passing = await caller.clean(task);
    expect({code: passing.code, applied: passing.json.applied}).toEqual({code: 0, applied: 10});
    expect(await left()).toEqual([]);
    expect(await calls()).toBe(3);

    await tenGroups(`raise exception 'staying' using errcode = '${code}';`);
    const staying = await caller.clean(task);
    expect({code: staying.code, applied: staying.json.applied, failed: staying.json.failed}).toEqual({
      code: 4,
      applied: 9,
      failed: 1,
    });
    expect(await left()).toEqual(['g6-1']);
    expect(await calls()).toBeGreaterThan(1);
    expect(await calls()).toBeLessThanOrEqual(5);
    record({requirement: 'S6', fault: `${name}, passing and staying`, server, rounds: 2, violations: 0});
  });

  const waiting = (count: number) =>
    vi.waitFor(async () => {
      const {rows} = await sql(
        "select from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'sesstui%'",
      );
      expect(rows.length).toBeGreaterThanOrEqual(count);
    }, 20_000);

  test('a blocked row: an error within the bound, and the other rows are done', async () => {
    await tenGroups('null;');
    const blocker = new pg.Client(postgres.url);
    await blocker.connect();
    await blocker.query("begin; update items set stamp = 'mine' where id = 'g6-1'");
    const started = performance.now();
    const {code, json} = await caller.clean(task, '--timeout', '2s');
    expect(performance.now() - started).toBeLessThan(60_000);
    expect({code, applied: json.applied, failed: json.failed}).toEqual({code: 4, applied: 9, failed: 1});
    await blocker.query('rollback');
    await blocker.end();
    expect(await left()).toEqual(['g6-1']);
    record({requirement: 'S7', fault: 'a row that stays locked', server, rounds: 1, violations: 0});
  });

  test('a blocked table: an error within the bound, and no reader waits behind the run', async () => {
    await tenGroups('null;');
    const blocker = new pg.Client(postgres.url);
    await blocker.connect();
    // Readers and other holders of this lock go on beside it; whoever wants to write waits.
    await blocker.query('begin; lock table items in share mode');
    const started = performance.now();
    const run = caller.clean(task, '--timeout', '2s');
    await waiting(1);
    // Would the run ask for more than it needs, readers would queue behind it.
    await sql("set statement_timeout = '1s'");
    expect((await sql('select count(*)::int as n from items')).rows).toEqual([{n: 20}]);
    // What no writer goes together with waits behind this one too, but only as long as its lock timeout.
    await sql("set statement_timeout = '5s'");
    await sql('begin; lock table items in share mode; commit');
    await sql('reset statement_timeout');
    const {code, json} = await run;
    expect(performance.now() - started).toBeLessThan(60_000);
    expect(code).toBe(4);
    expect({applied: json.applied, unknown: json.unknown, failed: json.failed}).toEqual({
      applied: 0,
      unknown: 0,
      failed: 10,
    });
    await blocker.query('rollback');
    await blocker.end();
    record({requirement: 'S7', fault: 'a table that stays locked', server, rounds: 1, violations: 0});
  });
});
