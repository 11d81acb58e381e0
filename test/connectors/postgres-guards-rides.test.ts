/** The trigger that cancels a customer's own stale sessions before a new one is stored. */
import fc from 'fast-check';
import pg from 'pg';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {readTable, tableStatement} from '../../connectors/postgres/catalogue.js';
import {cancelFirst} from '../../connectors/postgres/guards/cancel-first/cancel-first.js';
import type {RuleOf, Scratch} from '../../connectors/postgres/guards/rule.js';
import {staleSessions} from '../../source/checks/stale-sessions.js';
import {type StaleSessionsConfig, staleSessionsSchema} from '../../source/config/schema.js';
import type {Guard, Proof} from '../../source/guards.js';
import type {Json} from '../../source/values.js';
import {postgresServers} from '../support/postgres.js';
import {type Bench, openBench} from './postgres-harness.js';

type Rule = RuleOf<'cancel-first'>;

const configure = (over: object = {}): StaleSessionsConfig =>
  staleSessionsSchema.parse({check: 'stale-sessions', ...over}) as StaleSessionsConfig;
const guardsOf = (over: object = {}): Guard[] => staleSessions.guards!(configure(over), {});
const ruleOf = (over: object = {}): Rule =>
  guardsOf(over).find(({name}) => name === 'auto-cancel')!.rule as Rule;

const table = `drop table if exists sessions, audit cascade; drop type if exists ride_status;
  create table sessions (id uuid primary key default gen_random_uuid(), customer_id text not null,
    status varchar(20) not null, plan text not null default 'standard',
    created_at timestamptz default now(), updated_at timestamptz default now());
  create index sessions_customer on sessions (customer_id)`;

describe.each(postgresServers)('auto-cancel on $name', ({start}) => {
  let bench: Bench;
  const sql = async (text: string) => (await bench.client.query(text)).rows;
  const inOne = (statements: string[]) => sql(`begin; ${statements.join(';\n')}; commit`);
  const steps = (rule: Rule, direction: 'install' | 'uninstall' = 'install', before: Json = null) =>
    bench.connector.guards.steps(rule, direction, {before});
  const carryOut = async (
    rule: Rule,
    direction: 'install' | 'uninstall' = 'install',
    before: Json = null,
  ): Promise<void> => {
    for (const {statements} of await steps(rule, direction, before)) await inOne(statements);
  };
  const state = (rule: Rule) => bench.connector.guards.state(rule);
  const add = (customer: string, status: string, made = 'now()', changed = made) =>
    sql(`insert into sessions (customer_id, status, created_at, updated_at)
      values ('${customer}', '${status}', ${made}, ${changed})`);
  const statuses = async (customer: string): Promise<string[]> =>
    (await sql(`select status::text from sessions where customer_id::text = '${customer}' order by 1`)).map(
      ({status}) => status,
    );
  const ago = (text: string): string => `now() - interval '${text}'`;
  /** Everything in the catalogue that an install could leave behind. */
  const catalogue = async (): Promise<string> =>
    JSON.stringify(
      await sql(`select pg_get_functiondef(p.oid) as text from pg_proc p where p.pronamespace = 'public'::regnamespace
        union all select pg_get_triggerdef(t.oid) || t.tgenabled::text from pg_trigger t where not t.tgisinternal order by 1`),
    );

  beforeAll(async () => {
    bench = await openBench(await start());
  });
  afterAll(() => bench?.close());
  beforeEach(async () => {
    await sql(table);
    await sql('drop function if exists sessions_auto_cancel(), touch() cascade');
  });

  test('a new session cancels the stale waiting one of its customer, and says when', async () => {
    await carryOut(ruleOf());
    await add('a', 'waiting', ago('16 minutes'));
    await add('b', 'waiting', ago('16 minutes'));
    await add('a', 'waiting');
    expect(await statuses('a')).toEqual(['cancelled', 'waiting']);
    expect(await statuses('b')).toEqual(['waiting']);
    expect(
      await sql(`select count(*)::int as n from sessions where status = 'cancelled' and updated_at > ${ago('1 minute')}
        and created_at < ${ago('15 minutes')}`),
    ).toEqual([{n: 1}]);
  });

  test('what is fresh, active, over, infinite, in the future or of unknown age stays', async () => {
    await carryOut(ruleOf());
    const kept = [
      ['waiting', ago('14 minutes')],
      ['live', ago('5 hours')],
      ['in_progress', ago('5 hours')],
      ['completed', ago('5 hours')],
      ['waiting', 'null'],
      ['waiting', "'infinity'"],
      ['waiting', "'-infinity'"],
      ['waiting', "now() + interval '1 hour'"],
    ] as const;
    for (const [status, made] of kept) await add('a', status, made);
    await add('a', 'waiting');
    expect(await statuses('a')).toEqual([...kept.map(([status]) => status), 'waiting'].toSorted());
    await add('b', 'waiting', 'null', ago('16 minutes'));
    await add('b', 'completed');
    expect(await statuses('b')).toEqual(['cancelled', 'completed']);
  });

  test('a stale session blocks no purchase where a unique index allows one open session', async () => {
    await sql(
      `create unique index on sessions (customer_id) where status in ('waiting', 'live', 'in_progress')`,
    );
    await add('a', 'waiting', ago('16 minutes'));
    await expect(add('a', 'waiting')).rejects.toMatchObject({code: '23505'});
    await carryOut(ruleOf());
    await add('a', 'waiting');
    await expect(add('a', 'waiting')).rejects.toMatchObject({code: '23505'});
    expect(await statuses('a')).toEqual(['cancelled', 'waiting']);
  });

  test('an upsert of the stale session itself changes it', async () => {
    await carryOut(ruleOf());
    const id = '00000000-0000-4000-8000-000000000001';
    await sql(
      `insert into sessions (id, customer_id, status, created_at) values ('${id}', 'a', 'waiting', ${ago('1 hour')})`,
    );
    await sql(`insert into sessions (id, customer_id, status) values ('${id}', 'a', 'live')
      on conflict (id) do update set status = excluded.status`);
    expect(await statuses('a')).toEqual(['live']);
  });

  test('cancels exactly what the check calls stale for that customer', async () => {
    const rule = ruleOf();
    await carryOut(rule);
    const moment = fc.constantFrom(
      ...['null', "'infinity'", "'-infinity'", "now() + interval '1 minute'", "'0044-03-15 BC'"],
      ...[1, 14, 16, 31, 9000].map(minutes => ago(`${minutes} minutes`)),
    );
    const row = fc.record({
      customer: fc.constantFrom('a', 'b', 'A', 'a '),
      status: fc.constantFrom('waiting', 'Waiting', 'live', 'cancelled', 'in_progress'),
      made: moment,
      changed: moment,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, {maxLength: 12}), async rows => {
        await sql('alter table sessions disable trigger user; truncate sessions');
        for (const {customer, status, made, changed} of rows) await add(customer, status, made, changed);
        await sql('alter table sessions enable trigger user');
        const now = await bench.connector.now();
        const where = {all: [rule.stale, {in: ['a'], of: {attr: 'customer_id'}}]};
        const form = {form: 'rows' as const, from: 'sessions', where, show: [], tags: {}};
        const stale: string[] = [];
        for await (const {rows: found} of bench.connector.read(form, {now}))
          stale.push(String(found[0]!.identity.at.id));
        await sql(`create temporary table old as select * from sessions`);
        await add('a', 'completed');
        const changed = await sql(
          `select s.id, s.status from sessions s join old o using (id) where s.* is distinct from o.*`,
        );
        await sql('drop table old');
        expect(changed.map(({id}) => id).toSorted()).toEqual(stale.toSorted());
        expect(changed.every(({status}) => status === 'cancelled')).toBe(true);
      }),
      {numRuns: 40},
    );
  });

  const forms = [
    ['a naive timestamp in Tokyo', 'timestamp', "at time zone 'Asia/Tokyo'", {timeZone: 'Asia/Tokyo'}],
    ['a naive timestamp in UTC', 'timestamp', "at time zone 'UTC'", {}],
    ['epoch milliseconds', 'bigint', '', {}],
    ['epoch seconds', 'int', '', {}],
    ['ISO 8601 text', 'text', '', {}],
  ] as const;
  test.each(forms)('moments as %s', async (_name, type, zone, over) => {
    await sql(`alter table sessions drop created_at, drop updated_at;
      alter table sessions add created_at ${type}, add updated_at ${type}`);
    const as = (moment: string): string => {
      if (type === 'timestamp') return `(${moment}) ${zone}`;
      if (type === 'text') return `to_char((${moment}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
      return `floor(extract(epoch from ${moment})${type === 'int' ? '' : ' * 1000'})`;
    };
    await carryOut(ruleOf(over));
    expect(await state(ruleOf(over))).toEqual({state: 'installed', why: null});
    await add('a', 'waiting', as(ago('16 minutes')));
    await add('a', 'waiting', as(ago('14 minutes')));
    await add('b', 'waiting', as(ago('16 minutes')));
    await add('a', 'completed', as('now()'));
    expect(await statuses('a')).toEqual(['cancelled', 'completed', 'waiting']);
    const [{recent}] = await sql(
      `select updated_at >= ${as(ago('1 minute'))} as recent from sessions where status = 'cancelled'`,
    );
    expect(recent).toBe(true);
  });

  test('an enum and a jsonb column hold a status as well; an enum without the value says so', async () => {
    await sql(`create type ride_status as enum ('waiting', 'live', 'cancelled', 'completed');
      alter table sessions alter status type ride_status using status::ride_status`);
    await carryOut(ruleOf());
    await add('a', 'waiting', ago('1 hour'));
    await add('a', 'completed');
    expect(await statuses('a')).toEqual(['cancelled', 'completed'].toSorted());
    const statuses2 = {waiting: ['waiting'], cancelled: 'abandoned', active: ['live']};
    expect(await state(ruleOf({statuses: statuses2}))).toEqual({
      state: 'unavailable',
      why: `"status" (ride_status) can't be 'abandoned'`,
    });
    await expect(steps(ruleOf({statuses: statuses2}))).rejects.toMatchObject({code: 'unsupported'});
    await carryOut(ruleOf(), 'uninstall');
    await sql('truncate sessions; alter table sessions alter status type jsonb using to_jsonb(status::text)');
    await carryOut(ruleOf());
    await add('a', '"waiting"', ago('1 hour'));
    await add('a', '"completed"');
    expect(await statuses('a')).toEqual(['"cancelled"', '"completed"']);
  });

  test('names are quoted, and one that is too long is cut', async () => {
    const long = `Odd "name"; drop ${'é'.repeat(20)}`;
    const name = pg.escapeIdentifier(long);
    await sql(`drop table if exists ${name} cascade;
      create table ${name} ("id" int generated always as identity primary key, "the ""customer" int, "st$at" text,
        "made at" timestamptz, "changed" timestamptz)`);
    const columns = {
      table: long,
      customer: 'the "customer',
      status: 'st$at',
      createdAt: 'made at',
      updatedAt: 'changed',
    };
    const strange = {
      sessions: columns,
      statuses: {waiting: ["it's $sesstui$ \\"], cancelled: "c'\\", active: ['live']},
    };
    const rule = ruleOf(strange);
    await carryOut(rule);
    const row = (made: string) =>
      sql(
        `insert into ${name} ("the ""customer", "st$at", "made at") values (7, 'it''s $sesstui$ \\', ${made})`,
      );
    await row(ago('1 hour'));
    await row('now()');
    const found = await sql(
      `select "st$at" as status, changed is null as untouched from ${name} order by id`,
    );
    expect(found).toEqual([
      {status: "c'\\", untouched: false},
      {status: "it's $sesstui$ \\", untouched: true},
    ]);
    expect(await state(rule)).toMatchObject({state: 'installed'});
    const [{bytes}] = await sql(
      `select octet_length(tgname) as bytes from pg_trigger where not tgisinternal`,
    );
    expect(bytes).toBeLessThanOrEqual(63);
    await carryOut(rule, 'uninstall');
    await sql(`drop table ${name}`);
  });

  test('what is there is seen: missing, installed, other thresholds, disabled, half of it', async () => {
    const rule = ruleOf();
    expect(await state(rule)).toEqual({state: 'missing', why: null});
    await carryOut(rule);
    expect(await state(rule)).toEqual({state: 'installed', why: null});
    expect(await steps(rule)).toEqual([]);
    expect(await state(ruleOf({waitingAfter: '20m'}))).toEqual({
      state: 'drifted',
      why: 'it cancels what has waited for 900 s, the configuration says 1200 s',
    });
    expect(await state(ruleOf({statuses: {waiting: ['queued']}}))).toMatchObject({
      state: 'drifted',
      why: expect.stringMatching(/other statuses/),
    });
    await sql('alter table sessions disable trigger sessions_auto_cancel');
    expect(await state(rule)).toMatchObject({state: 'drifted', why: 'its trigger is disabled'});
    await sql('drop trigger sessions_auto_cancel on sessions');
    expect(await state(rule)).toMatchObject({state: 'drifted', why: 'its trigger is not there'});
    await carryOut(rule);
    expect(await state(rule)).toEqual({state: 'installed', why: null});
    await carryOut(ruleOf({waitingAfter: '20m'}));
    expect(await state(ruleOf({waitingAfter: '20m'}))).toEqual({state: 'installed', why: null});
  });

  test('what the table lacks makes it unavailable', async () => {
    await sql('alter table sessions drop updated_at');
    expect(await state(ruleOf())).toMatchObject({
      state: 'unavailable',
      why: expect.stringMatching(/no column "updated_at"/),
    });
    expect(await state(ruleOf({sessions: {table: 'nowhere'}}))).toMatchObject({state: 'unavailable'});
  });

  test('uninstall leaves the catalogue as it was, and puts back what stood in its place', async () => {
    const empty = await catalogue();
    await carryOut(ruleOf());
    await carryOut(ruleOf(), 'uninstall');
    expect(await catalogue()).toBe(empty);
    expect(await steps(ruleOf(), 'uninstall')).toEqual([]);

    await sql(`create function sessions_auto_cancel() returns trigger language plpgsql as 'begin return new; end';
      create trigger sessions_auto_cancel before update on sessions for each row execute function sessions_auto_cancel();
      alter table sessions disable trigger sessions_auto_cancel`);
    const own = await catalogue();
    const before = await bench.connector.guards.capture(ruleOf());
    await carryOut(ruleOf(), 'install', before);
    expect(await state(ruleOf())).toEqual({state: 'installed', why: null});
    // With other thresholds it is the same guard, which an uninstall takes away.
    expect(await bench.connector.guards.capture(ruleOf({waitingAfter: '20m'}))).toBeNull();
    await carryOut(ruleOf(), 'uninstall', before);
    expect(await catalogue()).toBe(own);
    expect(await steps(ruleOf(), 'uninstall', before)).toEqual([]);
  });

  test('a function of that name that is no trigger function is left alone', async () => {
    await sql(`create function sessions_auto_cancel() returns int language sql as 'select 1'`);
    expect(await state(ruleOf())).toMatchObject({
      state: 'unavailable',
      why: expect.stringMatching(/no trigger's/),
    });
    const there = await catalogue();
    await carryOut(ruleOf(), 'uninstall');
    expect(await catalogue()).toBe(there);
  });

  test('the script goes up twice and down twice', async () => {
    const empty = await catalogue();
    const place = {name: 'sessions', table: await tableOf(), lower: ''};
    const up = cancelFirst.script(ruleOf(), place, 'install');
    const down = cancelFirst.script(ruleOf(), place, 'uninstall');
    await inOne(up);
    expect(await state(ruleOf())).toEqual({state: 'installed', why: null});
    const once = await catalogue();
    await inOne(up);
    expect(await catalogue()).toBe(once);
    await inOne(down);
    await inOne(down);
    expect(await catalogue()).toBe(empty);
  });

  test('a script for a table that was not looked at says what it takes it to be, and works on it', async () => {
    const unseen = {name: 'sessions', table: null, lower: ''};
    const up = cancelFirst.script(ruleOf(), unseen, 'install');
    expect(up[0]).toBe(
      '-- Taken to be timestamptz in the schema public, as they were not there to look at: created_at, updated_at',
    );
    await inOne([up.slice(0, 2).join('\n'), ...up.slice(2)]);
    await add('a', 'waiting', ago('1 hour'));
    await add('a', 'completed');
    expect(await statuses('a')).toEqual(['cancelled', 'completed']);
    await inOne(cancelFirst.script(ruleOf(), unseen, 'uninstall').slice(1));
    expect(await state(ruleOf())).toEqual({state: 'missing', why: null});
  });

  test('a change that the table refuses warns, and lets the purchase pass', async () => {
    await sql(`alter table sessions add check (status <> 'cancelled')`);
    await carryOut(ruleOf());
    await add('a', 'waiting', ago('1 hour'));
    await add('a', 'completed');
    expect(await statuses('a')).toEqual(['completed', 'waiting']);
  });

  test('update triggers that depend on the search path are named', async () => {
    await sql(`create function touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger touched before update on sessions for each row execute function touch()`);
    const {why} = await state(ruleOf());
    expect(why).toMatch(/update triggers touched run with search_path/);
    await sql('alter function touch() set search_path = public');
    expect(await state(ruleOf())).toEqual({state: 'missing', why: null});
  });

  test('without an index on the customer it says that each insert reads the table', async () => {
    await sql('drop index sessions_customer');
    const [step] = await steps(ruleOf());
    expect(step!.text).toMatch(/no index begins with customer_id/);
    await carryOut(ruleOf());
    expect(await state(ruleOf())).toEqual({
      state: 'installed',
      why: expect.stringMatching(/no index begins with customer_id/),
    });
  });

  test('among 100,000 sessions it finds its own by the index', async () => {
    await sql(`insert into sessions (customer_id, status, created_at)
      select 'c' || n % 20000, case when n % 3 = 0 then 'waiting' else 'completed' end, now() - interval '1 hour'
      from generate_series(1, 100000) n; analyze sessions`);
    await carryOut(ruleOf());
    const results = (await bench.client.query(`begin;
      insert into sessions (customer_id, status) select 'c' || n, 'completed' from generate_series(1, 50) n;
      select seq_scan::int, idx_scan::int, n_tup_upd::int from pg_stat_xact_user_tables where relname = 'sessions';
      commit`)) as unknown as pg.QueryResult[];
    const [{seq_scan, idx_scan, n_tup_upd}] = results[2]!.rows;
    expect([seq_scan, idx_scan >= 50, n_tup_upd > 50]).toEqual([0, true, true]);
  });

  const tableOf = async () => {
    const {text, values} = tableStatement('sessions');
    const {rows} = await bench.client.query({text, values, rowMode: 'array'});
    return readTable('sessions', rows[0]![0]);
  };

  test('callers at once, as a proof has them, are no leak that Node warns of', async () => {
    const warnings: string[] = [];
    const onWarning = ({name}: Error) => warnings.push(name);
    process.on('warning', onWarning);
    const {signal} = new AbortController();
    // Others listen too, and not all of the ten callers may be connected at one moment.
    for (let i = 0; i < 5; i++) signal.addEventListener('abort', () => {});
    const rules = [{guard: 'auto-cancel', rule: ruleOf()}];
    try {
      for await (const {passed} of bench.connector.guards.prove(rules, signal)) expect(passed).toBe(true);
    } finally {
      process.off('warning', onWarning);
    }
    expect(warnings).toEqual([]);
  });

  test('its proofs pass on a scratch copy, which is gone afterwards', async () => {
    await sql('alter table sessions alter plan drop default, alter created_at set not null');
    const proofs: Proof[] = [];
    for await (const proof of bench.connector.guards.prove([{guard: 'auto-cancel', rule: ruleOf()}]))
      proofs.push(proof);
    expect(proofs.filter(({passed}) => !passed)).toEqual([]);
    expect(proofs.map(({text}) => text)).toEqual(
      expect.arrayContaining([
        'A new session cancels a stale waiting one of its customer.',
        'A fresh waiting session stays.',
        "Another customer's stale session stays.",
        'A session that is live stays, however old it is.',
        'A session that is in_progress stays, however old it is.',
        'A waiting session of unknown age stays.',
        "Ten new sessions at once don't wait for one another, and the stale one is cancelled.",
      ]),
    );
    const [{left}] = await sql(
      `select count(*)::int as left from pg_namespace where nspname like 'sesstui%'`,
    );
    expect(left).toBe(0);
  });

  test('without the trigger the proofs that matter fail', async () => {
    const query = async (text: string, values: unknown[] = []) =>
      (await bench.client.query({text, values, rowMode: 'array'})).rows as (string | null)[][];
    const bare: Scratch = {
      place: {table: await tableOf(), lower: ''},
      sql: 'sessions',
      query,
      transaction: async () => [],
      atOnce: async texts => {
        const results: PromiseSettledResult<(string | null)[][]>[] = [];
        for (const {text} of texts) results.push({status: 'fulfilled', value: await query(text)});
        return results;
      },
      install: async () => undefined,
      uninstall: async () => undefined,
    };
    const failed: string[] = [];
    for await (const {text, passed} of cancelFirst.prove(ruleOf(), bare)) if (!passed) failed.push(text);
    expect(failed).toEqual([
      'A new session cancels a stale waiting one of its customer.',
      "Ten new sessions at once don't wait for one another, and the stale one is cancelled.",
    ]);
  });

  test('it is installed, uninstalled and written out through the keeper as well', async () => {
    const {guards} = bench.connector;
    const empty = await catalogue();
    const rule = ruleOf();
    for (const step of await guards.steps(rule, 'install', {before: null}))
      expect(await guards.perform(rule, 'install', step, {before: null})).toBe('done');
    expect(await state(rule)).toEqual({state: 'installed', why: null});
    const once = await catalogue();
    for (const step of await guards.steps(rule, 'uninstall', {before: null}))
      await guards.perform(rule, 'uninstall', step, {before: null});
    expect(await catalogue()).toBe(empty);
    const named = [{guard: 'auto-cancel', rule}];
    const [up, down] = [
      await guards.script(named, 'install', {whole: false}),
      await guards.script(named, 'uninstall', {whole: false}),
    ];
    await sql(up);
    await sql(up);
    expect(await catalogue()).toBe(once);
    await sql(down);
    await sql(down);
    expect(await catalogue()).toBe(empty);
  });
});

describe.each(postgresServers.filter(({name}) => name !== 'PGlite'))(
  'auto-cancel among writers on $name',
  ({start}) => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await openBench(await start());
    });
    afterAll(() => bench?.close());

    const connected = async (): Promise<pg.Client> => {
      const client = new pg.Client(bench.url);
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };

    test('it waits for nobody who holds the stale session', async () => {
      await bench.client.query(table);
      for (const {statements} of await bench.connector.guards.steps(ruleOf(), 'install', {before: null}))
        await bench.client.query(statements.join(';'));
      const holder = await connected();
      await bench.client.query(
        `insert into sessions (customer_id, status, created_at) values ('a', 'waiting', now() - interval '1 hour')`,
      );
      await holder.query('begin; update sessions set plan = plan');
      const buyer = await connected();
      const warnings: unknown[] = [];
      buyer.on('notice', warning => warnings.push(warning.message));
      await buyer.query(
        `set lock_timeout = '1s'; insert into sessions (customer_id, status) values ('a', 'completed')`,
      );
      // A wait would have ended in a warning.
      expect(warnings).toEqual([]);
      await buyer.end();
      await holder.query('rollback');
      await holder.end();
      const {rows} = await bench.client.query(`select status from sessions order by 1`);
      expect(rows).toEqual([{status: 'completed'}, {status: 'waiting'}]);
    });

    test('of eight who buy at once for one customer, one gets the open session and none an error but the refusal', async () => {
      await bench.client.query(`${table};
      create unique index on sessions (customer_id) where status in ('waiting', 'live', 'in_progress')`);
      await bench.client.query('drop function if exists sessions_auto_cancel() cascade');
      for (const {statements} of await bench.connector.guards.steps(ruleOf(), 'install', {before: null}))
        await bench.client.query(statements.join(';'));
      const clients = await Promise.all(Array.from({length: 8}, connected));
      const codes: string[] = [];
      for (let round = 0; round < 25; round++) {
        await bench.client.query(
          `insert into sessions (customer_id, status, created_at) values ('c${round}', 'waiting', now() - interval '1 hour')`,
        );
        const buy = `insert into sessions (customer_id, status) values ('c${round}', 'waiting')`;
        const results = await Promise.allSettled(clients.map(client => client.query(buy)));
        codes.push(
          ...results.flatMap(result => (result.status === 'rejected' ? [result.reason.code as string] : [])),
        );
      }
      await Promise.all(clients.map(client => client.end()));
      expect(codes).toEqual(new Array(25 * 7).fill('23505'));
      const {rows} = await bench.client.query(
        `select status, count(*)::int from sessions group by 1 order by 1`,
      );
      expect(rows).toEqual([
        {status: 'cancelled', count: 25},
        {status: 'waiting', count: 25},
      ]);
    });
  },
);
